"""Calendar days in a zone, the instants at which a wall clock there shows a time, and which names are zones.

Zone data comes from the package `tzdata` alone, so that two machines with the same lock file agree about every
instant; what the machine itself has under /usr/share/zoneinfo is never read, in the whole process.
"""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from typing import Literal
from zoneinfo import ZoneInfo

from services.plumbing.refusals import RefusedByRule

zoneinfo.reset_tzpath(())
ZoneInfo.clear_cache()  # what somebody loaded before this module came from the machine

ZONE_DATA: str = version("tzdata")
"""Which release of the zone data these answers rest on: instants kept from another one are to be recomputed."""

Clock = Literal["as-told", "gap", "overlap"]
"""How a wall time comes to an instant: as it stands; skipped there on that day; there twice on that day."""

_SECOND = timedelta(seconds=1)
_PLACEHOLDERS = frozenset({"Factory", "localtime", "posixrules"})
"""Files of the zone data that say "not set yet" (`Factory`, whose abbreviation is "-00") or "whatever is set here"."""


class UnknownZone(RefusedByRule):
    """A zone by this name isn't in the zone data."""


@cache
def zone_names() -> frozenset[str]:
    """All zones that the zone data has, without its placeholders for no zone."""
    return frozenset(zoneinfo.available_timezones()) - _PLACEHOLDERS


def is_zone(name: str) -> bool:
    """Whether the zone data has a zone of this name."""
    return name in zone_names()


def zone_named(name: str) -> ZoneInfo:
    """The zone; raises `UnknownZone`, for exactly the names that `is_zone` does not know."""
    if not is_zone(name):
        raise UnknownZone(f"no zone is named {name!r}")
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"no zone is named {name!r}") from error


def day_in(zone: ZoneInfo, instant: datetime) -> date:
    """The calendar day there at this (aware) instant."""
    return instant.astimezone(zone).date()


def on_clocks(instant: datetime, zone: ZoneInfo) -> datetime:
    """An (aware) instant as clocks there show it; as it is, where that lies outside the years 1 to 9999."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def instant_at(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """When the clocks there show this time on this day, in UTC.

    A time that is skipped (clocks put forward) gives the first instant after the gap, one that comes twice (clocks
    put back) its first occurrence. Raises `OverflowError` at the very ends of the calendar.
    """
    local = datetime.combine(day, wall.replace(fold=0), tzinfo=zone)  # the first occurrence, whatever the caller's fold
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In a gap: fold=1 reckons with the offset after it and lands before, fold=0 lands after; the change is between.
    return _change_between(local.replace(fold=1).astimezone(UTC), instant, zone)


def clock_on(day: date, wall: time, zone: ZoneInfo) -> Clock:
    """Whether `instant_at` takes the first instant after a gap, or the first of two."""
    local = datetime.combine(day, wall.replace(fold=0), tzinfo=zone)
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        return "as-told"
    return (
        "overlap"
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        else "gap"
    )


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset that holds at `after`; offsets change on whole seconds."""
    then = after.astimezone(zone).utcoffset()
    low, high = before.replace(microsecond=0), after
    while high - low > _SECOND:
        middle = low + (high - low) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == then:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)
