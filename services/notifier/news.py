"""What an event says to a person, in one language and for no channel in particular.

A channel only sets this: the words, their order and what is told first are decided here. Texts of others pass
`plain` on their way in; a channel escapes them on their way out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged
from contracts.vocabulary import CommitmentBrief, Country, Milestone, Reading, Span
from services.notifier import slots
from services.notifier.audience import Notifiable
from services.notifier.languages import Words, opened, plain, shorten
from services.notifier.names import (
    STATUSES,
    STRENGTHS,
    country_names,
    ministry_name,
    short_theme,
    theme_title,
)

SUBJECT_LENGTH = 69
"""Longest subject line, in characters: what a telephone shows."""

# A link of others goes out as ASCII without quotation marks and backslashes, the same address to every program.
_IN_ADDRESSES = "%!#$&'()*+,/:;=?@[]~"


@dataclass(frozen=True)
class Fact:
    """A line of the table. `lang` is the language of a value that stands as written, where it isn't the reader's."""

    label: str
    value: str
    lang: str | None = None


@dataclass(frozen=True)
class Change:
    """What was and what is."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Quotation:
    """Somebody's own words, not translated; the channel sets the quotation marks."""

    label: str
    text: str
    lang: str | None = None


@dataclass(frozen=True)
class Link:
    """Where to read on; the first link of all is the commitment itself."""

    label: str
    url: str


@dataclass(frozen=True)
class News:
    """One event for readers of one language."""

    language: str
    subject: str
    headline: str
    title: str
    lead: str
    change: Change | None
    facts: tuple[Fact, ...]
    quotation: Quotation | None
    links: tuple[Link, ...]


def tell(event: Notifiable, words: Words, url: str) -> News:
    """The news of an event; `url` is the commitment's page."""
    match event:
        case CommitmentCreated():
            return _created(event, words, url)
        case MilestoneScheduled():
            return _scheduled(event, words, url)
        case MilestoneDue():
            return _due(event, words, url)
        case StatusChanged():
            return _status(event, words, url)
    assert_never(event)


def _created(event: CommitmentCreated, words: Words, url: str) -> News:
    statement = event.statement
    document = plain(statement.title.in_language(words.language))
    facts = [
        Fact(
            words.gettext("Made in"),
            words.gettext("%(statement)s, %(day)s", statement=words.quoted(document), day=words.day(statement.made_on)),
        ),
        Fact(words.gettext("Its words are"), words.gettext(STRENGTHS[event.strength])),
        Fact(words.gettext("Status"), words.gettext(STATUSES[event.status])),
        *_place(event.commitment, event.commitment.countries, words),
    ]
    if event.lead_ministries:
        facts.append(Fact(words.gettext("Led by"), " · ".join(plain(name) for name in event.lead_ministries)))
    links = [Link(words.gettext("Read the statement"), statement.url)] if statement.url else []
    return _news(
        event.commitment,
        event.commitment.countries,
        words,
        url,
        latest=words.gettext("new commitment"),
        lead=plain(event.summary.in_language(words.language)),
        facts=facts,
        quotation=_as_written(words.gettext("The exact words"), event.quote.text, words),
        links=links,
    )


