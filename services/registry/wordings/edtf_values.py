"""EDTF values as text: made of years and months, and taken apart again."""

import calendar
from datetime import date
from typing import Literal

from services.registry.rules.edtf_dates import span_of


def first_named(edtf: str) -> str:
    """Where a value begins, as an interval may begin: EDTF has none from a season or a decade."""
    return _interval_end(edtf.partition("/")[0], 0)


def last_named(edtf: str) -> str:
    """Where a value ends, as an interval may end."""
    return _interval_end(edtf.rpartition("/")[2], 1)


def is_season(edtf: str) -> bool:
    """Whether a value is one season."""
    return len(edtf) == 7 and edtf[5:] > "12"


def _interval_end(edtf: str, which: Literal[0, 1]) -> str:
    day = ends_of(edtf)[which]
    if edtf.endswith("X"):
        return f"{day.year:04}"
    return f"{day.year:04}-{day.month:02}" if is_season(edtf) else edtf


def months_value(year: int, month: int, length: int) -> str:
    """So many months from the first of one; raises ValueError outside the calendar."""
    last = year * 12 + month - 1 + length - 1
    return f"{checked_year(year):04}-{month:02}/{checked_year(last // 12):04}-{last % 12 + 1:02}"


def ends_of(edtf: str) -> tuple[date, date]:
    """The first and the last day of a value; an open end is the end of the calendar."""
    span = span_of(edtf)
    return span.earliest or date.min, span.latest or date.max


def day_value(year: int, month: int, day: int) -> str | None:
    """A day as a value; None where there is no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def days_in_month(year: int, month: int) -> int:
    """How many days a month has."""
    return calendar.monthrange(year, month)[1]


def checked_year(year: int) -> int:
    """The year; raises ValueError outside the calendar."""
    if not date.min.year <= year <= date.max.year:
        raise ValueError("outside the calendar")
    return year
