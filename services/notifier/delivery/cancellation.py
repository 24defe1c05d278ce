"""Cancel: what waits for a subscription ends with it, in the transaction that ends it; or what an operator drops."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier.delivery.claims import claimed_deliveries
from services.notifier.delivery.deliveries import NOBODY, DeliveryResult
from services.notifier.delivery.event_cache import read_events
from services.notifier.delivery.groups import lead_anew
from services.notifier.delivery.metrics import DELIVERIES
from services.notifier.delivery.settled_events import publish_settled
from services.plumbing.database import Connection, Database

# What is on its way ends as it does; what a fan-out beside this one writes is cancelled when it is claimed.
_CANCEL = """
update delivery set state = 'cancelled', reason = $2, settled_at = $3, behind = false
where {} and state = 'pending'
returning id, event_id, subscription_id, commitment_id, thread, attempts, created_at, not_after, destination, deferrals,
          deferred_since, position, rule, group_id, leads, null as collapse_key, false as is_overtaken,
          null::uuid[] as before
"""


async def cancel_waiting(
    database: Database, connection: Connection, subscription_id: UUID, state: str, now: datetime
) -> None:
    """Cancel what waits for a subscription, retries included, and tell of it as of any end; `state` is its own now."""
    reason = f"subscription-{state}"
    rows = await connection.fetch(_CANCEL.format("subscription_id = $1"), subscription_id, reason, now)
    await _tell(database, connection, rows, reason, now)


async def cancel_some(database: Database, connection: Connection, reason: str, now: datetime, most: int) -> int:
    """Cancel the oldest that wait, whoever they are for, and tell of it; how many there were, 0 when all are done."""
    oldest = "id in (select id from delivery where state = 'pending' order by position limit $1)"
    rows = await connection.fetch(_CANCEL.format(oldest), most, reason, now)
    await _tell(database, connection, rows, reason, now)
    return len(rows)


async def _tell(database: Database, connection: Connection, rows: list[Any], reason: str, now: datetime) -> None:
    await lead_anew(connection, {row["group_id"] for row in rows if row["group_id"] and row["leads"]})
    deliveries = await claimed_deliveries(connection, rows, NOBODY, 0.0)
    results = [DeliveryResult(delivery, "cancelled", now, reason=reason) for delivery in deliveries]
    events = await read_events(connection, {delivery.event_id for delivery in deliveries})
    attempts = {delivery.id: delivery.attempts for delivery in deliveries}
    await publish_settled(database, connection, results, attempts, {event.id: event for event in events}, now)
    for delivery in deliveries:
        DELIVERIES.labels(delivery.recipient.channel, "cancelled").inc()
