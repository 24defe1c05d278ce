"""The table of windows: every kind of cause has a row, the docs show it, and what has none goes at once."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from contracts.causes import CAUSE_KINDS, Cause
from services.notifier.grouping.windows import WINDOWS, window_of

PAGE = Path(__file__).parents[3] / "docs" / "for-ministries.md"
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1)}


def test_every_kind_of_cause_has_a_row() -> None:
    assert set(WINDOWS) == set(CAUSE_KINDS)


def test_the_docs_show_the_table() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### What comes in one message")[2].partition("\n### ")[0]
    told: dict[str, timedelta | None] = {}
    row = r"^\| (`[^|]+?)(?:, where one request had several)? \| (?:not at all|(\d+) (s|min)) \|$"
    for kinds, number, unit in re.findall(row, section, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"`([a-z-]+)`", kinds), UNITS[unit] * int(number) if number else None)
    assert told == dict(WINDOWS)


def test_what_is_alone_or_of_a_later_release_goes_at_once() -> None:
    cause = Cause(kind="import", id=UUID(int=1), count=98)
    assert window_of(cause) == timedelta(seconds=60)
    assert window_of(cause.model_copy(update={"count": None})) == timedelta(seconds=60)
    assert window_of(cause.model_copy(update={"count": 1})) is None
    assert window_of(cause.model_copy(update={"kind": "invented-later"})) is None
