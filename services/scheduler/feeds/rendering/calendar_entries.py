"""What a milestone is in calendars, and how that changes with the events about it.

Pure: the entry that is known, the schedule and the commitment's status give the next entry. A milestone is in
calendars once it has had a last day, and stays there: one that loses its day or is withdrawn is cancelled, since a
calendar that has it must be able to take it out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.commitments import CommitmentBrief, Milestone
from contracts.vocabulary import PartyCode, Source, Status
from services.scheduler.reminders.rules.agenda import MilestoneSchedule
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus

CalendarEntryState = Literal["open", "met", "withdrawn", "dateless"]
"""To come, or to be done; done; the commitment was withdrawn; the milestone has no last day any more."""


@dataclass(frozen=True)
class CalendarEntry:
    """One milestone in calendars. All times are business times."""

    commitment: CommitmentBrief
    milestone: Milestone
    """As last scheduled with a last day."""
    version: int
    """Of the newest schedule, with a last day or without."""
    turns: int
    """How often a status has taken it out of calendars or put it back."""
    state: CalendarEntryState
    source: Source | None
    """Where the date, or its loss, comes from; None where the statement itself says it."""
    created_at: datetime
    changed_at: datetime

    @property
    def cancelled(self) -> bool:
        """Whether calendars are to drop it."""
        return self.state in ("withdrawn", "dateless")

    @property
    def sequence(self) -> int:
        """RFC 5545, 3.8.7.4: grows with each new date, with each cancellation and each return."""
        return self.version - 1 + self.turns


def calendar_entry_after(
    known: CalendarEntry | None,
    schedule: MilestoneSchedule,
    commitment_status: CommitmentStatus,
    source: Source | None,
    at: datetime,
) -> CalendarEntry | None:
    """The entry after an event of the time `at`; the known one itself when nothing of it is different.

    `source` belongs to the schedule, and counts only where its version is new. None for a milestone that has never
    had a last day.
    """
    milestone = schedule.milestone
    dated = milestone.span.latest is not None
    if known is None:
        if not dated:
            return None
        state = _state(commitment_status, milestone.parties)
        return CalendarEntry(schedule.commitment, milestone, schedule.version, 0, state, source, at, at)
    is_new = schedule.version > known.version
    state = _state(commitment_status, milestone.parties) if dated else "dateless"
    turned = not is_new and known.cancelled != (state in ("withdrawn", "dateless"))
    found = CalendarEntry(
        schedule.commitment,
        milestone if dated else known.milestone,
        schedule.version,
        known.turns + turned,
        state,
        source if is_new else known.source,
        known.created_at,
        known.changed_at,
    )
    if found == known:
        return known
    return CalendarEntry(**{**vars(found), "changed_at": max(at, known.changed_at)})


def _state(status: CommitmentStatus, parties: tuple[PartyCode, ...]) -> CalendarEntryState:
    if not status.is_over_for(parties):
        return "open"
    if status.overall.status in (Status.MET, Status.WITHDRAWN):
        return "withdrawn" if status.overall.status is Status.WITHDRAWN else "met"
    # Where each party's own status settles it, one that has done its part is enough to keep it.
    return "withdrawn" if all(status.status_of(party) is Status.WITHDRAWN for party in parties) else "met"
