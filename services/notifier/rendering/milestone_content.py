"""The news about dates: a milestone has one, another one, none any more; it is near or past, or to be reviewed."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never

from contracts.events import MilestoneDue, MilestoneScheduled
from contracts.vocabulary import Milestone, Precision, Reading, Span
from services.i18n.distances import step_in_words
from services.i18n.names import status_name
from services.i18n.spans import date_phrase, span_name
from services.i18n.text import plain
from services.i18n.words import Words
from services.notifier.rendering import placeholders as slots
from services.notifier.rendering.message import Change, Fact, Link, News, compose, place
from services.plumbing.zones import zone_named

# Nobody's clock can show the first and the last days of all calendars: in some zone they lie outside of it.
_FIRST, _LAST = date(1, 1, 3), date(9999, 12, 29)


def tell_scheduled(event: MilestoneScheduled, words: Words, url: str) -> News:
    """A date that is set, moved, more precise or cancelled."""
    milestone, source = event.milestone, event.source
    what = plain(milestone.title.in_language(words.language))
    name, short = words.quoted(what), span_name(milestone.span, words, "medium")
    undated = milestone.span.precision is Precision.UNDATED
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
        case _ if undated:
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
        case _ as never:
            assert_never(never)
    now = words.gettext("no date any more") if event.change == "cancelled" else when(milestone.span, milestone, words)
    change = None
    if event.previous is not None and event.change != "held":
        change = Change(words.gettext("Date"), when(event.previous, milestone, words), now)
    told = plain(source.text) if source else words.gettext("the statement itself")
    facts = [
        Fact(words.gettext("Milestone"), what),
        *([] if change else [Fact(words.gettext("Date"), now)]),
        *_begins(milestone, words),
        *wording(milestone, words, quoted=undated and event.change != "cancelled"),
        Fact(words.gettext("Source of the date"), told),
        *place(event.commitment, milestone.countries, words),
    ]
    return compose(
        event.commitment,
        milestone.countries,
        words,
        url,
        latest=latest,
        lead=lead,
        change=change,
        facts=facts,
        links=[Link(words.gettext("Open the source"), source.url)] if source and source.url else [],
    )


def tell_due(event: MilestoneDue, words: Words, url: str) -> News:
    """A reminder: ahead, on the day or overdue; or that something without a last day is to be looked at again."""
    milestone = event.milestone
    what = words.quoted(plain(milestone.title.in_language(words.language)))
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
        case _ as never:
            assert_never(never)
    late = [Fact(words.gettext("Late; was to go out"), slots.moment(event.due_at))] if event.late else []
    missed = [step_in_words(step, words) for step in event.merged_steps]
    facts = [
        *(_reviewed(event, words) if event.phase == "review" else _due(event, words)),
        Fact(words.gettext("Status"), status_name(event.status, words)),
        *place(event.commitment, milestone.countries, words),
        *late,
        *([Fact(words.gettext("Also stands for reminders missed"), words.listed(missed))] if missed else []),
    ]
    return compose(event.commitment, milestone.countries, words, url, latest=latest, lead=lead, facts=facts)


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
    told = words.gettext("no. %(number)s", number=number)
    if months:
        rhythm = words.ngettext("every %(number)s month", "every %(number)s months", months)
        told = words.gettext("%(review)s, %(rhythm)s", review=told, rhythm=rhythm)
    facts = [
        Fact(words.gettext("Date"), when(milestone.span, milestone, words)),
        *wording(milestone, words, quoted=milestone.span.precision is Precision.UNDATED),
        Fact(words.gettext("Review"), told),
    ]
    if months and number > 1 and (last := _months_before(event.due_at.date(), months)):
        facts.append(Fact(words.gettext("Previous review"), words.day(last)))
    return facts


def _due(event: MilestoneDue, words: Words) -> list[Fact]:
    milestone = event.milestone
    begins = _begins(milestone, words)
    facts = [
        Fact(words.gettext("Due"), f"{when(milestone.span, milestone, words)} ({relative(event, words)})"),
        *begins,
    ]
    if event.phase != "overdue" and not begins and (ends := _end_of(milestone)):
        facts.append(Fact(words.gettext("The last day ends"), slots.moment(ends, milestone.zone)))
    if event.step.endswith("bd"):  # what is counted in other days than those told above
        facts.append(Fact(words.gettext("This reminder"), step_in_words(event.step, words)))
    return [*facts, *wording(milestone, words, quoted=milestone.span.precision is Precision.UNDATED)]


def wording(milestone: Milestone, words: Words, *, quoted: bool = False) -> list[Fact]:
    """The words of the statement; nothing where the date that stands above has `quoted` them already."""
    if quoted:
        return []
    label = words.gettext("In the statement’s words")
    return [Fact(label, words.quoted(plain(milestone.wording)), str(milestone.wording_language))]


def when(span: Span, milestone: Milestone, words: Words) -> str:
    """When it is to happen, as its words are read."""
    reading = milestone.reading if milestone.reading is not Reading.UNDATED else Reading.ON
    return date_phrase(span, reading, plain(milestone.wording), words, "full")


def relative(event: MilestoneDue, words: Words) -> str:
    """How far the last day is from the day of the reminder."""
    match event.phase:
        case "ahead":
            return words.ngettext("in %(number)s day", "in %(number)s days", event.days)
        case "overdue":
            return days_ago(event.days, words)
        case _:
            return words.gettext("today")


def days_ago(days: int, words: Words) -> str:
    """`3 days ago`."""
    return words.ngettext("%(number)s day ago", "%(number)s days ago", days)


def _begins(milestone: Milestone, words: Words) -> list[Fact]:
    """When an event begins, on the clocks of its place and of the reader."""
    day = milestone.span.earliest
    if milestone.local_time is None or milestone.span.precision is not Precision.DAY or day is None:
        return []
    if not _FIRST <= day <= _LAST:
        return []
    begins = datetime.combine(day, time.fromisoformat(milestone.local_time), zone_named(milestone.zone))
    return [Fact(words.gettext("Begins"), slots.moment(begins.astimezone(UTC), milestone.zone))]


def _end_of(milestone: Milestone) -> datetime | None:
    """The midnight that ends the last day, in the milestone's calendar; none after the last day of all calendars."""
    latest = milestone.span.latest
    if latest is None or not _FIRST <= latest <= _LAST:
        return None
    return datetime.combine(latest + timedelta(days=1), time(), zone_named(milestone.zone))


def _months_before(day: date, months: int) -> date | None:
    """The same day so many months before, or the last day of a shorter month; none before the calendar begins."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
