"""Which year words behind a month, a season or a quarter say: "June next year", "juin prochain", "junio de 2030"."""

from collections.abc import Mapping

from services.registry.wordings.counts import FILLING, CountReader
from services.registry.wordings.phrases import Ahead, Bygone, ComingYear, Which
from services.registry.wordings.tokens import Kind

_WHICH: Mapping[int, Which] = {0: Ahead(0), -1: Bygone(), 1: ComingYear(is_next=True)}
"""Behind a month: the one of this year, the last one, the next one."""


class YearReader(CountReader):
    """Reads the year of what a year has one of."""

    def year_behind(self, i: int) -> tuple[Which, int]:
        """Which year the words behind a month, season or quarter say; the coming one where they say none."""
        j = self.skip(i, FILLING | {Kind.COMMA})
        match self.kind(j):
            case Kind.YEAR if self.kind(j + 1) is not Kind.MEASURE:
                return self.at(j).value, j + 1
            case Kind.NEXT | Kind.COMING | Kind.THIS | Kind.LAST:
                ahead = {Kind.THIS: 0, Kind.LAST: -1}.get(self.kind(j), 1)
                if self.is_unit(j + 1, "year"):
                    return Ahead(ahead), j + 2
                if j == i and self.at(j).value not in {
                    "before",
                    "first",
                }:  # not "June, the last month"
                    return _WHICH[ahead], j + 1
            case Kind.UNIT if self.is_unit(j, "year") and j > i:
                match self.kind(j + 1):
                    case Kind.NEXT:
                        return Ahead(1), j + 2
                    case Kind.THIS:
                        return Ahead(0), j + 2
                    case Kind.LAST:
                        return Ahead(-1), j + 2
                    case _ if self.kind(self.skip(j + 1)) is Kind.YEAR:
                        k = self.skip(j + 1)
                        return self.at(k).value, k + 1
                return Ahead(0), j + 1
        return ComingYear(is_next=False), i
