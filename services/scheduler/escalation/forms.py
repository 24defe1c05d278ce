"""The escalation over HTTP: what is sent and what is answered."""

from typing import Literal
from uuid import UUID

from contracts.entered import EnteredLine, EnteredParagraph
from contracts.events import Acknowledgement
from contracts.vocabulary import Day, Instant, LanguageTag, PartyCode, Slug, Text
from services.plumbing.http.forms import ResponseModel, StrictRequestModel
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.machine import next_level
from services.scheduler.escalation.rules.states import STAGES, Climbing, Stage, acknowledgement_in


class NewAcknowledgement(StrictRequestModel):
    """Somebody is working on an overdue milestone."""

    name: EnteredLine
    """Who: a person, or the unit that answers for it."""
    note: EnteredParagraph | None = None
    take_over_from: EnteredLine | None = None
    """Whom it is taken over from, as `acknowledged.name` has it now: needed while somebody else is on it."""


class EscalationEntry(ResponseModel):
    """How it stands with a milestone."""

    milestone_id: Slug
    milestone_title: Text
    commitment_id: Slug
    commitment_title: Text
    original_language: LanguageTag
    """Of the statement's own words: in this one the titles are there, whatever others there are."""
    parties: tuple[PartyCode, ...]
    """The parties that the milestone binds."""
    latest: Day | None
    zone: str
    """IANA zone in which the last day ends."""
    schedule_version: int
    state: Stage
    """`dormant`: its day has not passed. `asked`: an event whose day has passed, and nobody has answered yet whether it
    has taken place. `climbing`: overdue, or an event unanswered, and nobody owns it. `owned`: acknowledged. `settled`:
    met or withdrawn for all whom it binds, or an event that was held."""
    round: int
    """Which time it is that it climbs from the first level, or how often it has."""
    level: Slug | None
    """Who was notified last in this round, while it climbs."""
    next_at: Instant | None
    """When it is overdue or asked about, the next level is notified, or the window for evidence ends."""
    next_level: Slug | None
    """Who is notified then."""
    acknowledged: Acknowledgement | None
    """By whom it is owned; while it climbs, whose acknowledgement was not followed by evidence."""
    failed: str | None
    """Why nobody could be notified, where that is so."""


class EscalationByLink(ResponseModel):
    """How it stands with a milestone, to who was asked about it and has the link of the message."""

    subscriber: str
    """For whom the subscription is that was told."""
    is_shared: bool
    """Whether everybody in a channel has the link."""
    language: LanguageTag
    """That of the subscription."""
    zone: str
    """The subscription's IANA zone."""
    escalation: EscalationEntry


class EscalationLine(ResponseModel):
    """Something that happened."""

    what: Literal[
        "overdue",
        "asked",
        "unanswered",
        "told",
        "skipped",
        "taken-over",
        "acknowledged",
        "evidence",
        "re-armed",
        "withdrawn",
        "settled",
        "reopened",
    ]
    """`asked`: whether an event has taken place. `unanswered`: nobody has answered that within its days. `told`: a
    level was notified. `skipped`: its turn came and went in a downtime, and a later one was notified.
    `taken-over`: from whom, before the acknowledgement of who is on it now. `re-armed`: the window ended without
    evidence. `withdrawn`: the date was moved to come."""
    at: Instant
    schedule_version: int
    round: int
    rank: int | None
    level: Slug | None
    repeat: int | None
    due_at: Instant | None
    name: str | None
    """Who acknowledged, or whom it was taken over from."""
    note: str | None
    client: str | None
    """By whose key the acknowledgement or the evidence came."""
    event_id: UUID | None
    """The `milestone-escalated` that was sent, or the event that came in."""


class EscalationRecord(EscalationEntry):
    """How it stands with a milestone, and how that came about."""

    log: tuple[EscalationLine, ...]
    """The oldest first."""


class EscalationPage(ResponseModel):
    """Escalations in the order in which time changes them next."""

    items: tuple[EscalationEntry, ...]
    next_cursor: str | None
    """Pass it as `cursor` for what follows; null at the end."""


def escalation_entry(escalation: MilestoneEscalation, book: EscalationBook) -> EscalationEntry:
    """How it stands with a milestone, as it is answered; `book` names the levels."""
    state, milestone = escalation.case.state, escalation.milestone
    rank = state.rank if isinstance(state, Climbing) else 0
    following = next_level(state, book)
    return EscalationEntry(
        milestone_id=milestone.id,
        milestone_title=milestone.title,
        commitment_id=escalation.commitment.id,
        commitment_title=escalation.commitment.title,
        original_language=escalation.commitment.language,
        parties=milestone.parties,
        latest=milestone.span.latest,
        zone=milestone.zone,
        schedule_version=escalation.case.version,
        state=STAGES[type(state)],
        round=state.round,
        level=book.levels[min(rank, len(book.levels)) - 1].level if rank else None,
        next_at=escalation.next_at,
        next_level=following and following.level,
        acknowledged=acknowledgement_in(state),
        failed=escalation.failed,
    )
