"""The root script and what it prepares: with a Python and a package folder only, and no network at all."""

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.embedded import prepare
from tests.embedded.conftest import ROOT


def wheel(folder: Path, name: str, word: str = "good") -> str:
    """Write a package of one module; returns its line for a lock."""
    files = {
        f"{name}.py": f"word = {word!r}\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-1.0.dist-info/RECORD"
    lines = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[record] = "\n".join([*lines, f"{record},,"]) + "\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(zipfile.ZipInfo(inside), text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


class Clone:
    """A copy of the script and of what it needs, in a path with a space, with a program that only answers."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        (self.root / "deploy" / "embedded").mkdir(parents=True)
        (self.root / "locks").mkdir()
        program = self.root / "services" / "cli"
        program.mkdir(parents=True)
        shutil.copy(ROOT / "pledgewire", self.root)
        shutil.copy(ROOT / "deploy" / "embedded" / "prepare.py", self.root / "deploy" / "embedded")
        (program / "main.py").write_text("import sys, first\nprint(first.word, *sys.argv[1:], sep='|')\n")
        self.first = wheel(self.wheels, "first")
        self.second = wheel(self.wheels, "second")
        self.lock("runtime", self.first)
        self.lock("development", self.first + self.second)

    def lock(self, name: str, text: str) -> None:
        (self.root / "locks" / f"{name}.txt").write_text(text)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def run(self, *arguments: str, path: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": path or "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.root.parent),
            "PLEDGEWIRE_PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
            **more,
        }
        return subprocess.run(
            [self.root / "pledgewire", *arguments],
            capture_output=True,
            text=True,
            cwd=self.root.parent,
            env=environment,
            timeout=60,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.slow
def test_the_first_run_prepares_and_the_second_only_runs(clone: Clone) -> None:
    """Arguments arrive whole; the second run needs neither pip nor packages; `test` adds what it needs; and an
    install that was killed isn't built upon but begun afresh."""
    first = clone.run("demo", "two words", "")
    assert (first.stdout, first.returncode) == ("good|demo|two words|\n", 0)
    assert "Installing 1 packages" in first.stderr

    second = clone.run("demo", PIP_FIND_LINKS="/nowhere", PLEDGEWIRE_PYTHON="/nowhere")
    assert (second.stdout, second.stderr) == ("good|demo\n", "")

    offline = clone.run("test", PIP_FIND_LINKS="/nowhere")
    assert offline.returncode == 1
    assert clone.run("demo", PIP_FIND_LINKS="/nowhere").stdout == "good|demo\n"

    assert clone.run("test").stdout == "good|test\n"
    assert (clone.venv / ".pledgewire" / "development.txt").exists()

    notes, rest = clone.venv / ".pledgewire", clone.venv / "half a package"
    (notes / "runtime.txt").unlink()
    for mark in (notes / "installing", rest):
        mark.touch()
    assert clone.run("demo").stdout == "good|demo\n"
    assert not rest.exists()
    assert not (notes / "installing").exists()


@pytest.mark.slow
def test_a_changed_package_is_refused_in_two_lines(clone: Clone) -> None:
    """A file that isn't the one in the lock isn't installed, and nothing runs."""
    wheel(clone.wheels, "first", "evil")

    done = clone.run("demo")

    error, help_ = done.stderr.splitlines()[-2:]
    assert error == "error: a downloaded package isn't the file we know: its hash doesn't match the lock (first==1.0)"
    assert help_.startswith("help: ")
    assert (done.stdout, done.returncode) == ("", 1)


def test_without_a_new_enough_python_there_are_two_lines(clone: Clone, tmp_path: Path) -> None:
    """An older Python is passed over; nothing is made."""
    old = tmp_path / "bin"
    old.mkdir()
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    for tool in ("dirname", "cmp", "readlink"):
        found = shutil.which(tool)
        assert found
        (old / tool).symlink_to(found)

    done = clone.run("demo", path=str(old), PLEDGEWIRE_PYTHON="")

    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "help"]
    assert "3.11" in done.stderr
    assert done.returncode == 1
    assert not clone.venv.exists()


def test_a_folder_that_is_no_environment_is_left_alone(clone: Clone, tmp_path: Path) -> None:
    """PLEDGEWIRE_VENV that names someone's documents doesn't cost them."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "letter").write_text("dear")

    done = clone.run("demo", PLEDGEWIRE_VENV=str(documents))

    assert "isn't a Python environment" in done.stderr
    assert (documents / "letter").read_text() == "dear"


def test_a_python_without_venv_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian splits the module off; the help names its package."""
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(prepare.PreparationError, match="lacks the module ensurepip") as caught:
        prepare._make(tmp_path / "venv", None)

    assert f"apt install python3.{sys.version_info.minor}-venv" in caught.value.how


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """While one prepares, another can't."""
    with prepare._alone(tmp_path):
        handle = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "isn't the file we know"),
        ("WARNING: ... NewConnectionError: Failed to establish a new connection", "can't be reached"),
        ("error: Failed to fetch: dns error: failed to lookup address", "can't be reached"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        ("ERROR: something new", "something new"),
        ("", "it said nothing"),
    ],
)
def test_what_pip_says_becomes_two_lines(said: str, what: str) -> None:
    """The reason is told in our words where we know it, in pip's where we don't."""
    error = prepare.explained(said.splitlines())

    assert what in error.what
    assert error.how


def test_our_own_locks_are_read_whole() -> None:
    """Whoever can test can also run: the development lock holds the runtime lock."""
    runtime = prepare.pins(ROOT / "locks" / "runtime.txt")
    development = prepare.pins(ROOT / "locks" / "development.txt")

    assert runtime["aiokafka"]
    assert "colorama" not in runtime
    assert runtime.items() <= development.items()
