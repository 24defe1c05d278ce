"""The events: facts in the past tense, one model each. The envelope around them is in `envelope.py`.

`seq` counts the events of one topic about one commitment: 1, 2, 3 … without a gap. Whoever reads a
topic can check by it, alone, that nothing was lost (a gap), doubled (a repeat) or swapped (a step back).
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.entered import EnteredLine, EnteredLink, EnteredParagraph
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
    WallTime,
)

_ZONE = r"^[A-Za-z][A-Za-z0-9]*([/_+-][A-Za-z0-9_+-]+)*$"

Seq = Annotated[
    int,
    Field(
        ge=1,
        le=LARGEST,
        description="Counts the events of this topic about this commitment: 1, 2, 3 … without a gap.",
    ),
]

Step = Annotated[
    str,
    StringConstraints(
        pattern=r"^(before-[1-9][0-9]*(d|bd|w|m)|on-the-day|after-[1-9][0-9]*(d|bd|w|m)|review-[1-9][0-9]*)$",
        max_length=16,
    ),
]
"""A rung of a milestone's ladder: `before-7d`, `before-3bd` (business days), `on-the-day`, `after-2w`, `after-1m`; and
`review-2`, the second review of a milestone without a last day."""


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
    change: Literal["first", "moved", "more-precise", "cancelled", "held"]
    """`cancelled`: the event that it hung on is off, and it has no date any more. `held`: the event has taken place, on
    the days that were known."""
    previous: Span | None
    source: Source | None
    """Where the news comes from; none when the statement itself says it."""


class MilestoneDue(Contract):
    """A reminder: a milestone is ahead, today or overdue; or one without a last day is to be looked at again."""

    seq: Seq
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    step: Step
    phase: Literal["ahead", "today", "overdue", "review"]
    days: Count
    """Days between the day of the reminder and the milestone's latest day; 0 today, and in a review."""
    due_at: Instant
    """When the reminder was to fire; `late` says that it could not."""
    late: bool
    merged_steps: tuple[Step, ...]
    """Earlier steps that were missed and are told by this one."""
    not_after: Instant
    """From then on it would be stale: a delivery that has not gone out expires."""
    status: Status
    audience: UUID | None = None
    """The subscription whose own ladder asks for it; null for everybody who has no ladder of their own."""


class Acknowledgement(Contract):
    """Somebody has said that they are on it."""

    name: Line
    note: Paragraph | None
    at: Instant


class MilestoneEscalated(Contract):
    """A milestone is overdue, nobody has owned it, and the next level hears of it."""

    seq: Seq
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    level: Slug
    """`focal-point`, `director`, `ministers-office`, or as the levels are configured."""
    level_title: Text
    rank: Ordinal
    """1 for the level that hears first."""
    round: Ordinal
    """Counts the times that this milestone was escalated from the first level: 2 and more after an acknowledgement that
    no evidence followed."""
    repeat: Count
    """How often this level has been told in this round already; only the highest is told more than once."""
    days: Count
    """Days since the milestone's latest day."""
    acknowledged: Acknowledgement | None
    """The acknowledgement that was not followed by evidence, where there was one."""
    due_at: Instant
    """When the level was to hear."""
    late: bool
    not_after: Instant
    """When the next level hears, or this one again: a delivery that has not gone out by then expires."""
    status: Status


class ConsistencyFlagged(Contract):
    """Something in the register does not agree with itself, or with the calendar."""

    seq: Seq
    commitment: CommitmentBrief
    rule: Literal["past-due-in-progress", "met-with-open-milestones", "no-news", "anchor-without-outcome"]
    milestone: Milestone | None
    """The milestone that it is about; null for `no-news`."""
    anchor_id: Slug | None
    since: Day
    """The day from which on it did not agree: the latest day, the day of the last news."""
    days: Count
    """Days since then."""
    status: Status
    flagged_on: Day


class LadderRung(Contract):
    """One reminder of a ladder, at a time of day."""

    step: Step
    at: WallTime


class LadderHolidays(Contract):
    """Whose business days are counted: a country's, or one of its states' or provinces' (ISO 3166-2)."""

    country: Country
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$")] | None = None


class LadderChosen(Contract):
    """A subscription has a reminder ladder of its own, another one, or none any more; it never holds the address."""

    seq: Annotated[int, Field(ge=1, le=LARGEST, description="Counts the events about this subscription: 1, 2, 3 …")]
    subscription_id: UUID
    active: bool
    """Whether it is to be reminded: false when the ladder is given up, and when the subscription pauses or ends."""
    rungs: Annotated[tuple[LadderRung, ...], Field(max_length=20)]
    zone: Annotated[str, StringConstraints(pattern=_ZONE, max_length=64)]
    """In which `at` is told."""
    holidays: LadderHolidays | None
    """Whose business days; null for those on which all who are bound work."""
    countries: tuple[Country, ...]
    themes: tuple[Slug, ...]
    sections: tuple[Slug, ...]
    commitments: tuple[Slug, ...]
    """What the subscription asks for; an empty list asks for everything, and all have to agree."""
    owner: Slug | None = None
    """The client whose subscription it is: who may see when it is reminded. Null in events of before."""


class Reporter(Contract):
    """Who reported: the client by its credentials, and the ministry that it speaks for, where there is one."""

    client: Slug
    ministry: Slug | None = None


class Evidence(Contract):
    """What shows that a status is true."""

    url: Link
    title: Line | None = None


class EnteredEvidence(Evidence):
    """What shows that a status is true, as a reporter enters it."""

    url: EnteredLink
    title: EnteredLine | None = None


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
    note: EnteredParagraph | None = None
    evidence: EnteredEvidence | None = None
    expected_version: Ordinal | None = None
    reported_at: Instant


PublicEvent = (
    CommitmentCreated
    | MilestoneScheduled
    | MilestoneDue
    | MilestoneEscalated
    | StatusChanged
    | ConsistencyFlagged
    | DeliverySettled
)
