"""Generic webhook: the CloudEvent itself as structured JSON, the same bytes for everyone.

The event is spliced in as it stands on the topic, neither parsed nor written anew: whoever compares a webhook with
the topic, or checks a signature over it, sees the same value.
"""

import json
from datetime import UTC, datetime
from uuid import UUID

from contracts.envelope import schema_uri
from contracts.topics import Topic

CONTENT_TYPE = "application/cloudevents+json"


def cloud_event(
    topic: Topic,
    event_id: UUID,
    time: datetime,
    subject: str,
    value: bytes,
    *,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """The CloudEvent of an event; `value` is its JSON."""
    attributes = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": f"/pledgewire/{topic.writers[0]}",
        "type": topic.event_type,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": subject,
        "dataschema": schema_uri(topic),
        "datacontenttype": "application/json",
        "partitionkey": subject,
    }
    if correlation_id:
        attributes["correlationid"] = correlation_id
    if traceparent:
        attributes["traceparent"] = traceparent
    return json.dumps(attributes, ensure_ascii=False)[:-1].encode() + b', "data": ' + value.strip() + b"}"
