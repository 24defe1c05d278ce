"""Stretches of time in which nothing is told: hours of the reader's wall clock, and whole days.

All are half-open: what begins at 20:00 is quiet at 20:00, what ends at 7:00 is not quiet at 7:00. Each begins and ends
at the instants that `plumbing.zones` gives, also where the clocks are put forward or back; so one that lies in a gap is
empty, and one that ends in an hour that comes twice ends the first time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from services.plumbing.business_days import RegionalCalendar, days_off
from services.plumbing.zones import day_in, instant_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIDNIGHT = time()
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """From one time of the wall clock to another, on the days of the week (0 is Monday) on which it begins.

    It crosses midnight where `end` is earlier, and lasts the whole day where both are the same.
    """

    start: time
    end: time
    weekdays: frozenset[int] = frozenset(range(7))

    def stretch(self, day: date, zone: "ZoneInfo") -> tuple[datetime, datetime] | None:
        """From when until when it is quiet, beginning on a day; None where it does not begin on it."""
        if day.weekday() not in self.weekdays:
            return None
        last = day if self.start < self.end else day + DAY
        return instant_at(day, self.start, zone), instant_at(last, self.end, zone)


def quiet_until(now: datetime, quiet: Iterable[QuietHours], zone: "ZoneInfo") -> datetime | None:
    """When the stretch of quiet hours ends in which this instant lies, the latest where there are several; or None."""
    ends = []
    for hours in quiet:
        for day in _days_around(now, zone):
            stretch = hours.stretch(day, zone)
            if stretch and stretch[0] <= now < stretch[1]:
                ends.append(stretch[1])
    return max(ends, default=None)


def day_off_until(now: datetime, calendars: tuple[RegionalCalendar, ...], zone: "ZoneInfo") -> datetime | None:
    """When the day ends in which this instant lies, where it is no business day of all of these; or None."""
    if not calendars:
        return None
    for day in _days_around(now, zone):
        begins, ends = instant_at(day, _MIDNIGHT, zone), instant_at(day + DAY, _MIDNIGHT, zone)
        if begins <= now < ends:
            return ends if days_off(day, calendars) else None
    return None


def loud_minutes(quiet: Iterable[QuietHours], weekday: int) -> int:
    """How many minutes of a day of the week quiet hours leave, by the wall clock."""
    left = set(range(_DAY_MINUTES))
    for hours in quiet:
        start, end = _minutes(hours.start), _minutes(hours.end)
        if weekday in hours.weekdays:
            left -= set(range(start, end if start < end else _DAY_MINUTES))
        if (weekday - 1) % 7 in hours.weekdays and end <= start:
            left -= set(range(end))
    return len(left)


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _days_around(now: datetime, zone: "ZoneInfo") -> list[date]:
    """The days on which something may have begun in which this instant lies."""
    day = day_in(zone, now)
    return [day - 2 * DAY, day - DAY, day, day + DAY]
