"""`pledgewire recovery release` gives the operator's word for all that was taken over, never for a part of it."""

import asyncio

import asyncpg

from services.cli.databases import upgrade_all
from tests.conftest import FreshDatabase
from tests.journeys.operating import run_pledgewire

OPEN = "select count(*) from notifier.recovery where released_at is null"


async def test_a_service_that_is_still_taking_over_is_released_when_it_has_all(fresh_database: FreshDatabase):
    url = await fresh_database({})
    await upgrade_all(url)
    environment = {"DATABASE_URL": url}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("insert into notifier.recovery (taken_over) values ('{\"delivery-settled\": 7}')")
        await connection.execute("update notifier.outbox_lease set compared = false")

        refused = await asyncio.to_thread(run_pledgewire, environment, "recovery", "release", "--wait", "0")

        assert refused.returncode == 1
        assert "notifier: still taking over, and nothing is released" in refused.stderr
        assert await connection.fetchval(OPEN) == 1

        waiting = asyncio.create_task(asyncio.to_thread(run_pledgewire, environment, "recovery", "release"))
        await asyncio.sleep(2)
        assert await connection.fetchval(OPEN) == 1
        await connection.execute("update notifier.outbox_lease set compared = true")
        released = await waiting

        assert released.returncode == 0, released.stderr
        assert "notifier: released" in released.stdout
        assert await connection.fetchval(OPEN) == 0
    finally:
        await connection.close()
