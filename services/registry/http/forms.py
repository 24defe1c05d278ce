"""What the HTTP interface takes and gives; apart from the events, so that each can change without the other."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WrapValidator,
    model_validator,
)

from contracts.events import Evidence, Quote, Reporter, StatementRef
from contracts.vocabulary import (
    CommitmentBrief,
    Country,
    Day,
    Language,
    Line,
    Link,
    Offset,
    Ordinal,
    Paragraph,
    Reading,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
    WallTime,
)
from services.registry.catalogue import Section, Theme
from services.registry.rules.consistency import Rule
from services.registry.wordings import DEFAULT, ReadingPolicy, Wording

Edtf = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]+$", max_length=64)]
"""A date as ISO 8601-2 (EDTF, levels 0 and 1) writes it: `2023-01-10`, `2022-12`, `2022-22`, `2022`, `202X`,
`2022-06-06/2022-06-10`."""


Zone = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+(/[A-Z][A-Za-z_]+){0,2}$", max_length=64)]
"""An IANA zone, of a name that events can carry (`Milestone.zone`): one with digits, signs or hyphens is none."""


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise ValueError("something stands here twice")
    return values


Countries = Annotated[tuple[Country, ...], Field(min_length=1), AfterValidator(_each_once)]


def _day_from_query(value: Any) -> Any:
    # Left alone, pydantic reads "1637193600" as a count of seconds.
    if isinstance(value, str) and not (len(value) == 10 and value[4] == value[7] == "-"):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


QueryDay = Annotated[date, BeforeValidator(_day_from_query)]


class Form(BaseModel):
    """What is sent to us: closed, and read as strictly as the contracts are."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def from_json(form: type[Form]) -> WrapValidator:
    """Read a body as JSON once more: FastAPI hands over Python's types.

    In those a strict model refuses a date or an enumeration as text and a tuple as a list.
    """
    return WrapValidator(lambda value, _: form.model_validate_json(json.dumps(value)))


class NewMilestone(Form):
    """A milestone of a new commitment; its date comes from its anchor, from `edtf`, or from its words.

    Without `reading` the words are read, in the statement's language and by its reading policy.
    """

    id: Slug
    wording: Line
    """The exact words of the time expression; they have to stand in the statement."""
    title: Text
    reading: Reading | None = None
    """None where the words are to say it."""
    edtf: Edtf | None = None
    """None where the words say it or give no date, or where an anchor does."""
    countries: Countries | None = None
    """Whom it binds; the commitment's countries unless said otherwise."""
    anchor_id: Slug | None = None
    offset: Offset | None = None
    """How far before or after its anchor; none where it is on it."""
    local_time: WallTime | None = None
    """When an event without an anchor begins, on the wall clocks of its zone."""

    @model_validator(mode="after")
    def _one_date_at_most(self) -> Self:
        if self.anchor_id and (self.edtf or self.local_time):
            raise ValueError("a milestone has its date from `edtf` or from its anchor, not from both")
        if self.offset and not self.anchor_id:
            raise ValueError("an offset is from an anchor")
        if self.local_time and not self.edtf:
            raise ValueError("a time of day needs a day")
        if self.edtf and self.reading is None:
            raise ValueError("give `reading` with `edtf`, or leave both to the words")
        undated = self.reading in {Reading.UNDATED, Reading.RECURRING}
        if not self.anchor_id and self.reading is not None and (self.edtf is None) != undated:
            raise ValueError("the reading is `undated` or `recurring` exactly where there is no date")
        return self


class NewCommitment(Form):
    """A commitment to be entered, with the exact words that make it."""

    id: Slug
    statement_id: Slug
    quote: Paragraph
    """Verbatim, found once in the statement's whitespace-collapsed text."""
    verb: Line
    """The words that carry the undertaking."""
    title: Text
    summary: Text
    section: Slug
    themes: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20), AfterValidator(_each_once)]
    strength: Strength
    countries: Countries | None = None
    """Whom it binds; the statement's countries unless said otherwise."""
    lead_ministries: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    milestones: Annotated[tuple[NewMilestone, ...], Field(max_length=20)] = ()


class NewStatusUpdate(Form):
    """How it goes: for one country, or for the commitment as a whole."""

    status: Status
    country: Country | None = None
    note: Paragraph | None = None
    """Needed to reopen what is met or withdrawn."""
    evidence: Evidence | None = None
    expected_version: Ordinal | None = None
    """The version that the reporter has read; another one by now is a conflict (409)."""


