"""The events: facts in the past tense, one model each. The envelope around them is in `envelope.py`.

`seq` counts the events of one topic about one commitment: 1, 2, 3 … without a gap. Whoever reads a
topic can check by it, alone, that nothing was lost (a gap), doubled (a repeat) or swapped (a step back).
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.causes import Cause
from contracts.commitments import CommitmentBrief, Milestone
from contracts.entered import EnteredLine, EnteredLink, EnteredParagraph
from contracts.open_lists import OPEN
from contracts.vocabulary import (
    LARGEST,
    Assessment,
    Channel,
    Contract,
    Count,
    CountryCode,
    Day,
    Instant,
    LanguageTag,
    Line,
    Link,
    MinistryCode,
    Ordinal,
    Outcome,
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

RejectionReason = Literal[
    "unreadable",
    "not-found",
    "not-your-party",
    "party-not-bound",
    "unknown-party",
    "status-not-allowed",
    "evidence-needed",
    "version-conflict",
    "report-changed",
    "refused-by-rule",
]
"""Why a report is refused."""

_PRINTABLE_POINTER = r"^#(/[^\x00-\x1f\x7f-\x9f/]*)*$"

API_KEY_ID = r"^[0-9a-z]{16}$"
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


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of some bytes, in 64 small hexadecimal digits."""


class StatementRef(Contract):
    """The document that made the commitment."""

    id: Slug
    title: Text
    made_on: Day
    url: Link | None = None
    sha256: Sha256


class Quote(Contract):
    """The exact words, and where they stand in the whitespace-collapsed text (characters, end exclusive)."""

    text: Paragraph
    start: Count
    end: Ordinal


class CommitmentCreated(Contract):
    """A commitment has entered the register."""

    seq: Seq
    cause: Cause
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
    cause: Cause
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    """Counts the schedules of this milestone; reminders of an older version must not fire."""
    change: Annotated[Literal["first", "moved", "more-precise", "cancelled", "held"], OPEN]
    """`cancelled`: the event that it hung on is off, and it has no date any more. `held`: the event has taken place, on
    the days that were known."""
    previous: Span | None
    source: Source | None
    """Where the news comes from; none when the statement itself says it."""
    known_on: Day | None = None
    """The day on which an anchor's date became known, the statement's own for its first; none for a date of its own."""


class MilestoneDue(Contract):
    """A reminder: a milestone is ahead, today or overdue; an event whose day has passed is asked about; or a milestone
    without a last day is to be looked at again."""

    seq: Seq
    cause: Cause
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: Ordinal
    step: Step
    phase: Annotated[Literal["ahead", "today", "overdue", "asked", "review"], OPEN]
    """`overdue`: a deadline that has passed. `asked`: an event whose day has passed, and nobody has recorded whether it
    has taken place."""
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
    last: bool = Field(default=False, json_schema_extra={"x-since": "0.3.0"})
    """Whether the day has passed and no reminder follows this one, but for those that only digests tell."""
    only_in_digests: bool = Field(default=False, json_schema_extra={"x-since": "0.3.0"})
    """Whether it stands behind the last reminder: of people, only those are told who get digests."""


class OwnLadderDue(MilestoneDue):
    """A reminder that one subscription's own ladder asks for; nobody but its owner hears of it."""

    subscription_id: UUID


class Acknowledgement(Contract):
    """Somebody has said that they are on it."""

    name: Line
    note: Paragraph | None
    at: Instant
    ministry: Annotated[MinistryCode | None, Field(json_schema_extra={"x-since": "0.3.0"})] = None
    """The ministry that they speak for by their credentials, where there is one."""


class MilestoneEscalated(Contract):
    """A milestone is overdue, or an event whose day has passed and of which nobody has recorded whether it has taken
    place; nobody has owned it, and the next level hears of it."""

    seq: Seq
    cause: Cause
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
    cause: Cause
    commitment: CommitmentBrief
    rule: Annotated[
        Literal["past-due-in-progress", "met-with-open-milestones", "no-news", "anchor-without-outcome"], OPEN
    ]
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

    country: CountryCode
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
    parties: tuple[PartyCode, ...]
    themes: tuple[Slug, ...]
    sections: tuple[Slug, ...]
    commitments: tuple[Slug, ...]
    """What the subscription asks for; an empty list asks for everything, and all have to agree."""
    owner: Slug | None = None
    """The client whose subscription it is: who may see when it is reminded. Null in events of before."""


