"""`pledgewire test` itself, on a few tests of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.testing import LEAST_COVERED, PROJECT
from tests.conftest import InstancesInTurn

PLACES = [
    "journeys/test_faults.py",
    "deploy/test_keys.py",
    "embedded/test_stack.py",
    "portal/test_pages.py",
    "simulation/test_simulation.py",
]


def run(*arguments: str, folder: Path = PROJECT, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A run from a folder; it is inside this one, which may itself be a worker's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", "test", "--no-lint", *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(PROJECT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_two_workers_run_what_one_runs_and_each_file_whole() -> None:
    files = ["tests/plumbing/test_zones.py", "tests/plumbing/test_ids.py", "tests/architecture/test_names.py"]

    alone, shared = run("--quick", *files, "--", "-v"), run("--quick", "--workers", "2", *files, "--", "-v")

    assert (alone.returncode, shared.returncode) == (0, 0), alone.stdout + shared.stdout + shared.stderr
    one = re.findall(r"^(tests/\S+?)::(.+) PASSED", alone.stdout, re.MULTILINE)
    two = re.findall(r"^\[(gw\d)\].* PASSED (tests/\S+?)::(.+?) *$", shared.stdout, re.MULTILINE)
    assert sorted(one) == sorted((file, test) for _, file, test in two)
    assert len({worker for worker, *_ in two}) == 2
    assert len({(worker, file) for worker, file, _ in two}) == len(files)


def test_what_starts_instances_is_one_workers_and_every_other_file_is_by_itself() -> None:
    scheduler = InstancesInTurn.__new__(InstancesInTurn)

    scopes = [scheduler._split_scope(f"tests/{place}::test_something[a::b]") for place in PLACES]

    assert scopes == [
        "instances",
        "instances",
        "instances",
        "tests/portal/test_pages.py",
        "tests/simulation/test_simulation.py",
    ]


@pytest.mark.slow
def test_a_run_under_coverage_says_what_is_reached_and_what_least(tmp_path: Path) -> None:
    """
    The status is that of the tests; below them stand the files that are covered least, and the figure for all.
    """
    done = run(
        "--quick", "--coverage", "tests/plumbing/test_zones.py", folder=tmp_path, COVERAGE_FILE=str(tmp_path / "data")
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report = re.findall(r"^ *([0-9.]+) %  (\S+)  \((\d+) of (\d+) statements", done.stdout, re.MULTILINE)
    least = [(float(share), -int(missing)) for share, _, missing, _ in report[:-1]]
    assert len(least) == LEAST_COVERED
    assert least == sorted(least)
    *_, (share, name, missing, statements) = report
    assert name == "all"
    assert 0 < float(share) < 100
    assert 0 < int(missing) < int(statements)
