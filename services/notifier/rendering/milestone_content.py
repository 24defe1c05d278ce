"""Content of the messages about a milestone's date: set, moved or cancelled; near, past, or to be reviewed."""

from collections.abc import Mapping

from contracts.commitments import Milestone
from contracts.events import MilestoneDue, MilestoneScheduled
from contracts.vocabulary import Reading
from services.i18n.distances import step_in_words
from services.i18n.names import status_name
from services.i18n.prose import marked_text
from services.i18n.spans import span_name
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import (
    BeforeAndAfter,
    Category,
    EventMessage,
    Fact,
    MessageLink,
    NewsItem,
    compose,
    context_facts,
)
from services.notifier.rendering.milestone_dates import (
    begins_facts,
    date_text,
    due_text,
    end_of_last_day,
    months_before,
    wording_facts,
)

_CHANGES: Mapping[str, Category] = {
    "first": "first-date",
    "moved": "date",
    "more-precise": "date",
    "cancelled": "cancelled",
    "held": "held",
}
_PHASES: Mapping[str, Category] = {
    "ahead": "ahead",
    "today": "today",
    "asked": "asked",
    "overdue": "overdue",
    "review": "review",
}


def scheduled_content(event: MilestoneScheduled, words: Words, url: str) -> EventMessage:
    """A date that is set, moved, more precise or cancelled."""
    milestone, source = event.milestone, event.source
    what = marked_text(milestone.title, event.commitment.language, words, instead=milestone.id)
    name, short = words.quoted(what), span_name(milestone.span, words, "medium")
    undated = milestone.span.earliest is None
    match event.change:
        case "cancelled":
            latest = words.gettext("date cancelled")
            lead = words.gettext(
                "The event that %(milestone)s hung on is off, so it has no date any more.", milestone=name
            )
        case "held":
            latest = words.gettext("has taken place")
            lead = words.gettext("%(milestone)s has taken place.", milestone=name)
        case "first" if undated and milestone.reading is Reading.RECURRING:
            latest = words.gettext("recurring, no date given")
            lead = words.gettext("%(milestone)s comes again and again, and no date is given.", milestone=name)
        case "first" if undated:
            latest = words.gettext("no date given")
            lead = words.gettext("No date is given for %(milestone)s.", milestone=name)
        case "moved" | "more-precise" if undated:
            latest = words.gettext("no date any more")
            lead = words.gettext("%(milestone)s has no date any more.", milestone=name)
        case "first":
            latest = words.gettext("date: %(when)s", when=short)
            lead = words.gettext("%(milestone)s now has a date.", milestone=name)
        case "moved":
            latest = words.gettext("new date: %(when)s", when=short)
            lead = words.gettext("The date of %(milestone)s has moved.", milestone=name)
        case "more-precise":
            latest = words.gettext("exact date: %(when)s", when=short)
            lead = words.gettext("The date of %(milestone)s is now known more exactly.", milestone=name)
        case _:  # of a later release
            latest = words.gettext("news about the date")
            lead = words.gettext("There is news about the date of %(milestone)s.", milestone=name)
    now = (
        words.gettext("no date any more")
        if event.change == "cancelled"
        else date_text(milestone.span, milestone, words)
    )
    change = None
    if event.previous is not None and event.change != "held":
        change = BeforeAndAfter(words.gettext("Date"), date_text(event.previous, milestone, words), now)
    origin = plain(source.text) if source else words.gettext("the statement itself")
    facts = [
        Fact(words.gettext("Milestone"), what),
        *([] if change else [Fact(words.gettext("Date"), now)]),
        *begins_facts(milestone, words),
        *wording_facts(milestone, words, quoted=undated and event.change != "cancelled"),
        Fact(words.gettext("Source of the date"), origin),
        *context_facts(event.commitment, milestone.parties, words),
    ]
    return compose(
        event.commitment,
        milestone.parties,
        words,
        url,
        item=NewsItem(_CHANGES.get(event.change, "other"), milestone.id, event.commitment.id, milestone.span.latest),
        latest=latest,
        lead=lead,
        change=change,
        facts=facts,
        links=[MessageLink(words.gettext("Open the source"), source.url)] if source and source.url else [],
    )


