"""An old backup is put in place of the database: nothing is sent, doubled or lost before an operator says so."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import ALL
from services.cli.databases import with_database
from services.cli.observing import Observer
from services.cli.topics import apply_topics
from tests.journeys.house import House, on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ON_BOTH = ("registry", "scheduler", "notifier")


async def copy_database(house: House, source: str, target: str) -> None:
    """A server that copies its files under another name, which is what a backup and a restore come to."""
    await house.observer.connection.close()
    connection = await asyncpg.connect(with_database(house.database_url, "postgres"))
    try:
        await connection.execute(f'drop database if exists "{target}" with (force)')
        await connection.execute(f'create database "{target}" template "{source}"')
    finally:
        await connection.close()


@asynccontextmanager
async def stopped(house: House, *services: str) -> AsyncIterator[None]:
    """In the block they don't run."""
    await asyncio.to_thread(house.fleet.stop, *services)
    yield
    house.fleet.start(*services)
    await asyncio.to_thread(house.fleet.wait_ready, *services)


async def topics_are_lost(house: House) -> None:
    """As with the disk of the broker: the topics are empty, and no group has read any."""
    admin = AIOKafkaAdminClient(**house.kafka.client_options())
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in ALL])
    finally:
        await admin.close()
    missing = {topic.name for topic in ALL}
    async with asyncio.timeout(30):
        while missing:  # they go one by one
            missing -= {change.topic for change in await apply_topics(house.kafka) if change.kind == "create"}
            await asyncio.sleep(0.3)


def pledgewire(house: House, *arguments: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env={**os.environ, **house.stack.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def held(house: House) -> dict[str, int]:
    """Which services wait for the operator's word, and how many wait there."""
    documents = json.loads(await asyncio.to_thread(pledgewire, house, "recovery", "status", "--json"))["items"]
    return {one["service"]: one["held"] for one in documents}


async def register(house: House) -> dict[str, tuple[str, int]]:
    rows = await house.observer.connection.fetch("select id, status, version from registry.commitment")
    return {row["id"]: (row["status"], row["version"]) for row in rows}


async def test_an_old_backup_sends_nothing_loses_nothing_and_waits_for_a_word(house: House) -> None:
    for channel in ("slack", "webhook"):
        await house.subscribe(channel, "everything", events=["status-changed", "milestone-due"])
    await house.import_statement()
    await house.at(on(2021, 12, 1))
    name = urlsplit(house.database_url).path.removeprefix("/")
    async with stopped(house, *ON_BOTH):
        await copy_database(house, name, "backup")
    async with Observer(house.database_url) as observer:
        house.observer = observer
        updated = sorted(await register(house))[:20]
        for commitment in updated:
            await house.insist_on_status(commitment, "in-progress")
        for month in range(1, 13):
            await house.at(on(2022, month, 1))
        before, arrived = await register(house), len(await house.arrivals())
        told = await observer.events()
    assert told["milestone-due"] > 10, told

    await asyncio.to_thread(house.fleet.stop, *ON_BOTH)
    await copy_database(house, "backup", name)
    house.stack.kill_broker()
    house.fleet.start(*ON_BOTH)
    async with Observer(house.database_url) as observer:
        house.observer = observer
        again = await house.insist_on_status(updated[0], "at-risk")
        assert again["version"] == 2, "as the old register has it"
        await asyncio.to_thread(house.stack.start_broker)
        async with asyncio.timeout(60):
            while set(await held(house)) != set(ON_BOTH):  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.5)
        version = before[updated[0]][1] + 1
        assert await register(house) == {**before, updated[0]: ("at-risk", version)}
        assert len(await house.arrivals()) == arrived
        await house.expect_troubles(None, *ON_BOTH)  # it is ready, and says that it is held
        for service in ON_BOTH:
            assert "held since" in (await house.http.get(f"{house.url(service)}/readyz")).json()["recovery"]
        assert (await held(house))["registry"] == 1
        await asyncio.to_thread(pledgewire, house, "recovery", "release", "--by", "tests")
        await house.rest(120)

        now = await observer.events()
        assert {name: count - told[name] for name, count in now.items() if name != "delivery-settled"} == {
            name: int(name == "status-changed") for name in told if name != "delivery-settled"
        }
        assert len(await house.arrivals()) == arrived + 2  # the new update, on both channels
        await house.assert_nothing_lost()


async def test_lost_topics_are_published_again_and_nothing_is_sent_twice(house: House) -> None:
    async with Observer(house.database_url) as observer:
        house.observer = observer
        before, arrived = await observer.events(), len(await house.arrivals())
        async with stopped(house, *ON_BOTH):
            await topics_are_lost(house)
        await house.rest(120)

        assert await observer.events() == before
        assert await held(house) == {}
        assert len(await house.arrivals()) == arrived
        await house.assert_nothing_lost()
