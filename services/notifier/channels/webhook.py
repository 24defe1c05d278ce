"""Generic webhook: the CloudEvent itself as structured JSON, the same bytes for everyone, signed by Standard Webhooks.

The event is spliced in as it stands on the topic, neither parsed nor written anew: whoever compares a webhook with
the topic, or checks a signature over it, sees the same value.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

import standardwebhooks

from contracts.envelope import deprecation, schema_uri
from contracts.topics import BY_NAME
from services.notifier.channels.channel import PostedChannel
from services.notifier.events.published_event import LocalizedEvent, PublishedEvent
from services.notifier.rendering.placeholders import PlaceholderValues

_signer = lru_cache(maxsize=16_384)(standardwebhooks.Webhook)


class Webhook(PostedChannel[bytes]):
    """A ministry's own system."""

    content_type: ClassVar[str] = "application/cloudevents+json"
    is_localized: ClassVar[bool] = False
    is_for_people: ClassVar[bool] = False
    is_signed: ClassVar[bool] = True

    def render(self, event: LocalizedEvent) -> bytes:
        """The CloudEvent."""
        return cloud_event(event.event)

    def body(self, rendered: bytes, value: PlaceholderValues) -> bytes:
        """The same for everyone."""
        return rendered

    def headers(self, delivery_id: UUID, secret: str | None, body: bytes, at: datetime) -> list[str]:
        """With the signature, and the delivery's id as the message's: the same in every attempt."""
        headers = super().headers(delivery_id, secret, body, at)
        if secret:
            headers += [
                f"webhook-id: {delivery_id}",
                f"webhook-timestamp: {int(at.timestamp())}",
                f"webhook-signature: {_signer(secret).sign(str(delivery_id), at, body.decode())}",
            ]
        return headers


def cloud_event(event: PublishedEvent) -> bytes:
    """The CloudEvent of an event, as structured JSON."""
    topic, subject = BY_NAME[event.told_as], event.data.commitment.id
    attributes = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": f"/pledgewire/{topic.writers[0]}",
        "type": topic.event_type,
        "time": event.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": subject,
        "dataschema": schema_uri(topic),
        "datacontenttype": "application/json",
        "partitionkey": subject,
        **deprecation(topic),
    }
    if event.correlation_id:
        attributes["correlationid"] = event.correlation_id
    if event.traceparent:
        attributes["traceparent"] = event.traceparent
    return json.dumps(attributes, ensure_ascii=False)[:-1].encode() + b', "data": ' + event.value.strip() + b"}"
