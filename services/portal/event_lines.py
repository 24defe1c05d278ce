"""An event of the live feed as people read it: one line of what happened and one of detail, in their language."""

from collections import Counter
from collections.abc import Callable, Mapping
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
    PublicEvent,
    StatusChanged,
)
from contracts.vocabulary import Milestone
from services.i18n.delivery_names import delivery_state
from services.i18n.event_names import event_name
from services.i18n.names import country_name, status_label
from services.i18n.spans import span_name
from services.i18n.text import one_line, plain
from services.i18n.words import Words
from services.portal.live_feed import LiveEvent


@dataclass(frozen=True)
class EventLine:
    """An event in words."""

    id: str
    """Its position in Kafka, by which a reader knows it again."""
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


def event_line(live: LiveEvent, words: Words) -> EventLine:
    """The event in a language."""
    describe = DESCRIPTIONS[type(live.event)]
    text, detail = describe(live.event, words)
    commitment = live.event.commitment
    return EventLine(
        id=str(live.position),
        event_id=str(live.event_id),
        topic=live.position.topic,
        kind=event_name(live.position.topic, words),
        commitment=commitment.id,
        title=plain(commitment.title.in_language(words.language), instead=commitment.id),
        url=f"/commitments/{commitment.id}",
        text=plain(text),
        detail=one_line(detail),
        at=live.envelope.time,
        when=words.utc_moment(live.envelope.time),
    )


def _created(event: CommitmentCreated, words: Words) -> tuple[str, str]:
    return words.gettext("Entered the register"), f"“{event.quote.text}”"


def _scheduled(event: MilestoneScheduled, words: Words) -> tuple[str, str]:
    milestone = event.milestone.title.in_language(words.language)
    after = span_name(event.milestone.span, words)
    if event.source:
        source = words.gettext("Source: %(source)s", source=event.source.text)
    else:
        source = words.gettext("In the statement’s words: “%(wording)s”", wording=event.milestone.wording)
    if event.change == "cancelled":
        text = words.gettext("%(milestone)s: the event is off, and there is no date any more", milestone=milestone)
    elif event.change == "held":
        text = words.gettext("%(milestone)s has taken place: %(after)s", milestone=milestone, after=after)
    elif event.previous is None:
        text = words.gettext("%(milestone)s: %(after)s", milestone=milestone, after=after)
    else:
        values = {"milestone": milestone, "before": span_name(event.previous, words), "after": after}
        if event.change == "more-precise":
            text = words.gettext("%(milestone)s: now %(after)s, before %(before)s", **values)
        else:
            text = words.gettext("%(milestone)s: moved from %(before)s to %(after)s", **values)
    return text, source


def _due(event: MilestoneDue, words: Words) -> tuple[str, str]:
    match event.phase:
        case "today":
            text = words.gettext("Due today")
        case "ahead":
            text = words.ngettext("Due in %(number)s day", "Due in %(number)s days", event.days)
        case "overdue":
            text = words.ngettext("Due %(number)s day ago", "Due %(number)s days ago", event.days)
        case "review":
            text = words.gettext("To be looked at again: it has no last day")
        case _ as never:
            assert_never(never)
    milestone = _milestone(event.milestone, words)
    if event.audience is None:
        return text, milestone
    return text, words.gettext("%(milestone)s, for one subscription by its own ladder", milestone=milestone)


def _escalated(event: MilestoneEscalated, words: Words) -> tuple[str, str]:
    overdue = words.ngettext("Due %(number)s day ago", "Due %(number)s days ago", event.days)
    who = event.level_title.in_language(words.language)
    text = words.gettext("%(overdue)s; asked now: %(who)s", overdue=overdue, who=who)
    return text, _milestone(event.milestone, words)


def _status_changed(event: StatusChanged, words: Words) -> tuple[str, str]:
    change = f"{status_label(event.previous, words)} → {status_label(event.status, words)}"
    by = event.reported_by.ministry or event.reported_by.client
    reported = words.gettext("Reported by %(who)s", who=by)
    return (
        words.line(country_name(event.country, words), change) if event.country else change,
        f"{reported}. {event.note}" if event.note else reported,
    )


def _delivered(event: DeliverySettled, words: Words) -> tuple[str, str]:
    outcomes = Counter(delivery.outcome for delivery in event.deliveries)
    counted = words.listed(words.line(delivery_state(outcome, words), str(n)) for outcome, n in outcomes.most_common())
    return words.gettext("%(event)s told. %(outcomes)s", event=event_name(event.event, words), outcomes=counted), ""


def _flagged(event: ConsistencyFlagged, words: Words) -> tuple[str, str]:
    match event.rule:
        case "past-due-in-progress":
            text = words.gettext("Past its date, and the register still has it open")
        case "met-with-open-milestones":
            text = words.gettext("Met, but a milestone is still ahead")
        case "no-news":
            text = words.ngettext("No news for %(number)s day", "No news for %(number)s days", event.days)
        case "anchor-without-outcome":
            text = words.gettext("The event should be over, and its outcome is not recorded")
        case _ as never:
            assert_never(never)
    return text, _milestone(event.milestone, words) if event.milestone else ""


def _milestone(milestone: Milestone, words: Words) -> str:
    return f"{milestone.title.in_language(words.language)} ({span_name(milestone.span, words)})"


DESCRIPTIONS: Mapping[type[PublicEvent], Callable[[Any, Words], tuple[str, str]]] = {
    CommitmentCreated: _created,
    MilestoneScheduled: _scheduled,
    MilestoneDue: _due,
    MilestoneEscalated: _escalated,
    StatusChanged: _status_changed,
    DeliverySettled: _delivered,
    ConsistencyFlagged: _flagged,
}
"""How each event that the contracts let the portal read is described: what happened, and a detail that may be empty."""
