"""Log files that don't grow without end, while those who write to them keep them open."""

import shutil
from pathlib import Path

LONGEST = 10_000_000
"""Bytes of one file."""
KEPT = 3
"""How many older ones stay beside it: `notifier.log.1` is the newest of them."""


def rotate(log: Path, longest: int = LONGEST) -> bool:
    """Put what a log holds aside once it is too long; whether it was.

    Its writer appends to an open file, so what is in it is copied and the file emptied: lines that are written between
    the two are lost, a few milliseconds' worth. A file that is gone is nothing to rotate.
    """
    try:
        if log.stat().st_size <= longest:
            return False
        for number in range(KEPT - 1, 0, -1):
            older = _aside(log, number)
            if older.exists():
                older.replace(_aside(log, number + 1))
        shutil.copy2(log, _aside(log, 1))
        with log.open("r+b") as file:
            file.truncate(0)
    except FileNotFoundError:
        return False
    return True


def _aside(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
