"""Results on a real PostgreSQL: what is recorded of an attempt, and what follows from it."""

import asyncio
from datetime import timedelta

import pytest

from services.notifier.channels.outcomes import AttemptOutcome, Deferred, Delivered, FailureReason, Refused, Unknown
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import (
    Attempt,
    Capacity,
    Delivery,
    DeliveryResult,
    after_attempt,
    end_unsent,
)
from services.notifier.delivery.event_cache import EventCache
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.paced_claims import PacedClaims
from services.notifier.delivery.recorder import ResultRecorder
from services.notifier.delivery.results import record_results
from services.notifier.delivery.retry_policy import MOST_ATTEMPTS
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database
from tests.notifier.scenes import (
    LADDER,
    MUCH_CAPACITY,
    NO_CAPACITY,
    NOW,
    incoming,
    published_ladders,
    states,
    subscribe,
    subscriptions,
)


@pytest.fixture
def fan_out(database: Database) -> FanOut:
    return FanOut(database, lease_seconds=60)


@pytest.fixture
def claims(database: Database) -> DeliveryClaims:
    return DeliveryClaims(database, lease_seconds=60)


async def record(database: Database, *results: DeliveryResult) -> int:
    async with database.transaction() as connection:
        return len(await record_results(database, connection, results))


def tried(delivery: Delivery, outcome: AttemptOutcome) -> DeliveryResult:
    return after_attempt(delivery, Attempt(NOW, NOW, 12.5, outcome), 0.5)


async def test_a_result_is_recorded_with_its_attempt(database: Database, fan_out: FanOut):
    await subscribe(database)
    out = await fan_out.apply([incoming(seq=n) for n in range(3)], NOW, MUCH_CAPACITY)
    good, again, bad = out.claimed

    assert (
        await record(
            database,
            tried(good, Delivered(204)),
            tried(again, Refused(FailureReason.BUSY, 503, retryable=True)),
            tried(bad, Refused(FailureReason.REFUSED, 400)),
        )
        == 3
    )

    assert await states(database) == {"delivered": 1, "pending": 1, "failed": 1}
    row, tries = await DeliveryLog(database).find(again.id, None) or pytest.fail("it is there")
    assert (row["attempts"], row["reason"], row["last_code"]) == (1, "temporarily-unavailable", 503)
    assert row["next_at"] == NOW + timedelta(seconds=5)
    assert [(t["n"], t["outcome"], t["code"]) for t in tries] == [(1, "refused", 503)]


async def test_results_of_two_claims_of_one_delivery_are_recorded_and_told_once(
    database: Database, claims: DeliveryClaims
):
    """As in a process that was frozen over an attempt, and claimed its delivery anew before it recorded the first."""
    await subscribe(database)
    out = await FanOut(database, lease_seconds=0.01).apply([incoming()], NOW, MUCH_CAPACITY)
    await asyncio.sleep(0.05)
    assert await claims.sweep(NOW) == 1
    (anew,) = await claims.claim(NOW, MUCH_CAPACITY)
    recorder = ResultRecorder(database, EventCache(database), SystemClock(), most=10, seconds=0.0)

    recorder.report(tried(out.claimed[0], Delivered(200)))
    recorder.report(tried(anew, Delivered(201)))
    await recorder.flush()

    row, tries = await DeliveryLog(database).find(anew.id, None) or pytest.fail("it is there")
    assert (row["state"], row["last_code"], [t["n"] for t in tries]) == ("delivered", 201, [1, 2])
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from outbox where topic = 'delivery-settled'") == 1


async def test_being_told_to_wait_is_no_attempt(database: Database, fan_out: FanOut):
    await subscribe(database)
    out = await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)

    assert await record(database, tried(out.claimed[0], Deferred(FailureReason.THROTTLED, 429, 30.0))) == 1

    row, tries = await DeliveryLog(database).find(out.claimed[0].id, None) or pytest.fail("it is there")
    assert (row["state"], row["attempts"], row["deferrals"]) == ("pending", 0, 1)
    assert (row["reason"], row["last_code"], row["next_at"]) == ("throttled", 429, NOW + timedelta(seconds=30))
    assert tries == []


async def test_being_told_to_wait_without_end_ends_by_age(database: Database, fan_out: FanOut):
    claims = PacedClaims(database, lease_seconds=60, window=2.0, clock_is_set=True)
    await subscribe(database)
    claimed = (await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)).claimed
    now, told = NOW, 0
    while claimed:
        outcome = Deferred(FailureReason.THROTTLED, 429, 36_000.0)
        await record(database, after_attempt(claimed[0], Attempt(now, now, 1.0, outcome), 0.5))
        now, told = now + timedelta(hours=11), told + 1
        claimed = await claims.claim(now, 10)

    assert await states(database) == {"failed": 1}
    assert told == 8, "the first at once, the last after more than 75 h 35 min"


async def test_a_result_whose_lease_was_lost_changes_nothing(database: Database, claims: DeliveryClaims):
    frozen_fan_out = FanOut(database, lease_seconds=0.01)
    await subscribe(database)
    out = await frozen_fan_out.apply([incoming()], NOW, MUCH_CAPACITY)
    await asyncio.sleep(0.05)
    assert await claims.sweep(NOW) == 1
    (taken_over,) = await claims.claim(NOW, MUCH_CAPACITY)

    assert await record(database, tried(out.claimed[0], Delivered(200))) == 0
    assert await record(database, tried(taken_over, Delivered(201))) == 1

    _, tries = await DeliveryLog(database).find(taken_over.id, None) or pytest.fail("it is there")
    assert [(t["n"], t["outcome"], t["reason"]) for t in tries] == [
        (1, "unknown", "lease-ran-out"),
        (2, "delivered", None),
    ]


async def test_who_is_gone_is_disabled_and_what_waits_is_suppressed(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    id_ = await subscribe(database)
    out = await fan_out.apply([incoming("coal"), incoming("oil")], NOW, Capacity(1, 1, 1, {}))

    await record(database, tried(out.claimed[0], Refused(FailureReason.GONE, 410, gone=True)))

    row = await subscriptions(database).find(id_, None)
    assert row is not None
    assert (row["state"], row["reason"]) == ("disabled", "gone")
    (waiting,) = await claims.claim(NOW, MUCH_CAPACITY)
    assert end_unsent(waiting, NOW) == ("suppressed", "subscription-disabled")


async def test_who_is_gone_needs_no_reminders_planned_any_more(database: Database, fan_out: FanOut):
    id_ = await subscribe(database, ladder=LADDER)
    await subscribe(database, "https://hooks.example.org/other")
    out = await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)

    await record(database, *(tried(one, Refused(FailureReason.GONE, 410, gone=True)) for one in out.claimed))

    (told,) = await published_ladders(database)
    assert (told.subscription_id, told.active, told.rungs, told.seq) == (id_, False, (), 1)


async def test_after_the_last_attempt_it_has_failed(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    await subscribe(database)
    now = NOW
    await fan_out.apply([incoming()], now, NO_CAPACITY)
    for _ in range(MOST_ATTEMPTS):
        (claimed,) = await claims.claim(now, MUCH_CAPACITY)
        await record(database, tried(claimed, Unknown(FailureReason.TIMEOUT)))
        now += timedelta(days=3)

    assert await claims.claim(now, MUCH_CAPACITY) == []
    assert await states(database) == {"failed": 1}
    (row,) = await DeliveryLog(database).page(
        owner=None, event=None, subscription=None, commitment="coal", state="failed", before=None, limit=10
    )
    assert (row["attempts"], row["reason"]) == (MOST_ATTEMPTS, "timeout")