class NewDate(Form):
    """Another date for an anchor or a milestone, and who says so."""

    edtf: Edtf | None
    """None where the old date is off and there is no new one."""
    source: Source
    known_on: Day
    """The day on which it became known."""
    local_time: WallTime | None = None
    """When it begins on the wall clocks of its zone; without it the time that is known stays while the days do."""

    @model_validator(mode="after")
    def _a_time_has_a_day(self) -> Self:
        if self.local_time and not self.edtf:
            raise ValueError("a time of day needs a day")
        return self


class NewAnchor(NewDate):
    """An event on which milestones may hang, as far as its date is known."""

    id: Slug
    title: Text
    zone: Zone
    """Where it takes place."""


class NewOutcome(Form):
    """What came of an anchor, and who says so."""

    outcome: Literal["held", "cancelled"]
    edtf: Edtf | None = None
    """The days on which it was held, where they are others than the register has."""
    local_time: WallTime | None = None
    successor_id: Slug | None = None
    """The event that takes the place of a cancelled one."""
    source: Source
    known_on: Day

    @model_validator(mode="after")
    def _held_or_cancelled(self) -> Self:
        if self.outcome == "held" and self.successor_id:
            raise ValueError("only what was cancelled has a successor")
        if self.outcome == "cancelled" and (self.edtf or self.local_time):
            raise ValueError("what was cancelled has no days; a successor has its own")
        return self


class StatementCopy(Form):
    """The statement as another page has it; how it is laid out doesn't matter, the words do."""

    text: Annotated[str, StringConstraints(min_length=1)]
    url: Link


class NewReadingPolicy(Form):
    """How the time words of a statement are to be read."""

    policy: ReadingPolicy
    language: Language | None = None
    """The language of its words; the one that it has unless said otherwise."""


class WordingToRead(Form):
    """A time expression, as it stands in a statement of some day."""

    wording: Paragraph
    language: Language
    made_on: Day
    """The day of the statement: what "next year" is reckoned from."""
    policy: ReadingPolicy = DEFAULT


class ImportOrder(Form):
    """Which statement to take in."""

    catalogue: Slug
    copy_found: Annotated[StatementCopy | None, Field(alias="copy")] = None
    """A copy of it that was found elsewhere; other words are refused."""


