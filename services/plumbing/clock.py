"""The one place that reads the time. Rules take `now`; only loops ask a clock, and it may be a settable one.

Business times come from here; leases are compared by the database's own clock, since they guard against
processes whose clocks may differ.
"""

import mmap
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pydantic_settings import BaseSettings, SettingsConfigDict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time; always an aware datetime in UTC."""

    def now(self) -> datetime: ...

    @property
    def settable(self) -> bool: ...


class SystemClock:
    """The machine's clock."""

    settable = False

    def now(self) -> datetime:
        """The present instant, to the microsecond."""
        return datetime.now(UTC)


MACHINE_CLOCK = SystemClock()
"""What others go by who do not share a settable clock with us."""


class SharedClock:
    """A clock that stands still until it is set, shared by every process that opens the same file.

    The file holds one 64-bit count of microseconds since 1970-01-01T00:00Z, mapped into memory: a reader
    costs a memory access and sees a new time at once, so a whole system can be played through years.
    """

    settable = True

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < 8:
                os.ftruncate(descriptor, 8)
            self._memory = mmap.mmap(descriptor, 8)
        finally:
            os.close(descriptor)

    def now(self) -> datetime:
        """The instant it was last set to; 1970 before that."""
        (microseconds,) = struct.unpack("<q", self._memory[:8])
        return EPOCH + timedelta(microseconds=microseconds)

    def set(self, instant: datetime) -> None:
        """Move every process that shares the file to `instant` (an aware datetime)."""
        self._memory[:8] = struct.pack("<q", (instant - EPOCH) // timedelta(microseconds=1))


class ClockSettings(BaseSettings):
    """Which clock tells business time: the machine's, or a settable one shared through a file."""

    model_config = SettingsConfigDict(env_prefix="PLEDGEWIRE_CLOCK_")

    file: Path | None = None


def clock_from(settings: ClockSettings) -> Clock:
    """The settable clock of a file, or the machine's where none is named."""
    return SharedClock(settings.file) if settings.file else SystemClock()
