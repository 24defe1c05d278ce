"""What sets off what falls due: the calendar day on which it does, as it is called where the milestone is."""

from datetime import datetime
from typing import Literal

from contracts.causes import Cause
from contracts.commitments import Milestone
from services.plumbing.ids import id_about
from services.plumbing.zones import day_in, zone_named


def day_cause(kind: Literal["reminders", "escalations"], milestone: Milestone, due_at: datetime) -> Cause:
    """The cause of a reminder or escalation that was due then: all of that day have the same one.

    By the instant at which it was due, not by the one at which it is told: so what is told late, after an outage, or
    once more, after an old backup, belongs where it always has. How many a day has nobody knows before it has passed.
    """
    day = day_in(zone_named(milestone.zone), due_at)
    return Cause(kind=kind, id=id_about("cause", kind, day.isoformat()), count=None)
