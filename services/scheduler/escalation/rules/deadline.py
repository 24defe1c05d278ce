"""When a milestone's day has passed: its last day, in the zone in whose calendar that ends."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from contracts.commitments import Milestone
from contracts.vocabulary import PLANNABLE_YEARS, Reading
from services.plumbing.zones import day_in, instant_at, zone_named
from services.scheduler.ladders.planned_as import planned_reading

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NINE = time(9)

MIDNIGHT = time(0)


@dataclass(frozen=True)
class Deadline:
    """A last day, and the zone in whose calendar it ends."""

    latest: date
    zone_name: str
    is_event: bool = False
    """Whether it is an event's: that is asked about when its day has passed, and is never overdue."""

    @cached_property
    def zone(self) -> "ZoneInfo":
        """The zone; raises `UnknownZone`."""
        return zone_named(self.zone_name)

    @cached_property
    def passes_at(self) -> datetime:
        """The instant from which on it is overdue, or asked about: the day after begins."""
        return instant_at(self.latest + timedelta(days=1), MIDNIGHT, self.zone)

    def nine_on(self, day: date) -> datetime:
        """Nine in the morning there."""
        return instant_at(day, NINE, self.zone)

    def day_at(self, instant: datetime) -> date:
        """The calendar day there."""
        return day_in(self.zone, instant)


def deadline_of(milestone: Milestone) -> Deadline | None:
    """When its day has passed; None when it never will have: it has no last day, or one behind all that can be
    planned."""
    latest = milestone.span.latest
    if latest is None or latest.year >= PLANNABLE_YEARS.stop or planned_reading(milestone) is Reading.UNDATED:
        return None
    return Deadline(latest, milestone.zone, milestone.is_event)
