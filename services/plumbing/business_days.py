"""Business days, and why a day is none: the weekend and the holidays of those who are meant.

Both come from the library `holidays`, for each country that it knows: the public holidays (of the United States the
federal ones), and of Canada those of the federal public service (the library's categories `government` and `public`:
Thanksgiving and Remembrance Day are in the first). A state's, province's or territory's are its own and the federal
ones with them. The weekend is the country's own in that year, Friday and Saturday in some; a day of it that is worked,
in place of another one, is a business day. Of an organisation, and of a country that the library does not know, every
day from Monday to Friday is one.

The library takes a while to load and to compute a year, so it is loaded at the first question, and every year of every
calendar is kept.
"""

import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from services.plumbing.refusals import RefusedByRule
from services.plumbing.sentences import Sentence

_CATEGORIES: Mapping[str, tuple[str, ...]] = {"CA": ("government", "public")}
_DAY = timedelta(days=1)
_SATURDAY = 5
_LATELY = 2026


@dataclass(frozen=True, order=True)
class RegionalCalendar:
    """Whose business days: a country's, or a state's, province's or territory's (its ISO 3166-2 code without country).

    `owner` is the country's ISO 3166-1 alpha-2 code; by any other, such as an organisation's, no holidays are known.
    """

    owner: str
    subdivision: str | None = None

    @property
    def name(self) -> str:
        """`CA`, `CA-QC`."""
        return f"{self.owner}-{self.subdivision}" if self.subdivision else self.owner


class UnknownCalendar(RefusedByRule):
    """No holidays are known by this name."""


def regional_calendar(name: str) -> RegionalCalendar:
    """`MX`, `US-TX`, `CA-QC`: who has holidays; raises `UnknownCalendar`. Mexico's states have none of their own."""
    country, _, subdivision = name.partition("-")
    if country not in holiday_regions():
        raise UnknownCalendar(
            Sentence(
                "%(name)s names no holidays; there are those of countries, by their ISO 3166-1 codes", name=repr(name)
            )
        )
    calendar = RegionalCalendar(country, subdivision or None)
    if ("-" in name) != bool(subdivision) or (subdivision and subdivision not in holiday_regions()[country]):
        raise UnknownCalendar(
            Sentence(
                "%(name)s is no part of %(country)s that has holidays of its own", name=repr(name), country=country
            )
        )
    return calendar


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
    """Why this is no business day for all of them; empty when it is one. Of nobody it is one from Monday to Friday."""
    years = {calendar: _calendar_year(calendar, day.year) for calendar in calendars}
    if any(day in year.weekend for year in years.values()) or (not years and day.weekday() >= _SATURDAY):
        return (DayOff(day, "weekend"),)
    return tuple(
        DayOff(day, "holiday", calendar.name, holiday)
        for calendar, year in years.items()
        for holiday in year.holidays.get(day, ())
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


def weekend_days(calendars: Iterable[RegionalCalendar]) -> frozenset[int]:
    """The days of the week (0 is Monday) that are none of work for one of these, as they are held lately."""
    off = {day.weekday() for calendar in calendars for day in _calendar_year(calendar, _LATELY).weekend}
    return frozenset(off)


def holiday_in_english(off: DayOff) -> str:
    """What the library calls a holiday: `Boxing Day (observed)`; its id where it has no such holiday any more."""
    if off.calendar is None or off.holiday is None:
        raise ValueError(f"{off.day} is no holiday")
    year = _calendar_year(regional_calendar(off.calendar), off.day.year)
    return year.holidays.get(off.day, {}).get(off.holiday, off.holiday)


@lru_cache(maxsize=1)
def holiday_regions() -> Mapping[str, frozenset[str]]:
    """Countries whose public holidays are known, and of which states or provinces (ISO 3166-2, without the country)."""
    from holidays import list_supported_countries

    known = list_supported_countries(include_aliases=False)
    return {country: frozenset(subdivisions) for country, subdivisions in known.items()}


@dataclass(frozen=True)
class _CalendarYear:
    """A year in which nobody has to look anything up any more."""

    weekend: frozenset[date]
    """Its days, without those that are worked."""
    holidays: Mapping[date, Mapping[str, str]]
    """Their English names by their ids; several may fall on a day."""


@lru_cache(maxsize=4096)
def _calendar_year(calendar: RegionalCalendar, year: int) -> _CalendarYear:
    from holidays import country_holidays

    if calendar.owner not in holiday_regions():
        return _CalendarYear(frozenset(day for day in _days_of(year) if day.weekday() >= _SATURDAY), {})
    with warnings.catch_warnings():
        # Said of years that it knows in part; nobody who asks for a plan could do anything about it.
        warnings.simplefilter("ignore", UserWarning)
        found = country_holidays(
            calendar.owner,
            subdiv=calendar.subdivision,
            years=year,
            language="en_US",
            categories=_CATEGORIES.get(calendar.owner, ("public",)),
        )
        named = {day: {_id(name): name for name in found.get_list(day)} for day in found}
    weekend = frozenset(day for day in _days_of(year) if found.is_weekend(day) and day not in found.weekend_workdays)
    return _CalendarYear(weekend, named)


def _days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1)]


def _id(name: str) -> str:
    """`Washington's Birthday` is `washingtons-birthday`, `Boxing Day (observed)` is `boxing-day-observed`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = plain.lower().replace("'", "")
    return "-".join("".join(c if c.isalnum() else " " for c in words).split())
