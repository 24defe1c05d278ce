"""Where a milestone lies that hangs on an anchor: on the anchor's own days, or so far before or after them.

An anchor of day precision is an event whose days are known: "before" counts from its first day, "after" from its last,
and one day comes of it. What is known less finely shifts as a whole and keeps its precision, since a month's doubt
about the summit is a month's doubt about what comes 90 days after it; the EDTF value then names the first and the last
day that are possible, unless they are a whole month or year.

Days and weeks are counted in the calendar. Months and years keep the day of the month, or take the month's last day
where there is none: 31 January and a month is 28 or 29 February, 29 February and a year is 28 February. That last day
isn't remembered: 28 February and a month is 28 March. A whole month stays whole: February and a month is March.
"""

from datetime import date, timedelta

from contracts.commitments import Offset
from contracts.vocabulary import Precision, Reading, Span, WallTime
from services.plumbing.calendar_arithmetic import add_months
from services.plumbing.sentences import Sentence

_DAY = timedelta(days=1)


class OutOfCalendar(ValueError):
    """The offset leads out of the years 1 to 9999."""


def span_from_anchor(anchor: Span, offset: Offset | None) -> Span:
    """The days of a milestone so far from its anchor; the anchor's own without an offset, none while it has none.

    Raises `OutOfCalendar`.
    """
    if offset is None or anchor.earliest is None:
        return anchor
    try:
        if anchor.latest is None:
            return _open(_shifted(anchor.earliest, offset), anchor.precision)
        if anchor.precision is Precision.DAY:
            day = _shifted(anchor.earliest if offset.direction == "before" else anchor.latest, offset)
            return _span(day, day, Precision.DAY)
        if offset.count == 0:
            return anchor
        # Half open, so that a whole month becomes a whole month however long the two are.
        beyond = _shifted(anchor.latest + _DAY, offset)
        return _span(_shifted(anchor.earliest, offset), beyond - _DAY, anchor.precision)
    except OverflowError as error:
        raise OutOfCalendar(
            Sentence(
                "%(offset)s from %(day)s is no day of the calendar",
                offset=f"{'-' if offset.direction == 'before' else '+'}{offset.count} {offset.unit}",
                day=anchor.edtf,
            )
        ) from error


def is_the_event(reading: Reading, offset: Offset | None) -> bool:
    """Whether a milestone is its anchor itself, and so begins when that does."""
    return reading is Reading.ON and offset is None


def zone_of(reading: Reading, anchor_zone: str, own_zone: str) -> str:
    """In whose calendar a milestone on an anchor is counted: what happens `on` it, where the anchor is."""
    return anchor_zone if reading is Reading.ON else own_zone


def local_time_of(reading: Reading, offset: Offset | None, anchor_time: WallTime | None) -> WallTime | None:
    """When a milestone on an anchor begins: with the anchor, where it is the anchor itself."""
    return anchor_time if is_the_event(reading, offset) else None


def _shifted(day: date, offset: Offset) -> date:
    count = -offset.count if offset.direction == "before" else offset.count
    match offset.unit:
        case "days":
            return day + timedelta(days=count)
        case "weeks":
            return day + timedelta(weeks=count)
        case "months":
            return add_months(day, count)
        case "years":
            return add_months(day, 12 * count)


def _span(earliest: date, latest: date, precision: Precision) -> Span:
    return Span(edtf=_named(earliest, latest, precision), earliest=earliest, latest=latest, precision=precision)


def _open(earliest: date, precision: Precision) -> Span:
    return Span(edtf=f"{earliest}/..", earliest=earliest, latest=None, precision=precision)


def _named(earliest: date, latest: date, precision: Precision) -> str:
    first, last = earliest.isoformat(), latest.isoformat()
    if first == last:
        return first
    if precision is Precision.MONTH and earliest.day == 1 and latest == add_months(earliest, 1) - _DAY:
        return first[:7]
    if precision is Precision.YEAR and first[4:] == "-01-01" and last == f"{first[:4]}-12-31":
        return first[:4]
    return f"{first}/{last}"
