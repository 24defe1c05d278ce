"""How fast milestones are planned, on the intake's own path: read from records, 500 at a time, one transaction each."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import ConsumerRecord

from bench.schedule.faults import scheduled
from bench.schedule.ground import Ground, run
from bench.schedule.loading import rows
from contracts.envelope import to_record
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.intake import Planner
from services.scheduler.reminders.records import read_record

AT_ONCE = 500


@dataclass(frozen=True)
class Planning:
    """Rates in a second; CPU in microseconds of this process for each milestone."""

    milestones: int
    reminders: int
    seconds: float
    cpu: float


def plan_many(ground: Ground, milestones: int) -> Planning:
    """Plan so many milestones that have never been heard of."""
    return run(_plan(ground, milestones))


async def _plan(ground: Ground, milestones: int) -> Planning:
    url = await ground.database()
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    now = datetime(2026, 1, 1, 18, tzinfo=UTC)
    seconds = cpu = 0.0
    with TemporaryDirectory() as folder:
        clock = SharedClock(Path(folder) / "clock")
        clock.set(now)
        planner = Planner(database, clock)
        made = rows("planned", date(2027, 1, 1))
        for place in range(0, milestones, AT_ONCE):
            some = islice(made, min(AT_ONCE, milestones - place))
            records = [_record(scheduled(row, 1, now + timedelta(seconds=place))) for row in some]
            began, used = time.perf_counter(), time.process_time()
            await planner.apply([read_record(record) for record in records])
            seconds += time.perf_counter() - began
            cpu += time.process_time() - used
    async with database.connection() as connection:
        reminders: int = await connection.fetchval("select count(*) from reminder")
    await database.close()
    await ground.drop(url)
    return Planning(milestones, reminders, seconds, cpu / milestones * 1e6)


def _record(received: object) -> ConsumerRecord[bytes, bytes]:
    record = to_record(received.event, received.envelope)  # type: ignore[attr-defined]
    headers = tuple((name, value.encode()) for name, value in record.headers.items())
    return ConsumerRecord(record.topic, 0, 0, 0, 0, record.key.encode(), record.value, None, 0, 0, headers)
