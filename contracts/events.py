"""The events: facts in the past tense, one model each. The envelope around them is in `envelope.py`.

`seq` counts the events of one topic about one commitment: 1, 2, 3 … without a gap. Whoever reads a
topic can check by it, alone, that nothing was lost (a gap), doubled (a repeat) or swapped (a step back).
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.vocabulary import (
    LARGEST,
    Channel,
    CommitmentBrief,
    Contract,
    Count,
    Country,
    Day,
    Instant,
    Language,
    Line,
    Link,
    Milestone,
    Ordinal,
    Outcome,
    Paragraph,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
)

Seq = Annotated[
    int,
    Field(
        ge=1,
        le=LARGEST,
        description="Counts the events of this topic about this commitment: 1, 2, 3 … without a gap.",
    ),
]

Step = Annotated[str, StringConstraints(pattern=r"^(before-[0-9]+d|on-the-day|after-[0-9]+d)$", max_length=16)]
"""A rung of a milestone's ladder: `before-7d`, `on-the-day`, `after-30d`."""


class StatementRef(Contract):
    """The document that made the commitment."""

    id: Slug
    title: Text
    made_on: Day
    url: Link | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Quote(Contract):
    """The exact words, and where they stand in the whitespace-collapsed text (characters, end exclusive)."""

    text: Paragraph
    start: Count
    end: Ordinal


class CommitmentCreated(Contract):
    """A commitment has entered the register."""

    seq: Seq
    commitment: CommitmentBrief
    statement: StatementRef
    quote: Quote
    summary: Text
    strength: Strength
    lead_ministries: tuple[Line, ...]
    status: Status


class MilestoneScheduled(Contract):
    """A milestone has a date for the first time, or another one."""

    seq: Seq
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    """Counts the schedules of this milestone; reminders of an older version must not fire."""
    change: Literal["first", "moved", "more-precise"]
    previous: Span | None
    source: Source | None
    """Where the news comes from; none when the statement itself says it."""


class MilestoneDue(Contract):
    """A reminder: a milestone is ahead, today or overdue."""

    seq: Seq
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    step: Step
    phase: Literal["ahead", "today", "overdue"]
    days: Count
    """Days between the day of the reminder and the milestone's latest day; 0 today."""
    due_at: Instant
    """When the reminder was to fire; `late` says that it could not."""
    late: bool
    merged_steps: tuple[Step, ...]
    """Earlier steps that were missed and are told by this one."""
    not_after: Instant
    """From then on it would be stale: a delivery that has not gone out expires."""
    status: Status


class Reporter(Contract):
    """Who reported: the client by its credentials, and the ministry that it speaks for, where there is one."""

    client: Slug
    ministry: Slug | None = None


class Evidence(Contract):
    """What shows that a status is true."""

    url: Link
    title: Line | None = None


class StatusChanged(Contract):
    """A commitment's status has changed, as a whole or for one country."""

    seq: Seq
    commitment: CommitmentBrief
    country: Country | None
    previous: Status
    status: Status
    overall: Status
    """The commitment's status as a whole after the change."""
    note: Paragraph | None
    evidence: Evidence | None
    reported_by: Reporter
    reported_at: Instant
    version: Ordinal
    """The commitment's version after the change, for the next update's `expected_version`."""


class SettledDelivery(Contract):
    """How one delivery ended; it never holds the address."""

    delivery_id: UUID
    subscription_id: UUID
    subscriber: Line
    channel: Channel
    language: Language
    outcome: Outcome
    attempts: Count
    reason: Line | None
    settled_at: Instant


class DeliverySettled(Contract):
    """Deliveries of one event have ended; an event with many deliveries is settled by several of these."""

    seq: Seq
    commitment: CommitmentBrief
    event_id: UUID
    event: Slug
    deliveries: Annotated[tuple[SettledDelivery, ...], Field(min_length=1)]


class StatusReported(Contract):
    """What a ministry sends on its own ingest topic; which ministry it is, the topic says, not the record."""

    report_id: UUID
    """The sender's key: the same report sent twice is heard once."""
    commitment_id: Slug
    country: Country | None = None
    status: Status
    note: Paragraph | None = None
    evidence: Evidence | None = None
    expected_version: Ordinal | None = None
    reported_at: Instant


PublicEvent = CommitmentCreated | MilestoneScheduled | MilestoneDue | StatusChanged | DeliverySettled
