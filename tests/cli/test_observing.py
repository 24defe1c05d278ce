"""Looking at all schemas from outside: what a subscription's ladder is on its way to, and that it got there."""

from collections.abc import AsyncIterator

import pytest

from services.cli.databases import schema_versions
from services.cli.observing import Observer
from services.notifier.subscriptions.store import SubscriptionStore
from tests.conftest import FreshDatabase
from tests.notifier.scenes import LADDER, NOW, database_at

WISH = {
    "owner": "sre",
    "subscriber": "Enlace",
    "channel": "email",
    "address": "enlace@semarnat.example",
    "language": "es",
    "zone": "America/Mexico_City",
    "fingerprint": b"1",
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
    yield SubscriptionStore(database)
    await database.close()


async def broken(observer: Observer) -> list[str]:
    return [check.name for check in await observer.conservation() if not check.ok]


async def test_a_chosen_ladder_is_under_way_until_the_scheduler_has_heard_it(
    observer: Observer, register: SubscriptionStore
):
    assert (await observer.unrest(NOW)).unheard_by_scheduler == 0
    await register.add(WISH | {"ladder": LADDER}, NOW)

    under_way = await observer.unrest(NOW)
    assert (under_way.unpublished, under_way.unheard_by_scheduler, under_way.unheard_by_notifier) == (1, 1, 0)
    assert await broken(observer) == ["every event has been heard by the scheduler"]

    await observer.connection.execute(
        "insert into scheduler.inbox (consumer, event_id, seen_at)"
        " select 'scheduler', event_id, created_at from notifier.outbox where topic = 'ladder-chosen'"
    )
    assert (await observer.unrest(NOW)).unheard_by_scheduler == 0
    assert await broken(observer) == []
    assert (await observer.events())["ladder-chosen"] == 1
