"""Tokens into time expressions: what ties the work to days, to an event, or to a rhythm.

A number is a year only where something ties it to time; words that the lexicon doesn't know break an expression.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.registry.wordings.counts import Read
from services.registry.wordings.events import NAME_BEFORE
from services.registry.wordings.lengths import SPANS, LengthReader
from services.registry.wordings.phrases import (
    Ahead,
    ComingYear,
    Core,
    Day,
    Decade,
    Expression,
    Month,
    Numeric,
    Part,
    Range,
    Season,
    Tie,
    Year,
)
from services.registry.wordings.tokens import Kind, Token

_TIES = {
    Kind.BY: Tie.BY,
    Kind.BEFORE: Tie.BEFORE,
    Kind.IN: Tie.IN,
    Kind.AT: Tie.IN,
    Kind.ON: Tie.ON,
    Kind.DURING: Tie.DURING,
    Kind.OVER: Tie.OVER,
    Kind.FROM: Tie.FROM,
    Kind.AFTER: Tie.AFTER,
    Kind.WITHIN: Tie.WITHIN,
    Kind.UNTIL: Tie.UNTIL,
}
_FIRM = frozenset({Tie.BY, Tie.BEFORE, Tie.WITHIN, Tie.AFTER, Tie.UNTIL, Tie.FROM})
_ENDS_A_YEAR = frozenset({Kind.COMMA, Kind.BREAK, Kind.AND, Kind.ONWARD, Kind.TO})
_ALSO_VERBS = frozenset({"may", "march", "fall", "spring"})
_THINGS = frozenset({Kind.WORD, Kind.EVENT, Kind.MEASURE, Kind.NUMBER})
_MONTHS = {"day": 0, "week": 0, "month": 1, "quarter": 3, "half": 6, "year": 12, "decade": 120, "century": 120}


def expressions(text: str, tokens: Sequence[Token]) -> list[Expression]:
    """The time expressions of a plain text and its tokens, in their order."""
    grammar = _Grammar(text, tokens)
    found = []
    i = 0
    while i < len(tokens):
        read = grammar.expression(i)
        if read is None:
            i += 1
            continue
        expression, i = read
        if expression is not None:
            found.append(expression)
    return found


class _Grammar(LengthReader):
    def expression(self, i: int) -> tuple[Expression | None, int] | None:
        """What stands at a place; None as the expression is time that is past."""
        kind = self.kind(i)
        match kind:
            case Kind.SINCE | Kind.LAST:
                return None, self._past(i)
            case Kind.VAGUE:
                return Expression(Tie.VAGUE, i, i + 1), i + 1
            case Kind.OFTEN:
                return Expression(Tie.EVERY, i, i + 1, months=self.at(i).value), i + 1
            case Kind.EVERY:
                return self._every(i)
            case Kind.BETWEEN:
                return self._between(i)
            case Kind.TO if self.at(i).value is None:  # the word, not the dash of "2023-2030"
                return self._up_to(i)
        if kind in _TIES:
            found = self._tied(_TIES[kind], i, i + 1)
            if found and found[0].tie is Tie.FROM and self.at(i).value == "since":
                return replace(found[0], tie=Tie.SINCE), found[1]
            return found or (self._bare(i) if kind in {Kind.AT, Kind.ON} else None)
        return self._bare(i)

    def _past(self, i: int) -> int:
        found = self.core(i + 1, inside=True) or self.count(i + 1)
        return found[1] if found else i + 1

    def _every(self, i: int) -> tuple[Expression, int] | None:
        j, number = self.skip(i + 1), 1
        if self.kind(j) in {Kind.NUMBER, Kind.ORDINAL}:
            number, j = self.at(j).value, self.skip(self.after_figure(j))
        months: int | None = 0
        if unit := self.unit(j):
            months = max(1, number * _MONTHS[unit[0]])
        elif self.kind(j) in {Kind.SEASON, Kind.MONTH}:
            months = 12
        elif self.kind(j) is Kind.FEW and self.unit(j + 1):
            j += 1
        elif self.kind(j) is not Kind.EVENT:
            return None
        if self.kind(j + 1) is Kind.SINCE:
            return None  # "in each month since"
        return Expression(Tie.EVERY, i, j + 1, months=months), j + 1

    def _between(self, i: int) -> tuple[Expression, int] | None:
        now = self.skip(i + 1)
        if self.kind(now) is Kind.HERE and self.kind(now + 1) is Kind.AND and (last := self.core(now + 2)):
            return Expression(Tie.UNTIL, i, last[1], core=last[0]), last[1]  # "between now and 2030"
        first = self.core(i + 1)
        if first is None:
            return None
        core, j = first
        if self.kind(j) in {Kind.AND, Kind.TO} and (last := self.core(j + 1)):
            core, j = Range(_as_the_other(core, last[0]), last[0]), last[1]
        elif not isinstance(core, Range):
            return None
        return Expression(Tie.DURING, i, j, core=core), j

    def _up_to(self, i: int) -> tuple[Expression, int] | None:
        """ "to 2025", where nothing but the end of its clause or further time words follow."""
        found = self.core(i + 1)
        days = (Year, Decade, Day) if self.kind(i - 1) is Kind.UNIT else (Year, Decade)  # "for three years to 30 June"
        if found is None or not isinstance(found[0], days) or self.kind(i - 1) is Kind.NUMBER:
            return None
        core, j = found
        ends = self.kind(j) in _ENDS_A_YEAR or self.kind(j) in _TIES
        return (Expression(Tie.UNTIL, i, j, core=core), j) if ends else None

    def _tied(self, tie: Tie, start: int, i: int) -> tuple[Expression, int] | None:
        """What stands behind a tie; of two ties in a row the closer one speaks ("no later than within 90 days")."""
        i = self.skip(i)
        if self.kind(i) is Kind.AND and self.kind(i + 1) is Kind.MINIMUM:
            i = self.skip(i + 2)  # "by or around"
        inner = _TIES.get(self.kind(i))
        if inner is not None and self.kind(i) is not Kind.AT:
            nearer = tie if tie is Tie.BY and inner in {Tie.IN, Tie.ON, Tie.DURING} else inner
            return self._tied(nearer, start, i + 1) if i - start < 4 else None
        if tie is Tie.FROM and self.kind(i) is Kind.HERE and self.kind(i + 1) in {Kind.TO, Kind.UNTIL, Kind.AT}:
            return self._tied(Tie.UNTIL, start, i + 2)  # "from now until 2030"
        if found := self.years_up_to(tie, start, i) or self.distance(tie, start, i) or self.counted(tie, start, i):
            return found
        if self.at(start).value == "ahead":
            return None
        if read := self.core(i, inside=tie in {Tie.WITHIN, Tie.DURING, Tie.BEFORE}):
            core, j = self._coupled(tie, read)
            if self.at(start).value == "by" and isinstance(core, Year | Day):
                return self._closed(Tie.BY, start, core, j)  # "al 2050", "al 31 de diciembre"
            if self._is_time(tie, start, core) and not self._is_called(start, j):
                return self._closed(tie, start, core, j)
        if self.at(start).value == "days":
            return None
        is_firm = (tie in _FIRM and self.at(start).value != "for") or self.kind(start) is Kind.AT
        event = self.event(i, is_firm=is_firm)
        if event and (self.at(start).value != "occasion" or self.says_next(i, event[1])):
            return Expression(tie, start, event[1], event=event[0]), event[1]
        return None

    def _is_time(self, tie: Tie, start: int, core: Core) -> bool:
        """Whether the tie is enough to make these words time: "at 2030" and "the 2030 package" are not."""
        if self.kind(start) is Kind.AT and isinstance(core, Year) and isinstance(core.year, int):
            return self._says_year(start)
        if isinstance(core, Year) and isinstance(core.year, int) and not self._says_year(start):
            place = self.skip(start + 1)
            return not (self._has_article(start) and self.kind(place + 1) not in _ENDS_A_YEAR)
        if self.kind(start) is Kind.AT and isinstance(core, Season) and core.year == ComingYear(is_next=False):
            # "à l'été" and "au printemps" are time, "a été" is a verb
            return self.skip(start + 1) > start + 1 or self.at(start).value == "the"
        return not isinstance(core, Month) or tie is not Tie.ON

    def _is_called(self, start: int, j: int) -> bool:
        """Whether these days are a part of a name: "by the December 2014 European Council"."""
        first = self.kind(self.skip(start + 1))
        named = self.kind(j) is Kind.EVENT or (self.kind(j) is Kind.WORD and self.at(j).is_capital)
        return named and first is Kind.MONTH and self._has_article(start)

    def _has_article(self, start: int) -> bool:
        return any(self.kind(k) is Kind.THE for k in range(start + 1, self.skip(start + 1)))

    def _says_year(self, start: int) -> bool:
        return any(self.is_unit(k, "year") for k in range(start, start + 5))

    def _coupled(self, tie: Tie, read: tuple[Core, int]) -> tuple[Core, int]:
        """The days with those that follow: "from 2022 to 2025", "in 2022 and 2023"."""
        core, j = read
        joined = {Kind.TO, Kind.AT, Kind.UNTIL} if tie in {Tie.FROM, Tie.DURING, Tie.IN} else set()
        joined |= {Kind.AND} if tie in SPANS and self.at(j).text.casefold() in {"and", "y", "et", "&"} else set()
        k = j
        if tie is Tie.FROM and self.kind(j) is Kind.AND and self.kind(j + 1) is Kind.UNTIL:
            k += 1  # "from 22 December and until 6 January"
        last = self.core(k + 1) if self.kind(k) in joined and not isinstance(core, Range) else None
        if last is None or (isinstance(last[0], Range | Part) and tie is not Tie.FROM):
            return core, j
        return Range(_as_the_other(core, last[0]), last[0]), last[1]

    def _closed(self, tie: Tie, start: int, core: Core, j: int) -> tuple[Expression, int]:
        """The expression, with "and beyond" behind it."""
        k = j + 1 if self.kind(j) is Kind.COMMA else j
        if self.kind(k) is Kind.ONWARD and tie in {Tie.IN, Tie.ON, Tie.FROM, Tie.DURING, Tie.BARE}:
            return Expression(Tie.FROM, start, k + 1, core=core), k + 1
        if tie is Tie.FROM and isinstance(core, Range):
            tie = Tie.DURING
        return Expression(tie, start, j, core=core), j

    def _bare(self, i: int) -> tuple[Expression, int] | None:
        """Time words with nothing that ties them: only what can't be anything else, or all that there is."""
        if found := self.distance(Tie.BARE, i, i):
            return found
        read = self._from_to(i) or self.core(i)
        if read and self._is_attribute(i, read[0]):
            return Expression(Tie.OF, i, read[1], core=self._of_its_act(i, read[0])), read[1]
        if read and self._is_time_by_itself(i, *read):
            return self._closed(Tie.BARE, i, *read)
        begins, is_next = self._is_begin(i), self.kind(i) in {Kind.NEXT, Kind.COMING}
        event = self.event(i, is_firm=begins) if begins or is_next else None
        if event is None or not (is_next or self._is_all(i, event[1])):
            return None  # "The Forum was held in Suva": who acts, or what is spoken of
        return Expression(Tie.BARE, i, event[1], event=event[0]), event[1]

    def _is_time_by_itself(self, i: int, core: Core, j: int) -> bool:
        """Whether days need no tie: they are plain, or all that there is, or "and beyond" follows."""
        if isinstance(core, Part) and any(self.at(k).text in _ALSO_VERBS for k in range(i, j)):
            return False  # "as early may be needed"
        return self._is_plain(core) or self._is_day(i, core) or self._is_all(i, j) or self.kind(j) is Kind.ONWARD

    def _from_to(self, i: int) -> Read[Core]:
        """Days of two months or years behind "of": "del 22 de diciembre al 6 de enero"."""
        first = self.core(i) if self.at(i).value == "of" else None
        if first is None or not isinstance(first[0], Day) or self.kind(first[1]) not in {Kind.AT, Kind.TO, Kind.UNTIL}:
            return None
        last = self.core(first[1] + 1)
        if last is None or not isinstance(last[0], Day):
            return None
        return Range(_as_the_other(first[0], last[0]), last[0]), last[1]

    def _is_attribute(self, i: int, core: Core) -> bool:
        """Whether these days say which thing is meant: "the letter of 8 October", "ses conclusions de décembre"."""
        is_of = self.kind(i) is Kind.GLUE and self.at(i).value == "of"
        is_of = is_of and (self.kind(i - 1) in _THINGS or self._act_year(i) is not None)
        return is_of and isinstance(core, Day | Month) and (self._is_plain(core) or self._is_day(i, core))

    def _act_year(self, i: int) -> int | None:
        """The year of an act by its number: "Real Decreto 477/2021, de 29 de junio"."""
        k = i - 2 if self.kind(i - 1) is Kind.COMMA else i - 1
        return self.at(k).value if self.kind(k) is Kind.YEAR and self.at(k - 1).text == "/" else None

    def _of_its_act(self, i: int, core: Core) -> Core:
        year = self._act_year(i)
        if year is not None and isinstance(core, Day | Month) and isinstance(core.year, ComingYear):
            return replace(core, year=year)
        return core

    def _is_day(self, i: int, core: Core) -> bool:
        """Whether these are days of a month, of whatever year; "may 18" is a date only with its capital."""
        first = self.at(self.skip(i))
        is_day = isinstance(core, Day) or (isinstance(core, Range) and isinstance(core.last, Day))
        return is_day and (first.kind is not Kind.MONTH or first.is_capital)

    def _is_begin(self, i: int) -> bool:
        return i <= NAME_BEFORE and all(
            self.kind(k) in {Kind.GLUE, Kind.THE, Kind.AT} and self.at(k).value != "occasion" for k in range(i)
        )

    def _is_all(self, i: int, j: int) -> bool:
        rest = range(j, min(len(self.tokens), j + 4))
        return (
            self._is_begin(i)
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
        return not isinstance(getattr(core, "year", None), ComingYear)


def _as_the_other(first: Core, last: Core) -> Core:
    """The first of two days or months has the year that only the second one names."""
    match first, last:
        case (Day(year=ComingYear()), Day(year=year) | Month(year=year)):
            return Day(year, first.month, first.day)
        case (Month(year=ComingYear()), Day(year=year) | Month(year=year)):
            return Month(year, first.month)
    return first
