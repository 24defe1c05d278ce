"""Unsubscribing on a real PostgreSQL: what waits ends with the subscription, at once, and is told of."""

from datetime import timedelta

from contracts.envelope import from_record
from contracts.events import DeliverySettled
from services.notifier.channels.outcomes import FailureReason, Refused
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Attempt, Capacity, after_attempt
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.results import record_results
from services.notifier.subscriptions.unsubscribe_routes import BY_LINK
from services.plumbing.database import Database
from tests.notifier.scenes import MUCH_CAPACITY, NOW, incoming, states, subscribe, subscriptions


async def test_what_waits_is_cancelled_at_once_retries_included(database: Database):
    id_ = await subscribe(database)
    fan_out = FanOut(database, lease_seconds=60)
    out = await fan_out.apply([incoming(c) for c in ("retried", "on-its-way", "waiting")], NOW, Capacity(2, 2, 2, {}))
    on_its_way = out.claimed[1]
    await fan_out.apply([incoming("retried", 2)], NOW, MUCH_CAPACITY)
    refused = Attempt(NOW, NOW, 1.0, Refused(FailureReason.BUSY, 503, retryable=True))
    async with database.transaction() as connection:
        await record_results(database, connection, [after_attempt(out.claimed[0], refused, 0.5)])
    other = await subscribe(database, "https://hooks.example.org/other")
    await fan_out.apply([incoming("oil")], NOW, Capacity(0, 0, 0, {}))

    await subscriptions(database).end(id_, None, "unsubscribed", NOW, BY_LINK)

    assert await states(database) == {"cancelled": 4, "sending": 1, "pending": 1}
    async with database.connection() as connection:
        left = await connection.fetch("select id, state, subscription_id from delivery where state <> 'cancelled'")
        ends = await connection.fetch("select distinct reason, settled_at from delivery where state = 'cancelled'")
        records = await connection.fetch("select key, headers, value from outbox where topic = 'delivery-settled'")
    assert {(row["id"], row["state"]) for row in left if row["subscription_id"] == id_} == {(on_its_way.id, "sending")}
    assert [tuple(row) for row in ends] == [("subscription-ended", NOW)]
    told = []
    for record in records:
        headers = [(name, text.encode()) for name, text in record["headers"].items()]
        _, event = from_record(DeliverySettled, record["key"].encode(), headers, record["value"])
        told += [(delivery.outcome, delivery.attempts) for delivery in event.deliveries]
    assert sorted(told) == [("cancelled", 0), ("cancelled", 0), ("cancelled", 0), ("cancelled", 1)]
    claims = DeliveryClaims(database, lease_seconds=60)
    later = NOW + timedelta(days=1)
    assert {delivery.recipient.id for delivery in await claims.claim(later, MUCH_CAPACITY)} == {other}


async def test_who_ends_twice_or_pauses_cancels_nothing(database: Database):
    id_ = await subscribe(database)
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, Capacity(0, 0, 0, {}))
    store = subscriptions(database)

    assert await store.change(id_, None, {"state": "paused"}, NOW, BY_LINK)
    assert await states(database) == {"pending": 1}
    assert await store.end(id_, None, "unsubscribed", NOW, BY_LINK)
    assert await store.end(id_, None, "unsubscribed", NOW, BY_LINK)

    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from outbox where topic = 'delivery-settled'") == 1
