"""Looking at all schemas from outside: what is under way, when everything is at rest, and whether the laws hold."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.cli.databases import schema_versions
from services.cli.observing import Observer
from services.notifier.subscriptions.store import SubscriptionStore
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import SharedClock
from tests.conftest import FreshDatabase
from tests.notifier.scenes import LADDER, NOW, database_at, subscriptions

WISH = {
    "owner": "sre",
    "subscriber": "Enlace",
    "channel": "email",
    "address": "enlace@semarnat.example",
    "language": "es",
    "zone": "America/Mexico_City",
}


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(schema_versions())


@pytest.fixture
async def observer(url: str) -> AsyncIterator[Observer]:
    async with Observer(url) as opened:
        yield opened


@pytest.fixture
async def register(url: str) -> AsyncIterator[SubscriptionStore]:
    database = database_at(url)
    await database.open()
    yield subscriptions(database)
    await database.close()


async def broken(observer: Observer) -> list[str]:
    return [check.name for check in await observer.conservation() if not check.ok]


async def test_a_chosen_ladder_is_under_way_until_the_scheduler_has_heard_it(
    observer: Observer, register: SubscriptionStore
):
    assert (await observer.pending_work(NOW)).unread_by_scheduler == 0
    await register.add(WISH | {"ladder": LADDER}, NOW, Actor("tests"))

    under_way = await observer.pending_work(NOW)
    assert (under_way.unpublished, under_way.unread_by_scheduler, under_way.unread_by_notifier) == (1, 1, 0)
    assert await broken(observer) == ["every event has been heard by the scheduler"]

    await observer.connection.execute(
        "insert into scheduler.inbox (consumer, event_id, seen_at)"
        " select 'scheduler', event_id, created_at from notifier.outbox where topic = 'ladder-chosen'"
    )
    assert (await observer.pending_work(NOW)).unread_by_scheduler == 0
    assert await broken(observer) == []
    assert (await observer.events())["ladder-chosen"] == 1


# At rest


@pytest.fixture
async def clock(observer: Observer, tmp_path: Path) -> SharedClock:
    """It stands at NOW, and everything has come to rest there."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    await observer.connection.execute("update scheduler.tick set business_at = $1", NOW + timedelta(days=1))
    await observer.connection.execute("update registry.consistency_run set day = $1", NOW.date() + timedelta(days=1))
    await observer.rest(clock, seconds=0)
    return clock


async def put_off(
    observer: Observer,
    until: datetime,
    reason: str | None,
    code: int | None,
    attempts: int = 1,
    rule: str | None = None,
) -> None:
    """A delivery as it stands after so many attempts."""
    await observer.connection.execute(
        "insert into notifier.delivery (thread, event_id, subscription_id, commitment_id, channel, state, next_at,"
        " created_at, attempts, reason, last_code, rule)"
        " values ($8, $1, $2, 'a-promise', 'slack', 'pending', $3, $4, $7, $5, $6, $9)",
        uuid4(),
        uuid4(),
        until,
        NOW,
        reason,
        code,
        attempts,
        uuid4(),
        rule,
    )


async def test_a_message_that_got_no_answer_is_not_at_rest_until_it_is_sent_again(
    url: str, observer: Observer, clock: SharedClock
):
    """The clock stands still, so it is moved on to the next attempt; rest comes with the answer to that."""
    again = NOW + timedelta(seconds=61)
    await put_off(observer, again, "timeout", None)
    assert (await observer.pending_work(NOW)).only_unanswered

    async def notifier() -> None:
        """It sends again when the clock says so, and that takes a while."""
        async with Observer(url) as tables:
            for _ in range(2000):
                if clock.now() >= again:
                    break
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.2)
            await tables.connection.execute("update notifier.delivery set state = 'delivered', next_at = $1", again)

    sending = asyncio.create_task(notifier())
    await observer.rest(clock, seconds=20)

    assert await observer.deliveries() == {("slack", "delivered"): 1}
    assert clock.now() == again
    await sending


async def test_a_message_that_was_refused_for_now_is_at_rest(observer: Observer, clock: SharedClock):
    """That it comes later is the receiver's answer, and the clock is not touched."""
    await put_off(observer, NOW + timedelta(seconds=5), "temporarily-unavailable", 503)

    await observer.rest(clock, seconds=0)

    assert clock.now() == NOW


async def test_a_receiver_that_has_not_answered_three_times_is_waited_for_no_more(
    observer: Observer, clock: SharedClock
):
    await put_off(observer, NOW + timedelta(minutes=30), "connection-failed", None, attempts=3)

    await observer.rest(clock, seconds=0)

    assert clock.now() == NOW


async def test_what_waits_for_more_of_its_cause_is_not_at_rest_until_its_window_ends(
    url: str, observer: Observer, clock: SharedClock
):
    """The clock is moved on to that moment; what somebody's settings put off is at rest."""
    ends = NOW + timedelta(minutes=1)
    await put_off(observer, ends, None, None, attempts=0, rule="window")
    await put_off(observer, NOW + timedelta(hours=8), None, None, attempts=0, rule="quiet-hours")
    assert (await observer.pending_work(NOW)).only_time

    async def notifier() -> None:
        async with Observer(url) as tables:
            for _ in range(2000):
                if clock.now() >= ends:
                    break
                await asyncio.sleep(0.005)
            await tables.connection.execute("update notifier.delivery set state = 'delivered' where rule = 'window'")

    sending = asyncio.create_task(notifier())
    await observer.rest(clock, seconds=20)

    assert clock.now() == ends
    await sending


async def test_a_message_that_was_never_sent_and_a_group_without_a_leader_break_laws(
    observer: Observer, clock: SharedClock
):
    for _ in range(2):
        await put_off(observer, NOW + timedelta(minutes=1), None, None, attempts=0, rule="window")
    ask = observer.connection.execute
    await ask("update notifier.delivery set group_id = $1, leads = false", uuid4())
    assert "every group that waits has one that leads it" in await broken(observer)
    await ask("update notifier.delivery set leads = true")
    assert "every group that waits has one that leads it" in await broken(observer)
    await ask("update notifier.delivery set group_id = null, message = $1", uuid4())
    assert "every message that told several is one that was sent" in await broken(observer)
