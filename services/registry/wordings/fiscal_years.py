"""Fiscal years: "fiscal year 2024", "FY24", "ejercicio fiscal 2024-2025"."""

from services.registry.wordings.counts import Read
from services.registry.wordings.day_names import DayNameReader
from services.registry.wordings.phrases import Ahead, Core, Fiscal
from services.registry.wordings.tokens import Kind

_THIS_CENTURY = 2000


class FiscalReader(DayNameReader):
    """Reads fiscal years."""

    def fiscal(self, i: int) -> Read[Core]:
        """The fiscal year at a place; this one where none is said."""
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
            case Kind.NUMBER if self.at(j).text.isdigit() and len(self.at(j).text) == 2:
                return self._short_fiscal(j)
        return None if self.at(i).value == "short" else (Fiscal(Ahead(0), None), j)

    def _short_fiscal(self, i: int) -> Read[Core]:
        """The fiscal year of two digits: "FY24", "FY24-25"."""
        first, behind = self.at(i).value, self.at(i + 2)
        is_link = self.kind(i + 1) is Kind.TO or self.at(i + 1).text == "/"
        if is_link and behind.kind is Kind.NUMBER and behind.value == first + 1:
            return Fiscal(_THIS_CENTURY + first, _THIS_CENTURY + first + 1), i + 3
        return Fiscal(_THIS_CENTURY + first, None), i + 1
