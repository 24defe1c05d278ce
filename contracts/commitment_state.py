"""The present of a commitment in one record, so that who comes new loads what is, and need not replay what was.

What has been, such as earlier dates and status updates, stands on `milestone-scheduled` and `status-changed`, which are
kept for ever.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import Evidence, Quote, Seq, StatementRef
from contracts.open_lists import OPEN
from contracts.vocabulary import (
    Assessment,
    Contract,
    Count,
    Day,
    Instant,
    Line,
    Ordinal,
    Paragraph,
    PartyCode,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
    WallTime,
)


class Passage(Contract):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: Annotated[str, Field(min_length=1)]
    start: Count
    end: Ordinal


class PartyStatus(Contract):
    """How one party stands."""

    party: PartyCode
    status: Status


class PresentMilestone(Contract):
    """A milestone with the schedule that holds."""

    milestone: Milestone
    schedule_version: Ordinal
    change: Annotated[Literal["first", "moved", "more-precise", "cancelled", "held"], OPEN]
    """What this schedule was after the one before, as `milestone-scheduled` tells it."""
    source: Source | None
    """Where the date comes from; none when the statement itself says it."""
    known_on: Day | None
    recorded_at: Instant


class PresentAnchor(Contract):
    """An event on which milestones of the commitment hang, as far as its date is known now."""

    id: Slug
    title: Text
    zone: Annotated[str, Field(max_length=64)]
    """IANA zone of where it takes place."""
    span: Span
    local_time: WallTime | None
    """When it begins on the wall clocks of its zone."""
    source: Source
    known_on: Day
    outcome: Annotated[Literal["held", "cancelled"], OPEN] | None
    """What came of it; none while it is ahead, or while nobody has said."""
    successor_id: Slug | None
    """The event that has taken its place."""


class PresentAssessment(Contract):
    """The present view of one independent assessor, of a party or of the commitment as a whole."""

    event_id: UUID
    assessor: Slug
    organisation: Line
    party: PartyCode | None
    """Whom the view is of; null for the commitment as a whole."""
    previous: Assessment | None
    assessment: Assessment
    note: Paragraph | None
    evidence: Evidence | None
    assessed_at: Instant
    recorded_at: Instant


class IncludedEvents(Contract):
    """How far a state holds: all events of a topic about the commitment up to this `seq` are in it, and none behind."""

    topic: Slug
    through: Count
    """0 where the topic has no event about it yet."""


class PresentCommitment(Contract):
    """A commitment as it stands: what it says, how it is going, what is due and when."""

    commitment: CommitmentBrief
    statement: StatementRef
    quote: Quote
    passage: Passage
    verb: Line
    """The words that carry the undertaking."""
    summary: Text
    strength: Strength
    lead_ministries: tuple[Line, ...]
    status: Status
    """As a whole."""
    party_statuses: tuple[PartyStatus, ...]
    """Of each party that is bound, in the order of `commitment.parties`."""
    version: Ordinal
    """For a status update's `expected_version`."""
    changed_at: Instant | None = Field(default=None, json_schema_extra={"x-since": "0.3.0"})
    """When another status or date was recorded last; null where it is as it was entered."""
    milestones: tuple[PresentMilestone, ...]
    """The next one first, the undated last."""
    anchors: tuple[PresentAnchor, ...]
    """Those on which the milestones hang, by their ids; a move of one is in the state of each commitment on it."""
    assessments: tuple[PresentAssessment, ...]
    """What independent assessors say now, the oldest first; no status is reckoned from it."""
    includes: tuple[IncludedEvents, ...]


class CommitmentState(PresentCommitment):
    """How a commitment stands now: the last record of its key is its present."""

    seq: Seq
    """Counts the states of this commitment. The topic is compacted: who comes late meets only the last ones."""
