"""Where a run keeps its things: one folder with data, logs, ports and passwords, used by one run at a time."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.errors import EmbeddedError, file_error

LAYOUT = 1  # raised when an older folder can't be read any more
LEAST_FREE = 200_000_000  # bytes; Kafka stops its log directory at the first write that finds no room


def cache_folder() -> Path:
    """What can be fetched again: PLEDGEWIRE_CACHE, or pledgewire in the user's cache folder."""
    return _chosen("PLEDGEWIRE_CACHE", "XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """What mustn't be lost: PLEDGEWIRE_STATE, or pledgewire in the user's state folder."""
    return _chosen("PLEDGEWIRE_STATE", "XDG_STATE_HOME", ".local/state")


def _chosen(own: str, base: str, below_home: str) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen).expanduser().absolute()
    # The XDG specification: a relative path there is to be ignored.
    parent = Path(os.environ.get(base, ""))
    if not parent.is_absolute():
        try:
            parent = Path.home() / below_home
        except RuntimeError as error:
            raise EmbeddedError("this user has no home folder to keep files in", f"name a folder in {own}") from error
    return parent / "pledgewire"


@dataclass(frozen=True)
class Credentials:
    """The name and password of the one account each part knows, and the cluster's id."""

    username: str
    kafka_password: str
    controller_password: str
    postgres_password: str
    cluster_id: str


class StateFolder:
    """One run's folder. Open it before use: a second run on the same folder is refused, and a stale one is taken."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """The folder of the brokers' and the database's logs."""
        return self.path / "logs"

    def open(self) -> None:
        """Create what is missing and take the folder for this process, or say in two lines who has it."""
        try:
            # As root the database runs as another user, who must be able to walk through; what is secret in here has
            # a mode of its own.
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700 if os.geteuid() else 0o711)
            self._take()
            self.logs.mkdir(exist_ok=True, mode=0o700)
            self._check_layout()
        except OSError as error:
            self.close()
            raise file_error(error, "keep its state", self.path) from error
        except EmbeddedError:
            self.close()
            raise
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            self.close()
            raise EmbeddedError(
                f"the disk of {self.path} is nearly full: {free / 1e6:.0f} MB are left",
                f"free {LEAST_FREE / 1e6:.0f} MB there, or choose another folder with PLEDGEWIRE_STATE",
            )

    def _take(self) -> None:
        # Opened without inheritance: were a broker to hold the lock, a killed run would block the next one.
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise EmbeddedError(
                f"{self.path} is in use by another run (process {owner})",
                "stop that run first, or name another folder: PLEDGEWIRE_STATE, or STATE of `pledgewire stack`",
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def _check_layout(self) -> None:
        layout = self.read("layout", lambda: {"version": LAYOUT})
        if layout["version"] != LAYOUT:
            raise EmbeddedError(
                f"{self.path} was written by another version of Pledgewire",
                "start with --reset to empty it, or choose another folder with PLEDGEWIRE_STATE",
            )

    def close(self) -> None:
        """Let the folder go. Harmless when it isn't open."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def empty(self) -> None:
        """Delete everything in the folder but the lock that says it is ours; the folder must be open."""
        if self._lock is None:
            raise RuntimeError("only an open state folder may be emptied")
        for entry in self.path.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.logs.mkdir(mode=0o700)
        self._check_layout()

    def read(self, name: str, otherwise: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The remembered values under `name`; the first time, those that `otherwise` makes, which are then kept."""
        path = self.path / f"{name}.json"
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            content = otherwise()
            self.write(name, content)
        except ValueError as error:
            raise EmbeddedError(
                f"{path} can't be read: it is damaged", "start with --reset to empty the folder"
            ) from error
        return content

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Remember values under `name`, for this user's eyes only, whole or not at all."""
        write_private(self.path / f"{name}.json", json.dumps(content, indent=1) + "\n")

    def credentials(self) -> Credentials:
        """The passwords of this folder, made once."""
        return Credentials(**self.read("credentials", _new_credentials))


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step, so that neither a reader nor a crash sees half of it."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    # The mode is given at creation: a chmod afterwards would leave a moment in which others can open it.
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _new_credentials() -> dict[str, Any]:
    # Hexadecimal: these travel through URLs, Java properties and argument files, each with its own way of quoting.
    return {
        "username": "pledgewire",
        "kafka_password": secrets.token_hex(24),
        "controller_password": secrets.token_hex(24),
        "postgres_password": secrets.token_hex(24),
        "cluster_id": new_id(),
    }


def new_id() -> str:
    """A random id in Kafka's spelling of a UUID; none starts with a dash, which would read as an option."""
    while (spelt := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return spelt
