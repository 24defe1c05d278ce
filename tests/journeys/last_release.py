"""The code of the last release, taken from the history, with an environment of its own where its packages differ."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.releases import Release, releases
from services.cli.fleet import PROJECT

_LOCK = Path("locks", "runtime.txt")


@dataclass(frozen=True)
class ReleasedCode:
    """What a process of that release is started from."""

    release: Release
    folder: Path
    python: str


def last_release(folder: Path) -> ReleasedCode:
    """Its code in this folder; the test that asks is skipped, and says so, in a clone whose history was cut off."""
    release = releases(PROJECT / "contracts")[-1]
    if _git("rev-parse", "--is-shallow-repository") == b"true\n" and not _is_known(release.commit):
        pytest.skip(f"this clone's history is cut off before {release.version} ({release.commit[:9]})")
    folder.mkdir()
    archive = _git("archive", "--format=tar", release.commit)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return ReleasedCode(release, folder, _python(folder))


def _python(code: Path) -> str:
    """This environment's where the release asks for the same packages; else one is made for it."""
    if (code / _LOCK).read_bytes() == (PROJECT / _LOCK).read_bytes():
        return sys.executable
    environment = code / ".venv"
    prepare = [sys.executable, "-I", str(code / "deploy" / "embedded" / "prepare.py")]
    subprocess.run([*prepare, str(code / "locks"), "runtime", str(environment)], check=True, capture_output=True)
    return str(environment / "bin" / "python")


def _is_known(commit: str) -> bool:
    return subprocess.run([_tool(), "cat-file", "-e", commit], cwd=PROJECT, capture_output=True).returncode == 0


def _git(*arguments: str) -> bytes:
    return subprocess.run([_tool(), *arguments], cwd=PROJECT, check=True, capture_output=True).stdout


def _tool() -> str:
    return shutil.which("git") or "git"
