"""Expressions that speak of one another: an event with its date behind it, a day with the rhythm in which it comes."""

from collections.abc import Sequence
from dataclasses import replace

from services.registry.wordings.phrases import ComingYear, Core, Day, Expression, Half, Month, Part, Quarter, Range, Tie
from services.registry.wordings.tokens import Kind, Token

_SAYS_WHEN = frozenset({Tie.IN, Tie.ON, Tie.BARE, Tie.OF})
_BEFORE_THE_EVENT = frozenset({Tie.BY, Tie.BEFORE, Tie.WITHIN, Tie.LESS})
_SMALL = frozenset({Kind.COMMA, Kind.GLUE, Kind.THE})
_A_YEAR = 12  # months


def combined(expressions: Sequence[Expression], tokens: Sequence[Token]) -> list[Expression]:
    """The expressions, with those made one that are one: "by the summit in June", "by 30 June of each year"."""
    found: list[Expression] = []
    for one in expressions:
        last = found[-1] if found else None
        both = None if last is None else _with_its_date(last, one, tokens) or _with_its_rhythm(last, one, tokens)
        if both is None:
            found.append(one)
        else:
            found[-1] = both
    return found


def _with_its_date(event: Expression, date: Expression, tokens: Sequence[Token]) -> Expression | None:
    """An event whose date stands right behind it: its date, and the event's own tie."""
    core = date.core
    if event.event is None or core is None or event.end != date.start or date.tie not in _SAYS_WHEN:
        return None
    if event.distance is not None:
        return replace(event, end=date.end)  # so long after an event is not at the event's date
    is_day = isinstance(core, Day) or (isinstance(core, Range) and isinstance(core.last, Day))
    match event.tie:
        case Tie.BEFORE if is_day:
            tie = Tie.BEFORE
        case Tie.AFTER | Tie.FROM:
            return None  # when it takes place is said, and not how long after
        case _ if tokens[event.start].value == "for" and not _says_next(event, tokens):
            tie = date.tie  # "pour sa 28e session, le 11 octobre": what for, not by when
        case Tie.UNTIL:
            tie = Tie.UNTIL
        case tie if tie in _BEFORE_THE_EVENT:
            tie = Tie.BY
        case _:
            tie = date.tie
    return replace(date, tie=tie, start=event.start)


def _says_next(event: Expression, tokens: Sequence[Token]) -> bool:
    return any(token.kind in {Kind.NEXT, Kind.COMING} for token in tokens[event.start : event.end])


def _with_its_rhythm(one: Expression, other: Expression, tokens: Sequence[Token]) -> Expression | None:
    """A day that comes again: "by 30 June of each year", "annually by 31 March"."""
    rhythm, day = (one, other) if one.tie is Tie.EVERY else (other, one)
    is_yearly = rhythm.tie is Tie.EVERY and (rhythm.months or 0) >= _A_YEAR
    between = tokens[one.end : other.start]
    if not is_yearly or not _is_of_any_year(day.core) or any(token.kind not in _SMALL for token in between):
        return None
    return replace(rhythm, start=one.start, end=other.end)


def _is_of_any_year(core: Core | None) -> bool:
    """Whether days come in every year: no year is said of them."""
    match core:
        case Day(year=year) | Month(year=year) | Quarter(year=year) | Half(year=year):
            return year == ComingYear(is_next=False)
        case Part(of=of):
            return _is_of_any_year(of)
        case Range(first=first, last=last):
            return _is_of_any_year(first) and _is_of_any_year(last)
    return False
