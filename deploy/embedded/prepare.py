"""Make the environment that the root script hands over to. Standard library only: nothing else is there yet.

    python prepare.py LOCKS NAME FOLDER

Installs LOCKS/NAME.txt, every file of it checked by hash, into the virtual environment FOLDER: with uv where there is
one, else with venv and pip. A copy of the lock in FOLDER/.pledgewire says that all of it was installed; an install
that was interrupted leaves a mark instead, and starts from an empty environment the next time.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOTES = ".pledgewire"
OLDEST = (3, 11)
NEEDED = {"runtime": 450_000_000, "development": 800_000_000}  # bytes; measured 370 and 690 MB


class PreparationError(Exception):
    """What went wrong and how to mend it: two lines."""

    # Whether the environment is as it was: what has been installed before still works.
    harmless = False

    def __init__(self, what: str, how: str) -> None:
        """Keep both lines."""
        super().__init__(what)
        self.what, self.how = what, how


def pins(lock: Path) -> dict[str, str]:
    """Package names and versions of a lock, without those whose marker is for another system."""
    found = {}
    for line in lock.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;[^\\]*)?", line):
            elsewhere = "sys_platform == 'win32'" in (match[3] or "")
            if not elsewhere:
                found[match[1].lower()] = match[2]
    return found


def is_ready(lock: Path, folder: Path) -> bool:
    """Whether exactly this lock was installed here, to its end."""
    try:
        return (folder / NOTES / lock.name).read_bytes() == lock.read_bytes() and _works(folder)
    except OSError:
        return False


def prepare(lock: Path, folder: Path) -> None:
    """Bring the environment to the lock, unless it is there already. Raises PreparationError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if is_ready(lock, folder):
            return
        uv = shutil.which("uv")
        interrupted = (folder / NOTES / "installing").exists()
        _check_room(folder, NEEDED.get(lock.stem, 0))
        if interrupted or not _works(folder):
            _make(folder, uv)
        notes = folder / NOTES
        notes.mkdir(exist_ok=True)
        (notes / "installing").touch()
        try:
            _install(lock, folder, uv)
        except PreparationError as error:
            # Without the network `test` can't be prepared; that mustn't cost what `demo` has.
            if error.harmless:
                (notes / "installing").unlink()
            raise
        shutil.copyfile(lock, notes / lock.name)
        _note_smaller_locks(lock, notes)
        (notes / "installing").unlink()


def _check_room(folder: Path, needed: int) -> None:
    # A first install only; what is added later is small beside it.
    free = shutil.disk_usage(folder.parent).free
    if not (folder / NOTES).exists() and free < needed:
        raise PreparationError(
            f"the disk of {folder} is nearly full: {free / 1e6:.0f} MB are left, {needed / 1e6:.0f} MB are needed",
            "free some space there, or name a folder on another disk in PLEDGEWIRE_VENV",
        )


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    # On the folder above, for the environment itself may be thrown away in between.
    handle = os.open(parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is preparing the environment; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _works(folder: Path) -> bool:
    """Whether the environment's Python runs: it stops to when the system's Python is upgraded or the folder moved."""
    code = f"import sys; sys.exit(sys.version_info < {OLDEST} or sys.prefix == sys.base_prefix)"
    try:
        done = subprocess.run([folder / "bin" / "python", "-I", "-c", code], check=False, capture_output=True)  # noqa: S603 - ours
    except OSError:
        return False
    return done.returncode == 0


def _make(folder: Path, uv: str | None) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise PreparationError(
            f"{folder} is there already and isn't a Python environment, so it is left alone",
            "move it away, or name another folder in PLEDGEWIRE_VENV",
        )
    say(f"Making a Python environment in {folder}")
    if uv:
        # Emptied here, since not every uv knows --clear.
        shutil.rmtree(folder, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        return
    try:
        import ensurepip  # noqa: F401 - Debian ships venv without it unless python3-venv is installed
        import venv  # noqa: F401
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise PreparationError(
            f"Python {version} lacks the module {error.name}, which makes environments",
            f"install it (Debian and Ubuntu: apt install python{version}-venv), or install uv",
        ) from error
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])


