"""APScheduler alone, with a job for each reminder in its SQLAlchemy store on PostgreSQL, against our tick.

The jobs do nothing, where the tick writes events. APScheduler is stepped by hand, so that neither timers nor threads
cost it anything, over the same driver (asyncpg) and with fsync; it removes each job in a transaction of its own.
"""

import pickle
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.date import DateTrigger
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead, copy_due
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.reminders.tick import Tick

FIRED = [0]


def fire(milestone_id: str) -> None:
    """What a job calls."""
    FIRED[0] += 1


class Stepped(BaseScheduler):  # type: ignore[misc]  # APScheduler has no types
    """Looks for due jobs when it is told to."""

    def wakeup(self) -> None:
        """Nothing sleeps here."""

    def shutdown(self, wait: bool = True) -> None:
        """Nothing runs here."""


@dataclass(frozen=True)
class Against:
    """One round of both, in reminders a second."""

    ahead: int
    due: int
    apscheduler: float
    tick: float

    @property
    def ratio(self) -> float:
        """How many times as fast."""
        return self.tick / self.apscheduler


def against_apscheduler(ground: Ground, ahead: int, due: int, rounds: int) -> list[Against]:
    """Both in turn, over stores that hold the same number of reminders."""
    return run(_rounds(ground, ahead, due, rounds))


async def _rounds(ground: Ground, ahead: int, due: int, rounds: int) -> list[Against]:
    found = []
    for _ in range(rounds):
        url = await ground.database()
        found.append(Against(ahead, due, await _apscheduler(url, ahead, due), await _tick(url, ahead, due)))
        await ground.drop(url)
    return found


async def _apscheduler(url: str, ahead: int, due: int) -> float:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    store = SQLAlchemyJobStore(engine=engine.sync_engine)
    scheduler = Stepped(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
    scheduler.add_jobstore(store)
    scheduler.add_executor(DebugExecutor())
    await greenlet_spawn(scheduler.start)
    now = datetime.now(UTC)
    await greenlet_spawn(lambda: scheduler.add_job(fire, DateTrigger(now + timedelta(days=1)), ["model"], id="model"))
    connection = await asyncpg.connect(url)
    state = pickle.loads(await connection.fetchval("select job_state from apscheduler_jobs where id = 'model'"))

    def row(id_: str, at: datetime) -> tuple[str, float, bytes]:
        job = state | {"id": id_, "args": (id_,), "next_run_time": at, "trigger": DateTrigger(at)}
        return id_, at.timestamp(), pickle.dumps(job, pickle.HIGHEST_PROTOCOL)

    columns = ("id", "next_run_time", "job_state")
    await connection.copy_records_to_table(
        "apscheduler_jobs",
        records=(row(f"ahead-{number}", now + timedelta(days=1 + number % 7000)) for number in range(ahead)),
        columns=columns,
    )
    await connection.copy_records_to_table(
        "apscheduler_jobs",
        records=(row(f"due-{number}", now - timedelta(seconds=number / due)) for number in range(due)),
        columns=columns,
    )
    await connection.execute("vacuum analyze apscheduler_jobs")
    FIRED[0] = 0
    began = time.perf_counter()
    await greenlet_spawn(scheduler._process_jobs)
    seconds = time.perf_counter() - began
    if FIRED[0] != due:
        raise SystemExit(f"APScheduler fired {FIRED[0]} of {due}")
    await connection.close()
    await engine.dispose()
    return due / seconds


async def _tick(url: str, ahead: int, due: int) -> float:
    connection = await connect(url)
    first = datetime(2030, 1, 1, 9, tzinfo=UTC)
    await copy_ahead(connection, "ahead", ahead, first + timedelta(days=1))
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    with TemporaryDirectory() as folder:
        clock = SharedClock(Path(folder) / "clock")
        clock.set(first - timedelta(days=1))
        tick = Tick(database, clock)
        await tick.once()
        await copy_due(connection, "due", due, first, timedelta(seconds=1))
        await connection.execute("vacuum analyze")
        clock.set(first + timedelta(seconds=1))
        began = time.perf_counter()
        told = await tick.once()
        seconds = time.perf_counter() - began
    if told != due:
        raise SystemExit(f"the tick told {told} of {due}")
    await database.close()
    await connection.close()
    return due / seconds