class ApiKeyChanged(Contract):
    """An API key was made, or is revoked: who may call by it; it never holds the key, which nobody keeps."""

    seq: Annotated[int, Field(ge=1, le=LARGEST, description="Counts the events about this key: 1, 2, 3 …")]
    key_id: Annotated[str, StringConstraints(pattern=API_KEY_ID)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the whole key."""
    client: Slug
    """Whose it is."""
    ministry: MinistryCode | None
    """The one that it speaks for, where there is one."""
    roles: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
    """What its client may do by it; a role that a reader doesn't know allows nothing there."""
    created_at: Instant
    expires_at: Instant | None
    """By the machine's clock; null for a key that our own services have agreed on."""
    revoked_at: Instant | None


class Reporter(Contract):
    """Who reported: the client by its credentials, and the ministry that it speaks for, where there is one."""

    client: Slug
    ministry: MinistryCode | None = None
    ministry_name: Text | None = None
    """What that ministry is called, in the languages that there are."""


class Evidence(Contract):
    """What shows that a status is true: something with an address, as it was on one day."""

    url: Link
    title: Line
    retrieved_on: Day
    """The day on which it was looked at: what stands at an address may be another thing later."""
    sha256: Sha256 | None = None
    """Of the bytes of a document; null for a page."""


class EnteredEvidence(Evidence):
    """What shows that a status is true, as a reporter enters it."""

    url: EnteredLink
    title: EnteredLine


class StatusChanged(Contract):
    """A status update of one party has been recorded: its status has changed, or more is known of it."""

    seq: Seq
    cause: Cause
    commitment: CommitmentBrief
    party: PartyCode
    """Whose status it is; the whole's follows from those of all who are bound."""
    previous: Status
    """What had been said last of this party before it was said."""
    status: Status
    current: bool
    """Whether it says how the party stands. False for what was said before the newest word on this party and came
    later: it has its place in the history, and nothing stands otherwise by it."""
    overall: Status
    """The commitment's status as a whole after it."""
    note: Paragraph | None
    evidence: Evidence | None
    reported_by: Reporter
    report_id: UUID | None
    """The sender's own key, where the report had one: what answers a report on an ingest topic."""
    occurred_at: Instant
    """Since when it is so."""
    reported_at: Instant
    """When the reporter said it: the last word on a party counts, from `occurred_at` on."""
    recorded_at: Instant
    """When the register took it in."""
    version: Ordinal
    """The commitment's version after it, for the next update's `expected_version`."""


class CommitmentAssessed(Contract):
    """An independent assessor has a view of its own of how a commitment is going; it changes no status."""

    seq: Seq
    cause: Cause
    commitment: CommitmentBrief
    assessor: Slug
    """The client that assesses, by its credentials."""
    organisation: Line
    """What the assessor calls itself."""
    party: PartyCode | None
    """Whom the view is of; null for the commitment as a whole."""
    previous: Assessment | None
    """This assessor's view before, of the same party; null for its first."""
    assessment: Assessment
    note: Paragraph | None
    evidence: Evidence | None
    assessed_at: Instant
    """When the assessor came to it."""
    recorded_at: Instant


class SettledDelivery(Contract):
    """How one delivery ended; it never holds the address."""

    delivery_id: UUID
    subscription_id: UUID
    subscriber: Line
    channel: Annotated[Channel, OPEN]
    language: LanguageTag
    outcome: Annotated[Outcome, OPEN]
    attempts: Count
    reason: Line | None
    settled_at: Instant
    message: UUID | None = Field(default=None, json_schema_extra={"x-since": "0.3.0"})
    """The delivery in whose message this one was told, together with others for the same reader; null where it had one
    of its own."""


class DeliverySettled(Contract):
    """Deliveries of one event have ended; an event with many deliveries is settled by several of these."""

    seq: Seq
    cause: Cause
    commitment: CommitmentBrief
    event_id: UUID
    event: Slug
    deliveries: Annotated[tuple[SettledDelivery, ...], Field(min_length=1)]


class StatusReported(Contract):
    """What a ministry sends on its own ingest topic; which ministry it is, the topic says, not the record."""

    report_id: UUID
    """The sender's key: the same report sent twice is heard once."""
    commitment_id: Slug
    party: PartyCode | None = None
    """The ministry's own party, which it is without this too: nobody reports for another."""
    status: Status
    note: EnteredParagraph | None = None
    evidence: EnteredEvidence | None = None
    """Needed for `met`."""
    expected_version: Ordinal | None = None
    occurred_at: Instant | None = None
    """Since when it is so; without it since `reported_at`."""
    reported_at: Instant


class StatusRejected(Contract):
    """A record of a ministry's ingest topic was refused: what it asked for, where it lies and what is to be mended."""

    ministry: MinistryCode
    report_id: UUID | None
    """The report's own key; null where none could be read."""
    commitment_id: Slug | None
    """The commitment that it named; null where none could be read."""
    reason: Annotated[RejectionReason, OPEN]
    """The kind of the refusal, as the interface over HTTP names its problems; `unreadable` for what is no report."""
    detail: Paragraph
    """What is wrong, in English, for people."""
    pointer: Annotated[str, StringConstraints(pattern=_PRINTABLE_POINTER, max_length=300)] | None
    """The field that it is about, as a JSON Pointer into the value (RFC 6901), where it is about one."""
    topic: Annotated[str, StringConstraints(pattern=r"^status-reported-[a-z0-9-]+$", max_length=249)]
    partition: Count
    offset: Annotated[int, Field(ge=0, le=2**63 - 1)]
    """With topic and partition: the place of the refused record, which names it where its `report_id` can't be read."""
    rejected_at: Instant


class AuditHead(Contract):
    """How far a service's audit log reached, and the hash that stands for all of it up to there.

    Whoever keeps it can tell later whether anything up to there was changed, removed, swapped or put back.
    """

    seq: Annotated[int, Field(ge=1, le=LARGEST, description="Counts its heads: 1, 2, 3 … without a gap.")]
    service: Slug
    position: Ordinal
    """Of the newest entry. Positions count from 1 without a gap, so this is how many entries there are as well."""
    hash: Sha256
    """SHA-256 of that entry, which covers the hash of the one before it."""


PublicEvent = (
    CommitmentCreated
    | MilestoneScheduled
    | MilestoneDue
    | MilestoneEscalated
    | StatusChanged
    | CommitmentAssessed
    | ConsistencyFlagged
    | DeliverySettled
)
