"""What was taken in as history, and is over: nobody is reminded of it, asked about it or escalated to because of it."""

from datetime import datetime

from contracts.causes import HISTORY
from contracts.events import MilestoneScheduled
from services.scheduler.ladders.deadline_end import day_ends


def is_past_history(event: MilestoneScheduled, at: datetime) -> bool:
    """Whether a date came in as history and its last day has ended at `at`; one that lies ahead is planned as ever.

    Raises `UnknownZone`.
    """
    milestone = event.milestone
    latest = milestone.span.latest
    return event.cause.kind == HISTORY and latest is not None and at >= day_ends(latest, milestone.zone)
