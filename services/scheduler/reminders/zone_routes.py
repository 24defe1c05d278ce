"""`GET /zones`: which zone data the scheduler reckons with, and what its last change changed."""

from uuid import UUID

from contracts.events import Step
from contracts.vocabulary import Instant
from services.scheduler.reminders.ladder_forms import SchedulerAnswer


class ZoneChangeEntry(SchedulerAnswer):
    """A reminder to come whose instant is another one by newer zone data."""

    milestone_id: str
    step: Step
    audience: UUID | None
    """The subscription whose own ladder asks for it."""
    before: Instant
    after: Instant
    from_release: str
    to_release: str
    at: Instant
    """When it was computed anew, in business time."""


class ZonesEntry(SchedulerAnswer):
    """Which zone data the scheduler reckons with, and what the last change of it changed."""

    zone_data: str
    """The release of the package `tzdata` in this process."""
    stored: str
    """The release that all stored instants rest on."""
    recomputed_at: Instant | None
    """When they were last computed anew because of another release, in business time."""
    changes: tuple[ZoneChangeEntry, ...]
    """What that changed, the newest first."""
