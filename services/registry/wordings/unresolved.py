"""What clearly sets a deadline, and no rule gives its day: for a person, never "settled, without a date"."""

from datetime import date, timedelta

from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.edtf_values import days_in_month
from services.registry.wordings.nearest import in_year
from services.registry.wordings.phrases import NoSuchDay
from services.registry.wordings.wording import Alternative

UNKNOWN = Days(
    None,
    ("unresolved",),
    (Alternative("by-a-person", None, None, None, "the words set a deadline, and no rule gives its day"),),
)

UNREAD = Days(
    None,
    ("no-lexicon",),
    (Alternative("by-a-person", None, None, None, "the time words of this language are not read"),),
)
"""Of words of a language that has no lexicon: they may set a deadline or none."""


def no_such_day(core: NoSuchDay, context: ReadingContext) -> Days:
    """No days for a day that doesn't exist: the last of its month and the first after it are what it may mean."""
    rules = ("unresolved", "no-such-day")
    if core.month is None:
        why = "no calendar has this day"
        return Days(None, rules, (Alternative("by-a-person", None, None, None, why),))
    month = core.month.month
    found = in_year(core.month.year, context, lambda year: date(year, month, days_in_month(year, month)).isoformat())
    last = date.fromisoformat(found.edtf or date.max.isoformat())
    why = f"the month has no day {core.day}; its last may be meant"
    after = f"the month has no day {core.day}; the first day after it may be meant"
    first_after = (last + timedelta(days=1)).isoformat()
    return Days(None, rules).beside(
        alternative("last-of-month", last.isoformat(), why), alternative("after-the-month", first_after, after)
    )
