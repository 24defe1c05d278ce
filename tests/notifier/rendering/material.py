"""What rendering and channels are tested with: the golden events, an imagined reader, and one call for each channel."""

import json
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any
from uuid import UUID

from contracts.filters import Filters
from contracts.vocabulary import Contract
from services.i18n import languages
from services.i18n.words import words_in
from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.email import POLICY
from services.notifier.channels.mail_addresses import NamedAddress
from services.notifier.delivery.messages import render_event
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import NOBODY
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.page_links import PageLinks
from services.notifier.rendering.reader import Reader
from tests.contracts.golden_records import NEW, PATHS, is_text, objects, open_places, wire

LANGUAGES = tuple(languages.LANGUAGES)
LINKS = PageLinks("https://pledgewire.example", str)
SENDER = NamedAddress("Pledgewire", "notices@pledgewire.example")
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def published(topic: str, event: Contract) -> PublishedEvent:
    """An event as the notifier keeps it."""
    value = event.model_dump_json().encode()
    return PublishedEvent(UUID("7c8e4a10-52b6-4e8f-b1d9-0f3e1a4c2b01"), topic, datetime(2023, 1, 2, tzinfo=UTC), value)


def write_as_a_later_release(value: Any) -> None:
    """Put one more field into every object of an event's value, and a new word wherever a list is open."""
    for node, field in open_places(value):
        node[field] = NEW
    for node in list(objects(value)):
        if not is_text(node):
            node["of_a_later_release"] = {"anything": [1, None]}


def golden_events() -> dict[str, PublishedEvent]:
    """The golden events that people are told of, by the name of their file."""
    events = {}
    for path in PATHS:
        record = wire(path)
        if record.topic.name not in EVENT_TYPES:
            continue
        around, _ = record.read()
        events[path.stem] = PublishedEvent(
            around.id,
            record.topic.name,
            around.time,
            record.value or b"",
            around.correlation_id,
            around.traceparent,
        )
    return {name: event for name, event in events.items() if event.traits.audience != NOBODY}


GOLDEN = golden_events()
ONE_OF_EACH_KIND = {event.topic: event for event in GOLDEN.values()}


def reader(**changes: Any) -> Reader:
    """Somebody in Toronto who follows Mexico and the climate."""
    given: dict[str, Any] = {
        "delivery_id": UUID("c0ffee00-0000-4000-8000-000000000001"),
        "subscription_id": UUID("5ab5c41b-0000-4000-8000-000000000001"),
        "address": "enlace@semarnat.example",
        "zone": "America/Toronto",
        "filters": Filters(parties=frozenset({"MX"}), themes=frozenset({"climate"})),
        "unsubscribe_url": "https://pledgewire.example/unsubscribe?token=a.b-c&again=1",
    }
    return Reader(**given | changes)


def message(event: PublishedEvent, language: str = "en") -> EventMessage:
    """What an event says, before any channel lays it out."""
    url = LINKS.commitment(event.data.commitment.id)
    return EVENT_TYPES[event.topic].content(event.data, words_in(language), url)


def posted(event: PublishedEvent, channel: str, language: str, **changes: Any) -> bytes:
    """What is posted to a reader."""
    poster = CHANNELS[channel]
    assert isinstance(poster, PostedChannel)
    rendered = render_event(event, channel, language, LINKS)
    return poster.body(rendered.template, rendered.values_for(reader(**changes)))


def payload(event: PublishedEvent, channel: str, language: str, **changes: Any) -> Any:
    """What a chat or webhook receiver parses."""
    return json.loads(posted(event, channel, language, **changes))


def mailed(event: PublishedEvent, language: str, *, sender: NamedAddress = SENDER, **changes: Any) -> bytes:
    """The mail that is sent to a reader."""
    mailer, to = CHANNELS["email"], reader(**changes)
    assert isinstance(mailer, MailedChannel)
    rendered = render_event(event, "email", language, LINKS)
    return mailer.mail(rendered.template, to, rendered.values_for(to), sender=sender, at=NOW)


def mail(event: PublishedEvent, language: str, **changes: Any) -> Any:
    """The mail as a reader's program parses it from the bytes that were sent."""
    return message_from_bytes(mailed(event, language, **changes), policy=POLICY)


def sent(event: PublishedEvent, channel: str, language: str, **changes: Any) -> bytes:
    """The bytes that go to a reader, on any channel."""
    if isinstance(CHANNELS[channel], MailedChannel):
        return mailed(event, language, **changes)
    return posted(event, channel, language, **changes)


def part(letter: Any, subtype: str) -> str:
    return letter.get_body((subtype,)).get_content()


def texts(tree: Any) -> list[str]:
    """Every text inside a payload."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, dict):
        return [text for branch in tree.values() for text in texts(branch)]
    if isinstance(tree, list):
        return [text for branch in tree for text in texts(branch)]
    return []
