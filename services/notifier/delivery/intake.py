"""From Kafka into the tables: an event that is read becomes one delivery for each subscription that asked for it."""

import base64
import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from aiokafka import ConsumerRecord

from contracts.envelope import UnreadableRecord, from_record, is_structured
from contracts.topics import BY_NAME
from services.notifier.delivery.attempt_spans import trace_fan_out
from services.notifier.delivery.deliveries import NO_CAPACITY
from services.notifier.delivery.dispatch import Dispatch
from services.notifier.delivery.fan_out import FanOut, IncomingEvent, in_order, overtaken_within
from services.notifier.events.event_types import EVENT_TYPES, CommitmentEvent
from services.notifier.events.published_event import PublishedEvent
from services.plumbing.clock import Clock
from services.plumbing.tracing import now_ns

GROUP = "notifier"
TOPICS = tuple(EVENT_TYPES)


def read(record: ConsumerRecord[bytes, bytes]) -> IncomingEvent:
    """The event of a record; raises `UnreadableRecord` for what is none of the notifier's topics' events."""
    topic = BY_NAME.get(record.topic)
    if topic is None or record.topic not in EVENT_TYPES:
        raise UnreadableRecord(f"{record.topic} is no topic of the notifier's")
    envelope, event = from_record(topic.event, record.key, record.headers, record.value)
    data = cast(CommitmentEvent, event)  # the topic's card says which
    published = PublishedEvent(
        id=envelope.id,
        topic=record.topic,
        time=envelope.time,
        value=_data(record),
        correlation_id=envelope.correlation_id,
        traceparent=envelope.traceparent,
    )
    not_after: datetime | None = getattr(event, "not_after", None)  # of the events that can become stale
    kind = EVENT_TYPES[record.topic]
    return IncomingEvent(
        published.already_read(data),
        data.seq,
        not_after,
        kind.traits(data),
        data.cause,
        kind.collapse_key(data),
        only_in_digests=getattr(event, "only_in_digests", False),  # of reminders
    )


def _data(record: ConsumerRecord[bytes, bytes]) -> bytes:
    """The event's JSON as it came, with what a later release has put into it: a system is handed that on."""
    value: bytes = record.value or b""
    if not is_structured(record.headers):
        return value
    envelope = json.loads(value)
    if "data_base64" in envelope:
        return base64.b64decode(envelope["data_base64"])
    return json.dumps(envelope["data"], ensure_ascii=False).encode()


_LONGEST_WAIT = 4.0
"""Seconds that one batch waits for room in all, and a little more: a batch that is long in hand counts as standing."""


class EventIntake:
    """Applies batches: writes them down, and hands what this process has in hand to its dispatch.

    What is taken in hand as it is written costs no claim. So a batch is written in parts, each of about as many
    deliveries as there is room for; where no room is made soon, what is left is written at once and waits.
    """

    def __init__(self, fan_out: FanOut, dispatch: Dispatch, clock: Clock) -> None:
        self._fan_out = fan_out
        self._dispatch = dispatch
        self._clock = clock
        self._deliveries_each = 10.0
        """Of one event: a first guess, and from then on what the last part had."""

    async def apply(self, events: Sequence[IncomingEvent]) -> None:
        """Fan a batch out, each part in one transaction; events that were read before change nothing."""
        batch = in_order({incoming.event.id: incoming for incoming in events}.values())
        overtaken = overtaken_within(batch)
        self._dispatch.remember(incoming.event for incoming in batch)
        patient_until = time.monotonic() + _LONGEST_WAIT
        while batch:
            is_patient = time.monotonic() < patient_until
            room = await self._dispatch.room() if is_patient else NO_CAPACITY
            most = int(room.total / self._deliveries_each) or len(batch)
            part, batch = batch[:most], batch[most:]
            began = now_ns()
            fanned_out = await self._fan_out.apply(part, self._clock.now(), room, overtaken)
            trace_fan_out([incoming.event for incoming in part], fanned_out.told, began)
            self._dispatch.take(fanned_out.claimed)
            if fanned_out.waiting:
                self._dispatch.wake()
            if written := len(fanned_out.claimed) + fanned_out.waiting:
                self._deliveries_each = written / len(part)
