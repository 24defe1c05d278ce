"""Content of the messages that ask somebody to act: an overdue milestone that nobody has owned, an inconsistency."""

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import ConsistencyFlagged, MilestoneEscalated
from services.i18n.languages import SOURCE
from services.i18n.names import status_name
from services.i18n.prose import marked_text
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
from services.notifier.rendering.milestone_dates import date_text, days_ago, wording_facts


def escalated_content(event: MilestoneEscalated, words: Words, url: str) -> EventMessage:
    """That something is overdue, who is asked now, and how to say that one is on it."""
    milestone, acknowledged = event.milestone, event.acknowledged
    what = words.quoted(marked_text(milestone.title, event.commitment.language, words, instead=milestone.id))
    overdue = words.ngettext(
        "%(milestone)s has been overdue for %(number)s day.",
        "%(milestone)s has been overdue for %(number)s days.",
        event.days,
        milestone=what,
    )
    if acknowledged is None:
        ownership = words.gettext("Nobody has said that they are on it.")
    else:
        ownership = words.gettext(
            "%(name)s had said that they were on it, and no evidence has followed.", name=plain(acknowledged.name)
        )
    request = words.gettext(
        "If you are on it, please say so on the commitment’s page: then nobody else is asked for now."
    )
    facts = [
        Fact(words.gettext("Who is asked now"), marked_text(event.level_title, SOURCE, words)),
        Fact(words.gettext("Due"), f"{date_text(milestone.span, milestone, words)} ({days_ago(event.days, words)})"),
        *wording_facts(milestone, words),
        Fact(words.gettext("Status"), status_name(event.status, words)),
    ]
    if event.repeat:
        asked_before = words.ngettext("%(number)s time", "%(number)s times", event.repeat)
        facts.insert(1, Fact(words.gettext("Asked before"), asked_before))
    if acknowledged is not None:
        facts += [
            Fact(words.gettext("Was on it"), plain(acknowledged.name)),
            Fact(words.gettext("Said so on"), placeholders.moment(acknowledged.at)),
        ]
    facts += context_facts(event.commitment, milestone.parties, words)
    if event.late:
        facts.append(Fact(words.gettext("Late; was to go out"), placeholders.moment(event.due_at)))
    note = None
    if acknowledged is not None and acknowledged.note:
        # Their words carry no language, so none is claimed for them.
        note = Quotation(words.gettext("Their note, as written (not translated)"), plain(acknowledged.note))
    return compose(
        event.commitment,
        milestone.parties,
        words,
        url,
        item=NewsItem("escalated", milestone.id, event.commitment.id, milestone.span.latest, event.days),
        latest=words.ngettext(
            "overdue by %(number)s day, nobody on it", "overdue by %(number)s days, nobody on it", event.days
        ),
        lead=f"{overdue} {ownership} {request}",
        facts=facts,
        quotation=note,
        links=[MessageLink(words.gettext("Say that you are on it"), f"{url}#m-{milestone.id}")],
    )


def flagged_content(event: ConsistencyFlagged, words: Words, url: str) -> EventMessage:
    """Which rule is broken, since when, and what would mend it."""
    milestone = event.milestone
    latest, lead = _rule(event, words)
    subject = milestone.id if milestone else event.commitment.id
    facts = [
        *([] if milestone is None else _milestone(milestone, event.commitment, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        Fact(words.gettext("Since"), f"{words.day(event.since)} ({days_ago(event.days, words)})"),
        Fact(words.gettext("Found on"), words.day(event.flagged_on)),
        *context_facts(event.commitment, milestone.parties if milestone else event.commitment.parties, words),
    ]
    return compose(
        event.commitment,
        milestone.parties if milestone else event.commitment.parties,
        words,
        url,
        item=NewsItem("flagged", f"{event.rule} {subject}", event.commitment.id),
        latest=latest,
        lead=lead,
        facts=facts,
    )


def _rule(event: ConsistencyFlagged, words: Words) -> tuple[str, str]:
    """What does not agree, in a few words and in a sentence or two."""
    title = event.milestone.title if event.milestone else event.commitment.title
    what = words.quoted(marked_text(title, event.commitment.language, words))
    since = words.day(event.since)
    match event.rule:
        case "past-due-in-progress":
            return (
                words.gettext("past its date, status not updated"),
                words.gettext(
                    "%(milestone)s was due by %(day)s, and some whom it binds still have it open."
                    " Either it is done, or it is late, and the register does not say which.",
                    milestone=what,
                    day=since,
                ),
            )
        case "met-with-open-milestones":
            return (
                words.gettext("met, but a milestone is ahead"),
                words.gettext(
                    "All whom %(milestone)s binds have met the commitment, and its date is still ahead."
                    " Either it was met early, or one of the two is wrong.",
                    milestone=what,
                ),
            )
        case "no-news":
            return (
                words.ngettext("no news for %(number)s day", "no news for %(number)s days", event.days),
                words.gettext(
                    "Nothing has been reported about this commitment since %(day)s, and it is not finished.", day=since
                ),
            )
        case "anchor-without-outcome":
            return (
                words.gettext("event past, outcome not recorded"),
                words.gettext(
                    "The event that %(milestone)s hangs on was to be over by %(day)s,"
                    " and nobody has recorded whether it took place.",
                    milestone=what,
                    day=since,
                ),
            )
    return (  # a rule of a later release
        words.gettext("something does not agree"),
        words.gettext("Something about this commitment does not agree in the register, or with the calendar."),
    )


def _milestone(milestone: Milestone, commitment: CommitmentBrief, words: Words) -> list[Fact]:
    title = marked_text(milestone.title, commitment.language, words, instead=milestone.id)
    return [
        Fact(words.gettext("Milestone"), title),
        Fact(words.gettext("Date"), date_text(milestone.span, milestone, words)),
        *wording_facts(milestone, words, quoted=milestone.span.earliest is None),
    ]
