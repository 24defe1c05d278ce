"""The same time of another year, month or week: "by this time next year"."""

from datetime import date, timedelta

from services.registry.wordings.days import Days, ReadingContext
from services.registry.wordings.edtf_values import days_in_month, ends_of
from services.registry.wordings.unresolved import UNKNOWN

_DAYS_OF_A_WEEK, _LONGEST_MONTH, _LONGEST_YEAR = 7, 31, 366  # days


def same_time(whole: Days, context: ReadingContext) -> Days:
    """The day of another year, month or week that the statement's is of its own; but for a term, only about then."""
    made_on, (first, last) = context.made_on, ends_of(whole.edtf or context.made_on.isoformat())
    length = (last - first).days + 1
    if length == _DAYS_OF_A_WEEK:
        return Days((first + timedelta(days=made_on.weekday())).isoformat(), ("counted",))
    if length == 1:
        return whole.by("counted")
    if length <= _LONGEST_MONTH:
        return Days(first.replace(day=min(made_on.day, last.day)).isoformat(), ("counted",))
    if length > _LONGEST_YEAR:
        return UNKNOWN
    day = min(made_on.day, days_in_month(first.year, made_on.month))
    then = date(first.year, made_on.month, day).isoformat()
    return Days(then if context.is_deadline else then[:7], ("counted",))
