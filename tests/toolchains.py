"""Compilers and package managers of other languages: asked gently, since other tests run beside them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need(toolchain: str, for_what: str) -> None:
    """Skip, and say so, where a toolchain is not on this machine; in CI it has to be."""
    if shutil.which(toolchain) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{toolchain} is missing: {for_what}")
        pytest.skip(f"{toolchain} is not on this machine: {for_what}")


def run_gently(folder: Path, *command: str) -> None:
    """Run a command that has to end well, one process of it and behind everybody else's."""
    environment = os.environ | {"GOMAXPROCS": "1", "GOFLAGS": "-p=1 -mod=readonly", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        ["nice", "-n", "19", *command], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
