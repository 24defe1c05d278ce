"""What a paused subscription is not told: its deliveries have ended as they are written, and say so."""

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


async def tell_of_paused(
    database: Database,
    connection: Connection,
    rows: Sequence[Any],
    events: Mapping[UUID, PublishedEvent],
    now: datetime,
) -> None:
    """Tell of the ends of rows that were just written for paused subscriptions, as of any end."""
    deliveries = await claimed_deliveries(connection, rows, NOBODY, 0.0)
    results = [DeliveryResult(delivery, "suppressed", now, reason=PAUSED) for delivery in deliveries]
    await publish_settled(database, connection, results, {delivery.id: 0 for delivery in deliveries}, events, now)
    for delivery in deliveries:
        DELIVERIES.labels(delivery.recipient.channel, "suppressed").inc()
