"""The short form of the soak: the same code for a minute, with more kills."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 4


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_out_of_order_whatever_is_killed(tmp_path: Path):
    """`python -m tests.soak --short --seed 4 --state FOLDER` does the same, and keeps the logs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--short", f"--seed={SEED}", f"--state={tmp_path / 'soak'}", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)

    assert found["broken"] == {}, json.dumps(found, indent=1)
