"""Calendar days in a zone; zone data comes from the package `tzdata` alone, never from the machine."""

import zoneinfo
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(())
ZoneInfo.clear_cache()  # what somebody loaded before this module came from the machine


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def is_zone(name: str) -> bool:
    """Whether the zone data has a zone of this name."""
    return name in _names()


def day_in(zone: str, instant: datetime) -> date:
    """The calendar day there at this (aware) instant."""
    return instant.astimezone(ZoneInfo(zone)).date()
