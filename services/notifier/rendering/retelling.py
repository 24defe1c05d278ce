"""Messages about what is no longer the latest: marked as earlier news, or said beside what came after it.

A reader's last message has to say what is true. Order sees to that (`delivery.turns`); the words here see to it that
nobody takes a late message for the newest, whatever a mailbox or a chat does with its date.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.i18n.prose import Prose
from services.i18n.words import Words
from services.notifier.rendering import placeholders
from services.notifier.rendering.message import Category, EventMessage, Fact

COUNTS_DAYS: Final[frozenset[Category]] = frozenset({"ahead", "today", "overdue"})
"""News that say how far a day is."""


def as_earlier_news(message: EventMessage, words: Words, at: datetime) -> EventMessage:
    """The same message, told when newer news of the same is known already; `at` is when this was the news."""
    note = words.gettext(
        "This is earlier news, from %(when)s; newer news follows.",
        when=placeholders.moment(at),
    )
    told = message.retold(
        words.gettext("earlier: %(news)s", news=message.latest.written),
        words.gettext("earlier: %(news)s", news=message.headline.written),
        f"{note} {message.lead.written}".rstrip(),
        words,
    )
    return replace(told, item=replace(told.item, is_earlier=True))


def as_told_later(message: EventMessage, words: Words) -> EventMessage:
    """The same message, told some time after its day: how far it was from what is due is no longer true, nor said."""
    if message.item.category not in COUNTS_DAYS or not message.item.when:
        return message
    latest = words.gettext("date %(when)s", when=message.item.when)
    headline = words.gettext("Overdue") if message.item.category == "overdue" else words.gettext("a reminder")
    return message.retold(latest, headline, message.lead.written, words)


def after_what_was_not_told(
    message: EventMessage, words: Words, untold: Iterable[tuple[EventMessage, datetime]]
) -> EventMessage:
    """The same message, which also says what came before it and was not told in time, the oldest first."""
    facts = [
        Fact(
            words.gettext("Before that"),
            Prose.read(words.gettext("%(news)s (%(when)s)", news=earlier.latest.written, when=placeholders.moment(at))),
        )
        for earlier, at in untold
    ]
    if not facts:
        return message
    item = replace(message.item, changes=message.item.changes + len(facts))
    return replace(message, item=item, facts=(*message.facts, *facts))
