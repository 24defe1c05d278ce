"""Plays seeds from the command line.

`python -m tests.simulation --seed 7 --trace` plays one and says everything that happens; `--seeds 1000` plays seeds 1
to 1000, `--minutes 60` as many as fit. Without `--database` it starts a PostgreSQL of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from deploy.embedded.postgres import Postgres
from deploy.embedded.state import StateFolder
from services.cli.databases import with_database
from services.notifier.migrations import VERSIONS
from services.plumbing.migrations import upgrade
from tests.simulation.database import Ground, new_database
from tests.simulation.mutations import MUTATIONS
from tests.simulation.running import Run, run_seed
from tests.simulation.sources import hashes_are_fixed

COMMAND = "python -m tests.simulation"


def main() -> int:
    """Play what the options ask for; 1 when a promise did not hold."""
    options = _options()
    if not hashes_are_fixed():
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            os.environ | {"PYTHONHASHSEED": "0"},
        )
    if not options.trace:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with _server(options.database) as url:
        if options.workers > 1:
            return _shared_out(options, url)
        # In a thread of its own, since uvloop would prepare for signals anew at each call of the main one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_play, options, url).result()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="play this seed; may stand several times")
    parser.add_argument("--seeds", type=int, default=100, help="play so many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--step", type=int, default=1, help="the next of them is so much greater")
    parser.add_argument("--minutes", type=float, help="play as many as fit into so many minutes")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the seeds")
    parser.add_argument("--database", help="a PostgreSQL in which databases may be made")
    parser.add_argument(
        "--mutation", choices=sorted(MUTATIONS), default="none", help="break a rule first; it has to be found"
    )
    parser.add_argument("--until-red", action="store_true", help="stop at the first that is red")
    parser.add_argument("--trace", action="store_true", help="say everything that happens")
    parser.add_argument("--rows", action="store_true", help="show the deliveries afterwards")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each seed")
    return parser.parse_args()


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        state = StateFolder(Path(folder))
        state.open()
        server = Postgres(state, state.credentials())
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def _play(options: argparse.Namespace, url: str) -> int:
    name = asyncio.run(new_database(url))
    asyncio.run(upgrade(with_database(url, name), "notifier", VERSIONS))
    ground = Ground(with_database(url, name), "notifier")
    begun, played, red = time.monotonic(), 0, 0
    with MUTATIONS[options.mutation]():
        for seed in _seeds(options, begun):
            run = run_seed(seed, ground, tell=print if options.trace else None)
            played, red = played + 1, red + bool(run.broken)
            _say(run, options)
            if red and options.until_red:
                break
    if options.rows:
        for row in ground.look("select * from delivery order by position"):
            print(dict(row))
    ground.close()
    if not options.json:
        took = time.monotonic() - begun
        print(f"{played} seeds, {red} red, {took:.0f} s")
    return 1 if red else 0


def _seeds(options: argparse.Namespace, begun: float) -> Iterator[int]:
    if options.seed:
        yield from options.seed
        return
    seed = options.first
    while (
        seed < options.first + options.seeds * options.step
        if options.minutes is None
        else time.monotonic() < begun + options.minutes * 60
    ):
        yield seed
        seed += options.step


def _say(run: Run, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(asdict(run)) + "\n", end="", flush=True)  # at one go, since workers share the output
    elif run.broken:
        first = {said.partition(":")[0]: said for said in reversed(run.broken)}
        mutated = f" --mutation {options.mutation}" if options.mutation != "none" else ""
        lines = "\n    ".join([f"{COMMAND} --seed {run.seed}{mutated}", *first.values()])
        print(lines + "\n", end="", flush=True)


def _shared_out(options: argparse.Namespace, url: str) -> int:
    """Several processes, each with its own database and every n-th seed."""
    count = options.workers
    workers = []
    for number in range(count):
        arguments = ["--database", url, "--first", str(options.first + number), "--step", str(count)]
        arguments += ["--seeds", str(len(range(number, options.seeds, count)))]
        arguments += ["--minutes", str(options.minutes)] if options.minutes is not None else []
        arguments += ["--json"] if options.json else []
        arguments += ["--mutation", options.mutation]
        arguments += ["--until-red"] if options.until_red else []
        workers.append(subprocess.Popen([sys.executable, "-m", "tests.simulation", *arguments]))
    return max(worker.wait() for worker in workers)


if __name__ == "__main__":
    sys.exit(main())
