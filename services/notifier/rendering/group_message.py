"""A message about several events: the newest of each thing that they are about, in sections, the most urgent first.

Pure: a list of messages in the order in which they happened goes in, and one message comes out that any channel can lay
out. Where a channel has no room for all, it shows the first ones and links to the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from services.i18n.prose import Prose
from services.i18n.words import Words
from services.notifier.rendering.group_words import counted, section_title, subject_of
from services.notifier.rendering.message import Category, EventMessage, MessageLink

GroupKind = Literal["window", "digest", "deferred"]
"""Why events go out together: one cause within its window; a digest; a time in which nothing was to be sent."""

Rhythm = Literal["daily", "weekly"]
"""How often a digest comes."""

_ORDER: tuple[Category, ...] = get_args(Category)


@dataclass(frozen=True)
class GroupItem:
    """One thing that has news: a commitment, a party's status of it, a milestone."""

    title: Prose
    news: Prose
    """The newest that is to be said of it, in a few words."""
    changes: int
    """How many events it stands for; 1 or more."""
    more: str
    """The number of changes in words; empty where there is only one."""
    url: str

    @property
    def said(self) -> Prose:
        """What stands behind the title."""
        return Prose.read(f"{self.news.written} · {self.more}") if self.more else self.news


@dataclass(frozen=True)
class GroupSection:
    """Items with the same kind of news."""

    category: Category
    title: str
    items: tuple[GroupItem, ...]


@dataclass(frozen=True)
class GroupMessage:
    """Several events for readers of one language."""

    language: str
    subject: str
    headline: Prose
    """What is new, counted."""
    lead: str
    """Why it comes together; empty where that goes without saying."""
    sections: tuple[GroupSection, ...]
    thread: str | None
    """The commitment that all of it is about, where it is one."""
    links: tuple[MessageLink, ...]
    """Where to read on: the list of all."""

    @property
    def count(self) -> int:
        """How many items there are."""
        return sum(len(section.items) for section in self.sections)

    @property
    def list_url(self) -> str:
        """The page that has them all."""
        return self.links[0].url

    def first(self, most: int) -> tuple[tuple[GroupSection, ...], int]:
        """The sections with the first `most` items, and how many are left over."""
        shown, left = [], most
        for section in self.sections:
            if items := section.items[: max(left, 0)]:
                shown.append(GroupSection(section.category, section.title, items))
            left -= len(section.items)
        return tuple(shown), max(self.count - most, 0)


def group_message(
    messages: Sequence[EventMessage], words: Words, list_url: str, kind: GroupKind, rhythm: Rhythm | None = None
) -> GroupMessage:
    """One message of several about single events, which stand in the order in which they happened; at least one."""
    newest = _newest_of_each(messages)
    by_category: dict[Category, list[tuple[EventMessage, GroupItem]]] = {}
    for message, changes, dates in newest:
        by_category.setdefault(message.item.category, []).append((message, _item(message, changes, dates, words)))
    sections = []
    for category in sorted(by_category, key=_ORDER.index):
        found = sorted(by_category[category], key=lambda pair: _by_day(pair[0]))
        sections.append(GroupSection(category, section_title(category, words), tuple(item for _, item in found)))
    counts = [
        counted(section.category, [one.item.days for one, _ in by_category[section.category]], words)
        for section in sections
    ]
    commitments = {message.item.commitment_id for message in messages}
    total = sum(len(section.items) for section in sections)
    only = newest[0][0] if total == 1 else None
    subject, headline = subject_of([section.category for section in sections], counts, words)
    if only:
        subject, headline = only.subject, only.headline.written
    lead = ""
    match kind:
        case "digest":
            subject = _digest_subject(total, rhythm, words)
        case "deferred":
            lead = words.gettext("This came while you had asked for quiet.")
        case _:
            pass
    return GroupMessage(
        language=words.language,
        subject=subject,
        headline=Prose.read(headline).capitalized(),
        lead=lead,
        sections=tuple(sections),
        thread=commitments.pop() if len(commitments) == 1 else None,
        links=(MessageLink(words.gettext("Open the list"), list_url),),
    )


def _newest_of_each(messages: Sequence[EventMessage]) -> list[tuple[EventMessage, int, list[EventMessage]]]:
    """The last message about each thing, with the number of events that it stands for.

    The first dates of a commitment that is new itself stand beside it, not by themselves.
    """
    last: dict[str, EventMessage] = {}
    changes: dict[str, int] = {}
    for message in messages:
        key = message.item.key
        last[key] = message
        changes[key] = changes.get(key, 0) + message.item.changes
    new = {message.item.commitment_id for message in last.values() if message.item.category == "created"}
    dates: dict[str, list[EventMessage]] = {}
    for key, message in list(last.items()):
        if message.item.category == "first-date" and message.item.commitment_id in new and changes[key] == 1:
            dates.setdefault(message.item.commitment_id, []).append(message)
            del last[key]
    return [
        (message, changes[key], dates.get(message.item.commitment_id, []) if message.item.category == "created" else [])
        for key, message in last.items()
    ]


def _item(message: EventMessage, changes: int, dates: Sequence[EventMessage], words: Words) -> GroupItem:
    news = [message.latest, *(one.latest for one in dates)]
    more = words.ngettext("%(number)s change", "%(number)s changes", changes) if changes > 1 else ""
    return GroupItem(
        message.title, Prose.read(" · ".join(one.written for one in news)), changes, more, message.links[0].url
    )


def _by_day(message: EventMessage) -> tuple[date, str]:
    return (message.item.day or date.max, message.title.casefold())


def _digest_subject(total: int, rhythm: Rhythm | None, words: Words) -> str:
    match rhythm:
        case "daily":
            return words.ngettext("Your day: %(number)s item of news", "Your day: %(number)s items of news", total)
        case "weekly":
            return words.ngettext("Your week: %(number)s item of news", "Your week: %(number)s items of news", total)
        case _:
            return words.ngettext(
                "Your digest: %(number)s item of news", "Your digest: %(number)s items of news", total
            )
