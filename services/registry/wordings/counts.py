"""How long words say: "18 months", "the next two years", "ninety (90) days"; and how any rule looks at the tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from services.registry.wordings.phrases import Core, Duration, Range, RelativePoint, UnitName
from services.registry.wordings.tokens import Kind, Token

T = TypeVar("T")
Read = tuple[T, int] | None
"""What a rule read, and the place after it."""

GLUE = frozenset({Kind.GLUE})
FILLING = GLUE | {Kind.THE}
RELATIVE = frozenset({Kind.NEXT, Kind.COMING})
_END = Token(Kind.BREAK, None, "", 0, 0)
_LONGEST_FILLING = 4
_OR = frozenset({"or", "o", "u", "ou"})
_HALVES: Mapping[UnitName, tuple[int, UnitName]] = {"year": (12, "month"), "decade": (10, "year")}
"""What half of a unit is counted in."""


@dataclass(frozen=True)
class Count:
    """How long; without a number ("the coming weeks") nobody can say."""

    count: int | None
    unit: UnitName
    is_ahead: bool
    least: int | None = None
    """Where two numbers are said, the smaller: "within 12 to 18 months"."""


class CountReader:
    """Looks at the tokens, and reads counts."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens

    def at(self, i: int) -> Token:
        """The token at a place; after the last one come breaks."""
        return self.tokens[i] if 0 <= i < len(self.tokens) else _END

    def kind(self, i: int) -> Kind:
        """The kind of the token at a place."""
        return self.at(i).kind

    def skip(self, i: int, kinds: frozenset[Kind] = FILLING) -> int:
        """The place after words that hold others together."""
        j = i
        while j - i < _LONGEST_FILLING and self.kind(j) in kinds:
            j += 1
        return j

    def unit(self, i: int) -> tuple[UnitName, bool | None] | None:
        """The unit at a place, and whether it is a plural."""
        if self.kind(i) is not Kind.UNIT:
            return None
        name, plural = self.at(i).value
        return name, plural

    def is_unit(self, i: int, *names: str) -> bool:
        """Whether one of these units stands at a place, in the singular."""
        found = self.unit(i)
        return found is not None and found[0] in names and found[1] is not True

    def count(self, i: int) -> Read[Count]:
        """How long: "18 months", "the next two years", "18 prochains mois", "ninety (90) days", "the coming weeks"."""
        i = self.skip(i)
        i = self.skip(i + 1) if self.kind(i) is Kind.MINIMUM else i
        ahead = self.kind(i) in RELATIVE
        coming = self.kind(i) is Kind.COMING
        i += ahead
        if self.kind(i) is Kind.FEW:
            return self._count_unit(i + 1, None, is_ahead=True)
        i += self._is_first(i) and self.kind(i + 1) is Kind.NUMBER  # "the first 100 days"
        if self.kind(i) is Kind.NUMBER:
            number, i = self.at(i).value, self.after_figure(i)
            least, number, i = self._up_to_number(number, i)
            i += self._is_first(i)  # "les 100 premiers jours"
            if self.kind(i) in RELATIVE:
                ahead, i = True, i + 1
            counted = self._count_unit(i, number, is_ahead=ahead)
            return counted and (replace(counted[0], least=least), counted[1])
        found = self.unit(i)
        if found is None:
            return None
        name, plural = found
        if name == "half" and plural is None:
            return Count(1, name, is_ahead=False), i + 1  # "half a year"
        after = self.kind(i + 1)
        if after is Kind.COMING and plural is False:
            return Count(1, name, is_ahead=True), i + 2  # "l'année à venir"
        if (ahead or after in RELATIVE) and plural is not False and (plural or coming or after is Kind.COMING):
            return Count(None, name, is_ahead=True), i + 1 + (not ahead)
        if coming:
            return Count(1, name, is_ahead=True), i + 1
        return None

    def _is_first(self, i: int) -> bool:
        return self.kind(i) is Kind.ORDINAL and self.at(i).value == 1

    def coming_one(self, i: int) -> Read[Count]:
        """The coming year or decade as a length, where the adjective stands first: "la próxima década"."""
        i = self.skip(i)
        is_first = self.kind(i) is Kind.NEXT and self.at(i).value == "counts"
        found = self.unit(i + 1) if is_first else None
        if found is None or found[0] not in {"year", "decade"} or found[1]:
            return None
        return Count(1, found[0], is_ahead=True), i + 2

    def after_figure(self, i: int) -> int:
        """The place after a number, and the figure in brackets that laws write behind it."""
        in_brackets = self.at(i + 1).text == "(" and self.kind(i + 2) is Kind.NUMBER and self.at(i + 3).text == ")"
        return i + 4 if in_brackets else i + 1

    def _up_to_number(self, number: int, i: int) -> tuple[int | None, int, int]:
        """The smaller and the larger of two numbers, and the place behind them: "12 to 18 months", "two or three"."""
        is_link = self.kind(i) in {Kind.TO, Kind.AT} or (self.kind(i) is Kind.AND and self.says_or(i))
        if is_link and self.kind(i + 1) is Kind.NUMBER and self.at(i + 1).value > number:
            return number, self.at(i + 1).value, self.after_figure(i + 1)
        return None, number, i

    def says_or(self, i: int) -> bool:
        """Whether a word joins what holds one for the other."""
        return self.at(i).text.casefold() in _OR

    def _count_unit(self, i: int, number: int | None, *, is_ahead: bool) -> Read[Count]:
        i = self.skip(i)
        half = self.kind(i) is Kind.AND_A_HALF  # "two and a half years"
        i = self.skip(i + half)
        found = self.unit(i)
        if found is None:
            return None
        name, i = found[0], i + 1
        if self.kind(i) is Kind.AND_A_HALF:  # "a year and a half"
            half, i = True, i + 1
        if half:
            if number is None or name not in _HALVES:
                return None
            times, unit = _HALVES[name]
            number, name = number * times + times // 2, unit
        trailing = self.kind(i) in RELATIVE
        return Count(number, name, is_ahead or trailing), i + trailing


def stretch(found: Count, *, is_point: bool) -> Core | None:
    """A count as days from the statement's day; None where it has no number."""
    if found.count is None:
        return None
    if not is_point:
        return Duration(found.count, found.unit, found.is_ahead)
    point = RelativePoint(found.count, found.unit)
    return point if found.least is None else Range(RelativePoint(found.least, found.unit), point)
