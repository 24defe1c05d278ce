"""A message: what an event says to people of one language, for no channel in particular.

A channel only lays it out: the words, their order and what comes first are decided here and by the content functions
(`*_content.py`). Texts of others pass `plain` on their way in and keep the language that they are in (`prose`); a
channel escapes them on their way out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Self
from urllib.parse import quote

from contracts.commitments import CommitmentBrief
from contracts.vocabulary import PartyCode
from services.i18n.names import party_name, short_theme, shown_party, theme_title
from services.i18n.prose import Prose, marked, marked_text
from services.i18n.text import plain, shorten
from services.i18n.words import Words

SUBJECT_LENGTH = 69
"""Longest subject line, in characters: what a telephone shows."""

_LONGEST_TAG, _LONGEST_PARTIES, _LONGEST_THEME = 29, 17, 20
"""Characters of a subject line that say whom and what it is about, and of the two parts of it."""

# A link of others goes out as ASCII without quotation marks and backslashes, the same address to every program.
_IN_ADDRESSES = "%!#$&'()*+,/:;=?@[]~"


Category = Literal[
    "escalated",
    "overdue",
    "asked",
    "today",
    "ahead",
    "cancelled",
    "held",
    "date",
    "first-date",
    "created",
    "status",
    "flagged",
    "review",
    "other",
]
"""What kind of news it is, the most urgent first: messages of several events have a section for each."""


@dataclass(frozen=True)
class NewsItem:
    """What the news is about and how it is to be told among others.

    Of two events with the same `key` the later one says the newest; `day` is the one that it is about, where it is
    about a day, and `days` how far that is.
    """

    category: Category
    key: str
    commitment_id: str
    day: date | None = None
    days: int | None = None
    changes: int = 1
    """How many events it stands for: more than one where it overtook others that were not told."""


@dataclass(frozen=True)
class Fact:
    """A line of the table; the value is `Prose` where the words of others stand in it."""

    label: str
    value: str


@dataclass(frozen=True)
class BeforeAndAfter:
    """A value that has changed; `Prose` likewise."""

    label: str
    before: str
    after: str

    def read(self) -> Self:
        """The same, its words read as `Prose`."""
        return replace(self, label=Prose.read(self.label), before=Prose.read(self.before), after=Prose.read(self.after))


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
    item: NewsItem
    tag: str
    latest: Prose
    """What is new, in a few words."""
    subject: str
    headline: Prose
    title: Prose
    lead: Prose
    change: BeforeAndAfter | None
    facts: tuple[Fact, ...]
    quotation: Quotation | None
    links: tuple[MessageLink, ...]

    def with_latest(self, latest: str, words: Words) -> Self:
        """The same with other words for what is new."""
        read = Prose.read(latest)
        return replace(self, latest=read, subject=_subject(self.tag, self.title, read, words))


def compose(
    commitment: CommitmentBrief,
    parties: tuple[PartyCode, ...],
    words: Words,
    url: str,
    *,
    item: NewsItem,
    latest: str,
    headline: str | None = None,
    lead: str,
    facts: list[Fact],
    change: BeforeAndAfter | None = None,
    quotation: Quotation | None = None,
    links: Iterable[MessageLink] = (),
) -> EventMessage:
    """A message about a commitment: `latest` is what is new in a few words, `url` the commitment's page.

    Words of others come as `marked` leaves them.
    """
    title = Prose.read(marked_text(commitment.title, commitment.language, words, instead=commitment.id))
    news = Prose.read(latest)
    bound = _parties_in_short(commitment, parties, words)
    left = min(_LONGEST_THEME, _LONGEST_TAG - len(f"{bound} - "))
    tag = f"{bound} - {shorten(plain(short_theme(commitment.themes[0], words)), left)}"
    return EventMessage(
        language=words.language,
        item=item,
        tag=tag,
        latest=news,
        subject=_subject(tag, title, news, words),
        headline=(Prose.read(headline) if headline else news).capitalized(),
        title=title,
        lead=Prose.read(lead),
        change=change.read() if change else None,
        facts=tuple(Fact(fact.label, Prose.read(fact.value)) for fact in facts),
        quotation=quotation,
        links=(
            MessageLink(words.gettext("Open the commitment"), url),
            *(MessageLink(link.label, quote(link.url, safe=_IN_ADDRESSES)) for link in links),
        ),
    )


def _parties_in_short(commitment: CommitmentBrief, parties: tuple[PartyCode, ...], words: Words) -> str:
    """`CA/MX/US`, `MX/European Union`; of many the first, and how many there are more: `AR/AU/BR/CA +16`."""
    codes = list(dict.fromkeys(parties))
    names = [
        code if code.isupper() else party_name(code, words, commitment.organisations, commitment.language)
        for code in codes
    ]
    if len(names) == 1:
        return shorten(names[0], _LONGEST_PARTIES)
    if len("/".join(names)) <= _LONGEST_PARTIES:
        return "/".join(names)
    left = _LONGEST_PARTIES - len(f" +{len(names)}")
    told = [shorten(names[0], left)]
    for name in names[1:]:
        if len("/".join([*told, name])) > left:
            return f"{'/'.join(told)} +{len(names) - len(told)}"
        told.append(name)
    return "/".join(told)  # a long first one was cut, which made room for all


def _subject(tag: str, title: str, latest: str, words: Words) -> str:
    """`[MX - Climate] Title: due in 7 days`; what is new is never cut, the title is."""
    values = {"tag": tag, "news": shorten(latest, 34)}
    left = SUBJECT_LENGTH - len(words.gettext("[%(tag)s] %(title)s: %(news)s", title="", **values))
    return words.gettext("[%(tag)s] %(title)s: %(news)s", title=shorten(title, left), **values)


def context_facts(commitment: CommitmentBrief, parties: tuple[PartyCode, ...], words: Words) -> list[Fact]:
    """Where it belongs: the parties that it is about, its section and its themes."""
    themes = [theme_title(slug, words) for slug in commitment.themes]
    return [
        Fact(words.gettext("Parties"), words.listed(marked_party(code, commitment, words) for code in parties)),
        Fact(words.gettext("Section"), marked_text(commitment.section_title, commitment.language, words)),
        Fact(words.gettext("Themes"), " · ".join(themes)),
    ]


def marked_party(code: PartyCode, commitment: CommitmentBrief, words: Words) -> str:
    """A party's name, marked where it is not in the language of the words."""
    return marked(shown_party(code, words, commitment.organisations, commitment.language), words, instead=code)
