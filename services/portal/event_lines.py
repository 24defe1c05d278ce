"""What an event says to people: one line of what happened and one of detail, in their language."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, assert_never

from contracts.events import (
    CommitmentCreated,
    ConsistencyFlagged,
    DeliverySettled,
    MilestoneDue,
    MilestoneEscalated,
    MilestoneScheduled,
    StatusChanged,
)
from contracts.vocabulary import Milestone
from services.portal.feed import Heard
from services.portal.voices import Voice


@dataclass(frozen=True)
class Told:
    """An event in words."""

    id: str
    """Its place in Kafka, by which a reader knows it again."""
    event_id: str
    topic: str
    kind: str
    commitment: str
    title: str
    url: str
    text: str
    detail: str
    at: datetime
    when: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the stream."""
        return {**asdict(self), "at": self.at.isoformat()}


def tell(heard: Heard, voice: Voice) -> Told:
    """The event in the voice's language."""
    text, detail = _said(heard, voice)
    commitment = heard.event.commitment
    return Told(
        id=str(heard.place),
        event_id=str(heard.event_id),
        topic=heard.place.topic,
        kind=voice.name_of(heard.place.topic),
        commitment=commitment.id,
        title=voice.words_of(commitment.title),
        url=f"/commitments/{commitment.id}",
        text=text,
        detail=detail,
        at=heard.envelope.time,
        when=voice.instant(heard.envelope.time),
    )


def _said(heard: Heard, voice: Voice) -> tuple[str, str]:
    match heard.event:
        case CommitmentCreated() as event:
            return voice.say("Entered the register"), f"“{event.quote.text}”"
        case MilestoneScheduled() as event:
            return _scheduled(event, voice), _source(event, voice)
        case MilestoneDue() as event:
            return _due(event, voice), _reminded(event, voice)
        case MilestoneEscalated() as event:
            return _escalated(event, voice), _milestone(event.milestone, voice)
        case StatusChanged() as event:
            return _changed(event, voice), _reported(event, voice)
        case DeliverySettled() as event:
            return _settled(event, voice), ""
        case ConsistencyFlagged() as event:
            return _flagged(event, voice), _milestone(event.milestone, voice) if event.milestone else ""
    assert_never(heard.event)


def _scheduled(event: MilestoneScheduled, voice: Voice) -> str:
    milestone = voice.words_of(event.milestone.title)
    after = voice.span(event.milestone.span)
    if event.change == "cancelled":
        return voice.say("%(milestone)s: the event is off, and there is no date any more", milestone=milestone)
    if event.change == "held":
        return voice.say("%(milestone)s has taken place: %(after)s", milestone=milestone, after=after)
    if event.previous is None:
        return voice.say("%(milestone)s: %(after)s", milestone=milestone, after=after)
    before = voice.span(event.previous)
    if event.change == "more-precise":
        return voice.say(
            "%(milestone)s: now %(after)s, before %(before)s", milestone=milestone, before=before, after=after
        )
    return voice.say(
        "%(milestone)s: moved from %(before)s to %(after)s", milestone=milestone, before=before, after=after
    )


def _source(event: MilestoneScheduled, voice: Voice) -> str:
    if event.source:
        return voice.say("Source: %(source)s", source=event.source.text)
    return voice.say("In the statement’s words: “%(wording)s”", wording=event.milestone.wording)


def _due(event: MilestoneDue, voice: Voice) -> str:
    match event.phase:
        case "today":
            return voice.say("Due today")
        case "ahead":
            return voice.count("Due in %(n)s day", "Due in %(n)s days", event.days)
        case "overdue":
            return voice.count("Due %(n)s day ago", "Due %(n)s days ago", event.days)
        case "review":
            return voice.say("To be looked at again: it has no last day")
    assert_never(event.phase)


def _reminded(event: MilestoneDue, voice: Voice) -> str:
    milestone = _milestone(event.milestone, voice)
    if event.audience is None:
        return milestone
    return voice.say("%(milestone)s, for one subscription by its own ladder", milestone=milestone)


def _escalated(event: MilestoneEscalated, voice: Voice) -> str:
    overdue = voice.count("Due %(n)s day ago", "Due %(n)s days ago", event.days)
    return voice.say("%(overdue)s; asked now: %(who)s", overdue=overdue, who=voice.words_of(event.level_title))


def _flagged(event: ConsistencyFlagged, voice: Voice) -> str:
    match event.rule:
        case "past-due-in-progress":
            return voice.say("Past its date, and the register still has it open")
        case "met-with-open-milestones":
            return voice.say("Met, but a milestone is still ahead")
        case "no-news":
            return voice.count("No news for %(n)s day", "No news for %(n)s days", event.days)
        case "anchor-without-outcome":
            return voice.say("The event should be over, and its outcome is not recorded")
    assert_never(event.rule)


def _milestone(milestone: Milestone, voice: Voice) -> str:
    return f"{voice.words_of(milestone.title)} ({voice.span(milestone.span)})"


def _changed(event: StatusChanged, voice: Voice) -> str:
    change = f"{voice.name_of(event.previous)} → {voice.name_of(event.status)}"
    return f"{voice.country(event.country)}: {change}" if event.country else change


def _reported(event: StatusChanged, voice: Voice) -> str:
    by = event.reported_by.ministry or event.reported_by.client
    reported = voice.say("Reported by %(who)s", who=by)
    return f"{reported}. {event.note}" if event.note else reported


def _settled(event: DeliverySettled, voice: Voice) -> str:
    outcomes = Counter(delivery.outcome for delivery in event.deliveries)
    counted = voice.listed(f"{voice.name_of(outcome)}: {n}" for outcome, n in outcomes.most_common())
    return voice.say("%(event)s told. %(outcomes)s", event=voice.name_of(event.event), outcomes=counted)
