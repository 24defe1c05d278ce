"""How deliveries ended: `delivery-settled`, one event for all that are recorded together of one event."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from contracts.causes import Cause
from contracts.envelope import Envelope, to_record
from contracts.events import DeliverySettled, SettledDelivery
from contracts.majors import said_later
from contracts.topics import DELIVERY_SETTLED
from services.notifier.delivery.deliveries import DeliveryResult
from services.notifier.events.published_event import PublishedEvent
from services.plumbing.database import Connection, Database
from services.plumbing.ids import id_about, new_id
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, append, take_seqs


async def publish_settled(
    database: Database,
    connection: Connection,
    results: Sequence[DeliveryResult],
    attempts: Mapping[UUID, int],
    events: Mapping[UUID, PublishedEvent],
    now: datetime,
) -> None:
    """Write the events about what was settled into the outbox, in the transaction that settles it."""
    by_event: defaultdict[UUID, list[DeliveryResult]] = defaultdict(list)
    for result in results:
        if result.is_settled and result.delivery.id in attempts and _is_readable(result, events):
            by_event[result.delivery.event_id].append(result)
    if not by_event:
        return
    groups = list(by_event.items())
    keys = [group[0].delivery.commitment_id for _, group in groups]
    seqs = await take_seqs(connection, DELIVERY_SETTLED.name, keys)
    records = [
        _outgoing(events[event_id], group, attempts, seq, now)
        for (event_id, group), seq in zip(groups, seqs, strict=True)
    ]
    await append(database, connection, records, now, said_later)


def _is_readable(result: DeliveryResult, events: Mapping[UUID, PublishedEvent]) -> bool:
    """Whether the event can be read: its contract was kept when it came in, but a row may be of an older one."""
    event = events.get(result.delivery.event_id)
    try:
        return event is not None and event.data is not None
    except ValueError as error:
        # What happened to the delivery is recorded all the same; one old event must not stop all the others.
        log.error(
            "an end can't be published", action="end_untold", event_id=str(result.delivery.event_id), error=str(error)
        )
        return False


def _outgoing(
    event: PublishedEvent, results: Sequence[DeliveryResult], attempts: Mapping[UUID, int], seq: int, now: datetime
) -> Outgoing:
    brief = event.data.commitment
    # Our own values, checked where they came in: building them again field by field would only cost time.
    settled = DeliverySettled.model_construct(
        seq=seq,
        cause=Cause(kind="delivery", id=id_about("cause", "delivery", str(event.id)), count=None),
        commitment=brief,
        event_id=event.id,
        event=event.told_as,
        deliveries=tuple(_settled(result, attempts[result.delivery.id]) for result in results),
    )
    id_ = new_id()
    record = to_record(settled, Envelope(id_, now, brief.id, event.correlation_id, event.traceparent))
    return Outgoing(id_, record.topic, record.key, record.headers, record.value)


def _settled(result: DeliveryResult, attempts: int) -> SettledDelivery:
    to = result.delivery.recipient
    return SettledDelivery.model_construct(
        delivery_id=result.delivery.id,
        subscription_id=to.id,
        subscriber=to.subscriber,
        channel=cast(Any, to.channel),
        language=to.language,
        outcome=cast(Any, result.state),
        attempts=attempts,
        reason=result.reason,
        settled_at=result.at,
        message=result.leader if result.attempt is not None and result.leader != result.delivery.id else None,
    )
