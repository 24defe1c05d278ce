"""Whose business days a ladder counts: those of one calendar, or those on which all work who are bound."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.vocabulary import PartyCode
from services.plumbing.business_days import RegionalCalendar


@dataclass(frozen=True)
class BusinessCalendar:
    """Whose business days are counted: one calendar's, or (`calendar` None) those on which all who are bound work."""

    calendar: RegionalCalendar | None = None

    @property
    def name(self) -> str:
        """`bound`, or the calendar's name."""
        return self.calendar.name if self.calendar else "bound"

    def calendars(self, bound: Iterable[PartyCode]) -> tuple[RegionalCalendar, ...]:
        """The calendars in which a day has to be a business day."""
        return (self.calendar,) if self.calendar else tuple(sorted({RegionalCalendar(party) for party in bound}))


BOUND = BusinessCalendar()
