"""What another date means for a milestone: its first, a more precise one, or a move."""

from datetime import date
from typing import Literal

from contracts.vocabulary import Precision, Span, WallTime

ScheduleChange = Literal["first", "moved", "more-precise", "cancelled", "held"]

_FINE_TO_COARSE = tuple(Precision)


def change_of(
    previous: Span | None, new: Span, previous_time: WallTime | None = None, new_time: WallTime | None = None
) -> Literal["first", "moved", "more-precise"] | None:
    """What the new span is after the previous one; None when it changes nothing.

    More precise is a span inside the previous one, named more finely: June for "summer", the tenth for June, nine
    o'clock for the tenth. A milestone without a date may get any date as a more precise one; one that loses its date
    has moved.
    """
    if previous is None:
        return "first"
    if _days(previous) == _days(new) and previous.precision is new.precision:
        if previous_time == new_time:
            return None
        return "more-precise" if previous_time is None else "moved"
    if _is_finer(new.precision, previous.precision) and _lies_inside(new, previous):
        return "more-precise"
    return "moved"


def _is_finer(one: Precision, other: Precision) -> bool:
    return _FINE_TO_COARSE.index(one) < _FINE_TO_COARSE.index(other)


def _lies_inside(inner: Span, outer: Span) -> bool:
    earliest, latest = _days(inner)
    return (outer.earliest or date.min) <= (earliest or date.min) and (latest or date.max) <= (outer.latest or date.max)


def _days(span: Span) -> tuple[date | None, date | None]:
    return span.earliest, span.latest
