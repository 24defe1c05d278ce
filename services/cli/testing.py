"""`pledgewire test`: the checks of the code, then the tests, in one command with one exit status."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY

_NOT_QUICK = ("deploy", "embedded", "journeys", "portal")
"""Folders whose tests start programs or a browser; the rest of the quick subset is chosen by what each test needs."""
_BROWSER = ("chromium", "libatomic1")
"""Debian's packages: the browser, and a library that the driver of Playwright needs."""
_ALERTS = ("prometheus",)
"""Debian's package of Prometheus and `promtool`, which try the alerts."""
PROJECT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent

LEAST_COVERED = 10
"""Files that a run under coverage names."""
_MOST_WORKERS = 2
"""Each has a Kafka and a PostgreSQL of its own, about 1 GB."""


def run_tests(
    arguments: list[str], *, quick: bool, lint: bool, coverage: bool = False, workers: int | None = None
) -> int:
    """Run everything; 0 when all is well, otherwise the first failing step's status.

    So many `workers` (1 or more) share the tests; None for `usual_workers`. With `coverage` it is measured which lines
    and branches the tests reach in this process; programs that they start are not looked at, nor are workers.
    """
    steps: list[tuple[str, list[str]]] = []
    if lint:
        steps += [
            ("style", [str(_BIN / "ruff"), "check", "."]),
            ("format", [str(_BIN / "ruff"), "format", "--check", "."]),
            ("types", [str(_BIN / "mypy")]),
            ("doors", [str(_BIN / "lint-imports")]),
            ("contracts", [sys.executable, "-m", "contracts.generate", "--check"]),
        ]
    if not quick:
        _provide(_BROWSER, "chromium for the browser tests (about 100 MB, once)", _has_browser())
        _provide(_ALERTS, "prometheus for the tests of the alerts (about 40 MB, once)", _has_prometheus())
    chosen = (
        ["-m", "not slow and not real_parts", *(f"--ignore=tests/{folder}" for folder in _NOT_QUICK)] if quick else []
    )
    measured = ["coverage", "run", "-m"] if coverage else []
    if workers is None:
        workers = 1 if coverage or arguments else usual_workers()
    # By file, in the order of the files: `tests/conftest.py` says what goes together.
    shared = ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"] if workers > 1 else []
    pytest = [sys.executable, "-m", *measured, "pytest", *shared, *chosen, *arguments]
    failed = 0
    with ThreadPoolExecutor(usual_workers()) as pool:
        for line, said, status in pool.map(_checked, steps):
            print(line, flush=True)
            if status:
                print(said, flush=True)
                failed = failed or status
    tested = subprocess.run(pytest, cwd=PROJECT, check=False).returncode
    if coverage:
        _report_coverage()
    return tested or failed


def usual_workers() -> int:
    """How many share the whole test command: one for each core, and no more than two."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


def _checked(step: tuple[str, list[str]]) -> tuple[str, str, int]:
    """Do one step of the checks: a line about it, what it said, and its exit status."""
    name, command = step
    started = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    line = f"{name:10} {'FAILED' if done.returncode else 'ok'} ({time.monotonic() - started:.1f} s)"
    return line, done.stdout + done.stderr, done.returncode


def _report_coverage() -> None:
    """Print the files that are covered least (of equals those first that miss most), and the figure for all."""
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    report = json.loads(subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout)
    found = [(one["summary"], name) for name, one in report["files"].items()]
    found.sort(key=lambda one: (one[0]["percent_covered"], -one[0]["missing_lines"], one[1]))
    print(f"\n{LEAST_COVERED} of {len(found)} files are covered least:")
    for summary, name in [*found[:LEAST_COVERED], (report["totals"], "all")]:
        missing = f"{summary['missing_lines']} of {summary['num_statements']} statements missing"
        print(f"{summary['percent_covered']:6.1f} %  {name}  ({missing})", flush=True)


def run_bench(what: str, arguments: list[str]) -> int:
    """Run one benchmark of `bench/`; its exit status. Raises EmbeddedError for one that is not there."""
    there = sorted(found.parent.name for found in (PROJECT / "bench").glob("*/__main__.py"))
    if what not in there:
        raise EmbeddedError(f"there is no benchmark {what!r}", f"choose {', '.join(there)}", ASKED_WRONGLY)
    return subprocess.run([sys.executable, "-m", f"bench.{what}", *arguments], cwd=PROJECT, check=False).returncode


def _has_browser() -> bool:
    return bool(shutil.which("chromium")) and any(Path("/usr/lib").glob("**/libatomic.so.1"))


def _has_prometheus() -> bool:
    return bool(shutil.which("promtool") and shutil.which("prometheus"))


def _provide(packages: Sequence[str], what: str, is_there: bool) -> None:
    """Install packages of Debian that some tests need, where that is possible without asking anybody."""
    apt = shutil.which("apt-get")
    if is_there or not apt or os.geteuid() != 0:
        return
    print(f"installing {what}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", "--no-install-recommends", *packages]):
        # Without them those tests say that they were skipped; the rest does not depend on it.
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
