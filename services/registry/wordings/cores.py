"""The days that words name: dates, months, seasons, years, and stretches counted from the statement's day.

One grammar for all languages: they differ in words and order, not in kind. Every rule looks at a bounded number of
tokens, so the whole is linear. A rule takes a place, and gives what it read with the place after it, or None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from services.registry.wordings.phrases import (
    Ahead,
    Century,
    Coming,
    Core,
    Current,
    Day,
    Decade,
    Fiscal,
    Half,
    LongHalf,
    Moment,
    Month,
    Numeric,
    Part,
    Quarter,
    Range,
    Season,
    Stretch,
    UnitName,
    Week,
    Which,
    Year,
)
from services.registry.wordings.tokens import Kind, Token

T = TypeVar("T")
Read = tuple[T, int] | None

_END = Token(Kind.BREAK, None, "", 0, 0)
_FILLING = frozenset({Kind.GLUE, Kind.THE})
_RELATIVE = frozenset({Kind.NEXT, Kind.COMING})
_LINKS = frozenset({Kind.TO, Kind.AT, Kind.AND})
_NAMES = frozenset({Kind.NUMBER, Kind.ORDINAL})
_LONGEST_FILLING = 4


@dataclass(frozen=True)
class Count:
    """How long; without a number ("the coming weeks") nobody can say."""

    count: int | None
    unit: UnitName
    is_ahead: bool


class CoreReader:
    """Reads days at a place among the tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens

    def at(self, i: int) -> Token:
        """The token at a place; after the last one come breaks."""
        return self.tokens[i] if 0 <= i < len(self.tokens) else _END

    def kind(self, i: int) -> Kind:
        """The kind of the token at a place."""
        return self.at(i).kind

    def skip(self, i: int, kinds: frozenset[Kind] = _FILLING) -> int:
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

    # Counts

    def count(self, i: int) -> Read[Count]:
        """How long: "18 months", "the next two years", "18 prochains mois", "ninety (90) days", "the coming weeks"."""
        i = self.skip(i)
        i = self.skip(i + 1) if self.kind(i) is Kind.MINIMUM else i
        ahead = self.kind(i) in _RELATIVE
        coming = self.kind(i) is Kind.COMING
        i += ahead
        if self.kind(i) is Kind.FEW:
            return self._count_unit(i + 1, None, is_ahead=True)
        if self.kind(i) is Kind.NUMBER:
            number, i = self.at(i).value, self._after_figure(i)
            if self.kind(i) in _RELATIVE:
                ahead, i = True, i + 1
            return self._count_unit(i, number, is_ahead=ahead)
        found = self.unit(i)
        if found is None:
            return None
        name, plural = found
        after = self.kind(i + 1)
        if (ahead or after in _RELATIVE) and plural is not False and (plural or coming or after is Kind.COMING):
            return Count(None, name, is_ahead=True), i + 1 + (not ahead)
        if coming:
            return Count(1, name, is_ahead=True), i + 1
        return None

    def _after_figure(self, i: int) -> int:
        """After a number, and the figure in brackets that laws write behind it."""
        in_brackets = self.at(i + 1).text == "(" and self.kind(i + 2) is Kind.NUMBER and self.at(i + 3).text == ")"
        return i + 4 if in_brackets else i + 1

    def _count_unit(self, i: int, number: int | None, *, is_ahead: bool) -> Read[Count]:
        i = self.skip(i)
        found = self.unit(i)
        if found is None:
            return None
        trailing = self.kind(i + 1) in _RELATIVE
        return Count(number, found[0], is_ahead or trailing), i + 1 + trailing

    # Days

    def core(self, i: int, *, inside: bool = False) -> Read[Core]:
        """The days named at a place; `inside` another expression "the year" is this year."""
        i = self.skip(i)
        token = self.at(i)
        match token.kind:
            case Kind.PART:
                return self._part(i)
            case Kind.LATER:
                return self.core(i + 1, inside=True)
            case Kind.DATE:
                return self._written_date(i)
            case Kind.NUMERIC:
                first, second, year = token.value
                possible = 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12
                return (Numeric(first, second, year), i + 1) if possible else None
            case Kind.YEAR_MONTH:
                return Month(*token.value), i + 1
            case Kind.YEARS:
                return Range(Year(token.value[0]), Year(token.value[1])), i + 1
            case Kind.DECADE:
                return Decade(token.value), i + 1
            case Kind.YEAR:
                return self._year(i)
            case Kind.WEEKDAY:
                return self.core(self.skip(i + 1, _FILLING | {Kind.COMMA}), inside=inside)
            case Kind.NUMBER | Kind.ORDINAL:
                return self._numbered(i)
            case Kind.MONTH:
                return self._month(i, None)
            case Kind.SEASON | Kind.QUARTER | Kind.HALF:
                return self._named(i)
            case Kind.FISCAL:
                return self._fiscal(i)
            case Kind.THIS:
                return self._related(i + 1, 0)
            case Kind.NEXT | Kind.COMING:
                return self._related(i + 1, 1)
            case Kind.UNIT:
                return self._unit(i, inside=inside)
        return None

    def _part(self, i: int) -> Read[Core]:
        found = self.core(i + 1, inside=True)
        if found is None:
            return None
        core, j = found
        return Part(self.at(i).value, core), j

    def _written_date(self, i: int) -> Read[Core]:
        year, month, day = self.at(i).value
        return (Day(year, month, day), i + 1) if _is_day(year, month, day) else None

    def _year(self, i: int) -> Read[Core]:
        if self.kind(self.skip(i + 1, frozenset({Kind.GLUE}))) is Kind.MEASURE:
            return None  # "2005 levels", "the 2030 Agenda", "2000 tonnes"
        year = self.at(i).value
        if self.kind(i + 1) is Kind.FISCAL:
            return Fiscal(year, None), i + 2
        if self.kind(i + 1) in {Kind.TO, Kind.AT} and self.kind(i + 2) is Kind.YEAR and self.at(i + 2).value > year:
            return Range(Year(year), Year(self.at(i + 2).value)), i + 3
        return Year(year), i + 1

    def _numbered(self, i: int) -> Read[Core]:
        """A day of a month, days of a month, or the so-manieth quarter or half."""
        number = self.at(i).value
        j = self.skip(i + 1)
        if self.kind(i) is Kind.ORDINAL and self.is_unit(j, "quarter", "half"):
            return self._counted_part(number, j)
        if not 1 <= number <= 31:
            return None
        if self.kind(j) is Kind.MONTH:
            return self._month(j, number)
        last = self.skip(j + 1)
        if self.kind(j) in _LINKS and self.kind(last) in _NAMES:
            month = self.skip(last + 1)
            if self.kind(month) is Kind.MONTH and number < self.at(last).value <= 31:
                return self._days(self._month(month, number), self._month(month, self.at(last).value))
        return None

    def _days(self, first: Read[Core], last: Read[Core]) -> Read[Core]:
        if first is None or last is None:
            return None
        return Range(first[0], last[0]), last[1]

    def _month(self, i: int, day: int | None) -> Read[Core]:
        """A month, with its day before it (given) or behind it."""
        month, j = self.at(i).value, i + 1
        last: int | None = None
        if day is None:
            k = self.skip(j)
            if self.kind(k) in _NAMES and 1 <= self.at(k).value <= 31 and self.kind(k + 1) is not Kind.MEASURE:
                day, j = self.at(k).value, k + 1
                if self.kind(j) in _LINKS and self.kind(j + 1) in _NAMES and day < self.at(j + 1).value <= 31:
                    last, j = self.at(j + 1).value, j + 2
            elif self.kind(j) in _LINKS and self.kind(self.skip(j + 1)) is Kind.MONTH:
                until = self._month(self.skip(j + 1), None)
                if until and isinstance(until[0], Month) and self.kind(j) is not Kind.AND:
                    return Range(Month(until[0].year, month), until[0]), until[1]
        which, j = self.year_behind(j)
        if day is None:
            return Month(which, month), j
        if not _is_day(which if isinstance(which, int) else 2024, month, last or day):
            return None
        return (Range(Day(which, month, day), Day(which, month, last)) if last else Day(which, month, day)), j

    def _counted_part(self, number: int, i: int) -> Read[Core]:
        """The so-manieth quarter or half of a year, or half of a decade; `i` is the unit's place."""
        quarter = self.is_unit(i, "quarter")
        if not 1 <= number <= (4 if quarter else 2):
            return None
        whole = self.core(self.skip(i + 1), inside=True)
        if whole and isinstance(whole[0], Decade | Century):
            return None if quarter else (LongHalf(whole[0], number), whole[1])
        which, j = self.year_behind(i + 1)
        return (Quarter(which, number) if quarter else Half(which, number)), j

    def _named(self, i: int) -> Read[Core]:
        """A season, Q1 or H1, with its year."""
        value, j = self.at(i).value, i + 1
        k = self.skip(j)
        if self.kind(i) is Kind.SEASON and self.kind(k) is Kind.YEARS:
            return Season(self.at(k).value[0], value, is_turn=True), k + 1
        which, j = self.year_behind(j)
        match self.kind(i):
            case Kind.SEASON:
                return Season(which, value), j
            case Kind.QUARTER:
                return Quarter(which, value), j
        return Half(which, value), j

    def _fiscal(self, i: int) -> Read[Core]:
        j = self.skip(i + 1)
        j = self.skip(j + 1) if self.is_unit(j, "year") else j
        match self.kind(j):
            case Kind.YEAR:
                if self.kind(j + 1) is Kind.TO and self.kind(j + 2) is Kind.YEAR:
                    return Fiscal(self.at(j).value, self.at(j + 2).value), j + 3
                return Fiscal(self.at(j).value, None), j + 1
            case Kind.YEARS:
                return Fiscal(*self.at(j).value), j + 1
            case Kind.NEXT:
                return Fiscal(Ahead(1), None), j + 1
            case Kind.THIS:
                return Fiscal(Ahead(0), None), j + 1
        return Fiscal(Ahead(0), None), j

    def _related(self, i: int, ahead: int) -> Read[Core]:
        """What "this" and "next" stand before."""
        i = self.skip(i)
        if self.kind(i) is Kind.WORD and self.is_unit(i + 1, "decade"):
            i += 1  # "this critical decade"
        match self.kind(i):
            case Kind.UNIT if self.at(i).value[1] is not True:
                return self._unit_ahead(self.at(i).value[0], ahead), i + 1
            case Kind.FISCAL:
                return Fiscal(Ahead(ahead), None), i + 1
            case Kind.SEASON:
                return Season(Coming(is_next=True) if ahead else Ahead(0), self.at(i).value), i + 1
            case Kind.MONTH:
                which = Coming(is_next=True) if ahead else Ahead(0)
                day = self.skip(i + 1)
                if self.kind(day) in _NAMES and _is_day(2024, self.at(i).value, self.at(day).value):
                    return Day(which, self.at(i).value, self.at(day).value), day + 1
                return Month(which, self.at(i).value), i + 1
        return None

    def _unit(self, i: int, *, inside: bool) -> Read[Core]:
        """A unit with what stands behind it: "année prochaine", "año 2030", "década de 2030"; inside, "the year"."""
        name, plural = self.at(i).value
        behind = self.kind(i + 1)
        if plural is not True and behind in {Kind.NEXT, Kind.THIS}:
            return self._unit_ahead(name, int(behind is Kind.NEXT)), i + 2
        j = self.skip(i + 1)
        if name == "week" and (found := self.core(j)) and isinstance(found[0], Day):
            return Week(found[0]), found[1]
        if self.kind(j) in {Kind.YEAR, Kind.DECADE}:
            year = self.at(j).value
            if year % 10 == 0 and (name == "decade" or (name == "year" and plural)):
                return Decade(year), j + 1
            if name == "year" and self.kind(j) is Kind.YEAR:
                return self._year(j)
        if self.kind(j) is Kind.YEARS and name == "year":
            return Range(Year(self.at(j).value[0]), Year(self.at(j).value[1])), j + 1
        return (self._unit_ahead(name, 0), i + 1) if inside and plural is not True else None

    def _unit_ahead(self, name: UnitName, ahead: int) -> Core:
        match name:
            case "year":
                return Year(Ahead(ahead))
            case "decade":
                return Decade(Ahead(ahead))
            case "century":
                return Century()
        return Current(name, ahead)

    def year_behind(self, i: int) -> tuple[Which, int]:
        """Which year the words behind a month, season or quarter say; the coming one where they say none."""
        j = self.skip(i, _FILLING | {Kind.COMMA})
        match self.kind(j):
            case Kind.YEAR if self.kind(j + 1) is not Kind.MEASURE:
                return self.at(j).value, j + 1
            case Kind.NEXT | Kind.THIS:
                ahead = int(self.kind(j) is Kind.NEXT)
                if self.is_unit(j + 1, "year"):
                    return Ahead(ahead), j + 2
                if j == i:  # "juin prochain"
                    return (Coming(is_next=True) if ahead else Ahead(0)), j + 1
            case Kind.UNIT if self.is_unit(j, "year") and j > i:
                match self.kind(j + 1):
                    case Kind.NEXT:
                        return Ahead(1), j + 2
                    case Kind.THIS:
                        return Ahead(0), j + 2
                    case _ if self.kind(self.skip(j + 1)) is Kind.YEAR:
                        k = self.skip(j + 1)
                        return self.at(k).value, k + 1
                return Ahead(0), j + 1
        return Coming(is_next=False), i


def stretch(found: Count, *, is_point: bool) -> Core | None:
    """A count as days from the statement's day; None where it has no number."""
    if found.count is None:
        return None
    return Moment(found.count, found.unit) if is_point else Stretch(found.count, found.unit)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
