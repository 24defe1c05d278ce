"""A feed of events for readers: RSS 2.0 and Atom (RFC 4287), the newest first, in the reader's language.

Pure, and the same events give the same bytes. An entry is known by its event's id, so that a reader shows it once,
whichever of the two it reads. Texts are plain; where RSS takes a description for HTML, they are escaped for it.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from feedgen.feed import FeedGenerator

from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged
from services.i18n.names import country_list, ministry_name, status_name, theme_title
from services.i18n.spans import date_phrase, span_name
from services.i18n.text import plain
from services.i18n.words import Words, words_in
from services.scheduler.feeds.rendering.feed import Feed

FeedEvent = CommitmentCreated | MilestoneScheduled | StatusChanged | MilestoneDue

MOST_ITEMS = 100
"""Entries of a feed at most."""

GENERATOR = "Pledgewire"


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
    words = words_in(feed.language)
    result = FeedGenerator()
    result.id(f"urn:uuid:{feed.id}")
    result.title(plain(feed.name))
    subtitle = words.gettext("What governments have promised: what is due, what has moved, how it is going")
    result.description(subtitle)
    result.language(feed.language)
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
            entry.description("<br>".join(html.escape(line) for line in lines))
        else:
            entry.summary("\n".join(lines))
    return result


def item_text(event: FeedEvent, words: Words) -> tuple[str, list[str]]:
    """An event as a title and the lines below it."""
    commitment = plain(event.commitment.title.in_language(words.language))
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
    return title, [*([] if commitment in title else [commitment]), *lines]


def _created(event: CommitmentCreated, commitment: str, words: Words) -> tuple[str, list[str]]:
    return words.line(words.gettext("New commitment"), commitment), [
        plain(event.summary.in_language(words.language)),
        words.line(words.gettext("The exact words"), words.quoted(plain(event.quote.text))),
        words.line(words.gettext("Countries"), country_list(event.commitment.countries, words)),
    ]


def _scheduled(event: MilestoneScheduled, words: Words) -> tuple[str, list[str]]:
    milestone, source, wording = event.milestone, event.source, plain(event.milestone.wording)
    title = plain(milestone.title.in_language(words.language))
    values = {"milestone": title, "when": span_name(milestone.span, words)}
    lost = event.previous is not None and event.previous.latest is not None and milestone.span.latest is None
    match event.change:
        case _ if lost or event.change == "cancelled":
            headline = words.gettext("No date any more: %(milestone)s", **values)
        case "held":
            headline = words.gettext("Has taken place: %(milestone)s, %(when)s", **values)
        case "first":
            headline = words.gettext("Date: %(milestone)s, %(when)s", **values)
        case "more-precise":
            headline = words.gettext("Date now known more exactly: %(milestone)s, %(when)s", **values)
        case _:
            headline = words.gettext("Date moved: %(milestone)s, now %(when)s", **values)
    lines = [words.line(words.gettext("Date"), date_phrase(milestone.span, milestone.reading, wording, words))]
    if event.previous is not None and event.change != "held":
        lines.append(
            words.line(words.gettext("Before"), date_phrase(event.previous, milestone.reading, wording, words))
        )
    lines += [
        words.line(words.gettext("In the statement’s words"), words.quoted(wording)),
        words.line(words.gettext("Countries"), country_list(milestone.countries, words)),
        words.line(
            words.gettext("Source of the date"),
            plain(source.text) if source else words.gettext("the statement itself"),
        ),
    ]
    return headline, lines


def _changed(event: StatusChanged, commitment: str, words: Words) -> tuple[str, list[str]]:
    values = {"commitment": commitment, "status": status_name(event.status, words)}
    if event.country:
        values["country"] = country_list([event.country], words)
        title = words.gettext("Status: %(commitment)s (%(country)s), %(status)s", **values)
    else:
        title = words.gettext("Status: %(commitment)s, %(status)s", **values)
    lines = [
        words.line(words.gettext("Status"), values["status"]),
        words.line(words.gettext("Before"), status_name(event.previous, words)),
    ]
    if event.country:
        lines.append(words.line(words.gettext("Status as a whole"), status_name(event.overall, words)))
    if event.note:
        lines.append(words.line(words.gettext("Note, as reported (not translated)"), plain(event.note)))
    if event.evidence:
        lines.append(words.line(words.gettext("Evidence"), plain(event.evidence.url)))
    reporter = event.reported_by
    who = ministry_name(reporter.ministry, words) if reporter.ministry else reporter.client
    lines.append(words.line(words.gettext("Reported by"), who))
    return title, lines


def _due(event: MilestoneDue, words: Words) -> tuple[str, list[str]]:
    milestone = event.milestone
    title = plain(milestone.title.in_language(words.language))
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
        case "review":
            headline = words.gettext("To be looked at again: %(milestone)s", milestone=title)
    return headline, [
        words.line(
            words.gettext("Date"), date_phrase(milestone.span, milestone.reading, plain(milestone.wording), words)
        ),
        words.line(words.gettext("Status"), status_name(event.status, words)),
        words.line(words.gettext("Countries"), country_list(milestone.countries, words)),
    ]
