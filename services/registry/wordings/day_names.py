"""Days that are called by their name or counted from the statement's: "by Monday", "el viernes 14", "demain"."""

from abc import abstractmethod

from services.registry.wordings.counts import FILLING, Read
from services.registry.wordings.parts import NAMES, PartReader
from services.registry.wordings.phrases import Core, Current, Range, Weekday
from services.registry.wordings.tokens import Kind

BEGINS_A_DAY = frozenset({Kind.NUMBER, Kind.ORDINAL, Kind.MONTH, Kind.DATE, Kind.NUMERIC})
_LINKS = frozenset({Kind.TO, Kind.AT, Kind.AND, Kind.COMMA, Kind.UNTIL})
_SAYS_WHICH = frozenset({Kind.NEXT, Kind.COMING})
_THIS_ONE = _SAYS_WHICH | {Kind.THIS}
_COUNTED = frozenset({Kind.MEASURE, Kind.UNIT, Kind.MONTH, Kind.NUMBER, Kind.EVENT})
_HABITS = frozenset({"le", "the", "a", "un", "una", "los", "chaque"})
"""Before the name of a day, these speak of any such day: "le lundi"."""
_DAYS_OF_A_MONTH = 31


class DayNameReader(PartReader):
    """Reads the names of days, and "tomorrow"."""

    @abstractmethod
    def _core(self, i: int, *, inside: bool) -> Read[Core]:
        """The days named at a place, without what may end them."""

    def after_day_name(self, i: int) -> int:
        """The place of a number behind the name of its day: "les lundi 20 et mardi 21 octobre"."""
        i = self.skip(i)
        return self.skip(i + 1) if self.kind(i) is Kind.WEEKDAY and self.kind(self.skip(i + 1)) in NAMES else i

    def day_name(self, i: int) -> Read[Core]:
        """The day behind its name; or the nearest of that name, or of that name and number, where no month is said."""
        j = self.skip(i + 1, FILLING | {Kind.COMMA})
        if self.kind(j) in BEGINS_A_DAY and (found := self._core(j, inside=False)):
            return found
        found = self._numbered_day(i)
        if found is not None:
            return found
        k = self.skip(i + 2)
        if self.kind(i - 1) in _THIS_ONE and self.kind(i + 1) is Kind.AND and self.kind(k) is Kind.WEEKDAY:
            first, last = (Weekday(self.at(n).value, None, is_next=False) for n in (i, k))
            return Range(first, last), k + 1  # "este sábado y domingo"
        return None if self._is_any_such_day(i) else self._named_day(i)

    def _numbered_day(self, i: int) -> Read[Core]:
        """ "Friday 14", "viernes 14 y sábado 15": its month is the one in which the number has that name."""
        found = self._day_with_number(i)
        if found is None:
            return None
        first, j = found
        k = self.skip(j + 1)
        if self.kind(j) in _LINKS and self.kind(k) is Kind.WEEKDAY and (last := self._day_with_number(k)):
            return Range(first, last[0]), last[1]
        return found

    def _day_with_number(self, i: int) -> Read[Weekday]:
        j = self.skip(i + 1, frozenset({Kind.THE}))
        is_number = self.kind(j) in NAMES and 1 <= self.at(j).value <= _DAYS_OF_A_MONTH
        if not is_number or self.kind(self.skip(j + 1)) in _COUNTED:
            return None
        return Weekday(self.at(i).value, self.at(j).value, is_next=False), j + 1

    def _named_day(self, i: int) -> Read[Core]:
        behind = self.kind(i + 1)
        if behind is Kind.LAST:
            return None
        return Weekday(self.at(i).value, None, is_next=behind in _SAYS_WHICH), i + 1 + (behind in _SAYS_WHICH)

    def _is_any_such_day(self, i: int) -> bool:
        """Whether a name of a day stands in a row of them, is one of habit, a part of a name, or yesterday's."""
        before = self.at(i - 1)
        is_row = any(self.kind(k) is Kind.WEEKDAY for k in (i - 2, i - 3)) and self.kind(i - 1) in _LINKS | FILLING
        behind = self.skip(i + 2)
        is_row = is_row or (self.kind(i + 1) in _LINKS and self.kind(behind) is Kind.WEEKDAY)
        is_name = before.kind is Kind.WORD and before.is_capital and self.at(i).is_capital and i > 1
        is_said = before.kind in {Kind.HERE, Kind.EVERY} or (before.kind is Kind.GLUE and before.value == "of")
        is_habit = before.text.casefold() in _HABITS and self.kind(i + 1) not in _SAYS_WHICH
        return is_row or is_name or is_said or is_habit

    def day_of_any_month(self, i: int) -> Read[Core]:
        """ "El día 14", of the nearest month: `i` is the place of "día"."""
        is_number = self.kind(i + 1) in NAMES and 1 <= self.at(i + 1).value <= _DAYS_OF_A_MONTH
        if not is_number or self.kind(self.skip(i + 2)) in _COUNTED or self.at(i + 2).value == "of":
            return None
        return Weekday(None, self.at(i + 1).value, is_next=False), i + 2

    def tomorrow(self, i: int) -> Read[Core]:
        """Tomorrow, or the day that is named behind it; "the world of tomorrow" is no day."""
        j = self.skip(i + 1, FILLING | {Kind.COMMA})
        if self.kind(j) in BEGINS_A_DAY | {Kind.WEEKDAY} and (found := self._core(j, inside=False)):
            return found
        is_world = self.at(i - 1).value == "of" or self.kind(i - 1) in {Kind.AND, Kind.THE, Kind.BY}
        return (
            None if is_world or self.at(i + 1).text in {"'s", "s", "'"} else (Current("day", self.at(i).value), i + 1)
        )
