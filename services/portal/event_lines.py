"""An event of the live feed as people read it: one line of what happened and one of detail, in their language.

A word of a later release (a phase, a rule, how a date has changed) is told as "other", never guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import (
    CommitmentAssessed,
    CommitmentCreated,
    ConsistencyFlagged,
    MilestoneDue,
    MilestoneScheduled,
    PublicEvent,
    StatusChanged,
)
from services.i18n.event_names import date_change, event_name
from services.i18n.names import OTHER, assessment_label, status_label
from services.i18n.spans import date_in_short, span_name
from services.i18n.text import capitalized
from services.i18n.words import Words
from services.portal.live_feed import LiveEvent
from services.portal.moments import told_moment, zone_of_event
from services.portal.page_text import (
    PageText,
    as_written,
    in_language,
    localized,
    party_name,
    phrase,
    reported_by,
)


@dataclass(frozen=True)
class EventLine:
    """An event in words."""

    id: str
    """Its position in Kafka, by which a reader knows it again."""
    event_id: str
    topic: str
    kind: str
    commitment: str
    title: PageText
    url: str
    text: PageText
    detail: PageText
    at: datetime
    when: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the stream; `runs` has the words that are partly in another language, run by run."""
        told = {"title": self.title, "text": self.text, "detail": self.detail}
        marked = {name: text.as_json() for name, text in told.items() if any(one.language for one in text.runs)}
        plain_words = {name: text.text for name, text in told.items()}
        return {**vars(self), **plain_words, "at": self.at.isoformat(), "runs": marked}


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
        title=localized(commitment.title, commitment, words, instead=commitment.id),
        url=f"/commitments/{commitment.id}",
        text=phrase(text),
        detail=phrase(detail),
        at=live.envelope.time,
        when=told_moment(live.envelope.time, zone_of_event(live.event), words, form="medium"),
    )


def _created(event: CommitmentCreated, words: Words) -> tuple[str, str]:
    quote = in_language(event.quote.text, event.commitment.language, words)
    return words.gettext("Entered the register"), words.quoted(quote.written)


def _scheduled(event: MilestoneScheduled, words: Words) -> tuple[str, str]:
    milestone = localized(event.milestone.title, event.commitment, words).written
    after = span_name(event.milestone.span, words)
    first = {"milestone": milestone, "after": date_in_short(event.milestone.span, event.milestone.reading, words)}
    if event.source:
        source = words.gettext("Source: %(source)s", source=as_written(event.source.text, words).written)
    else:
        wording = in_language(event.milestone.wording, event.milestone.wording_language, words)
        source = words.gettext("In the statement’s words: “%(wording)s”", wording=wording.written)
    values = {"milestone": milestone, "after": after}
    if event.previous is not None:
        values["before"] = span_name(event.previous, words)
    match event.change:
        case "cancelled":
            text = words.gettext("%(milestone)s: the event is off, and there is no date any more", **values)
        case "held":
            text = words.gettext("%(milestone)s has taken place: %(after)s", **values)
        case "more-precise" if event.previous is not None:
            text = words.gettext("%(milestone)s: now %(after)s, before %(before)s", **values)
        case "moved" if event.previous is not None:
            text = words.gettext("%(milestone)s: moved from %(before)s to %(after)s", **values)
        case "first" | "moved" | "more-precise":
            text = words.gettext("%(milestone)s: %(after)s", **first)
        case another:
            told = words.gettext("%(milestone)s: %(after)s", **values)
            text = f"{told} ({date_change(another, words)})"
    return text, source


def _due(event: MilestoneDue, words: Words) -> tuple[str, str]:
    match event.phase:
        case "today":
            text = words.gettext("Due today")
        case "ahead":
            text = words.ngettext("Due in %(number)s day", "Due in %(number)s days", event.days)
        case "overdue":
            text = words.ngettext("Due %(number)s day ago", "Due %(number)s days ago", event.days)
        case "asked":
            text = words.ngettext(
                "Has it taken place? Its day was %(number)s day ago",
                "Has it taken place? Its day was %(number)s days ago",
                event.days,
            )
        case "review":
            text = words.gettext("To be looked at again: it has no last day")
        case _:
            text = _other(words)
    return text, _milestone(event.milestone, event.commitment, words)


def _status_changed(event: StatusChanged, words: Words) -> tuple[str, str]:
    change = f"{status_label(event.previous, words)} → {status_label(event.status, words)}"
    by = reported_by(event.reported_by, event.commitment, words)
    said = [words.gettext("Reported by %(who)s", who=by.written)]
    if not event.current:
        said.append(words.gettext("It came late: there is newer word already"))
    if event.note:
        said.append(as_written(event.note, words).written)
    return words.line(party_name(event.party, event.commitment, words).written, change), ". ".join(said)


def _assessed(event: CommitmentAssessed, words: Words) -> tuple[str, str]:
    view = assessment_label(event.assessment, words)
    whose = words.line(party_name(event.party, event.commitment, words).written, view) if event.party else view
    by = words.gettext("Assessed by %(who)s", who=event.organisation)
    return whose, f"{by}. {as_written(event.note, words).written}" if event.note else by


def _flagged(event: ConsistencyFlagged, words: Words) -> tuple[str, str]:
    match event.rule:
        case "past-due-in-progress" if event.milestone and event.milestone.held:
            text = words.gettext("Has taken place, and the register still has it open")
        case "past-due-in-progress" if event.milestone and event.milestone.is_event:
            text = words.gettext("Has it taken place? Nobody has recorded it")
        case "past-due-in-progress":
            text = words.gettext("Past its date, and the register still has it open")
        case "met-with-open-milestones":
            text = words.gettext("Met, but a milestone is still ahead")
        case "no-news":
            text = words.ngettext("No news for %(number)s day", "No news for %(number)s days", event.days)
        case "anchor-without-outcome":
            text = words.gettext("Has it taken place? Nobody has recorded it")
        case _:
            text = _other(words)
    return text, _milestone(event.milestone, event.commitment, words) if event.milestone else ""


def _milestone(milestone: Milestone, commitment: CommitmentBrief, words: Words) -> str:
    return f"{localized(milestone.title, commitment, words).written} ({span_name(milestone.span, words)})"


def _other(words: Words) -> str:
    return capitalized(words.gettext(OTHER))


DESCRIPTIONS: Mapping[type[PublicEvent], Callable[[Any, Words], tuple[str, str]]] = {
    CommitmentCreated: _created,
    MilestoneScheduled: _scheduled,
    MilestoneDue: _due,
    StatusChanged: _status_changed,
    CommitmentAssessed: _assessed,
    ConsistencyFlagged: _flagged,
}
"""How each event that the feed shows is described: what happened, and a detail that may be empty."""
