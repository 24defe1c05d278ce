"""How a milestone stands by the calendar: overdue, to be asked about, or due soon. One rule for every list and page.

- What is met or withdrawn, by all whom it binds, has no due state; nor has an event that has taken place, what has no
  last day, and what only begins or recurs.
- An event (read `on`) whose day has ended is `asked` about: has it taken place? It is never overdue.
- Anything else whose last day has ended is `overdue`.
- What has its last day within `SOON` from today is due `soon`.

Days are counted in the milestone's zone. These are the reminders' own words: what they call overdue is overdue here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from contracts.commitments import Milestone
from contracts.vocabulary import Reading, Status
from services.plumbing.zones import day_in, zone_named
from services.registry.rules.status import PartyStatuses

DueStateName = Literal["overdue", "asked", "soon"]

SOON = timedelta(days=30)
"""So far ahead a last day is due soon: as far as the first reminder that most ladders have."""

_OVER = frozenset({Status.MET, Status.WITHDRAWN})
_WITHOUT_LAST_DAY = frozenset({Reading.FROM, Reading.RECURRING, Reading.UNDATED})


@dataclass(frozen=True)
class DueState:
    """How a milestone stands by the calendar."""

    state: DueStateName
    since: date | None
    """The first day after its last one, of what is overdue or asked about; None for what is still to come."""


def due_state(milestone: Milestone, party_statuses: PartyStatuses, now: datetime) -> DueState | None:
    """How a milestone stands at an instant, by how the parties do; None where there is nothing to say.

    Raises `UnknownZone`.
    """
    latest = milestone.span.latest
    if latest is None or milestone.held or milestone.reading in _WITHOUT_LAST_DAY:
        return None
    if all(party_statuses.get(party) in _OVER for party in milestone.parties):
        return None
    today = day_in(zone_named(milestone.zone), now)
    if today > latest:
        return DueState("asked" if milestone.is_event else "overdue", latest + timedelta(days=1))
    return DueState("soon", None) if latest - today <= SOON else None


def latest_of_interest(now: datetime) -> date:
    """No milestone with a later last day than this has a due state, in whatever zone."""
    return now.astimezone(UTC).date() + SOON + timedelta(days=1)
