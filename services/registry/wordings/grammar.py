"""Tokens into time expressions: what ties the work to days, to an event, or to a rhythm.

A number is a year only where something ties it to time; words that the lexicon doesn't know break an expression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.registry.wordings.attributes import ENDS_A_YEAR, AttributeReader
from services.registry.wordings.counts import Read
from services.registry.wordings.lengths import SPANS
from services.registry.wordings.phrases import (
    ComingYear,
    Core,
    Day,
    Decade,
    Expression,
    Fiscal,
    Month,
    Part,
    Range,
    Tie,
    UnitName,
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
_TIES_IN_A_ROW = 4
_BEGINS_A_DAY = frozenset({Kind.NUMBER, Kind.ORDINAL, Kind.MONTH})
_COMES = frozenset({Kind.MONTH, Kind.SEASON, Kind.YEAR, Kind.WEEKDAY, Kind.FEAST, Kind.DECADE})
_TRAILING = {"latest": Tie.BY, "earliest": Tie.FROM}
_MONTHS: Mapping[UnitName, int] = {
    "day": 0, "week": 0, "weekend": 0, "fortnight": 0, "month": 1, "quarter": 3, "half": 6, "year": 12,
    "decade": 120, "century": 120,
}  # fmt: skip


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


class _Grammar(AttributeReader):
    def expression(self, i: int) -> tuple[Expression | None, int] | None:
        """What stands at a place; None as the expression is time that is past."""
        kind = self.kind(i)
        match kind:
            case Kind.LAST if read := self.share(i):
                return self._closed(Tie.BARE, i, *read)
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
            case Kind.MINIMUM if self.at(i).value == "up-to":
                return self._up_to(i)
            case Kind.GLUE if self.at(i).value == "from" and self.kind(i + 1) is Kind.YEAR:
                # "dès 2026" without its accent, as "des 2026 participants" goes on
                return self._tied(Tie.FROM, i, i + 1) if self.kind(i + 2) in ENDS_A_YEAR else None
        if kind is Kind.OVER and self.at(i - 1).value == "ahead":
            return None  # "for over four decades"
        if kind in _TIES:
            found = self._tied(_TIES[kind], i, i + 1)
            if found and found[0].tie is Tie.FROM and self.at(i).value == "since":
                return replace(found[0], tie=Tie.SINCE), found[1]
            if self.at(i).value == "now":
                return _from_now(found)  # "de ahora a 2030"
            if found is None and self.at(i).value == "to":  # "los objetivos a 2030"
                found = self._up_to(i, Tie.BY)
            return found or (self._bare(i) if kind in {Kind.AT, Kind.ON} else None)
        return self._bare(i)

    def _past(self, i: int) -> int:
        i += self.kind(i + 1) is Kind.BY  # "the previous target date of 2040"
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
            return Expression(Tie.FROM_NOW, i, last[1], core=last[0]), last[1]  # "between now and 2030"
        first = self.core(i + 1)
        if first is None:
            return None
        core, j = first
        if self.kind(j) in {Kind.AND, Kind.TO} and (last := self.core(j + 1)):
            core, j = Range(_as_the_other(core, last[0]), last[0]), last[1]
        elif not isinstance(core, Range):
            return None
        return Expression(Tie.DURING, i, j, core=core), j

    def _up_to(self, i: int, tie: Tie = Tie.UNTIL) -> tuple[Expression, int] | None:
        """ "to 2025", where nothing but the end of its clause or further time words follow."""
        found = self.core(i + 1)
        days = (Year, Decade, Day) if self.kind(i - 1) is Kind.UNIT else (Year, Decade)  # "for three years to 30 June"
        if found is None or not isinstance(found[0], days) or self.kind(i - 1) is Kind.NUMBER:
            return None
        core, j = found
        ends = self.kind(j) in ENDS_A_YEAR or self.kind(j) in _TIES
        return (Expression(tie, i, j, core=core), j) if ends else None

    def _tied(self, tie: Tie, start: int, i: int) -> tuple[Expression, int] | None:
        """What stands behind a tie; of two ties in a row the closer one speaks ("no later than within 90 days")."""
        i = self.skip(i)
        if self.kind(i) is Kind.AND and self.kind(i + 1) is Kind.MINIMUM:
            i += 1  # "by or around"
        if self.kind(i) is Kind.MINIMUM and self.at(i).value == "about" and self.core(i + 1):
            i = self.skip(i + 1)
        if self.kind(i) is Kind.TRAILING:  # "in or before 2030"
            return self._tied(_either(tie, _TRAILING[self.at(i).value]), start, i + 1)
        if self.kind(i) is Kind.AND and self.kind(i + 1) in _TIES:
            inner = _TIES[self.kind(i + 1)]
            return self._tied(_either(tie, inner), start, i + 2) if i - start < _TIES_IN_A_ROW else None
        if (following := _TIES.get(self.kind(i))) is not None and self.kind(i) is not Kind.AT:
            if tie is Tie.IN and following is Tie.OVER:
                return None  # "in over ten years"
            is_weak = following is Tie.ON or self.at(i).value == "early"  # "by as early as 2030"
            is_weak = is_weak or (tie is Tie.BY and following in {Tie.IN, Tie.DURING})
            nearer = tie if is_weak and tie in _FIRM | {Tie.DURING} else following
            return self._tied(nearer, start, i + 1) if i - start < _TIES_IN_A_ROW else None
        if tie is Tie.FROM and self.kind(i) is Kind.HERE and self.kind(i + 1) in {Kind.TO, Kind.UNTIL, Kind.AT}:
            return _from_now(self._tied(Tie.UNTIL, start, i + 2))  # "from now until 2030"
        if self.at(start).value == "come" and self.kind(i) not in _COMES:
            return None  # "the Ministers who come by car"
        lengths = None
        if self.share(i) is None:
            lengths = self.years_up_to(tie, start, i) or self.distance(tie, start, i) or self.counted(tie, start, i)
        if lengths is not None:
            return lengths
        if self.at(start).value == "ahead":
            return None
        if read := self.core(i, inside=tie in {Tie.WITHIN, Tie.DURING, Tie.BEFORE}):
            tie = Tie.IN if self.at(start).value == "in" else tie
            core, j = self._coupled(tie, read)
            if isinstance(core, Year) and self.is_after_in_a_name(start, j):
                return None
            if self.at(start).value == "for" and isinstance(core, Year | Fiscal) and self.is_of_a_year(start):
                return None
            if self.at(start).value == "by" and isinstance(core, Year | Day):
                return self._closed(Tie.BY, start, core, j)  # "al 2050", "al 31 de diciembre"
            if self.is_time(tie, start, core) and not self.is_called(start, j):
                return self._closed(tie, start, core, j)
        if self.at(start).value == "days":
            return None
        is_firm = (tie in _FIRM and self.at(start).value != "for") or self.kind(start) is Kind.AT
        event = self.event(i, is_firm=is_firm)
        if event and (self.at(start).value != "occasion" or self.says_next(i, event[1])):
            return Expression(tie, start, event[1], event=event[0]), event[1]
        return None

    def _coupled(self, tie: Tie, read: tuple[Core, int]) -> tuple[Core, int]:
        """The days with those that follow: "from 2022 to 2025", "in 2022 and 2023"."""
        core, j = read
        joined = {Kind.TO, Kind.AT, Kind.UNTIL} if tie in {Tie.FROM, Tie.DURING, Tie.IN} else set()
        joined |= {Kind.AND} if tie in SPANS and self.at(j).text.casefold() in {"and", "y", "et", "&"} else set()
        k = j
        if tie is Tie.FROM:  # "from 22 December and until 6 January", "from Friday, May 29, through Monday, June 1"
            k += self.kind(k) is Kind.COMMA and self.kind(k + 1) in {Kind.AND, Kind.UNTIL}
            k += self.kind(k) is Kind.AND and self.kind(k + 1) is Kind.UNTIL
        is_or = self.kind(j) is Kind.AND and self.says_or(j)
        after = k + 1 + (self.kind(k) is Kind.UNTIL and self.kind(k + 1) is Kind.ON)
        last = self.core(after) if (is_or or self.kind(k) in joined) and not isinstance(core, Range) else None
        if last is None or isinstance(last[0], Range):
            return core, j
        if (type(last[0]) is not type(core)) if is_or else (isinstance(last[0], Part) and tie is not Tie.FROM):
            return core, j
        return Range(_as_the_other(core, last[0]), last[0]), last[1]

    def _closed(self, tie: Tie, start: int, core: Core, j: int) -> tuple[Expression, int]:
        """The expression, with "and beyond" behind it."""
        k = j + 1 if self.kind(j) is Kind.COMMA else j
        if self.kind(k) is Kind.ONWARD and tie in {Tie.IN, Tie.ON, Tie.FROM, Tie.DURING, Tie.BARE}:
            return Expression(Tie.FROM, start, k + 1, core=core), k + 1
        if (trailing := self._trailing(j)) is not None:
            return Expression(trailing, start, j + 1, core=core), j + 1
        if tie is Tie.FROM and isinstance(core, Range):
            tie = Tie.DURING
        return Expression(tie, start, j, core=core), j

    def _trailing(self, i: int) -> Tie | None:
        """How words behind the days tie to them: "in 2030 at the latest", "le 30 juin au plus tard"."""
        tie = _TRAILING.get(str(self.at(i).value))
        is_alone = self.kind(i) is Kind.TRAILING or self.core(i + 1) is None
        return tie if self.kind(i) in {Kind.BY, Kind.FROM, Kind.TRAILING} and is_alone else None

    def _bare(self, i: int) -> tuple[Expression, int] | None:
        """Time words with nothing that ties them: only what can't be anything else, or all that there is."""
        if found := self.distance(Tie.BARE, i, i):
            return found
        read = self._from_to(i) or self.core(i)
        is_of = bool({"of", "for"} & {self.at(i).value, self.at(i - 1).value})
        if read and is_of and isinstance(read[0], Year | Fiscal) and self.is_of_a_year(i):
            return None  # "the budget of next year"
        if read and self.is_attribute(i, read[0]):
            return Expression(Tie.OF, i, read[1], core=self.of_its_act(i, read[0])), read[1]
        is_set = self.at(i - 1).text == ":" and self.is_set_as_deadline(i)  # "Date de clôture : 2016-2017"
        if read and (is_set or self.is_time_by_itself(i, *read)):
            return self._closed(Tie.BY if self.is_set_as_deadline(i) else Tie.BARE, i, *read)
        begins, is_next = self.is_begin(i), self.kind(i) in {Kind.NEXT, Kind.COMING}
        event = self.event(i, is_firm=begins) if begins or is_next else None
        if event is None or not (is_next or self.is_all(i, event[1])):
            return None  # "The Forum was held in Suva": who acts, or what is spoken of
        return Expression(Tie.BARE, i, event[1], event=event[0]), event[1]

    def _from_to(self, i: int) -> Read[Core]:
        """Days of two months or years: "del 22 de diciembre al 6 de enero", "28 June – 2 July"; no dash is a token."""
        first = self.core(i)
        if first is None or not isinstance(first[0], Day):
            return None
        is_link = self.kind(first[1]) in {Kind.AT, Kind.TO, Kind.UNTIL}
        last = self.core(first[1] + is_link) if is_link or self.kind(first[1]) in _BEGINS_A_DAY else None
        if last is None or not isinstance(last[0], Day):
            return None
        return Range(_as_the_other(first[0], last[0]), last[0]), last[1]


