"""Business days, and why a day is none: Saturdays, Sundays, and the holidays of those who are meant.

Holidays come from the library `holidays`: of the United States the federal ones, of Canada those of the federal
public service (the library's categories `government` and `public`: Thanksgiving and Remembrance Day are in the first),
of Mexico the statutory ones. A state's, province's or territory's are its own and the federal ones with them.

The library takes a while to load and to compute a year, so it is loaded at the first question, and every year of every
calendar is kept.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from contracts.vocabulary import Country
from services.plumbing.refusals import RefusedByRule

_CATEGORIES: Mapping[str, tuple[str, ...]] = {"CA": ("government", "public")}
_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, order=True)
class RegionalCalendar:
    """Whose holidays: a country's, or those of a state, province or territory (its ISO 3166-2 code without country)."""

    country: Country
    subdivision: str | None = None

    @property
    def name(self) -> str:
        """`CA`, `CA-QC`."""
        return f"{self.country}-{self.subdivision}" if self.subdivision else str(self.country)


class UnknownCalendar(RefusedByRule):
    """No holidays are known by this name."""


def regional_calendar(name: str) -> RegionalCalendar:
    """`MX`, `US-TX`, `CA-QC`; raises `UnknownCalendar`. Mexico's states have no holidays of their own here."""
    country, _, subdivision = name.partition("-")
    if country not in set(Country):
        raise UnknownCalendar(f"{name!r} names no holidays; there are those of {', '.join(Country)}")
    calendar = RegionalCalendar(Country(country), subdivision or None)
    if ("-" in name) != bool(subdivision) or (subdivision and subdivision not in subdivisions(calendar.country)):
        raise UnknownCalendar(f"{name!r} is no part of {country} that has holidays of its own")
    return calendar


@dataclass(frozen=True)
class BusinessCalendar:
    """Whose business days are counted: one calendar's, or (`calendar` None) those on which all who are bound work."""

    calendar: RegionalCalendar | None = None

    @property
    def name(self) -> str:
        """`bound`, or the calendar's name."""
        return self.calendar.name if self.calendar else "bound"

    def calendars(self, bound: Iterable[Country]) -> tuple[RegionalCalendar, ...]:
        """The calendars in which a day has to be a business day."""
        return (self.calendar,) if self.calendar else tuple(sorted({RegionalCalendar(country) for country in bound}))


BOUND = BusinessCalendar()


@dataclass(frozen=True)
class DayOff:
    """A day that isn't counted, and why: a weekend, or somebody's holiday."""

    day: date
    why: Literal["weekend", "holiday"]
    calendar: str | None = None
    """Whose holiday: `US`, `CA-QC`; None for a weekend."""
    holiday: str | None = None
    """Its name by id, such as `thanksgiving-day`."""


def days_off(day: date, calendars: Iterable[RegionalCalendar]) -> tuple[DayOff, ...]:
    """Why this is no business day for all of them; empty when it is one."""
    if day.weekday() >= _SATURDAY:
        return (DayOff(day, "weekend"),)
    return tuple(
        DayOff(day, "holiday", calendar.name, holiday)
        for calendar in calendars
        for holiday in _holidays(calendar, day.year).get(day, ())
    )


@dataclass(frozen=True)
class BusinessDayCount:
    """The day that a count of business days came to, and the days that it left out on its way, in that order."""

    day: date
    skipped: tuple[DayOff, ...]


def count_business_days(start: date, count: int, calendars: tuple[RegionalCalendar, ...]) -> BusinessDayCount:
    """The business day so many after a day (before it, when negative), which itself is never counted.

    Raises `OverflowError` at the ends of the calendar.
    """
    day, left = start, abs(count)
    skipped: list[DayOff] = []
    step = _DAY if count > 0 else -_DAY
    while left:
        day += step
        if off := days_off(day, calendars):
            skipped += off
        else:
            left -= 1
    return BusinessDayCount(day, tuple(skipped))


def subdivisions(country: Country) -> tuple[str, ...]:
    """The states, provinces and territories whose holidays are known."""
    from holidays import country_holidays

    return tuple(country_holidays(country).subdivisions)


def holiday_in_english(off: DayOff) -> str:
    """What the library calls a holiday: `Boxing Day (observed)`; its id where it has no such holiday any more."""
    if off.calendar is None or off.holiday is None:
        raise ValueError(f"{off.day} is no holiday")
    return _holidays(regional_calendar(off.calendar), off.day.year).get(off.day, {}).get(off.holiday, off.holiday)


@lru_cache(maxsize=4096)
def _holidays(calendar: RegionalCalendar, year: int) -> Mapping[date, Mapping[str, str]]:
    """The holidays of one year, their English names by their ids; several may fall on a day."""
    from holidays import country_holidays

    found = country_holidays(
        calendar.country,
        subdiv=calendar.subdivision,
        years=year,
        language="en_US",
        categories=_CATEGORIES.get(calendar.country, ("public",)),
    )
    return {day: {_id(name): name for name in found.get_list(day)} for day in found}


def _id(name: str) -> str:
    """`Washington's Birthday` is `washingtons-birthday`, `Boxing Day (observed)` is `boxing-day-observed`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = plain.lower().replace("'", "")
    return "-".join("".join(c if c.isalnum() else " " for c in words).split())
