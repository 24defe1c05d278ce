"""What previews and explanations look like over HTTP, as models."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.events import Acknowledgement, Step
from contracts.vocabulary import Day, Instant, LanguageTag, PartyCode, Slug, Status, Text
from services.plumbing.http.forms import ResponseModel
from services.plumbing.zones import Clock
from services.scheduler.escalation.rules.states import Stage
from services.scheduler.ladders.book import MilestoneKind
from services.scheduler.ladders.planning import PlanningCause
from services.scheduler.previews.rules.reasons import CountedFrom

PreviewState = Literal["pending", "fired", "passed", "merged", "withdrawn", "failed", "planned-later"]


class SkippedDay(ResponseModel):
    """A day that a count of business days left out."""

    day: Day
    why: Literal["weekend", "holiday"]
    calendar: str | None
    """Whose holiday: `US`, `CA-QC`; null for a weekend."""
    holiday: str | None
    """The holiday's id, such as `boxing-day-observed`."""
    name: str | None
    """What it is called."""
    name_language: LanguageTag | None
    """In which language: `en` where it has no name in the one that was asked for."""


class ReasonEntry(ResponseModel):
    """How an instant is come to, by the rules that hold now."""

    ladder: str
    """Its name in the ladder book; `chosen` for a subscription's own."""
    at: str
    """The rung's time of day on the clocks of `zone`."""
    zone: str
    counted_from: Day
    counted_from_is: CountedFrom
    """`scheduled-on`: a review is counted from the day on which the milestone got its schedule."""
    day: Day
    """The day that the step comes to."""
    month_end: bool
    """The day of the month that was counted from is missing there: it is the month's last one."""
    business_days: str
    """Whose business days, where they are counted: `bound`, `CA`, `CA-QC`."""
    skipped: tuple[SkippedDay, ...]
    clock: Clock
    """`gap`: the clocks skip that time there on that day, and it is the first instant after. `overlap`: they show it
    twice, and it is the first one."""
    jitter_seconds: int
    """How long behind that time it is due."""
    jitter_window_seconds: int
    why: PlanningCause
    on_the_ladder: bool
    """Whether the ladder that holds now has this step."""
    due_at: Instant
    """The instant by these rules; another one than the reminder's where that was planned by other rules."""


class MomentEntry(ResponseModel):
    """One instant of a milestone."""

    id: int | None
    """Of the reminder; null for what is planned later."""
    schedule_version: int
    step: Step
    state: PreviewState
    """As of a reminder; `planned-later`: one of the endless steps, planned when the one before it has fired."""
    due_at: Instant
    local: datetime
    """The same on the reader's clocks."""
    local_there: datetime
    """The same on the clocks of the milestone's zone."""
    fired_at: Instant | None
    event_id: UUID | None
    failure: str | None
    """Why it could not be fired."""
    reason: ReasonEntry | None
    """Null for an older version of the date: only the newest is kept here."""
    sentence: str
    """The reason in words."""


class LeftOutEntry(ResponseModel):
    """A rung of the ladder that the milestone does not get."""

    step: Step
    why: Literal["finer-than-the-date", "no-last-day", "calendar-ends"]
    shortest_notice_days: int | None
    """For `finer-than-the-date`: so many days before (a month counts 30) a rung would have to be at least."""
    sentence: str


class ReviewEntry(ResponseModel):
    """The rhythm in which a milestone without a last day is looked at again."""

    every_months: int
    counted_from: Day


class HoldEntry(ResponseModel):
    """A newer version of the date is being written: nothing of this one is sent."""

    schedule_version: int
    held_at: Instant
    """By the clock of the database."""


class UpcomingLevelEntry(ResponseModel):
    """A level that will be notified, unless somebody acknowledges (or, where it is owned, evidence follows)."""

    level: Slug
    title: Text
    round: int
    at: Instant
    local: datetime


class EscalationPreview(ResponseModel):
    """How it stands with the escalation, and who would be notified when."""

    state: Stage
    overdue_at: Instant | None
    """When the milestone is overdue, or has been since; null for what never is, as an event, or is over."""
    overdue_at_local: datetime | None
    asked_at: Instant | None
    """From when on it is asked whether an event has taken place; null for what is none, or is over."""
    asked_at_local: datetime | None
    acknowledged: Acknowledgement | None
    hearings: tuple[UpcomingLevelEntry, ...]
    """Up to the highest level, and once more."""


class MilestonePreview(ResponseModel):
    """A milestone with all its instants."""

    milestone_id: Slug
    title: Text
    wording: str
    wording_language: LanguageTag
    parties: tuple[PartyCode, ...]
    earliest: Day | None
    latest: Day | None
    when: str
    """The date in words, as coarse as it is."""
    kind: MilestoneKind
    zone: str
    """In whose calendar the milestone's days are counted."""
    reader_zone: str
    """Of `local`."""
    schedule_version: int
    scheduled_at: Instant
    settled: bool
    """Met or withdrawn for all whom it binds: nothing is sent any more."""
    asked_for: bool
    """False when the subscription's own ladder is not for this milestone: it is not reminded of it."""
    ladder: str | None
    moments: tuple[MomentEntry, ...]
    left_out: tuple[LeftOutEntry, ...]
    review: ReviewEntry | None
    """Of a milestone without a last day."""
    hold: HoldEntry | None
    escalation: EscalationPreview | None
    """Null while it has not begun."""


class SchedulePreview(ResponseModel):
    """Every instant of every milestone of a commitment."""

    commitment_id: Slug
    status: Status | None
    """Of the commitment as a whole; null where it has no milestone yet."""
    title: Text | None
    original_language: LanguageTag | None
    """Of the statement's own words: in this one the texts are there, whatever others there are."""
    at: Instant
    """Now, in business time."""
    language: LanguageTag
    ladder_of: Literal["book", "subscription"]
    subscription: UUID | None
    being_planned_anew: bool
    """Rules have just changed, and what is pending may not be all by them yet."""
    milestones: tuple[MilestonePreview, ...]


class NextEntry(ResponseModel):
    """The reminder that comes next for the same readers."""

    step: Step
    due_at: Instant
    local: datetime
    id: int | None


class ReminderOutcomeEntry(ResponseModel):
    """What became of a reminder."""

    what: Literal["waits", "due", "held", "told", "merged", "passed", "withdrawn", "failed"]
    at: Instant | None = None
    """When it was sent, or found to be impossible to send."""
    event_id: UUID | None = None
    """The `milestone-due` that told it."""
    late: bool = False
    merged_into: int | None = None
    """The reminder whose event told it as well."""
    merged_into_step: Step | None = None
    withdrawn_by: Literal["newer-schedule", "settled", "other-rules", "ladder-given-up"] | None = None
    schedule_version: int | None = None
    """The version of the date that took its place, or that is being written."""
    failure: str | None = None
    sentence: str


class ReminderExplanation(ResponseModel):
    """One reminder: what it is, why it is due then, what became of it, and what comes next."""

    id: int
    commitment_id: Slug
    commitment_title: Text
    milestone_id: Slug
    milestone_title: Text
    original_language: LanguageTag
    """Of the statement's own words: in this one the titles are there, whatever others there are."""
    audience: UUID | None
    """The subscription whose own ladder asks for it; null for the book's."""
    zone: str
    reader_zone: str
    moment: MomentEntry
    what: str
    """What it is, in words."""
    fate: ReminderOutcomeEntry
    next: NextEntry | None
    next_sentence: str
