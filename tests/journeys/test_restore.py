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

from services.cli.databases import with_database
from services.cli.observing import Observer
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
    documents = json.loads(await asyncio.to_thread(pledgewire, house, "recovery", "status", "--json"))
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

    async with stopped(house, *ON_BOTH):
        await copy_database(house, "backup", name)
    async with Observer(house.database_url) as observer:
        house.observer = observer
        async with asyncio.timeout(60):
            while set(await held(house)) != set(ON_BOTH):  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.5)
        assert await register(house) == before
        again = await house.insist_on_status(updated[0], "at-risk")
        await asyncio.to_thread(pledgewire, house, "recovery", "release", "--by", "tests")
        await house.rest(120)

        now = await observer.events()
        assert {name: count - told[name] for name, count in now.items() if name != "delivery-settled"} == {
            name: int(name == "status-changed") for name in told if name != "delivery-settled"
        }
        assert len(await house.arrivals()) == arrived + 2  # the new update, on both channels
        await house.assert_nothing_lost()
        assert again["version"] == before[updated[0]][1] + 1
