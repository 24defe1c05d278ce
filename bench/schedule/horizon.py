"""What a tick costs however much lies ahead: one that finds nothing, and one that tells fifty."""

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead, copy_due
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.reminders.tick import Tick

TOLD = 50
TICKS = 40


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the median tick."""

    ahead: int
    idle: float
    telling: float


def costs(ground: Ground, horizons: tuple[int, ...]) -> list[Cost]:
    """Ticks at each horizon, in one run."""
    return [run(_cost(ground, ahead)) for ahead in horizons]


async def _cost(ground: Ground, ahead: int) -> Cost:
    url = await ground.database()
    connection = await connect(url)
    now = datetime(2030, 1, 1, 9, tzinfo=UTC)
    await copy_ahead(connection, "ahead", ahead, now + timedelta(days=30))
    for number in range(TICKS):
        at = now + timedelta(minutes=number + 1)
        await copy_due(connection, f"due-{number}", TOLD, at, timedelta(seconds=1))
    await connection.execute("vacuum analyze")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    idle, telling = [], []
    with TemporaryDirectory() as folder:
        clock = SharedClock(Path(folder) / "clock")
        clock.set(now)
        tick = Tick(database, clock)
        await tick.once()
        for number in range(TICKS):
            began = time.perf_counter()
            await tick.once()
            idle.append(time.perf_counter() - began)
            clock.set(now + timedelta(minutes=number + 1, seconds=30))
            began = time.perf_counter()
            told = await tick.once()
            telling.append(time.perf_counter() - began)
            if told != TOLD:
                raise SystemExit(f"the tick told {told} of {TOLD}")
    await database.close()
    await connection.close()
    await ground.drop(url)
    return Cost(ahead, statistics.median(idle) * 1000, statistics.median(telling) * 1000)
