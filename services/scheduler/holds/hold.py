"""A hold, as others look at it too. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class MilestoneHold:
    """A newer schedule of a milestone is being written: nothing of an older one is sent."""

    milestone_id: str
    schedule_version: int
    """The one that is being written."""
    held_at: datetime
    """By the clock of the database."""
