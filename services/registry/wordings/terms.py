"""Which ties set a term, and terms that no rule could read: "by the halfway mark of the school year"."""

from collections.abc import Sequence
from itertools import pairwise

from services.registry.wordings.phrases import Core, Expression, NoSuchDay, Range, Tie, UnreadTime
from services.registry.wordings.tokens import Kind, Token

TERMS = frozenset({Tie.BY, Tie.BEFORE, Tie.WITHIN, Tie.UNTIL, Tie.FROM_NOW})
_SETS_A_TERM = {Kind.BY: Tie.BY, Kind.BEFORE: Tie.BEFORE, Kind.UNTIL: Tie.UNTIL}
_OF_TIME = frozenset(
    {Kind.YEAR, Kind.YEARS, Kind.YEAR_MONTH, Kind.DATE, Kind.NUMERIC, Kind.DECADE, Kind.MONTH, Kind.WEEKDAY}
    | {Kind.SEASON, Kind.QUARTER, Kind.HALF, Kind.UNIT, Kind.FISCAL, Kind.FEAST, Kind.DEADLINE}
)
_NO_TERM = frozenset({Kind.MEASURE, Kind.BREAK, Kind.SINCE, Kind.LAST, Kind.VAGUE, Kind.EVENT, Kind.FEW})
_LONGEST_TERM = 8  # tokens
_SMALL = frozenset({Kind.BREAK, Kind.COMMA})


def is_unresolvable(core: Core) -> bool:
    """Whether no rule gives the days of a phrase, whatever the policy."""
    match core:
        case NoSuchDay() | UnreadTime():
            return True
        case Range(first=first, last=last):
            return is_unresolvable(first) or is_unresolvable(last)
    return False


def unread_term(tokens: Sequence[Token], said: Sequence[Expression]) -> Expression | None:
    """The term that short words set as a whole, where no rule could read them: they open with its tie and hold a
    word of time. In prose the same words may as well say who, or by how much, so that nothing follows from them."""
    end = len(tokens)
    while end and tokens[end - 1].kind in _SMALL:
        end -= 1
    if not 2 <= end <= _LONGEST_TERM or tokens[0].kind not in _SETS_A_TERM:
        return None
    rest = tokens[1:end]
    is_counted = any(one.kind is Kind.NUMBER and two.kind is Kind.UNIT for one, two in pairwise(rest))
    is_purpose = tokens[0].text.casefold() in {"para", "pour"} and rest[0].kind is Kind.WORD  # "para mejorar la década"
    if is_counted or is_purpose or said or any(token.kind in _NO_TERM for token in rest):
        return None
    if not any(token.kind in _OF_TIME for token in rest):
        return None
    return Expression(_SETS_A_TERM[tokens[0].kind], 0, end, core=UnreadTime())
