"""The days that words name: dates, months, seasons, years, and stretches counted from the statement's day.

One grammar for all languages: they differ in words and order, not in kind. Every rule looks at a bounded number of
tokens, so the whole is linear. A rule takes a place, and gives what it read with the place after it, or None.
"""

from datetime import date

from services.registry.wordings.counts import GLUE, Read
from services.registry.wordings.day_names import BEGINS_A_DAY
from services.registry.wordings.fiscal_years import FiscalReader
from services.registry.wordings.parts import NAMES
from services.registry.wordings.phrases import (
    Ahead,
    Century,
    ComingYear,
    Core,
    Current,
    Day,
    Decade,
    Fiscal,
    Half,
    Month,
    NoSuchDay,
    Numeric,
    Part,
    Quarter,
    Range,
    SameTime,
    Season,
    Share,
    UnitName,
    UnreadTime,
    Week,
    Weekday,
    Year,
)
from services.registry.wordings.tokens import Kind

_LINKS = frozenset({Kind.TO, Kind.AT, Kind.AND})
_ARTICLES = frozenset({"a", "an", "un", "une", "una"})
"""One as an article, which no day of a month has: "a June 2025 deadline"."""


class CoreReader(FiscalReader):
    """Reads days at a place among the tokens."""

    def core(self, i: int, *, inside: bool = False) -> Read[Core]:
        """The days named at a place; `inside` another expression "the year" is this year.

        A verb of ending behind them means their end: "the year is out", "l'année ne s'achève", and so does "year-end".
        """
        is_unit = self.unit(self.skip(i)) is not None
        ends = ("over", "end") if is_unit else ("over",)
        found = self._core(i, inside=inside or (is_unit and self.ending(self.skip(i) + 1, ends) is not None))
        if found is None or isinstance(found[0], Part | Range):
            return found
        ending = self.ending(found[1], ends)
        return found if ending is None else (Part("end", found[0]), ending)

    def _core(self, i: int, *, inside: bool) -> Read[Core]:
        i = self.skip(i)
        token = self.at(i)
        match token.kind:
            case Kind.PART:
                return self.part(i)
            case Kind.LATER:
                return self.within(i + 1)
            case Kind.DATE:
                return self._written_date(i)
            case Kind.NUMERIC:
                first, second, year = token.value
                return Numeric(first, second, year), i + 1
            case Kind.YEAR_MONTH:
                return Month(*token.value), i + 1
            case Kind.YEARS:
                return Range(Year(token.value[0]), Year(token.value[1])), i + 1
            case Kind.DECADE:
                return Decade(token.value), i + 1
            case Kind.YEAR:
                return self._year(i)
            case Kind.WEEKDAY:
                return self.day_name(i)
            case Kind.TOMORROW:
                return self.tomorrow(i)
            case Kind.NUMBER | Kind.ORDINAL:
                return self._numbered(i) or self.share(i)
            case Kind.LAST:
                return self.share(i)
            case Kind.MONTH:
                return self._month(i, None)
            case Kind.SEASON | Kind.QUARTER | Kind.HALF:
                return self._named(i)
            case Kind.FISCAL:
                return self.fiscal(i)
            case Kind.THIS:
                return self._related(i + 1, 0)
            case Kind.NEXT | Kind.COMING:
                return self._related(i + 1, 1)
            case Kind.FEAST:
                return self._feast(i)
            case Kind.SAME_TIME:
                found = self.core(i + 1)
                return found and (SameTime(found[0]), found[1])
            case Kind.UNIT:
                return self._unit(i, inside=inside)
        return None

    def _written_date(self, i: int) -> Read[Core]:
        year, month, day = self.at(i).value
        if _is_day(year, month, day):
            return Day(year, month, day), i + 1
        return NoSuchDay(Month(year, month) if 1 <= month <= 12 else None, day), i + 1

    def _feast(self, i: int) -> Read[Core]:
        """A feast of a fixed day, "Christmas 2024"; one that moves is a day that nobody says here."""
        which, j = self.year_behind(i + 1)
        day = self.at(i).value
        return (Day(which, *day) if day else UnreadTime()), j

    def _year(self, i: int) -> Read[Core]:
        if self.kind(self.skip(i + 1, GLUE)) is Kind.MEASURE:
            return None  # "2005 levels", "the 2030 Agenda", "2000 tonnes"
        year = self.at(i).value
        if self.kind(i + 1) is Kind.FISCAL:
            return Fiscal(year, None), i + 2
        if self.kind(i + 1) in {Kind.TO, Kind.AT} and self.kind(i + 2) is Kind.YEAR and self.at(i + 2).value > year:
            last = self.at(i + 2).value
            if self.kind(i + 3) is Kind.FISCAL:
                return Fiscal(year, last), i + 4
            return Range(Year(year), Year(last)), i + 3
        return Year(year), i + 1

    def _numbered(self, i: int) -> Read[Core]:
        """A day of a month, days of a month, or the so-manieth quarter or half."""
        number = self.at(i).value
        j = self.skip(i + 1)
        if self.kind(i) is Kind.ORDINAL and self.is_unit(j, "quarter", "half"):
            return self.counted_part(number, j)
        if not 0 <= number < 100 or self.at(i).text.casefold() in _ARTICLES:
            return None
        if self.kind(j) is Kind.MONTH:
            return self._month(j, number)
        if not 1 <= number <= 31:
            return None
        if row := self.numbers(i):
            month = self.skip(row[2])
            is_row = self.kind(month) is Kind.MONTH
            return self._days(self._month(month, number), self._month(month, row[1])) if is_row else None
        last = self.after_day_name(j + 1)
        if self.kind(j) in _LINKS and self.kind(last) in NAMES:
            month = self.skip(last + 1)
            if self.kind(month) is Kind.MONTH and number < self.at(last).value <= 31:
                return self._days(self._month(month, number), self._month(month, self.at(last).value))
        return None

    def _days(self, first: Read[Core], last: Read[Core]) -> Read[Core]:
        if first is None or last is None:
            return None
        return Range(first[0], last[0]), last[1]

    def _month(self, i: int, day: int | None, *, is_last: bool = False) -> Read[Core]:
        """A month, with its day before it (given) or behind it; or the months up to another, of which it `is_last`."""
        month, j = self.at(i).value, i + 1
        last: int | None = None
        if day is None:
            k = self.skip(j)
            if self.kind(k) in NAMES and 1 <= self.at(k).value <= 31 and self.kind(k + 1) is not Kind.MEASURE:
                day, j = self.at(k).value, k + 1
                if self.kind(j) in _LINKS and self.kind(j + 1) in NAMES and day < self.at(j + 1).value <= 31:
                    last, j = self.at(j + 1).value, j + 2
            elif not is_last and (other := self._other_month(j)) is not None:
                until = self._month(other, None, is_last=True)
                if until and isinstance(until[0], Month):
                    return Range(Month(until[0].year, month), until[0]), until[1]
        which, j = self.year_behind(j)
        if day is None:
            return Month(which, month), j
        if not _is_day(which if isinstance(which, int) else 2024, month, last or day):
            return NoSuchDay(Month(which, month), last or day), j
        return (Range(Day(which, month, day), Day(which, month, last)) if last else Day(which, month, day)), j

    def _other_month(self, i: int) -> int | None:
        """The place of a month up to which it goes: "from June to July", "June-September", "June/July"."""
        is_link = self.kind(i) in _LINKS - {Kind.AND} or self.at(i).text == "/"
        j = self.skip(i + 1) if is_link else i
        return j if self.kind(j) is Kind.MONTH and self.at(j).value > self.at(i - 1).value else None

    def _named(self, i: int) -> Read[Core]:
        """A season, Q1 or H1, with its year."""
        value, j = self.at(i).value, i + 1
        k = self.skip(j)
        if self.kind(i) is Kind.SEASON and self.kind(k) is Kind.YEARS:
            return Season(self.at(k).value[0], value, is_turn=True), k + 1
        if self.kind(i) is Kind.QUARTER and self.kind(k) is Kind.FISCAL and (year := self.fiscal(k)):
            return Share(year[0], "quarter", 1, value - 1, is_last=False), year[1]  # "Q3 FY24"
        which, j = self.year_behind(j)
        match self.kind(i):
            case Kind.SEASON:
                return Season(which, value), j
            case Kind.QUARTER:
                return Quarter(which, value), j
        return Half(which, value), j

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
                return Season(ComingYear(is_next=True) if ahead else Ahead(0), self.at(i).value), i + 1
            case Kind.NUMBER | Kind.ORDINAL | Kind.WEEKDAY if ahead and (found := self._core(i, inside=False)):
                return _next_one(found[0]), found[1]  # "el próximo 20 de julio"
            case Kind.WEEKDAY:
                return self._core(i, inside=False)
            case Kind.YEAR if not ahead:
                return self._year(i)  # "en este 2022"
            case Kind.MONTH:
                which = ComingYear(is_next=True) if ahead else Ahead(0)
                day = self.skip(i + 1)
                if self.kind(day) in NAMES and _is_day(2024, self.at(i).value, self.at(day).value):
                    return Day(which, self.at(i).value, self.at(day).value), day + 1
                return Month(which, self.at(i).value), i + 1
        return None

    def _unit(self, i: int, *, inside: bool) -> Read[Core]:
        """A unit with what stands behind it: "année prochaine", "año 2030", "década de 2030"; inside, "the year"."""
        name, plural = self.at(i).value
        behind = self.kind(i + 1)
        if behind is Kind.LAST:
            return None  # "l'année écoulée"
        if plural is not True and behind in {Kind.NEXT, Kind.THIS} and self.at(i + 1).value != "first":
            return self._unit_ahead(name, int(behind is Kind.NEXT)), i + 2
        if name == "day" and (day := self.day_of_any_month(i)):
            return day
        j = self.skip(i + 1)
        if name == "week" and self.kind(j) in BEGINS_A_DAY and (found := self._core(j, inside=False)):
            return (Week(found[0]), found[1]) if isinstance(found[0], Day) else None
        if self.kind(j) in {Kind.YEAR, Kind.DECADE}:
            year = self.at(j).value
            if year % 10 == 0 and (name == "decade" or (name == "year" and plural)):
                return Decade(year), j + 1
            if name == "year" and self.kind(j) is Kind.YEAR:
                return self._year(j)
        if name == "year" and self.at(i + 1).value == "end" and self.kind(i + 2) is Kind.YEAR:
            return Part("end", Year(self.at(i + 2).value)), i + 3  # "year-end 2025"
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


def _next_one(core: Core) -> Core:
    """The days, of the year in which they come next where they say no other."""
    match core:
        case Day(year=ComingYear()):
            return Day(ComingYear(is_next=True), core.month, core.day)
        case Weekday(name=name, of_month=of_month):
            return Weekday(name, of_month, is_next=True)
        case Range(first=first, last=last):
            return Range(_next_one(first), _next_one(last))
    return core


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
