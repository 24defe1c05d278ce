"""Whether days say when, or name a thing: "at 2030", "the 2030 package", "the letter of 8 October", "may 18"."""

from dataclasses import replace

from services.registry.wordings.events import NAME_BEFORE
from services.registry.wordings.lengths import LengthReader
from services.registry.wordings.phrases import (
    Ahead,
    ComingYear,
    Core,
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
    Season,
    Tie,
    Weekday,
    Year,
)
from services.registry.wordings.terms import TERMS, is_unresolvable
from services.registry.wordings.tokens import Kind

ENDS_A_YEAR = frozenset({Kind.COMMA, Kind.BREAK, Kind.AND, Kind.ONWARD, Kind.TO})
_ALSO_VERBS = frozenset({"may", "march", "fall", "spring"})
_DEADLINE_REACH = 8  # tokens
_LONGEST_COMPLEMENT = 4  # tokens: "presupuesto de la Nación para 2025"
_THINGS = frozenset({Kind.WORD, Kind.EVENT, Kind.MEASURE, Kind.NUMBER})


class AttributeReader(LengthReader):
    """Tells days that say when from days that name a thing."""

    def is_time(self, tie: Tie, start: int, core: Core) -> bool:
        """Whether the tie is enough to make these words time: "at 2030" and "the 2030 package" are not."""
        if is_unresolvable(core):
            return tie in TERMS | {Tie.ON, Tie.FROM, Tie.AFTER, Tie.DURING}
        if self.kind(start) is Kind.AT and isinstance(core, Year) and isinstance(core.year, int):
            return self._says_year(start)
        if isinstance(core, Year) and isinstance(core.year, int) and not self._says_year(start):
            place = self.skip(start + 1)
            return not (self._has_article(start) and self.kind(place + 1) not in ENDS_A_YEAR)
        if self.kind(start) is Kind.AT and isinstance(core, Season) and core.year == ComingYear(is_next=False):
            # "à l'été" and "au printemps" are time, "a été" is a verb
            return self.skip(start + 1) > start + 1 or self.at(start).value == "the"
        return not isinstance(core, Month) or tie is not Tie.ON

    def is_called(self, start: int, j: int) -> bool:
        """Whether these days are a part of a name: "by the December 2014 European Council", "this year's report"."""
        if self.at(j - 1).text.endswith("'"):
            return True
        first = self.kind(self.skip(start + 1))
        named = self.kind(j) is Kind.EVENT or (self.kind(j) is Kind.WORD and self.at(j).is_capital)
        return named and first is Kind.MONTH and self._has_article(start)

    def _has_article(self, start: int) -> bool:
        return any(self.kind(k) is Kind.THE for k in range(start + 1, self.skip(start + 1)))

    def _says_year(self, start: int) -> bool:
        return any(self.is_unit(k, "year") for k in range(start, start + 5))

    def is_time_by_itself(self, i: int, core: Core, j: int) -> bool:
        """Whether days need no tie: they are plain, or all that there is, or "and beyond" follows.

        A month behind a number that is no day of it ("31 February") is none.
        """
        if self._is_no_day(i) or self.at(j - 1).text.endswith("'"):
            return False
        if isinstance(core, NoSuchDay) or self.kind(self.skip(i)) is Kind.FEAST:
            return self.is_all(i, j)
        if isinstance(core, Part) and any(self.at(k).text in _ALSO_VERBS for k in range(i, j)):
            return False  # "as early may be needed"
        return self._is_plain(core) or self._is_day(i, core) or self.is_all(i, j) or self.kind(j) is Kind.ONWARD

    def is_attribute(self, i: int, core: Core) -> bool:
        """Whether these days say which thing is meant: "the letter of 8 October", "ses conclusions de décembre"."""
        is_of = self.kind(i) is Kind.GLUE and self.at(i).value == "of"
        is_of = is_of and not self._is_no_day(i) and (self.kind(i - 1) in _THINGS or self._act_year(i) is not None)
        if core == Year(Ahead(0)):
            return is_of and self.kind(self.skip(i)) is Kind.THIS  # "the reports of this year"
        is_days = isinstance(core, Day | Month | Season | Quarter | Half | Fiscal | Weekday)
        return is_of and is_days and (self._is_plain(core) or self._is_day(i, core))

    def _act_year(self, i: int) -> int | None:
        """The year of an act by its number: "Real Decreto 477/2021, de 29 de junio"."""
        k = i - 2 if self.kind(i - 1) is Kind.COMMA else i - 1
        return self.at(k).value if self.kind(k) is Kind.YEAR and self.at(k - 1).text == "/" else None

    def of_its_act(self, i: int, core: Core) -> Core:
        """The day of an act, in the year of its number."""
        year = self._act_year(i)
        if year is not None and isinstance(core, Day | Month) and isinstance(core.year, ComingYear):
            return replace(core, year=year)
        return core

    def _is_no_day(self, i: int) -> bool:
        """Whether a month stands at a place, and before it a number that is not one of its days."""
        k = i - 2 if self.kind(i - 1) is Kind.GLUE else i - 1
        return self.kind(self.skip(i)) is Kind.MONTH and self.kind(k) is Kind.NUMBER

    def is_after_in_a_name(self, start: int, j: int) -> bool:
        """Whether "after" a year is a part of a name: "the post-2015 vision", "l'après-2020"."""
        goes_on = self.at(start).text.casefold() == "post" and self.kind(j) not in ENDS_A_YEAR
        return goes_on or (self.kind(start) is Kind.AFTER and self.at(start - 1).text.casefold().endswith("l'"))

    def is_set_as_deadline(self, i: int) -> bool:
        """Whether a noun before a place makes of its day a deadline: "Date limite de la procédure : 12.06.2026"."""
        for k in range(i - 1, max(i - 1 - _DEADLINE_REACH, -1), -1):
            if self.kind(k) is Kind.DEADLINE:
                return True
            if self.kind(k) is Kind.BREAK and self.at(k).text != ":":
                return False
        return False

    def is_of_a_year(self, start: int) -> bool:
        """Whether a tie says of which year something is: "el presupuesto para 2025", "le budget pour 2025"."""
        return any(self.kind(k) is Kind.YEARLY for k in range(max(start - _LONGEST_COMPLEMENT, 0), start))

    def _is_day(self, i: int, core: Core) -> bool:
        """Whether these are days of a month, of whatever year; "may 18" is a date only with its capital."""
        first = self.at(self.skip(i))
        if first.kind is Kind.FEAST:
            return False  # "the spirit of Christmas"
        is_day = isinstance(core, Day) or (isinstance(core, Range) and isinstance(core.last, Day))
        return is_day and (first.kind is not Kind.MONTH or first.is_capital)

    def is_begin(self, i: int) -> bool:
        """Whether nothing but small words stands before a place."""
        return i <= NAME_BEFORE and all(
            self.kind(k) in {Kind.GLUE, Kind.THE, Kind.AT} and self.at(k).value != "occasion" for k in range(i)
        )

    def is_all(self, i: int, j: int) -> bool:
        """Whether the words between two places are all that there is."""
        rest = range(j, min(len(self.tokens), j + 4))
        return (
            self.is_begin(i)
            and len(self.tokens) - j < 4
            and all(self.kind(k) in {Kind.BREAK, Kind.COMMA, Kind.GLUE} for k in rest)
        )

    def _is_plain(self, core: Core) -> bool:
        """Whether the words are a date on their face, without a tie."""
        match core:
            case Year(year=year):
                return isinstance(year, Ahead)
            case Month(year=year) | Day(year=year):
                return not isinstance(year, ComingYear) or year.is_next
            case Part():
                return True
            case Range(first=first, last=last):
                return not (isinstance(first, Year) and isinstance(last, Year)) and self._is_plain(last)
            case Decade() | Numeric():
                return True
            case Fiscal():
                return False  # "the budget for the fiscal year 2019"
        return not isinstance(getattr(core, "year", None), ComingYear)
