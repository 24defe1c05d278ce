"""Child processes that end with us, and that are found again when they didn't.

A child is tethered to this process (see `tether.py`), lives in a session of its own so that Ctrl-C reaches us first,
and is written down with its start time: a pid alone may belong to a stranger by the time we look again.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.embedded.state import write_private

TETHER = Path(__file__).with_name("tether.py")
NOBODY = 65534


@dataclass(frozen=True)
class Identity:
    """A process that can't be mistaken for a later one with the same pid."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Whoever has this pid now, or None. A zombie is nobody."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, _started(process))
        except psutil.NoSuchProcess:
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal to this very process; nothing happens when it is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def family(self) -> list[Identity]:
        """This process and everything below it."""
        if not self.alive:
            return []
        try:
            below = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [self, *(found for child in below if (found := Identity.of(child.pid)))]

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        end = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True


def _started(process: psutil.Process) -> str:
    try:
        # Ticks since the boot, and which boot: unlike a time of day these don't move when the clock is set.
        text = Path(f"/proc/{process.pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return f"{process.create_time():.2f}"
    # The name in parentheses may hold spaces; the start time is the 20th field after it.
    return f"{boot}/{text.rpartition(')')[2].split()[19]}"


def tethered(program: Sequence[str], *, at_death: int = signal.SIGKILL, user: int | None = None) -> list[str]:
    """The command that runs `program` so that it gets the signal `at_death` when this process dies."""
    who = -1 if user is None else user
    return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(at_death)), str(who), *program]


class _Nursery:
    """One thread that starts every child and then stays.

    To the kernel the parent is the thread that forked, not the process: a child started from a pool's thread would be
    stopped as soon as that thread is done.
    """

    def __init__(self) -> None:
        self._wishes: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="nursery", daemon=True)
                self._thread.start()
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._wishes.put((lambda: subprocess.Popen(command, **options), answer))  # noqa: S603 - ours
        result = answer.get()
        if isinstance(result, BaseException):
            raise result
        child: subprocess.Popen[bytes] = result
        return child

    def _serve(self) -> None:
        while True:
            wish, answer = self._wishes.get()
            try:
                answer.put(wish())
            except BaseException as error:
                answer.put(error)


_nursery = _Nursery()


class Child:
    """A program we started, with the file that lets a later run find it."""

    def __init__(self, process: subprocess.Popen[bytes], note: Path) -> None:
        """Written by `start`."""
        self._process = process
        self._note = note
        self.identity = Identity.of(process.pid) or Identity(process.pid, "gone")

    @classmethod
    def start(
        cls,
        program: Sequence[str],
        *,
        note: Path,
        output: Path,
        at_death: int,
        user: int | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Child:
        """Start a program; what it prints is added to the file `output`."""
        with output.open("ab") as out:
            process = _nursery.popen(
                tethered(program, at_death=at_death, user=user),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                cwd=folder,
            )
        child = cls(process, note)
        write_private(note, json.dumps({"pid": child.identity.pid, "started": child.identity.started}) + "\n")
        return child

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll()

    def stop(self, number: int, patience: float) -> None:
        """Ask it to end with a signal, wait `patience` seconds, then kill it and all below it."""
        family = self.identity.family()
        if self.ended is None:
            self._process.send_signal(number)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                family = self.identity.family()
        self._kill(family)

    def kill(self) -> None:
        """End it and all below it at once, as a crash would."""
        self._kill(self.identity.family())

    def _kill(self, family: list[Identity]) -> None:
        for member in family:
            member.signal(signal.SIGKILL)
        self._process.wait()
        for member in family:
            member.wait(5)
        self._note.unlink(missing_ok=True)


def clean_up(notes: Path, patience: float = 5.0) -> list[str]:
    """Stop what an earlier run left behind, by its notes in this folder; returns the names of what was still alive.

    Nothing but the very process that was written down is touched.
    """
    written = sorted(notes.glob("*.pid"))
    left = {note.stem: identity for note in written if (identity := _read(note)) and identity.alive}
    families = [member for identity in left.values() for member in identity.family()]
    for name, identity in left.items():
        identity.signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
    end = time.monotonic() + patience
    for identity in left.values():
        identity.wait(max(0.0, end - time.monotonic()))
    for member in families:
        member.signal(signal.SIGKILL)
        member.wait(5)
    for note in written:
        note.unlink()
    return list(left)


def _read(note: Path) -> Identity | None:
    try:
        content = json.loads(note.read_text())
        return Identity(int(content["pid"]), str(content["started"]))
    except (ValueError, KeyError, TypeError):
        return None
