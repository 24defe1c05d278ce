"""Writes the locks anew, all three or none, with uv (docs/decisions/0004-one-hash-lock.md says why)."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from services.cli.packages.locked import FOLDER

PROJECT = FOLDER.parent
_COMPILE = (
    *("pip", "compile", "-q", "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url"),
    *("--no-annotate", "--python-version", "3.11"),
)
_ORDER = {
    "runtime": ("embedded",),
    "development": ("embedded", "development"),
    "services": (),
}
"""Each lock with its extras, the one first that holds the versions of the others."""


def relock(
    options: Sequence[str], say: Callable[[str], None], *, write: bool = True, uv: str | None = None
) -> dict[str, str]:
    """The text of each lock that changes, by its name; they are written unless told otherwise.

    `options` go to uv: without any what is locked stays, as far as pyproject.toml lets it. Raises EmbeddedError.
    """
    program = uv or shutil.which("uv")
    if program is None:
        raise EmbeddedError("uv is not there, which writes the locks", "install it: pip install uv")
    with tempfile.TemporaryDirectory() as folder:
        for lock, extras in _ORDER.items():
            say(f"resolving {lock}")
            shutil.copy(FOLDER / f"{lock}.txt", folder)
            _compile(program, Path(folder), lock, extras, options)
        found = {lock: (Path(folder) / f"{lock}.txt").read_text(encoding="utf-8") for lock in _ORDER}
    changed = {lock: text for lock, text in found.items() if text != (FOLDER / f"{lock}.txt").read_text("utf-8")}
    if write:
        for lock, text in changed.items():
            (FOLDER / f"{lock}.txt").write_text(text, encoding="utf-8")
    return changed


def _compile(program: str, folder: Path, lock: str, extras: Sequence[str], options: Sequence[str]) -> None:
    bound = [] if lock == "runtime" else ["-c", str(folder / "runtime.txt")]
    named = [word for extra in extras for word in ("--extra", extra)]
    done = subprocess.run(
        [program, *_COMPILE, *options, "pyproject.toml", *named, *bound, "-o", str(folder / f"{lock}.txt")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].strip()
        raise EmbeddedError(
            f"uv did not resolve {lock}: {last[:300]}", "mend pyproject.toml or the network; no lock is changed"
        )


def version_changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What differs between two sets of versions, a line for each package."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before != after:
            lines.append(f"{name} {before or 'not there'} → {after or 'no more'}")
    return lines
