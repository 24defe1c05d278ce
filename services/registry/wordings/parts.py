"""Parts of something longer: "early 2025", "the end of June", "the third quarter", "the first three months of 2025"."""

from abc import abstractmethod

from services.registry.wordings.counts import GLUE, Read
from services.registry.wordings.phrases import (
    Century,
    Core,
    Decade,
    Half,
    LongHalf,
    Month,
    Part,
    Quarter,
    Range,
    Share,
    UnitName,
)
from services.registry.wordings.tokens import Kind
from services.registry.wordings.years import YearReader

DAYS = frozenset(
    {Kind.YEAR, Kind.YEARS, Kind.YEAR_MONTH, Kind.DATE, Kind.NUMERIC, Kind.DECADE, Kind.MONTH, Kind.SEASON, Kind.UNIT}
    | {Kind.QUARTER, Kind.HALF, Kind.FISCAL}
)
NAMES = frozenset({Kind.NUMBER, Kind.ORDINAL})
_PARTS = frozenset({Kind.PART, Kind.LATER})
_NO_WHOLE = _PARTS | NAMES | {Kind.LAST}
_LONGEST_ROW = 6
_DAYS_OF_A_MONTH = 31
_SHARED = frozenset({"day", "week", "fortnight", "month", "quarter", "half", "year"})


class PartReader(YearReader):
    """Reads parts; what they are parts of is read by `core`."""

    @abstractmethod
    def core(self, i: int, *, inside: bool = False) -> Read[Core]:
        """The days named at a place."""

    def ending(self, i: int, ends: tuple[str, ...]) -> int | None:
        """The place behind words of ending that nothing of time follows."""
        i = self.skip(i, GLUE)
        is_end = self.kind(i) is Kind.PART and self.at(i).value in ends
        return i + 1 if is_end and self.kind(self.skip(i + 1)) not in DAYS else None

    def within(self, i: int) -> Read[Core]:
        """What a part is of; a part of a part is none, so that the tree stays flat."""
        return None if self.kind(self.skip(i)) in _PARTS else self.core(i, inside=True)

    def part(self, i: int) -> Read[Core]:
        """Early, mid, late, or the end of something; or from one such part to another: "early to mid 2025"."""
        other = None if self.at(i).value in {"end", "over"} else self._other_part(i + 1)
        found = self.within((i if other is None else other) + 1)
        if found is None:
            return None
        core, j = found
        first = self._part_of(i, core)
        return (first if other is None else Range(first, self._part_of(other, core))), j

    def _part_of(self, i: int, core: Core) -> Part:
        value = self.at(i).value
        return Part("end" if value == "over" else value, core)

    def _other_part(self, i: int) -> int | None:
        """The place of a second part: "mid-to-late", "mid/late"."""
        is_link = self.kind(i) in {Kind.TO, Kind.AND, Kind.AT} or self.at(i).text == "/"
        j = self.skip(i + 1) if is_link else i
        return j if self.kind(j) is Kind.PART and self.at(j).value in {"early", "mid", "late", "end"} else None

    def counted_part(self, number: int, i: int) -> Read[Core]:
        """The so-manieth quarter or half of a year, half of a decade or a month; `i` is the unit's place."""
        quarter = self.is_unit(i, "quarter")
        if not 1 <= number <= (4 if quarter else 2):
            return None
        whole = None if self.kind(self.skip(i + 1)) in NAMES else self.within(i + 1)
        if whole and isinstance(whole[0], Decade | Century):
            return None if quarter else (LongHalf(whole[0], number), whole[1])
        if whole and isinstance(whole[0], Month):
            return None if quarter else (Share(whole[0], "fortnight", 1, number - 1, is_last=False), whole[1])
        which, j = self.year_behind(i + 1)
        return (Quarter(which, number) if quarter else Half(which, number)), j

    def share(self, i: int) -> Read[Core]:
        """So many units of something longer: "the first three months of 2025", "the last week of June"."""
        i = self.skip(i)
        match self.kind(i):
            case Kind.LAST if str(self.at(i).value).startswith("last"):
                return self._shared(i + 1, before=0, is_last=True)
            case Kind.ORDINAL:
                return self._shared(i + 1, before=self.at(i).value - 1, is_last=False)
            case Kind.NUMBER:  # "les six premiers mois", "los tres últimos meses"
                is_last = self.kind(i + 1) is Kind.LAST and str(self.at(i + 1).value).startswith("last")
                if is_last or (self.kind(i + 1) is Kind.ORDINAL and self.at(i + 1).value == 1):
                    return self._whole(i + 2, self.at(i).value, before=0, is_last=is_last)
        return None

    def _shared(self, i: int, *, before: int, is_last: bool) -> Read[Core]:
        if self.kind(i) is Kind.NUMBER:
            return None if before else self._whole(i + 1, self.at(i).value, before=0, is_last=is_last)
        return self._whole(i, None, before=before, is_last=is_last)

    def _whole(self, i: int, count: int | None, *, before: int, is_last: bool) -> Read[Core]:
        """The units at a place, and what they are of; without their number only months are a part of a year."""
        is_french = self.kind(i) is Kind.GLUE and self.at(i).value == "month-of"
        found: tuple[UnitName, bool | None] | None = ("month", None) if is_french else self.unit(i)
        if found is None or found[0] not in _SHARED or self.kind(self.skip(i + 1)) in _NO_WHOLE:
            return None
        name, is_plural = found
        if not is_french and self.kind(i + 1) is not Kind.GLUE and name not in {"quarter", "half"}:
            return None
        read = self.core(i + 1, inside=True)
        if read is None or isinstance(read[0], Range | Part):
            return None
        if count is None and is_plural is not False and not (is_plural is None and before):
            return self._months_of(name, read, is_last=is_last) if not before else None
        return Share(read[0], name, count or 1, before, is_last), read[1]

    def _months_of(self, name: UnitName, read: tuple[Core, int], *, is_last: bool) -> Read[Core]:
        """ "The first months of 2025", "les derniers mois de l'année"; a French month has no plural of its own."""
        return (Part("late" if is_last else "early", read[0]), read[1]) if name == "month" else None

    def numbers(self, i: int) -> tuple[int, int, int] | None:
        """Days in a row, "22, 23 and 24", as the first, the last and the place behind them."""
        first = last = self.at(i).value
        j = i + 1
        for _ in range(_LONGEST_ROW):
            k = j + 1 if self.kind(j) is Kind.COMMA else j
            k = self.skip(k + 1) if self.kind(k) is Kind.AND else k
            if k == j or self.kind(k) not in NAMES or not last < self.at(k).value <= _DAYS_OF_A_MONTH:
                break
            last, j = self.at(k).value, k + 1
        return (first, last, j) if last > first else None
