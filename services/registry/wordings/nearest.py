"""In which year days lie that come once a year: the one said, or the nearest that the tense allows."""

from collections.abc import Callable

from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.edtf_values import checked_year, ends_of
from services.registry.wordings.phrases import Ahead, Bygone, ComingYear, Which
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
