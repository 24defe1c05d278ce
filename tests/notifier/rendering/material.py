"""What the renderer is tested with: the golden events, an imagined reader, and a way to render in one call."""

import json
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any
from uuid import UUID

from contracts.vocabulary import Contract
from services.notifier.channels.email import POLICY
from services.notifier.rendering.render import (
    Reader,
    PublishedEvent,
    HttpMessage,
    PageLinks,
    MailMessage,
    Message,
    for_delivery,
    render,
)
from services.notifier.subscriptions.matching import Filters
from tests.contracts.golden_records import PATHS, wire

LANGUAGES = ("en", "es", "fr")
CHANNELS = ("email", "slack", "teams", "webhook")
LINKS = PageLinks("https://pledgewire.example")
SENDER = "Pledgewire <notices@pledgewire.example>"
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def event_view(kind: str, event: Contract) -> PublishedEvent:
    """An event as the notifier keeps it."""
    value = event.model_dump_json().encode()
    return PublishedEvent(UUID("7c8e4a10-52b6-4e8f-b1d9-0f3e1a4c2b01"), kind, datetime(2023, 1, 2, tzinfo=UTC), value)


def golden_views() -> dict[str, PublishedEvent]:
    """The golden events that people are told of, by the name of their file."""
    views = {}
    for path in PATHS:
        record = wire(path)
        if "notifier" not in record.topic.readers:
            continue
        around, _ = record.read()
        views[path.stem] = PublishedEvent(
            around.id,
            record.topic.name,
            around.time,
            record.value or b"",
            around.correlation_id,
            around.traceparent,
        )
    return views


GOLDEN = golden_views()
ONE_OF_EACH_KIND = {view.kind: view for view in GOLDEN.values()}


def reader(language: str, **changes: Any) -> Reader:
    """Somebody in Toronto who follows Mexico and the climate."""
    given: dict[str, Any] = {
        "id": UUID("c0ffee00-0000-4000-8000-000000000001"),
        "subscription_id": UUID("5ab5c41b-0000-4000-8000-000000000001"),
        "subscriber": "Enlace",
        "address": "enlace@semarnat.example",
        "language": language,
        "zone": "America/Toronto",
        "filters": Filters(countries=frozenset({"MX"}), themes=frozenset({"climate"})),
        "unsubscribe_url": "https://pledgewire.example/unsubscribe?token=a.b-c&again=1",
    }
    return Reader(**given | changes)


def message(view: PublishedEvent, channel: str, language: str, **changes: Any) -> Message:
    rendered = render(view, channel, language, LINKS)
    return for_delivery(rendered, reader(language, **changes), sender=SENDER, attempted_at=NOW)


def payload(view: PublishedEvent, channel: str, language: str, **changes: Any) -> Any:
    """What a chat or webhook receiver parses."""
    posted = message(view, channel, language, **changes)
    assert isinstance(posted, HttpMessage)
    return json.loads(posted.body)


def mail(view: PublishedEvent, language: str, **changes: Any) -> Any:
    """The mail as a reader's program parses it from the bytes that were sent."""
    posted = message(view, "email", language, **changes)
    assert isinstance(posted, MailMessage)
    return message_from_bytes(posted.email.as_bytes(), policy=POLICY)


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
