"""A message about several events: the newest of each thing that they are about, in sections, the most urgent first.

Pure: a list of messages in the order in which they happened goes in, and one message comes out that any channel can lay
out. Where a channel has no room for all, it shows the first ones and links to the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from services.i18n.prose import Prose
from services.i18n.words import Words
from services.notifier.rendering.group_words import counted, digest_subject, section_title, subject_of
from services.notifier.rendering.message import Category, EventMessage, MessageLink
from services.notifier.rendering.page_links import DueState, PageLinks
from services.notifier.rendering.retelling import COUNTS_DAYS

GroupKind = Literal["window", "digest", "deferred"]
"""Why events go out together: one cause within its window; a digest; a time in which nothing was to be sent."""

Rhythm = Literal["daily", "weekly"]
"""How often a digest comes."""

_ASKING: frozenset[Category] = frozenset({"escalated", "overdue", "asked", "today", "ahead", "review", "flagged"})
"""News that ask somebody for something."""

_ORDER: tuple[Category, ...] = get_args(Category)

_LISTED_AS: Mapping[Category, DueState] = {
    "escalated": "overdue",
    "overdue": "overdue",
    "asked": "asked",
    "today": "soon",
    "ahead": "soon",
}
"""Under which filter of the list a section's items are found."""


@dataclass(frozen=True)
class GroupItem:
    """One thing that has news: a commitment, a party's status of it, a milestone."""

    title: Prose
    said: Prose
    """The newest that is to be said of it, in a few words; empty where the section's title says it."""
    changes: int
    """How many events it stands for; 1 or more."""
    url: str


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
    ask: str
    """What is asked of the reader; empty where nothing is."""
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


@dataclass(frozen=True)
class _Newest:
    """The last message about one thing, how many events it stands for, and first dates that stand beside it."""

    message: EventMessage
    changes: int
    dates: tuple[EventMessage, ...] = ()

    @property
    def category(self) -> Category:
        return self.message.item.category


def group_message(
    messages: Sequence[EventMessage], words: Words, links: PageLinks, kind: GroupKind, rhythm: Rhythm | None = None
) -> GroupMessage:
    """One message of several about single events, which stand in the order in which they happened; at least one."""
    at_once = kind == "window"
    by_category: dict[Category, list[_Newest]] = {}
    for newest in sorted(_newest_of_each(messages), key=_by_urgency):
        category: Category = "ahead" if newest.category == "today" and not at_once else newest.category
        by_category.setdefault(category, []).append(newest)
    counts = [counted(category, _days(found, at_once), words) for category, found in by_category.items()]
    found = [newest.message for several in by_category.values() for newest in several]
    if kind == "digest":
        subject = headline = digest_subject(len(found), rhythm, words)
    elif len(found) == 1:
        subject, headline = found[0].subject, found[0].headline.written
    else:
        subject = headline = subject_of(tuple(by_category), counts, words)
    commitments = {message.item.commitment_id for message in messages}
    return GroupMessage(
        language=words.language,
        subject=subject,
        headline=Prose.read(headline).capitalized(),
        lead=words.gettext("This came while you had asked for quiet.") if kind == "deferred" else "",
        ask=_ask(by_category, words),
        sections=tuple(
            GroupSection(
                category,
                section_title(category, words, at_once=at_once),
                tuple(_item(newest, words, at_once=at_once) for newest in several),
            )
            for category, several in by_category.items()
        ),
        thread=commitments.pop() if len(commitments) == 1 else None,
        links=(MessageLink(words.gettext("Open the list"), links.commitments(_state_of_all(by_category))),),
    )


def _ask(categories: Iterable[Category], words: Words) -> str:
    if _ASKING.isdisjoint(categories):
        return ""
    return words.gettext("If you answer for any of these, please report how it stands.")


def _state_of_all(categories: Iterable[Category]) -> DueState | None:
    """The filter of the list that finds every item; None where none does."""
    states = {_LISTED_AS.get(category) for category in categories}
    return states.pop() if len(states) == 1 else None


def _newest_of_each(messages: Sequence[EventMessage]) -> list[_Newest]:
    """What is newest of each thing. The first dates of a commitment that is new itself stand beside it."""
    last: dict[str, EventMessage] = {}
    changes: dict[str, int] = {}
    for message in messages:
        key = message.item.key
        last[key] = message
        changes[key] = changes.get(key, 0) + message.item.changes
    new = {message.item.commitment_id: key for key, message in last.items() if message.item.category == "created"}
    beside: dict[str, list[EventMessage]] = {}
    for key, message in list(last.items()):
        owner = new.get(message.item.commitment_id)
        if message.item.category == "first-date" and owner is not None and changes[key] == 1:
            beside.setdefault(owner, []).append(last.pop(key))
    return [_Newest(message, changes[key], tuple(beside.get(key, ()))) for key, message in last.items()]


def _days(found: Sequence[_Newest], at_once: bool) -> list[int | None]:
    return [newest.message.item.days if at_once else None for newest in found]


def _item(newest: _Newest, words: Words, *, at_once: bool) -> GroupItem:
    message, item = newest.message, newest.message.item
    if item.is_earlier:
        said = [message.latest.written]
    elif item.category == "created":
        said = [one.item.when or one.latest.written for one in newest.dates]
    elif item.category in ("first-date", "date", "held", "asked") and item.when:
        said = [item.when]
    elif item.category in COUNTS_DAYS and item.when:
        said = [message.latest.written, item.when] if at_once else [item.when]
    else:
        said = [message.latest.written]
    if newest.changes > 1:
        said.append(words.ngettext("%(number)s change", "%(number)s changes", newest.changes))
    # Who is asked answers there; that page leads to the commitment.
    url = message.links[0].url if item.category == "escalated" else message.url
    return GroupItem(message.title, Prose.read(" · ".join(said)), newest.changes, url)


def _by_urgency(newest: _Newest) -> tuple[int, date, str]:
    item = newest.message.item
    return (_ORDER.index(item.category), item.day or date.max, newest.message.title.casefold())
