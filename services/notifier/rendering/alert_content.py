"""Content of the messages that ask somebody to act: what is overdue or unanswered and not owned, an inconsistency."""

from contracts.events import ConsistencyFlagged, MilestoneEscalated
from services.i18n.languages import SOURCE
from services.i18n.names import status_name
from services.i18n.prose import marked_text
from services.i18n.spans import span_name
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import (
    EventMessage,
    Fact,
    MessageLink,
    NewsItem,
    Quotation,
    compose,
    context_facts,
)
from services.notifier.rendering.milestone_dates import date_text, days_ago, wording_quotation


def escalated_content(event: MilestoneEscalated, words: Words, url: str) -> EventMessage:
    """That something is overdue, or an event unanswered, who is asked now, and how to say that one is on it."""
    milestone, acknowledged = event.milestone, event.acknowledged
    date = date_text(milestone.span, milestone, words)
    if milestone.is_event:
        latest, short = words.gettext("nobody has recorded whether it took place"), words.gettext("nobody on it")
        label, date = words.gettext("Was to take place"), f"{date} ({days_ago(event.days, words)})"
    else:
        latest = words.ngettext(
            "overdue by %(number)s day, nobody on it", "overdue by %(number)s days, nobody on it", event.days
        )
        short = words.ngettext("%(number)s day late, nobody on it", "%(number)s days late, nobody on it", event.days)
        label = words.gettext("Due")
    lead = words.line(label, date)
    facts = [
        Fact(words.gettext("Who is asked now"), marked_text(event.level_title, SOURCE, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
    ]
    if event.repeat:
        asked_before = words.ngettext("%(number)s time", "%(number)s times", event.repeat)
        facts.insert(1, Fact(words.gettext("Asked before"), asked_before))
    note = wording_quotation(milestone, words)
    if acknowledged is not None:
        facts.insert(0, Fact(label, date))
        lead = words.gettext(
            "%(name)s had said that they were on it, and no evidence has followed.", name=plain(acknowledged.name)
        )
        facts.append(Fact(words.gettext("Said so on"), placeholders.moment(acknowledged.at)))
        if acknowledged.note:
            # Their words carry no language, so none is claimed for them.
            facts.append(Fact(note.label, words.quoted(note.text)))
            note = Quotation(words.gettext("Their note, as written (not translated)"), plain(acknowledged.note))
    facts += context_facts(event.commitment, milestone.parties, words)
    if event.late:
        facts.append(Fact(words.gettext("Late; was to go out"), placeholders.moment(event.due_at)))
    return compose(
        event.commitment,
        words,
        url,
        item=NewsItem(
            "escalated",
            f"escalation {milestone.id}",
            event.commitment.id,
            milestone.span.latest,
            span_name(milestone.span, words, "medium"),
            event.days,
        ),
        latest=latest,
        short=short,
        title=marked_text(milestone.title, event.commitment.language, words, instead=milestone.id),
        lead=lead,
        ask=words.gettext("If you are on it, please say so: then nobody else is asked for now."),
        facts=facts,
        quotation=note,
        action=MessageLink(words.gettext("Say that you are on it"), placeholders.on_it_url(milestone.id)),
    )


def flagged_content(event: ConsistencyFlagged, words: Words, url: str) -> EventMessage:
    """Which rule is broken, since when, and what would mend it."""
    milestone, brief = event.milestone, event.commitment
    latest, short, lead = _rule(event, words)
    facts = [
        Fact(words.gettext("Since"), f"{words.day(event.since)} ({days_ago(event.days, words)})"),
        Fact(words.gettext("Found on"), words.day(event.flagged_on)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        *context_facts(brief, milestone.parties if milestone else brief.parties, words),
    ]
    if milestone is not None:
        facts.insert(0, Fact(words.gettext("Date"), date_text(milestone.span, milestone, words)))
    return compose(
        brief,
        words,
        url,
        item=NewsItem("flagged", f"{event.rule} {milestone.id if milestone else brief.id}", brief.id),
        latest=latest,
        short=short,
        title=marked_text(milestone.title, brief.language, words, instead=milestone.id) if milestone else None,
        lead=lead,
        ask=words.gettext("If you report on it, please have the register say what is right."),
        facts=facts,
        quotation=wording_quotation(milestone, words) if milestone else None,
    )


def _rule(event: ConsistencyFlagged, words: Words) -> tuple[str, str | None, str]:
    """What does not agree: in a few words, in fewer where a subject needs them, and in a sentence or two."""
    milestone = event.milestone
    match event.rule:
        case "past-due-in-progress" if milestone and milestone.held:
            return (
                words.gettext("has taken place, status not updated"),
                words.gettext("status not updated"),
                words.gettext(
                    "Some whom it binds still have the commitment open. The register does not say how it stands."
                ),
            )
        case "past-due-in-progress" if milestone and milestone.is_event:
            return (
                words.gettext("has it taken place?"),
                None,
                words.gettext("Its day has passed, and nobody has recorded whether it took place."),
            )
        case "past-due-in-progress":
            return (
                words.gettext("past its date, status not updated"),
                words.gettext("status not updated"),
                words.gettext(
                    "Some whom it binds still have it open. Either it is done, or it is late,"
                    " and the register does not say which."
                ),
            )
        case "met-with-open-milestones":
            return (
                words.gettext("met, but a milestone is ahead"),
                None,
                words.gettext(
                    "All whom it binds have met the commitment, and its date is still ahead."
                    " Either it was met early, or one of the two is wrong."
                ),
            )
        case "no-news":
            return (
                words.ngettext("no news for %(number)s day", "no news for %(number)s days", event.days),
                None,
                words.gettext("Nothing has been reported about this commitment, and it is not finished."),
            )
        case "anchor-without-outcome":
            return (
                words.gettext("has it taken place?"),
                None,
                words.gettext(
                    "The event that it hangs on should be over, and nobody has recorded whether it took place."
                ),
            )
    return (  # a rule of a later release
        words.gettext("something does not agree"),
        None,
        words.gettext("Something about this commitment does not agree in the register, or with the calendar."),
    )
