"""By which reading and precision a milestone is planned, where a later release has used words that we don't know.

Each rule that asks for a reading or a precision asks here, so that an unknown word is planned in the same way by
ladders, calendars and escalations. What was said stays as it was, and is shown as "other".
"""

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Span

_LONGEST = ((1, Precision.DAY), (31, Precision.MONTH), (93, Precision.SEASON), (366, Precision.YEAR))
"""Days that a span has at most, by its precision; longer ones are as coarse as a decade."""


def planned_reading(milestone: Milestone) -> Reading:
    """The reading that it is planned by; an unknown one is read `by`: what has a last day is to be done by then."""
    return milestone.reading if milestone.reading.is_known else Reading.BY


def planned_precision(span: Span) -> Precision:
    """The precision that it is planned by; where it is unknown, the finest that a span of so many days can have.

    Of a span without an end there is only its first day to go by, and nothing is counted to that.
    """
    if span.precision.is_known:
        return span.precision
    if span.earliest is None:
        return Precision.UNDATED
    length = ((span.latest or span.earliest) - span.earliest).days + 1
    return next((precision for longest, precision in _LONGEST if length <= longest), Precision.DECADE)


def is_deadline(milestone: Milestone) -> bool:
    """Whether it is to be done by the end of its span, or in the course of it; else it happens, begins or recurs."""
    return planned_reading(milestone) in (Reading.BY, Reading.DURING)
