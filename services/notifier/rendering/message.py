"""A message: what an event says to people of one language, for no channel in particular.

A channel only lays it out: the words, their order and what comes first are decided here and by the content functions
(`*_content.py`). Texts of others pass `plain` on their way in; a channel escapes them on their way out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import quote

from contracts.vocabulary import CommitmentBrief, Country
from services.i18n.names import country_names, short_theme, theme_title
from services.i18n.text import capitalized, plain, shorten
from services.i18n.words import Words

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
class BeforeAndAfter:
    """A value that has changed."""

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
class MessageLink:
    """Where to read on; the first link of all is the commitment itself."""

    label: str
    url: str


@dataclass(frozen=True)
class EventMessage:
    """One event for readers of one language."""

    language: str
    tag: str
    latest: str
    """What is new, in a few words."""
    subject: str
    headline: str
    title: str
    lead: str
    change: BeforeAndAfter | None
    facts: tuple[Fact, ...]
    quotation: Quotation | None
    links: tuple[MessageLink, ...]

    def with_latest(self, latest: str, words: Words) -> Self:
        """The same with other words for what is new."""
        return replace(self, latest=latest, subject=_subject(self.tag, self.title, latest, words))


def compose(
    commitment: CommitmentBrief,
    countries: tuple[Country, ...],
    words: Words,
    url: str,
    *,
    latest: str,
    headline: str | None = None,
    lead: str,
    facts: list[Fact],
    change: BeforeAndAfter | None = None,
    quotation: Quotation | None = None,
    links: Iterable[MessageLink] = (),
) -> EventMessage:
    """A message about a commitment: `latest` is what is new in a few words, `url` the commitment's page."""
    title = plain(commitment.title.in_language(words.language), instead=commitment.id)
    tag = f"{'/'.join(dict.fromkeys(countries))} - {shorten(plain(short_theme(commitment.themes[0], words)), 20)}"
    return EventMessage(
        language=words.language,
        tag=tag,
        latest=latest,
        subject=_subject(tag, title, latest, words),
        headline=capitalized(headline or latest),
        title=title,
        lead=lead,
        change=change,
        facts=tuple(facts),
        quotation=quotation,
        links=(
            MessageLink(words.gettext("Open the commitment"), url),
            *(MessageLink(link.label, quote(link.url, safe=_IN_ADDRESSES)) for link in links),
        ),
    )


def _subject(tag: str, title: str, latest: str, words: Words) -> str:
    """`[MX - Climate] Title: due in 7 days`; what is new is never cut, the title is."""
    values = {"tag": tag, "news": shorten(latest, 34)}
    left = SUBJECT_LENGTH - len(words.gettext("[%(tag)s] %(title)s: %(news)s", title="", **values))
    return words.gettext("[%(tag)s] %(title)s: %(news)s", title=shorten(title, left), **values)


def context_facts(commitment: CommitmentBrief, countries: tuple[Country, ...], words: Words) -> list[Fact]:
    """Where it belongs: the countries that it is about, its section and its themes."""
    themes = [theme_title(slug, words) for slug in commitment.themes]
    return [
        Fact(words.gettext("Countries"), words.listed(country_names(countries, words))),
        Fact(words.gettext("Section"), plain(commitment.section_title.in_language(words.language))),
        Fact(words.gettext("Themes"), " · ".join(themes)),
    ]
