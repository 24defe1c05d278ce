"""Clocks that are put back, the machine's by hours and the settable one by days: both services' periodic work goes on.

The services are wired as they are in production, and run in this process, since nobody may turn back the machine's
own clock. APScheduler reckons by it, and would sleep until the old time has come again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import apscheduler.schedulers.base
import asyncpg
import pytest

from bench.topics import empty_topics
from services.cli.topics import apply_topics
from services.plumbing import periodic
from services.plumbing.clock import SharedClock
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.process import Service
from services.registry.migrations import VERSIONS as REGISTRY
from services.registry.wiring import build as build_registry
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS as SCHEDULER
from services.scheduler.reminders.tick import Tick
from services.scheduler.wiring import build as build_scheduler
from tests.conftest import FreshDatabase
from tests.scheduler.running import Scheduler
from tests.scheduler.scenes import milestone, scheduled

NOON = datetime(2022, 5, 2, 18, tzinfo=UTC)
"""Noon in Mexico City."""


class Wall:
    """The machine's clock as APScheduler sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.back = back = [timedelta()]

        class PutBack(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:
                return datetime.now(UTC) - back[0]

        monkeypatch.setattr(apscheduler.schedulers.base, "datetime", PutBack)
        monkeypatch.setattr(periodic, "datetime", PutBack)

    def put_back(self, hours: float) -> None:
        self.back[0] += timedelta(hours=hours)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


@asynccontextmanager
async def at_work(service: Service) -> AsyncIterator[None]:
    """What the service does beside HTTP and Kafka."""
    assert service.database
    await service.database.open()
    stopping = asyncio.Event()
    working = [asyncio.create_task(work(stopping)) for work in service.work]  # type: ignore[arg-type]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*working), 30)
        for close in service.closing:
            await close()
        if service.producer:
            await service.producer.close()
        await service.database.close()


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedClock:
    monkeypatch.setenv("PLEDGEWIRE_CLOCK_FILE", str(tmp_path / "clock"))
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOON)
    return clock


@pytest.fixture
async def connection(
    fresh_database: FreshDatabase, kafka_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database of the test's own, which the services find too."""
    url = await fresh_database({"registry": REGISTRY, "scheduler": SCHEDULER})
    await apply_topics(KafkaSettings())
    await empty_topics(KafkaSettings())
    monkeypatch.setenv("DATABASE_URL", url)
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


async def until(connection: asyncpg.Connection, question: str, wanted: Callable[[Any], bool]) -> None:
    """Wait for the answer that is wanted."""
    for _ in range(1000):
        if wanted(found := await connection.fetchval(question)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"after twenty seconds still {found}: {question}")


async def test_the_scheduler_ticks_on(connection: asyncpg.Connection, clock: SharedClock, wall: Wall) -> None:
    """And tells, once it is due, a reminder that was planned by the earlier time: seven days before the 8th."""
    service = build_scheduler()
    ticked = "select business_at from scheduler.tick"
    async with at_work(service):
        await until(connection, ticked, lambda at: at == NOON)

        wall.put_back(hours=2)
        earlier = NOON - timedelta(days=3)
        clock.set(earlier)
        await until(connection, ticked, lambda at: at == earlier)

        assert service.database
        scheduler = Scheduler(service.database, clock, Planner(service.database, clock), Tick(service.database, clock))
        await scheduler.hears(scheduled(milestone(date(2022, 5, 8), id_="end")))
        clock.set(NOON)
        told = "select count(*) from scheduler.outbox where topic = 'milestone-due'"
        await until(connection, told, lambda count: count == 1)


async def test_the_registry_looks_on(connection: asyncpg.Connection, clock: SharedClock, wall: Wall) -> None:
    """A day that was looked at is not looked at again, and the next new one is."""
    looked = "select day from registry.consistency_run"
    async with at_work(build_registry()):
        await until(connection, looked, lambda day: day == date(2022, 5, 2))

        wall.put_back(hours=2)
        clock.set(NOON - timedelta(days=3))
        clock.set(NOON + timedelta(days=1))
        await until(connection, looked, lambda day: day == date(2022, 5, 3))
