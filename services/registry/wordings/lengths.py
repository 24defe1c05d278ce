"""Lengths of time, and what they are counted from: "within 90 days of the summit", "over the two decades to 2050"."""

from typing import Literal

from services.registry.wordings.counts import FILLING, Count, Read, stretch
from services.registry.wordings.events import EventReader
from services.registry.wordings.phrases import Day, Distance, Expression, Range, RelativePoint, Shifted, Tie, Year
from services.registry.wordings.tokens import Kind, folded

SPANS = frozenset({Tie.IN, Tie.ON, Tie.DURING, Tie.OVER})
"""Ties to days of which the whole is meant."""
_LENGTHS = frozenset({Tie.IN, Tie.DURING, Tie.OVER, Tie.WITHIN})
_LINKS_UP_TO = frozenset({Kind.TO, Kind.UNTIL})
_COMPARED = 5  # tokens between what compares and the length
_RESIZED = 8  # tokens between such a verb and the length
_RESIZES = (
    "adelant",
    "retras",
    "prorrog",
    "extend",
    "extiend",
    "prolong",
    "acort",
    "aplaz",
    "alarg",
    "amplia",
    "amplio",
)
_YEARS = {"year": 1, "decade": 10}


class LengthReader(EventReader):
    """Reads expressions that count days, months or years."""

    def years_up_to(self, tie: Tie, start: int, i: int) -> tuple[Expression, int] | None:
        """The years that end with one: "over the two decades to 2050", "in the years to 2030"."""
        is_counted = self.kind(i) is Kind.NUMBER
        j = self.skip(self.after_figure(i)) if is_counted else i
        found = self.unit(j)
        if tie not in SPANS or found is None or found[0] not in _YEARS or self.kind(j + 1) not in _LINKS_UP_TO:
            return None
        last = self.core(j + 2)
        if last is None or not isinstance(last[0], Year) or not isinstance(last[0].year, int):
            return None
        if not is_counted and found != ("decade", False):
            return (Expression(Tie.UNTIL, start, last[1], core=last[0]), last[1]) if found[1] else None
        years = (self.at(i).value if is_counted else 1) * _YEARS[found[0]]
        core = Range(Year(last[0].year - years), last[0])
        return Expression(Tie.DURING, start, last[1], core=core), last[1]

    def distance(self, tie: Tie, start: int, i: int) -> tuple[Expression, int] | None:
        """So long before or after an event, a day, or the statement: "within 90 days of the summit"."""
        found = self.count(i) or self._one_unit_after(tie, i)
        if found is None or found[0].count is None:
            return None
        count, j = found
        j = self.skip(j, frozenset({Kind.COMMA}))
        linked = self.kind(j)
        behind = self.skip(j + 1)
        if linked is Kind.BEFORE:
            direction: Literal["before", "after"] = "before"
        elif linked in {Kind.AFTER, Kind.FROM} or (linked is Kind.GLUE and tie is Tie.WITHIN):
            direction = "after"
        else:
            return None
        if tie is Tie.IN and linked is Kind.AFTER and i > start + 1:
            tie = Tie.WITHIN  # "in the hundred days following": the article makes it a term
        if self.kind(behind) is Kind.HERE:
            core = stretch(count, is_point=tie not in {Tie.WITHIN, Tie.BY})
            within = tie in {Tie.WITHIN, Tie.BY}
            return Expression(Tie.WITHIN if within else Tie.IN, start, behind + 1, core=core), behind + 1
        if (read := self.core(j + 1)) and isinstance(read[0], Day):
            core = Shifted(read[0], count.count or 0, count.unit, direction)
            if linked is Kind.FROM and tie in {Tie.DURING, Tie.OVER}:  # "for a period of three years from 1 April"
                return Expression(tie, start, read[1], core=Range(read[0], core)), read[1]
            return Expression(tie, start, read[1], core=core), read[1]
        event = self.event(behind, is_firm=True)
        if event is None and tie in {Tie.WITHIN, Tie.BY} and self._runs_from(j):
            event = self.unknown_event(j + 1)
        if event:
            distance = Distance(count.count or 0, count.unit, direction)
            return Expression(tie, start, event[1], event=event[0], distance=distance), event[1]
        return None

    def _one_unit_after(self, tie: Tie, i: int) -> Read[Count]:
        """A unit as a length, where it says what it follows: "in the year following its adoption"."""
        found = self.unit(i)
        if found is None or found[0] == "day" or found[1] is True or tie not in _LENGTHS:
            return None
        return (Count(1, found[0], is_ahead=False), i + 1) if self.kind(i + 1) is Kind.AFTER else None

    def _looks_back(self, start: int) -> bool:
        """Whether a length is one behind us: "for the first time in ten years", "the highest level in a decade"."""
        near = range(max(start - _COMPARED, 0), start)
        first = any(self.kind(k) is Kind.ORDINAL and self.at(k).value == 1 for k in near)
        return first or any(self.kind(k) in {Kind.MOST, Kind.LAST} for k in near)

    def _is_named_length(self, start: int, count: Count, j: int) -> bool:
        """Whether a length is one that was spoken of, "within the 10-week period", or goes on, "a year two months"."""
        is_single = (count.count or 0) > 1 and self.is_unit(j - 1, count.unit)
        is_that = any(self.kind(k) is Kind.THE for k in range(start, j))
        return (is_single and is_that) or (self.kind(j) is Kind.NUMBER and self.unit(self.after_figure(j)) is not None)

    def _is_resized(self, start: int) -> bool:
        """Whether a verb before a length says that something grew or shrank by it: "adelantar la meta en 15 años"."""
        near = range(max(start - _RESIZED, 0), start)
        return any(folded(self.at(k).text).startswith(_RESIZES) for k in near if self.kind(k) is Kind.WORD)

    def _runs_from(self, j: int) -> bool:
        """Whether a term runs from what follows: "after …", "of the inauguration", "of taking office"."""
        is_of = self.at(j).value == "of" and (self.kind(j + 1) in FILLING or self.at(j + 1).text.endswith("ing"))
        return self.kind(j) is Kind.AFTER or is_of

    def counted(self, tie: Tie, start: int, i: int) -> tuple[Expression, int] | None:
        found = self.count(i) or (self.coming_one(i) if tie in _LENGTHS and self.kind(start) is not Kind.AT else None)
        if found is None:
            return None
        count, j = found
        if count.count is None:
            return Expression(Tie.VAGUE, start, j), j
        is_lasting = self.at(start).value == "lasting"  # how long, and not from when
        if not count.is_ahead and self._is_named_length(start, count, j):
            return Expression(Tie.VAGUE, start, j), j
        if tie is Tie.IN and not count.is_ahead and self._is_resized(start):
            return Expression(Tie.VAGUE, start, j), j
        if not count.is_ahead and (is_lasting or (tie in _LENGTHS and self._looks_back(start))):
            return Expression(Tie.VAGUE, start, j), j
        if tie in {Tie.BEFORE, Tie.FROM, Tie.AFTER} or (tie is Tie.UNTIL and not count.is_ahead):
            return None
        if tie is Tie.IN and self.kind(start) is Kind.AT and not count.is_ahead:
            return None
        core = stretch(count, is_point=tie is Tie.IN and not count.is_ahead)
        said = self.at(start).value
        is_amount = tie is Tie.ON or said == "ahead" or (tie is Tie.BY and said != "counts")
        if core is None or (is_amount and not count.is_ahead):
            return None  # "reduce it by two years"
        if said == "less":
            tie = Tie.LESS
        if said in {"for", "ahead"} or (tie is Tie.IN and not isinstance(core, RelativePoint)):
            tie = Tie.DURING  # "for the next five years"
        return Expression(tie, start, j, core=core), j