def _scheduled(event: MilestoneScheduled, words: Words, url: str) -> News:
    milestone, source = event.milestone, event.source
    what = plain(milestone.title.in_language(words.language))
    short = words.stretch(milestone.span)
    change = None
    if event.previous is not None:
        before = _when(event.previous, milestone, words)
        change = Change(words.gettext("Date"), before, _when(milestone.span, milestone, words))
    match event.change:
        case _ if milestone.span.latest is None and event.change != "first":
            latest = words.gettext("no date any more")
            lead = words.gettext("%(milestone)s has no date any more.", milestone=words.quoted(what))
        case _ if milestone.span.latest is None:
            latest = words.gettext("no date given")
            lead = words.gettext("No date is given for %(milestone)s.", milestone=words.quoted(what))
        case "first":
            latest = words.gettext("date: %(when)s", when=short)
            lead = words.gettext("%(milestone)s now has a date.", milestone=words.quoted(what))
        case "moved":
            latest = words.gettext("new date: %(when)s", when=short)
            lead = words.gettext("The date of %(milestone)s has moved.", milestone=words.quoted(what))
        case "more-precise":
            latest = words.gettext("exact date: %(when)s", when=short)
            lead = words.gettext("The date of %(milestone)s is now known more exactly.", milestone=words.quoted(what))
    told = plain(source.text) if source else words.gettext("the statement itself")
    facts = [
        Fact(words.gettext("Milestone"), what),
        *([] if change else [Fact(words.gettext("Date"), _when(milestone.span, milestone, words))]),
        *_wording(milestone, words),
        Fact(words.gettext("Source of the date"), told),
        *_place(event.commitment, milestone.countries, words),
    ]
    return _news(
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


def _due(event: MilestoneDue, words: Words, url: str) -> News:
    milestone = event.milestone
    what = plain(milestone.title.in_language(words.language))
    match event.phase:
        case "ahead":
            latest = words.ngettext("due in %(number)s day", "due in %(number)s days", event.days)
            lead = words.ngettext(
                "%(milestone)s is due in %(number)s day.",
                "%(milestone)s is due in %(number)s days.",
                event.days,
                milestone=words.quoted(what),
            )
        case "today":
            latest = words.gettext("due today")
            lead = words.gettext("%(milestone)s is due today.", milestone=words.quoted(what))
        case "overdue":
            latest = words.ngettext("overdue by %(number)s day", "overdue by %(number)s days", event.days)
            lead = words.ngettext(
                "%(milestone)s has been overdue for %(number)s day.",
                "%(milestone)s has been overdue for %(number)s days.",
                event.days,
                milestone=words.quoted(what),
            )
    facts = [
        Fact(words.gettext("Due"), f"{_when(milestone.span, milestone, words)} ({_relative(event, words)})"),
        *_wording(milestone, words),
        Fact(words.gettext("Status"), words.gettext(STATUSES[event.status])),
        *_place(event.commitment, milestone.countries, words),
    ]
    if event.phase != "overdue" and (ends := _end_of(milestone)):
        facts.insert(1, Fact(words.gettext("The last day ends"), slots.moment(ends, milestone.zone)))
    if event.late:
        facts.append(Fact(words.gettext("Late; was to go out"), slots.moment(event.due_at)))
    if event.merged_steps:
        missed = words.listed([_step(step, words) for step in event.merged_steps])
        facts.append(Fact(words.gettext("Also stands for reminders missed"), missed))
    return _news(
        event.commitment,
        milestone.countries,
        words,
        url,
        latest=latest,
        lead=lead,
        facts=facts,
    )


def _status(event: StatusChanged, words: Words, url: str) -> News:
    before, after = (words.gettext(STATUSES[status]) for status in (event.previous, event.status))
    facts = []
    if event.country is None:
        latest = after
        lead = words.gettext("The status of this commitment has changed.")
        label = words.gettext("Status")
        countries: tuple[Country, ...] = event.commitment.countries
    else:
        name = country_names([event.country], words)[0]
        latest = words.gettext("%(country)s: %(status)s", country=name, status=after)
        lead = words.gettext("The status of this commitment has changed for one country.")
        label = words.gettext("Status, %(country)s", country=name)
        countries = (event.country,)
        facts.append(Fact(words.gettext("Status as a whole"), words.gettext(STATUSES[event.overall])))
    reporter = event.reported_by
    who = ministry_name(reporter.ministry, words) if reporter.ministry else reporter.client
    facts += [
        Fact(words.gettext("Reported by"), who),
        Fact(words.gettext("Reported on"), slots.moment(event.reported_at)),
    ]
    links = []
    if event.evidence:
        shown = event.evidence.title or _host(event.evidence.url)
        facts.append(Fact(words.gettext("Evidence"), plain(shown)))
        links.append(Link(words.gettext("Open the evidence"), event.evidence.url))
    # The reporter's words carry no language, so none is claimed for them.
    note = Quotation(words.gettext("Note, as reported (not translated)"), plain(event.note)) if event.note else None
    return _news(
        event.commitment,
        countries,
        words,
        url,
        latest=latest,
        headline=words.gettext("Status: %(status)s", status=latest) if event.country is None else None,
        lead=lead,
        change=Change(label, before, after),
        facts=[*facts, *_place(event.commitment, event.commitment.countries, words)],
        quotation=note,
        links=links,
    )


def _news(
    commitment: CommitmentBrief,
    countries: tuple[Country, ...],
    words: Words,
    url: str,
    *,
    latest: str,
    headline: str | None = None,
    lead: str,
    facts: list[Fact],
    change: Change | None = None,
    quotation: Quotation | None = None,
    links: Iterable[Link] = (),
) -> News:
    title = plain(commitment.title.in_language(words.language))
    return News(
        language=words.language,
        subject=_subject(countries, commitment, title, latest, words),
        headline=opened(headline or latest),
        title=title,
        lead=lead,
        change=change,
        facts=tuple(facts),
        quotation=quotation,
        links=(
            Link(words.gettext("Open the commitment"), url),
            *(Link(link.label, quote(link.url, safe=_IN_ADDRESSES)) for link in links),
        ),
    )


def _subject(countries: tuple[Country, ...], commitment: CommitmentBrief, title: str, latest: str, words: Words) -> str:
    """`[MX - Climate] Title: due in 7 days`; what is new is never cut, the title is."""
    tag = f"{'/'.join(countries)} - {shorten(plain(short_theme(commitment.themes[0], words)), 20)}"
    values = {"tag": tag, "news": shorten(latest, 34)}
    room = SUBJECT_LENGTH - len(words.gettext("[%(tag)s] %(title)s: %(news)s", title="", **values))
    return words.gettext("[%(tag)s] %(title)s: %(news)s", title=shorten(title, room), **values)


def _place(commitment: CommitmentBrief, countries: tuple[Country, ...], words: Words) -> list[Fact]:
    themes = [theme_title(slug, words) for slug in commitment.themes]
    return [
        Fact(words.gettext("Countries"), words.listed(country_names(countries, words))),
        Fact(words.gettext("Section"), plain(commitment.section_title.in_language(words.language))),
        Fact(words.gettext("Themes"), " · ".join(themes)),
    ]


def _wording(milestone: Milestone, words: Words) -> list[Fact]:
    """The words of the statement, where the date that stands above doesn't quote them already."""
    if milestone.span.latest is None:
        return []
    return [Fact(words.gettext("In the statement’s words"), words.quoted(plain(milestone.wording)), "en")]


def _when(span: Span, milestone: Milestone, words: Words) -> str:
    reading = milestone.reading if milestone.reading is not Reading.UNDATED else Reading.ON
    return words.span(span, reading, plain(milestone.wording))


def _relative(event: MilestoneDue, words: Words) -> str:
    match event.phase:
        case "ahead":
            return words.ngettext("in %(number)s day", "in %(number)s days", event.days)
        case "today":
            return words.gettext("today")
        case "overdue":
            return words.ngettext("%(number)s day ago", "%(number)s days ago", event.days)


def _step(step: str, words: Words) -> str:
    if step == "on-the-day":
        return words.gettext("on the day")
    side, _, days = step.removesuffix("d").partition("-")
    if side == "before":
        return words.ngettext("%(number)s day before", "%(number)s days before", int(days))
    return words.ngettext("%(number)s day after", "%(number)s days after", int(days))


def _end_of(milestone: Milestone) -> datetime | None:
    """The midnight that ends the last day, in the milestone's calendar; none after the last day of all calendars."""
    if milestone.span.latest is None:
        return None
    try:
        midnight = datetime.combine(milestone.span.latest + timedelta(days=1), datetime.min.time())
    except OverflowError:
        return None
    return midnight.replace(tzinfo=ZoneInfo(milestone.zone))


def _host(url: str) -> str:
    """The host of a link; all of it when it is none that can be read."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _as_written(label: str, text: str, words: Words) -> Quotation:
    shown = label if words.language == "en" else words.gettext("%(label)s (in English)", label=label)
    return Quotation(shown, plain(text), "en")
