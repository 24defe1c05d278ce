"""From Kafka into the tables: what the notifier hears becomes one delivery for each subscription that asked for it."""

from collections.abc import Sequence
from datetime import datetime

from aiokafka import ConsumerRecord

from contracts.envelope import UnreadableRecord, from_record
from contracts.events import MilestoneDue, MilestoneEscalated
from contracts.topics import BY_NAME, PUBLIC
from services.notifier.delivery.dispatch import Dispatch
from services.notifier.delivery.store import DeliveryStore, Heard
from services.notifier.subscriptions.matching import Notifiable, traits
from services.plumbing.clock import Clock

GROUP = "notifier"
TOPICS = tuple(topic.name for topic in PUBLIC if "notifier" in topic.readers)


def read(record: ConsumerRecord[bytes, bytes]) -> Heard:
    """The event of a record; raises `UnreadableRecord` for what is none of the notifier's topics' events."""
    topic = BY_NAME.get(record.topic)
    if topic is None or record.topic not in TOPICS:
        raise UnreadableRecord(f"{record.topic} is no topic of the notifier's")
    envelope, event = from_record(topic.event, record.key, record.headers, record.value)
    data: Notifiable = event  # type: ignore[assignment]  # the topic's card says which
    return Heard(
        id=envelope.id,
        topic=record.topic,
        seq=data.seq,
        value=data.model_dump_json().encode() if _is_structured(record) else record.value or b"",
        time=envelope.time,
        correlation_id=envelope.correlation_id,
        traceparent=envelope.traceparent,
        not_after=_not_after(data),
        about=traits(record.topic, data),
        data=data,
    )


class Hearing:
    """Applies batches: writes them down, and hands what this process has in hand to its dispatch."""

    def __init__(self, store: DeliveryStore, dispatch: Dispatch, clock: Clock) -> None:
        self._store = store
        self._dispatch = dispatch
        self._clock = clock

    async def apply(self, events: Sequence[Heard]) -> None:
        """Fan a batch out in one transaction; what was heard before changes nothing."""
        fanned_out = await self._store.fan_out(events, self._clock.now(), self._dispatch.room())
        self._dispatch.remember(events)
        self._dispatch.take(fanned_out.claimed)
        if fanned_out.waiting:
            self._dispatch.wake()


def _not_after(event: Notifiable) -> datetime | None:
    return event.not_after if isinstance(event, MilestoneDue | MilestoneEscalated) else None


def _is_structured(record: ConsumerRecord[bytes, bytes]) -> bool:
    """Whether the value holds the envelope too, so that the event itself has to be taken out of it."""
    return any(
        name.lower() == "content-type" and (value or b"").lower().startswith(b"application/cloudevents")
        for name, value in record.headers
    )
