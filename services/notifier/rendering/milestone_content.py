"""Content of the messages about a milestone's date: set, moved or cancelled; near, past, or to be reviewed."""

from collections.abc import Mapping

from contracts.commitments import Milestone
from contracts.events import MilestoneDue, MilestoneScheduled
from contracts.vocabulary import Reading
from services.i18n.distances import step_in_words
from services.i18n.event_names import last_reminder
from services.i18n.names import status_name
from services.i18n.prose import marked_text
from services.i18n.spans import date_in_short, span_name, to_be_reviewed
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
    end_of_last_day,
    months_before,
    wording_quotation,
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
    date = date_text(milestone.span, milestone, words)
    latest, headline = _date_news(event, words)
    change, lead, ask = None, "", ""
    if event.previous is not None and event.change != "held":
        change = BeforeAndAfter(words.gettext("Date"), date_text(event.previous, milestone, words), date)
    elif milestone.span.earliest is not None:
        lead = words.line(words.gettext("Date"), date)
    if event.change == "cancelled":
        lead = words.gettext("The event that it hung on is off.")
        ask = words.gettext("There is nothing to be done: no reminder of it follows.")
    elif event.change in ("moved", "more-precise"):
        ask = words.gettext("Reminders follow this date by themselves; please change it in a calendar of your own.")
    origin = plain(source.text) if source else words.gettext("the statement itself")
    return compose(
        event.commitment,
        words,
        url,
        item=NewsItem(
            _CHANGES.get(event.change, "other"),
            f"date {milestone.id}",
            event.commitment.id,
            milestone.span.latest,
            _when(milestone, words),
        ),
        latest=latest,
        headline=headline,
        title=marked_text(milestone.title, event.commitment.language, words, instead=milestone.id),
        lead=lead,
        ask=ask,
        change=change,
        quotation=wording_quotation(milestone, words),
        facts=[
            *begins_facts(milestone, words),
            Fact(words.gettext("Source of the date"), origin),
            *context_facts(event.commitment, milestone.parties, words),
        ],
        links=[MessageLink(words.gettext("Open the source"), source.url)] if source and source.url else [],
    )


def _date_news(event: MilestoneScheduled, words: Words) -> tuple[str, str | None]:
    """What is new of a date, with the date, and without it for where that stands beside."""
    milestone = event.milestone
    short, undated = span_name(milestone.span, words, "medium"), milestone.span.earliest is None
    match event.change:
        case "cancelled":
            return words.gettext("date cancelled"), None
        case "held":
            return words.gettext("has taken place"), None
        case "first" if undated and milestone.reading is Reading.RECURRING:
            return words.gettext("recurring, no date given"), None
        case "first" if undated:
            return words.gettext("no date given"), None
        case "moved" | "more-precise" if undated:
            return words.gettext("no date any more"), words.gettext("date withdrawn")
        case "first" if milestone.reading is Reading.BY:
            return date_in_short(milestone.span, milestone.reading, words, "medium"), words.gettext("date set")
        case "first":
            return words.gettext("date %(when)s", when=short), words.gettext("date set")
        case "moved":
            return words.gettext("new date %(when)s", when=short), words.gettext("new date")
        case "more-precise":
            return words.gettext("exact date %(when)s", when=short), words.gettext("exact date")
    return words.gettext("news about the date"), None  # of a later release


