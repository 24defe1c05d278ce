"""Where days lie that come again: in the year that is said, or as near as the tense allows."""

from collections.abc import Callable
from datetime import timedelta

from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.edtf_values import checked_year, ends_of
from services.registry.wordings.phrases import Ahead, Bygone, ComingYear, Weekday, Which
from services.registry.wordings.tense import Tense


def in_year(which: Which, context: ReadingContext, edtf: Callable[[int], str]) -> Days:
    """Days that lie in some year: the one said, or the coming one."""
    match which:
        case int():
            return Days(edtf(which))
        case Ahead(count=count):
            return Days(edtf(checked_year(context.made_on.year + count)))
        case Bygone():
            this = context.made_on.year
            is_over = ends_of(edtf(this))[1] < context.made_on
            return Days(edtf(this if is_over else checked_year(this - 1)), ("nearest",))
    return _coming(which, context, edtf)


def _last_begun(context: ReadingContext, edtf: Callable[[int], str]) -> Days:
    this = context.made_on.year
    begun = ends_of(edtf(this))[0] <= context.made_on
    return Days(edtf(this if begun else checked_year(this - 1)), ("nearest",))


def _coming(which: ComingYear, context: ReadingContext, edtf: Callable[[int], str]) -> Days:
    """The nearest that the tense allows; where no verb tells, a term and words that stand alone look ahead."""
    is_term = context.is_deadline and context.tense is not Tense.FAILED
    if context.is_told and not which.is_next and not is_term:
        return _last_begun(context, edtf)
    this, after = context.made_on.year, checked_year(context.made_on.year + 1)
    first, last = ends_of(edtf(this))
    is_open = first > context.made_on if which.is_next else last >= context.made_on
    nearest = edtf(this if is_open else after)
    if not which.is_next:
        looks_ahead = context.tense is Tense.AHEAD or context.is_deadline or context.is_alone
        begun = _last_begun(context, edtf)
        gone = context.made_on - ends_of(begun.edtf or nearest)[1]
        is_gone = not looks_ahead and gone < ends_of(nearest)[0] - context.made_on
        return begun if is_gone else Days(nearest, ("nearest",))
    if context.policy.coming == "next-year":
        why = "“next” may mean the first that begins after the statement’s day"
        return Days(edtf(after), ("next-year",)).beside(alternative("nearest", nearest, why))
    why = "“next” may mean the one of the next calendar year"
    return Days(nearest, ("nearest",)).beside(alternative("next-year", edtf(after), why))


_LONGEST_WAIT = 62  # days in which a number and a name that fit each other are looked for: two months
_A_WEEK = 7  # days


def nearest_day(core: Weekday, context: ReadingContext) -> Days:
    """The nearest day of a name or a number that the tense allows; where no verb tells, only one with its number.

    What is told has no deadline, so that its day need not be found.
    """
    is_term = context.is_deadline and context.tense is not Tense.FAILED
    if context.is_told and not core.is_next and not is_term:
        return Days(None, ("past",))
    looks_ahead = context.tense is Tense.AHEAD or is_term or context.is_alone or core.is_next
    after = _next_day(core, context, 1)
    if after is None or not (looks_ahead or core.of_month):
        return Days(None, ("no-date",))
    before = None if looks_ahead else _next_day(core, context, -1)
    if before is not None and -before < after:
        return Days(None, ("past",))
    days = Days((context.made_on + timedelta(days=after)).isoformat(), ("nearest",))
    if core.is_next and core.of_month is None and after < _A_WEEK:
        later = (context.made_on + timedelta(days=after + _A_WEEK)).isoformat()
        return days.beside(alternative("next-week", later, "“next” may mean the one of the week after"))
    return days


def _next_day(core: Weekday, context: ReadingContext, step: int) -> int | None:
    """How many days until such a day, or since it (negative); the statement's own day counts but for "next"."""
    for away in range(int(core.is_next), _LONGEST_WAIT):
        day = context.made_on + timedelta(days=away * step)
        if core.name in {None, day.weekday()} and core.of_month in {None, day.day}:
            return away * step
    return None
