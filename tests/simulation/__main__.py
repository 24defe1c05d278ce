"""Plays seeds from the command line: `python -m tests.simulation --seed 7`, `--seeds 1000`, `--minutes 60`."""

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from deploy.embedded.postgres import Postgres
from deploy.embedded.state import StateFolder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--database", default=os.environ.get("SIMULATION_DATABASE_URL"))
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    from services.notifier.migrations import VERSIONS
    from services.plumbing.migrations import upgrade
    from tests.simulation.database import Ground
    from tests.simulation.running import run_seed

    if not options.trace:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with TemporaryDirectory() as folder:
        url, server = options.database, None
        if url is None:
            state = StateFolder(Path(folder))
            state.open()
            server = Postgres(state, state.credentials())
            server.start()
            url = server.url
        try:
            asyncio.run(upgrade(url, "notifier", VERSIONS))
            ground = Ground(url, "notifier")
            if options.seed is not None:
                run = run_seed(options.seed, ground, tell=print if options.trace else None)
                print(json.dumps(asdict(run)) if options.json else run)
                return 1 if run.broken else 0
            begun, seeds, bad = time.monotonic(), 0, 0
            seed = options.first
            while True:
                if options.minutes is None and seeds >= options.seeds:
                    break
                if options.minutes is not None and time.monotonic() - begun > options.minutes * 60:
                    break
                run = run_seed(seed, ground)
                if run.broken:
                    bad += 1
                    seen = {said.partition(":")[0]: said for said in reversed(run.broken)}
                    for said in seen.values():
                        print(f"seed {seed}: {said}", flush=True)
                seeds, seed = seeds + 1, seed + 1
            took = time.monotonic() - begun
            print(f"{seeds} seeds, {bad} red, {took:.1f} s, {took / max(seeds, 1):.3f} s each")
            return 1 if bad else 0
        finally:
            if server:
                server.stop()


if __name__ == "__main__":
    sys.exit(main())