def due_content(event: MilestoneDue, words: Words, url: str) -> EventMessage:
    """A reminder: ahead, on the day, overdue or asked about; or that what has no last day is to be looked at."""
    milestone = event.milestone
    latest, short, ask = _reminded_of(event, words)
    lead = _date_line(event, words)
    if event.last:
        lead = ". ".join(filter(None, (lead, last_reminder(words))))
    late = [Fact(words.gettext("Late; was to go out"), placeholders.moment(event.due_at))] if event.late else []
    missed = [step_in_words(step, words) for step in event.merged_steps]
    return compose(
        event.commitment,
        words,
        url,
        item=NewsItem(
            _PHASES.get(event.phase, "other"),
            f"date {milestone.id}",
            event.commitment.id,
            milestone.span.latest,
            _when(milestone, words),
            event.days,
        ),
        latest=latest,
        short=short,
        title=marked_text(milestone.title, event.commitment.language, words, instead=milestone.id),
        lead=lead,
        ask=ask,
        quotation=wording_quotation(milestone, words),
        facts=[
            *(_reviewed(event, words) if event.phase == "review" else _due(event, words)),
            Fact(words.gettext("Status"), status_name(event.status, words)),
            *context_facts(event.commitment, milestone.parties, words),
            *late,
            *([Fact(words.gettext("Also stands for reminders missed"), words.listed(missed))] if missed else []),
        ],
    )


def _reminded_of(event: MilestoneDue, words: Words) -> tuple[str, str | None, str]:
    """What is new, the same in fewer words where it needs many, and what is asked of the reader."""
    milestone = event.milestone
    match event.phase:
        case "ahead":
            return (
                words.ngettext("in %(number)s day", "in %(number)s days", event.days),
                None,
                words.gettext("If you answer for it, please report how it stands before then."),
            )
        case "today" if milestone.is_event:
            return words.gettext("today"), None, words.gettext("Once it has taken place, please have it recorded.")
        case "today":
            return words.gettext("today"), None, words.gettext("If it is done, please report it, with evidence.")
        case "asked":
            return (
                words.gettext("has it taken place?"),
                None,
                words.gettext("If you know, please have it recorded: that it took place, was moved or is off."),
            )
        case "overdue":
            return (
                words.ngettext("overdue by %(number)s day", "overdue by %(number)s days", event.days),
                None,
                words.gettext("If it is done, please report it, with evidence; if not, how it stands."),
            )
        case "review":
            ask = words.gettext("It is time to look at how it is going: please report what has changed.")
            latest = to_be_reviewed(milestone.span, milestone.reading, words)
            return latest, words.gettext("to be reviewed"), ask
    return words.gettext("a reminder"), None, ""  # of a later release


def _when(milestone: Milestone, words: Words) -> str:
    return span_name(milestone.span, words, "medium") if milestone.span.earliest else ""


def _date_line(event: MilestoneDue, words: Words) -> str:
    """The date, in full: how far that is, the headline says. Nothing where there is none."""
    milestone = event.milestone
    if milestone.span.earliest is None:
        return ""
    match event.phase:
        case "asked":
            label = words.gettext("Was to take place")
        case "ahead" | "today" if begins := begins_facts(milestone, words):
            return words.line(begins[0].label, begins[0].value)
        case "review":
            label = words.gettext("Date")
        case _:
            label = words.gettext("Date") if milestone.is_event else words.gettext("Due")
    return words.line(label, date_text(milestone.span, milestone, words))


def _reviewed(event: MilestoneDue, words: Words) -> list[Fact]:
    months = event.milestone.review_months
    number = int(event.step.partition("-")[2]) if event.step.startswith("review-") else 1
    which = words.gettext("no. %(number)s", number=number)
    if months:
        rhythm = words.ngettext("every %(number)s month", "every %(number)s months", months)
        which = words.gettext("%(review)s, %(rhythm)s", review=which, rhythm=rhythm)
    facts = [Fact(words.gettext("Review"), which)]
    if months and number > 1 and (last := months_before(event.due_at.date(), months)):
        facts.append(Fact(words.gettext("Previous review"), words.day(last)))
    return facts


def _due(event: MilestoneDue, words: Words) -> list[Fact]:
    milestone = event.milestone
    facts = []
    is_open = event.phase in ("ahead", "today")
    if is_open and not begins_facts(milestone, words) and (ends := end_of_last_day(milestone)):
        facts.append(Fact(words.gettext("The last day ends"), placeholders.moment(ends, milestone.zone)))
    if event.step.endswith("bd"):  # what is counted in other days than those shown above
        facts.append(Fact(words.gettext("This reminder"), step_in_words(event.step, words)))
    return facts
