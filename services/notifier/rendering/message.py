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
from services.i18n.names import shown_party, theme_title
from services.i18n.prose import Prose, marked, marked_text
from services.i18n.text import capitalized, cut_between_words, shorten
from services.i18n.words import Words

SUBJECT_LENGTH = 50
"""Longest subject line, in characters: what a telephone shows. A title is cut between words, the news isn't."""

_LONGEST_NEWS = 34
"""Characters of a subject line that say what is new; the title has the rest."""

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
    about a day, `when` the same in words, and `days` how far that was from the day of the event.
    """

    category: Category
    key: str
    commitment_id: str
    day: date | None = None
    when: str = ""
    days: int | None = None
    is_earlier: bool = False
    """Whether newer news of the same is known already."""
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
    """Where to go, or to read on."""

    label: str
    url: str


@dataclass(frozen=True)
class EventMessage:
    """One event for readers of one language, in the order in which it is laid out; nothing stands in it twice."""

    language: str
    item: NewsItem
    latest: Prose
    """What is new, in a few words; it may stand behind the title, or in a list."""
    headline: Prose
    """What is new, where the rest of the message stands below it."""
    title: Prose
    """What the news is about: a milestone or a commitment."""
    lead: Prose
    """What is to be known of the news: when it is due, what it was before."""
    change: BeforeAndAfter | None
    ask: Prose
    """What is asked of the reader; empty where nothing is."""
    quotation: Quotation | None
    facts: tuple[Fact, ...]
    """The small print."""
    url: str
    """The commitment's page."""
    links: tuple[MessageLink, ...]
    """Where to go: first to what is asked, then to the commitment, then to read on."""
    subject: str
    heading: Prose
    """Headline and title in one line, where there is but one."""

    def retold(self, latest: str, headline: str, lead: str, words: Words) -> Self:
        """The same with other words for what is new."""
        read, above = Prose.read(latest), Prose.read(headline).capitalized()
        return replace(
            self,
            latest=read,
            headline=above,
            lead=Prose.read(lead),
            subject=subject_line(read, self.title, words),
            heading=Prose.read(news_of(above.written, self.title.written, words)),
        )


def compose(
    commitment: CommitmentBrief,
    words: Words,
    url: str,
    *,
    item: NewsItem,
    latest: str,
    short: str | None = None,
    headline: str | None = None,
    title: str | None = None,
    lead: str = "",
    ask: str = "",
    facts: list[Fact],
    change: BeforeAndAfter | None = None,
    quotation: Quotation | None = None,
    action: MessageLink | None = None,
    links: Iterable[MessageLink] = (),
) -> EventMessage:
    """A message about a commitment, or about what is called `title`; `url` is the commitment's page.

    `latest` is what is new in a few words, `short` the same where a subject needs fewer; `action` is where that can be
    done which is asked. Words of others come as `marked` leaves them.
    """
    promised = Prose.read(marked_text(commitment.title, commitment.language, words, instead=commitment.id))
    about = promised if title is None else Prose.read(title)
    news = Prose.read(latest)
    if about != promised:
        facts = [Fact(words.gettext("Commitment"), promised), *facts]
    above = (Prose.read(headline) if headline else news).capitalized()
    return EventMessage(
        language=words.language,
        item=item,
        latest=news,
        headline=above,
        title=about,
        lead=Prose.read(lead).capitalized(),
        change=change.read() if change else None,
        ask=Prose.read(ask),
        quotation=quotation,
        facts=tuple(Fact(fact.label, Prose.read(fact.value)) for fact in facts),
        url=url,
        links=(
            *([action] if action else []),
            MessageLink(words.gettext("Open the commitment"), url),
            *(MessageLink(link.label, quote(link.url, safe=_IN_ADDRESSES)) for link in links),
        ),
        subject=subject_line(Prose.read(short) if short else news, about, words),
        heading=Prose.read(news_of(above.written, about.written, words)),
    )


def subject_line(news: str, title: str, words: Words) -> str:
    """`In 7 days: Title`, on a telephone."""
    first = capitalized(shorten(news, _LONGEST_NEWS))
    left = SUBJECT_LENGTH - len(news_of(first, "", words))
    return news_of(first, cut_between_words(title, left), words)


def news_of(news: str, title: str, words: Words) -> str:
    """`In 7 days: Title`, `Has it taken place? Title`."""
    if news.endswith("?"):
        return words.gettext("%(question)s %(title)s", question=news, title=title)
    return words.gettext("%(news)s: %(title)s", news=news, title=title)


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
