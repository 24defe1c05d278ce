"""Whatever goes out to people, in a language: mails, cards, feeds, calendars, lines of the live page, and problems."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

from contracts.events import MilestoneScheduled
from contracts.vocabulary import LanguageTag
from services.i18n.words import answer_language, words_in
from services.portal.event_lines import DESCRIPTIONS, event_line
from services.portal.live_feed import LiveEvent, RecordPosition
from services.scheduler.feeds.rendering.syndication import FeedItem, item_text
from tests.contracts.golden_records import PATHS, wire
from tests.notifier.rendering.material import GOLDEN, mail, part, payload, texts
from tests.scheduler.feeds.scenes import THEN, entry, parsed, written
from tests.scheduler.feeds.test_syndication import GOLDEN as FED
from tests.scheduler.feeds.test_syndication import feed_items


def _mails(language: LanguageTag) -> Iterator[str]:
    for event in GOLDEN.values():
        letter = mail(event, language)
        yield str(letter["subject"])
        yield part(letter, "plain")
        yield unescape(re.sub(r"<[^>]+>", "\n", part(letter, "html")))


def _cards(channel: str) -> Callable[[LanguageTag], Iterator[str]]:
    return lambda language: (text for event in GOLDEN.values() for text in texts(payload(event, channel, language)))


def _feeds(language: LanguageTag) -> Iterator[str]:
    for item in feed_items(*FED):
        yield from _entry(item, language)


def _entry(item: FeedItem, language: LanguageTag) -> Iterator[str]:
    title, lines = item_text(item.event, words_in(language))
    yield from (title, *lines)


def _calendars(language: LanguageTag) -> Iterator[str]:
    for event in FED:
        if isinstance(event, MilestoneScheduled) and event.milestone.span.latest:
            known = replace(entry(event.milestone, commitment=event.commitment), changed_at=THEN)
            for one in parsed(written(known, language=language)).values():
                yield from (one.summary.value, one.description.value)


def _live_lines(language: LanguageTag) -> Iterator[str]:
    for path in PATHS:
        around, event = wire(path).read()
        if type(event) in DESCRIPTIONS:
            told: Any = event
            line = event_line(LiveEvent(RecordPosition("milestone-due", 0, 1), around, told, 0), words_in(language))
            yield from (line.kind, str(line.text), str(line.detail), line.when)


def _problems(language: LanguageTag) -> Iterator[str]:
    """Everything that an answer may say: the catalogue as problems are told by it."""
    _, say = answer_language(language)
    catalogue = words_in(language).catalogue
    yield from (say(message) for message in getattr(catalogue, "_catalog", {}) if isinstance(message, str) and message)


PLACES: Mapping[str, Callable[[LanguageTag], Iterator[str]]] = {
    "mails": _mails,
    "Slack": _cards("slack"),
    "Teams": _cards("teams"),
    "feeds": _feeds,
    "calendars": _calendars,
    "live page": _live_lines,
    "problems": _problems,
}


def every_output(place: str, language: LanguageTag) -> Iterator[str]:
    """All texts of the golden events in one place."""
    return PLACES[place](language)
