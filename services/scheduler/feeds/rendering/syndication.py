"""A feed of events for readers: RSS 2.0 and Atom (RFC 4287), the newest first, in the reader's language.

Pure, and the same events give the same bytes. An entry is known by its event's id, so that a reader shows it once,
whichever of the two it reads. Texts are plain; where RSS takes a description for HTML, they are escaped for it. What is
shown in another language than the feed's is marked: in Atom (RFC 4287, 2) a title by `xml:lang`, and a summary, which
is XHTML then, passage by passage; in RSS, whose titles can't be, in the description's HTML.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, assert_never
from uuid import UUID

from feedgen.feed import FeedGenerator

from contracts.commitments import Milestone
from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged
from contracts.vocabulary import PartyCode, ShownText, Text
from services.i18n.event_names import last_reminder
from services.i18n.names import reporter_name, shown_party, status_name, theme_title
from services.i18n.prose import Prose, marked, marked_text
from services.i18n.spans import date_in_short, date_phrase, to_be_reviewed
from services.i18n.text import capitalized, plain
from services.i18n.words import Words
from services.scheduler.feeds.rendering.feed import Feed, words_of
from services.scheduler.feeds.rendering.passages import as_html, language_of

FeedEvent = CommitmentCreated | MilestoneScheduled | StatusChanged | MilestoneDue

MOST_ITEMS = 100
"""Entries of a feed at most."""

GENERATOR = "Pledgewire"

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class FeedItem:
    """An event of a feed, at its business time."""

    event_id: UUID
    at: datetime
    event: FeedEvent


def atom(feed: Feed, items: Sequence[FeedItem], portal_url: str) -> bytes:
    """The events as an Atom feed, in UTF-8."""
    return bytes(_feed(feed, items, portal_url, escaped=False).atom_str(pretty=True))


def rss(feed: Feed, items: Sequence[FeedItem], portal_url: str) -> bytes:
    """The events as RSS 2.0, in UTF-8."""
    return bytes(_feed(feed, items, portal_url, escaped=True).rss_str(pretty=True))


def _feed(feed: Feed, items: Sequence[FeedItem], portal_url: str, *, escaped: bool) -> FeedGenerator:
    words = words_of(feed)
    result = FeedGenerator()
    result.id(f"urn:uuid:{feed.id}")
    result.title(plain(feed.name))
    subtitle = words.gettext("What governments have promised: what is due, what has moved, how it is going")
    result.description(subtitle)
    result.language(words.language)
    result.author(name=GENERATOR)
    result.generator(GENERATOR)
    # No link to itself: the address is a secret, and feeds are passed on.
    result.link(href=portal_url, rel="alternate")
    result.updated(max([feed.created_at, *(item.at for item in items)]))
    for item in items:
        commitment = item.event.commitment
        title, lines = item_text(item.event, words)
        entry = result.add_entry(order="append")
        entry.id(f"urn:uuid:{item.event_id}")
        entry.guid(f"urn:uuid:{item.event_id}", permalink=False)
        entry.title(title)
        entry.updated(item.at)
        entry.published(item.at)
        entry.link(href=f"{portal_url}/commitments/{commitment.id}", rel="alternate")
        entry.category([{"term": slug, "label": plain(theme_title(slug, words))} for slug in commitment.themes])
        if escaped:
            entry.description(as_html(lines))
        elif any(map(language_of, lines)):
            entry.summary(as_html(lines), type="xhtml")
        else:
            entry.summary("\n".join(lines))
        if language := language_of(title):
            entry.register_extension("title_language", partial(_TitleLanguage, language), rss=False)
    return result


class _TitleLanguage:
    """Says in which language an entry's title is: Atom has a place for it, which feedgen does not fill."""

    def __init__(self, language: str) -> None:
        self._language = language

    def extend_atom(self, entry: Any) -> Any:
        """Mark the title of an `<entry>`."""
        entry.find("title").set(_XML_LANG, self._language)
        return entry


def item_text(event: FeedEvent, words: Words) -> tuple[Prose, list[Prose]]:
    """An event as a title and the lines below it."""
    commitment = _text(event.commitment.title, event, words)
    match event:
        case CommitmentCreated():
            title, lines = _created(event, commitment, words)
        case MilestoneScheduled():
            title, lines = _scheduled(event, words)
        case StatusChanged():
            title, lines = _changed(event, commitment, words)
        case MilestoneDue():
            title, lines = _due(event, words)
        case _:
            assert_never(event)
    shown = Prose.read(commitment)
    headline = Prose.read(title)
    return headline, [*([] if shown in headline else [shown]), *map(Prose.read, lines)]


def _text(text: Text, event: FeedEvent, words: Words) -> str:
    """A text in the reader's language, or as near to it as it is there."""
    return marked_text(text, event.commitment.language, words)


