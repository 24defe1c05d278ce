"""Prometheus and promtool, as Debian brings them; `pledgewire test` installs them where it may."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.settings_read import PROJECT

ALERTS = PROJECT / "deploy" / "alerts"
RULES = ALERTS / "pledgewire.rules.yaml"


def program(name: str) -> str:
    """Where a program of Debian's package `prometheus` is; the test is skipped where nobody may install it."""
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        pytest.fail(f"{name} is missing: run ./pledgewire test, which installs it, or apt-get install prometheus")
    if found is None:
        pytest.skip(f"{name} is missing, and only root may install Debian's package prometheus")
    return found


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails the test where it finds a fault."""
    done = subprocess.run([program("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    """The alert rules as they are shipped."""
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