def _install(lock: Path, folder: Path, uv: str | None) -> None:
    python = str(folder / "bin" / "python")
    total = len(pins(lock))
    say(f"Installing {total} packages, each checked by its hash, this once")
    if uv:
        # uv draws its own progress on a terminal.
        command = [uv, "pip", "install", "--python", python, "--require-hashes", "--no-deps", "--compile-bytecode"]
        _run([*command, "-r", str(lock)], show=sys.stderr.isatty())
        return
    if subprocess.run([python, "-I", "-c", "import pip"], check=False, capture_output=True).returncode:  # noqa: S603 - ours
        # An environment that uv made has no pip.
        _run([python, "-I", "-m", "ensurepip"])
    command = [python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-input", "--progress-bar", "off"]
    _run([*command, "--disable-pip-version-check", "-r", str(lock)], counting=total)


def _note_smaller_locks(lock: Path, notes: Path) -> None:
    """A lock whose every package is in the one just installed is installed too."""
    installed = pins(lock).items()
    for other in lock.parent.glob("*.txt"):
        if other != lock and pins(other).items() <= installed:
            shutil.copyfile(other, notes / other.name)


def _run(command: list[str], *, counting: int = 0, show: bool = False) -> None:
    """Run a command and keep what it says for the moment it fails."""
    if show:
        # Its progress goes to the terminal, and so does its complaint.
        done = subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 - venv, pip or uv
        if done.returncode:
            error = PreparationError(f"{Path(command[0]).name} could not install the packages", "see the lines above")
            # uv puts a package in place as its last step, and puts in again what isn't whole.
            error.harmless = True
            raise error
        return
    said: list[str] = []
    progress = Progress(counting)
    with subprocess.Popen(  # noqa: S603 - venv, pip or uv
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout  # noqa: S101 - it is a pipe
        try:
            for line in process.stdout:
                said.append(line.rstrip())
                progress.see(line)
        finally:
            progress.end()
            if process.poll() is None and sys.exc_info()[0]:
                process.terminate()
    if process.returncode:
        error = explained(said)
        # pip fetches everything before it touches anything.
        error.harmless = not any(line.startswith("Installing collected packages") for line in said)
        raise error


class Progress:
    """A line that counts the packages as pip meets them: redrawn on a terminal, now and then elsewhere."""

    def __init__(self, total: int) -> None:
        """`total` packages are expected; 0 for no line at all."""
        self._total = total
        self._done = 0
        self._terminal = sys.stderr.isatty()
        self._said = time.monotonic()

    def see(self, line: str) -> None:
        """Look at a line of pip's output."""
        if not self._total:
            return
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            self._done += 1
            self._show(f"{min(self._done, self._total)} of {self._total} packages: {line.split()[1].split('==')[0]}")
        elif line.startswith("Installing collected packages"):
            self._show("unpacking", now=True)

    def _show(self, text: str, *, now: bool = False) -> None:
        if self._terminal:
            sys.stderr.write(f"\r\033[K  {text}")
            sys.stderr.flush()
        elif now or time.monotonic() - self._said > 5:
            self._said = time.monotonic()
            say(f"  {text}")

    def end(self) -> None:
        """Take the line away."""
        if self._total and self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


# What pip, uv and venv say when something is wrong that a user can mend, in the order in which to look.
REASONS = [
    (
        r"No space left on device|Disk quota exceeded",
        "the disk is full, so the packages could not be installed",
        "free 1 GB where the project and the temporary folder lie (TMPDIR moves the latter), then start again",
    ),
    (
        r"DO NOT MATCH THE HASHES|Hash mismatch",
        "a downloaded package isn't the file we know: its hash doesn't match the lock",
        "start again; if it stays so, something on the way changes files: try another network or package mirror",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|UnknownIssuer",
        "the package index shows a certificate that this machine doesn't trust",
        "install the certificates (Debian and Ubuntu: apt install ca-certificates), or name your own in PIP_CERT",
    ),
    (
        r"NewConnectionError|Max retries|Failed to establish|name resolution|timed out|ConnectionReset|ProxyError"
        r"|IncompleteRead|Connection broken|error sending request|Could not fetch|dns error|from versions: none",
        "the package index can't be reached, or the download broke off",
        "check the network and the proxy settings (HTTPS_PROXY), then start again",
    ),
    (
        r"No matching distribution|no wheels? |has no wheels|not supported",
        "a package of the lock isn't to be had for this machine and this Python",
        "use Linux or macOS on x86-64 or ARM with CPython 3.11 or newer, and check the package index in use",
    ),
    (
        r"Permission denied|Read-only file system|Operation not permitted",
        "this user may not write where the environment is made",
        "make the project folder writable, or name another folder in PLEDGEWIRE_VENV",
    ),
]


def explained(said: list[str]) -> PreparationError:
    """The two lines for what a failed command printed."""
    text = "\n".join(said)
    for pattern, what, how in REASONS:
        if re.search(pattern, text, re.IGNORECASE):
            package = re.search(r"No matching distribution found for (\S+)|^\s+(\S+==\S+) from ", text, re.MULTILINE)
            return PreparationError(what + (f" ({package[1] or package[2]})" if package else ""), how)
    errors = [line for line in said if line.lower().startswith("error")] or said[-1:] or ["it said nothing"]
    return PreparationError(
        f"the packages could not be installed: {errors[-1].removeprefix('ERROR: ')[:300]}",
        "mend that and start again; it begins afresh",
    )


def say(line: str) -> None:
    """A line of progress, on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Prepare, or say in two lines why not."""
    locks, name, folder = sys.argv[1:4]
    try:
        prepare(Path(locks).absolute() / f"{name}.txt", Path(folder).absolute())
    except PreparationError as error:
        say(f"error: {error.what}\nhelp: {error.how}")
        return 1
    except OSError as error:
        known = explained([str(error)])
        say(f"error: {known.what}\nhelp: {known.how}")
        return 1
    except KeyboardInterrupt:
        say("error: interrupted while preparing the environment\nhelp: start again; it begins afresh")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