def _party(code: PartyCode, event: FeedEvent, words: Words) -> str:
    commitment = event.commitment
    return marked(shown_party(code, words, commitment.organisations, commitment.language), words)


def _parties(parties: Iterable[PartyCode], event: FeedEvent, words: Words) -> str:
    return words.line(words.gettext("Parties"), words.listed(_party(code, event, words) for code in parties))


def _wording(milestone: Milestone, words: Words) -> str:
    return marked(ShownText(milestone.wording, milestone.wording_language), words)


def _created(event: CommitmentCreated, commitment: str, words: Words) -> tuple[str, list[str]]:
    quote = marked(ShownText(event.quote.text, event.commitment.language), words)
    return words.line(words.gettext("New commitment"), commitment), [
        _text(event.summary, event, words),
        words.line(words.gettext("The exact words"), words.quoted(quote)),
        _parties(event.commitment.parties, event, words),
    ]


def _scheduled(event: MilestoneScheduled, words: Words) -> tuple[str, list[str]]:
    milestone, source, wording = event.milestone, event.source, _wording(event.milestone, words)
    title = _text(milestone.title, event, words)
    values = {"milestone": title, "when": date_in_short(milestone.span, milestone.reading, words)}
    lost = event.previous is not None and event.previous.latest is not None and milestone.span.latest is None
    match event.change:
        case _ if lost or event.change == "cancelled":
            headline = words.gettext("No date any more: %(milestone)s", **values)
        case "held":
            headline = words.gettext("Has taken place: %(milestone)s, %(when)s", **values)
        case "first" if milestone.span.earliest is None:
            headline = words.line(capitalized(words.gettext("no date given")), title)
        case "first":
            headline = words.gettext("Date: %(milestone)s, %(when)s", **values)
        case "more-precise":
            headline = words.gettext("More precise date: %(milestone)s, %(when)s", **values)
        case _:  # moved; what a later release calls otherwise is another date in any case
            headline = words.gettext("New date: %(milestone)s, %(when)s", **values)
    lines = [words.line(words.gettext("Date"), date_phrase(milestone.span, milestone.reading, wording, words))]
    if event.previous is not None and event.change != "held":
        lines.append(
            words.line(words.gettext("Before"), date_phrase(event.previous, milestone.reading, wording, words))
        )
    lines += [
        words.line(words.gettext("In the statement’s words"), words.quoted(wording)),
        _parties(milestone.parties, event, words),
        words.line(
            words.gettext("Source of the date"),
            plain(source.text) if source else words.gettext("the statement itself"),
        ),
    ]
    return headline, lines


def _changed(event: StatusChanged, commitment: str, words: Words) -> tuple[str, list[str]]:
    values = {
        "commitment": commitment,
        "party": _party(event.party, event, words),
        "status": status_name(event.status, words),
    }
    title = words.gettext("Status: %(commitment)s (%(party)s), %(status)s", **values)
    lines = [
        words.line(words.gettext("Status"), values["status"]),
        words.line(words.gettext("Before"), status_name(event.previous, words)),
        words.line(words.gettext("Status as a whole"), status_name(event.overall, words)),
    ]
    if not event.current:
        lines.append(words.gettext("It came late: there is newer word already"))
    if event.note:
        lines.append(words.line(words.gettext("Note, as reported (not translated)"), plain(event.note)))
    if event.evidence:
        lines.append(words.line(words.gettext("Evidence"), plain(event.evidence.url)))
    who = marked(reporter_name(event.reported_by, words, event.commitment.language), words)
    lines.append(words.line(words.gettext("Reported by"), who))
    return title, lines


def _due(event: MilestoneDue, words: Words) -> tuple[str, list[str]]:
    milestone = event.milestone
    title = _text(milestone.title, event, words)
    match event.phase:
        case "ahead":
            headline = words.ngettext(
                "Due in %(number)s day: %(milestone)s",
                "Due in %(number)s days: %(milestone)s",
                event.days,
                milestone=title,
            )
        case "today":
            headline = words.gettext("Due today: %(milestone)s", milestone=title)
        case "overdue":
            headline = words.ngettext(
                "Overdue by %(number)s day: %(milestone)s",
                "Overdue by %(number)s days: %(milestone)s",
                event.days,
                milestone=title,
            )
        case "asked":
            headline = words.gettext("Has it taken place? %(milestone)s", milestone=title)
        case "review":
            headline = words.line(capitalized(to_be_reviewed(milestone.span, milestone.reading, words)), title)
        case _:  # of a later release
            headline = words.line(words.gettext("Reminder"), title)
    return headline, [
        words.line(
            words.gettext("Date"), date_phrase(milestone.span, milestone.reading, _wording(milestone, words), words)
        ),
        words.line(words.gettext("Status"), status_name(event.status, words)),
        _parties(milestone.parties, event, words),
        *([last_reminder(words)] if event.last else []),
    ]