def due_content(event: MilestoneDue, words: Words, url: str) -> EventMessage:
    """A reminder: ahead, on the day or overdue; or that something without a last day is to be looked at again."""
    milestone = event.milestone
    what = words.quoted(marked_text(milestone.title, event.commitment.language, words, instead=milestone.id))
    match event.phase:
        case "ahead":
            latest = words.ngettext("due in %(number)s day", "due in %(number)s days", event.days)
            lead = words.ngettext(
                "%(milestone)s is due in %(number)s day.",
                "%(milestone)s is due in %(number)s days.",
                event.days,
                milestone=what,
            )
        case "today":
            latest = words.gettext("due today")
            lead = words.gettext("%(milestone)s is due today.", milestone=what)
        case "overdue":
            latest = words.ngettext("overdue by %(number)s day", "overdue by %(number)s days", event.days)
            lead = words.ngettext(
                "%(milestone)s has been overdue for %(number)s day.",
                "%(milestone)s has been overdue for %(number)s days.",
                event.days,
                milestone=what,
            )
        case "review":
            latest, lead = _review(milestone, what, words)
        case _:  # of a later release
            latest = words.gettext("a reminder")
            lead = words.gettext("This is a reminder of %(milestone)s.", milestone=what)
    late = [Fact(words.gettext("Late; was to go out"), placeholders.moment(event.due_at))] if event.late else []
    missed = [step_in_words(step, words) for step in event.merged_steps]
    facts = [
        *(_reviewed(event, words) if event.phase == "review" else _due(event, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        *context_facts(event.commitment, milestone.parties, words),
        *late,
        *([Fact(words.gettext("Also stands for reminders missed"), words.listed(missed))] if missed else []),
    ]
    return compose(
        event.commitment,
        milestone.parties,
        words,
        url,
        item=NewsItem(
            _PHASES.get(event.phase, "other"), milestone.id, event.commitment.id, milestone.span.latest, event.days
        ),
        latest=latest,
        lead=lead,
        facts=facts,
    )


def _review(milestone: Milestone, what: str, words: Words) -> tuple[str, str]:
    """Nothing is late here: the words set no last day, so all that can be asked is how it is going."""
    if milestone.span.is_open:
        return (
            words.gettext("no end date; to be reviewed"),
            words.gettext("%(milestone)s has no last day. It is time to look at how it is going.", milestone=what),
        )
    if milestone.reading is Reading.RECURRING:
        return (
            words.gettext("recurring; to be reviewed"),
            words.gettext(
                "%(milestone)s comes again and again. It is time to look at how it is going.", milestone=what
            ),
        )
    return (
        words.gettext("no date given; to be reviewed"),
        words.gettext("No date is given for %(milestone)s. It is time to look at how it is going.", milestone=what),
    )


def _reviewed(event: MilestoneDue, words: Words) -> list[Fact]:
    milestone, months = event.milestone, event.milestone.review_months
    number = int(event.step.partition("-")[2]) if event.step.startswith("review-") else 1
    which = words.gettext("no. %(number)s", number=number)
    if months:
        rhythm = words.ngettext("every %(number)s month", "every %(number)s months", months)
        which = words.gettext("%(review)s, %(rhythm)s", review=which, rhythm=rhythm)
    facts = [
        Fact(words.gettext("Date"), date_text(milestone.span, milestone, words)),
        *wording_facts(milestone, words, quoted=milestone.span.earliest is None),
        Fact(words.gettext("Review"), which),
    ]
    if months and number > 1 and (last := months_before(event.due_at.date(), months)):
        facts.append(Fact(words.gettext("Previous review"), words.day(last)))
    return facts


def _due(event: MilestoneDue, words: Words) -> list[Fact]:
    milestone = event.milestone
    begins = begins_facts(milestone, words)
    facts = [
        Fact(words.gettext("Due"), due_text(event, words)),
        *begins,
    ]
    if event.phase != "overdue" and not begins and (ends := end_of_last_day(milestone)):
        facts.append(Fact(words.gettext("The last day ends"), placeholders.moment(ends, milestone.zone)))
    if event.step.endswith("bd"):  # what is counted in other days than those shown above
        facts.append(Fact(words.gettext("This reminder"), step_in_words(event.step, words)))
    return [*facts, *wording_facts(milestone, words, quoted=milestone.span.earliest is None)]
