"""What a subscription matches and is not told: its deliveries have ended as they are written, and say why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier.delivery.claims import claimed_deliveries
from services.notifier.delivery.deliveries import NOBODY, DeliveryResult
from services.notifier.delivery.metrics import DELIVERIES
from services.notifier.delivery.settled_events import publish_settled
from services.notifier.events.published_event import PublishedEvent
from services.plumbing.database import Connection, Database

PAUSED = "paused"
"""The reason of what a subscription was not told because it was paused."""
ONLY_IN_DIGESTS = "only-in-digests"
"""The reason of what stands behind the last reminder, where the subscription has no digests to tell it in."""


async def publish_untold(
    database: Database,
    connection: Connection,
    rows: Sequence[Any],
    events: Mapping[UUID, PublishedEvent],
    now: datetime,
) -> None:
    """Publish the ends of rows that had ended when they were just written, as of any end."""
    deliveries = await claimed_deliveries(connection, rows, NOBODY, 0.0)
    reasons: dict[UUID, str] = {row["id"]: row["reason"] for row in rows}
    results = [DeliveryResult(delivery, "suppressed", now, reason=reasons[delivery.id]) for delivery in deliveries]
    await publish_settled(database, connection, results, {delivery.id: 0 for delivery in deliveries}, events, now)
    for delivery in deliveries:
        DELIVERIES.labels(delivery.recipient.channel, "suppressed").inc()
