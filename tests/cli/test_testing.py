"""`pledgewire test` itself, on a few tests of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.testing import LEAST_COVERED, PROJECT


@pytest.mark.slow
def test_a_run_under_coverage_says_what_is_reached_and_what_least(tmp_path: Path) -> None:
    """
    The status is that of the tests; below them stand the files that are covered least, and the figure for all.
    """
    command = [sys.executable, "-m", "services.cli.main", "test", "--quick", "--no-lint", "--coverage"]
    environment = os.environ | {"COVERAGE_FILE": str(tmp_path / "data"), "PYTHONPATH": str(PROJECT)}

    done = subprocess.run(
        [*command, "tests/plumbing/test_zones.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
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
