"""Reading what a server of ours has written to its log, and keeping the log short."""

from __future__ import annotations

import os
from pathlib import Path

LAST_BYTES = 20_000
"""So much of a log's end tells why a server ended."""
LONGEST_LOG = 10_000_000
"""Bytes; a longer log is put aside at the next start."""


def keep_short(log: Path) -> None:
    """Put a long log aside, before a new run writes to it."""
    # The server writes to our file and never turns it over, so a new run does.
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def text_since(log: Path, beginning: int) -> str:
    """What was written behind a position."""
    with log.open("rb") as file:
        file.seek(beginning)
        return file.read().decode(errors="replace")


def last_words(*logs: Path) -> str:
    """The ends of logs, one behind the other; of one that isn't there, nothing."""
    words = ""
    for log in logs:
        try:
            with log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
                words += file.read().decode(errors="replace")
        except FileNotFoundError:
            continue
    return words