def _from_now(found: tuple[Expression, int] | None) -> tuple[Expression, int] | None:
    """What lasts until some day, as the words say that it begins with the statement; an event has no days yet."""
    if found is None or found[0].tie is not Tie.UNTIL or found[0].core is None:
        return found
    return replace(found[0], tie=Tie.FROM_NOW), found[1]


def _either(tie: Tie, other: Tie) -> Tie:
    """Of two ties that are joined, the one that leaves more time: "in or before", "by or in", "in or after"."""
    if tie is Tie.BEFORE and other is Tie.BEFORE:
        return Tie.BEFORE
    if {tie, other} & {Tie.AFTER, Tie.FROM}:
        return Tie.FROM
    return Tie.BY if {tie, other} & {Tie.BY, Tie.BEFORE} else other


def _as_the_other(first: Core, last: Core) -> Core:
    """The first of two days or months has the year that only the second one names, or the one before."""
    match first, last:
        case (Month(year=ComingYear(), month=month), Month(year=int(year), month=until)) if month > until:
            return Month(year - 1, month)
        case (Day(year=ComingYear()), Day(year=int(year), month=until)) if first.month > until:
            return Day(year - 1, first.month, first.day)
        case (Day(year=ComingYear()), Day(year=year) | Month(year=year)):
            return Day(year, first.month, first.day)
        case (Month(year=ComingYear()), Day(year=year) | Month(year=year)):
            return Month(year, first.month)
    return first