class Shown(BaseModel):
    """What we answer."""

    model_config = ConfigDict(
        frozen=True, use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


class StatementEntry(Shown):
    """A source document."""

    id: Slug
    title: Text
    made_on: date
    url: str | None
    sha256: str
    countries: tuple[Country, ...]
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    commitments: int
    """How many commitments of it are in the register."""
    language: Language
    """The language of its words."""
    reading_policy: ReadingPolicy
    """How its time words are read."""


class FoundCopy(Shown):
    """Where else the same words were found."""

    url: str
    sha256: str
    received_at: datetime


class StatementRecord(StatementEntry):
    """A source document with its words."""

    text: str
    """Whitespace-collapsed; the positions of quotes count its characters."""
    copies: tuple[FoundCopy, ...]
    """Where else the same words were found, in the order in which they came."""


class StatementList(Shown):
    """All statements, in the order in which they were made."""

    items: tuple[StatementEntry, ...]


class MilestoneEntry(Shown):
    """A milestone as it is scheduled now."""

    id: Slug
    commitment_id: Slug
    wording: str
    title: Text
    span: Span
    reading: Reading
    countries: tuple[Country, ...]
    zone: str
    anchor_id: Slug | None
    offset: Offset | None
    """How far from the anchor; none where it is the anchor itself."""
    local_time: WallTime | None
    review_months: int | None
    wording_language: Language
    schedule_version: int


class Schedule(Shown):
    """One of a milestone's dates."""

    version: int
    span: Span
    change: Literal["first", "moved", "more-precise", "cancelled", "held"]
    source: Source | None
    """None when the statement itself says it."""
    known_on: date | None
    recorded_at: datetime


class MilestoneRecord(MilestoneEntry):
    """A milestone with all the dates that it has had, the oldest first."""

    schedules: tuple[Schedule, ...]
    read_as: Wording
    """What the statement's reading policy makes of the wording, and why; a date with a source may differ."""


class CountryStatus(Shown):
    """How one country stands."""

    country: Country
    status: Status


class CommitmentEntry(CommitmentBrief):
    """A commitment in a list."""

    summary: Text
    strength: Strength
    status: Status
    """As a whole."""
    country_statuses: tuple[CountryStatus, ...]
    version: int
    milestones: tuple[MilestoneEntry, ...]


class CommitmentList(Shown):
    """One page of commitments, in the order of the statements and of their words."""

    items: tuple[CommitmentEntry, ...]
    next_cursor: str | None
    """Where the next page begins; none on the last one."""


class Passage(Shown):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: str
    start: int
    end: int


class StatusUpdate(Shown):
    """One entry of a commitment's history."""

    event_id: UUID
    version: int
    """The commitment's version after it."""
    country: Country | None
    previous: Status
    status: Status
    overall: Status
    """The status of the whole after it."""
    note: str | None
    evidence: Evidence | None
    reported_by: Reporter
    reported_at: datetime
    recorded_at: datetime


class CommitmentRecord(CommitmentBrief):
    """All that is known of a commitment."""

    statement: StatementRef
    quote: Quote
    passage: Passage
    verb: str
    summary: Text
    strength: Strength
    lead_ministries: tuple[str, ...]
    status: Status
    """As a whole."""
    country_statuses: tuple[CountryStatus, ...]
    version: int
    """For a status update's `expected_version`."""
    milestones: tuple[MilestoneRecord, ...]
    status_updates: tuple[StatusUpdate, ...]
    """The oldest first."""


class CommitmentAccepted(Shown):
    """A commitment has been entered."""

    event_id: UUID
    commitment: CommitmentRecord


class StatusUpdateAccepted(Shown):
    """A status update has been recorded; it is on its way to the topic under this event id."""

    event_id: UUID
    commitment_id: Slug
    version: int
    update: StatusUpdate


class AnchorEntry(Shown):
    """An event on which milestones hang."""

    id: Slug
    title: Text
    zone: str
    span: Span
    local_time: WallTime | None
    """When it begins on the wall clocks of its zone."""
    source: Source
    known_on: date
    outcome: Literal["held", "cancelled"] | None
    """What came of it; none while it is ahead, or while nobody has said."""
    successor_id: Slug | None
    """The event that has taken its place."""
    milestones: tuple[Slug, ...]
    """Ids of the milestones that have their date from it."""


class AnchorNews(Shown):
    """What became known of an anchor."""

    span: Span
    local_time: WallTime | None
    change: Literal["first", "moved", "more-precise", "unchanged", "cancelled", "held", "succeeded"]
    source: Source
    known_on: date
    recorded_at: datetime
    recorded_by: str


class AnchorRecord(AnchorEntry):
    """An anchor with all that became known of it, the oldest first."""

    news: tuple[AnchorNews, ...]


class AnchorList(Shown):
    """All anchors."""

    items: tuple[AnchorEntry, ...]


class Rescheduled(Shown):
    """A milestone that has another date now."""

    milestone_id: Slug
    commitment_id: Slug
    schedule_version: int
    change: Literal["moved", "more-precise", "cancelled", "held"]
    event_id: UUID


class AnchorMoved(Shown):
    """What a new date did."""

    change: Literal["moved", "more-precise", "unchanged"]
    anchor: AnchorEntry
    rescheduled: tuple[Rescheduled, ...]


class AnchorSettled(Shown):
    """What an outcome did."""

    anchor: AnchorEntry
    rescheduled: tuple[Rescheduled, ...]


class ScheduleVersion(Shown):
    """Which of a milestone's schedules holds; reminders of an older one must not fire."""

    milestone_id: Slug
    schedule_version: int


class Flag(Shown):
    """Something that does not agree with itself, or with the calendar."""

    rule: Rule
    commitment_id: Slug | None
    """None for an anchor on which nothing hangs."""
    milestone_id: Slug | None
    anchor_id: Slug | None
    since: date
    """The day from which on it did not agree."""
    flagged_at: datetime
    event_id: UUID | None


class FlagList(Shown):
    """One page of what is open, in the order in which it was found."""

    items: tuple[Flag, ...]
    next_cursor: str | None


class ReadingPolicyChanged(Shown):
    """What another reading policy did."""

    statement_id: Slug
    reading_policy: ReadingPolicy
    rescheduled: tuple[Rescheduled, ...]
    kept: tuple[Slug, ...]
    """Milestones of which the new policy makes no date; they keep the one that they have."""


class MilestoneMoved(Shown):
    """What a new date did."""

    change: Literal["moved", "more-precise", "unchanged"]
    milestone: MilestoneEntry
    event_id: UUID | None


class Imported(Shown):
    """What an import did; a second one of the same catalogue does nothing."""

    statement_id: Slug
    commitments: int
    """How many commitments the catalogue has."""
    created: int
    """How many of them are new."""
    scheduled: int
    """How many milestones have a first or another date."""


class ProblemDocument(Shown):
    """An error, as RFC 9457 has it; further members depend on its type."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None
