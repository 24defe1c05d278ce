"""The clockwork goes on through what passes, ends by what doesn't, and does not sleep when the clock is put back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import apscheduler.schedulers.base
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from services.plumbing import periodic
from services.plumbing.periodic import Clockwork, PeriodicTask


async def test_a_wall_clock_that_is_put_back_does_not_put_the_ticks_to_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """APScheduler would wait until the old time has come again."""
    back = timedelta()

    class Wall(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) - back

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Wall)
    monkeypatch.setattr(periodic, "datetime", Wall)
    monkeypatch.setattr(periodic, "LONGEST_SLEEP", 0.05)
    ticked, stopping = asyncio.Event(), asyncio.Event()

    async def tick() -> None:
        ticked.set()

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 0.02)).run(stopping))
    for _ in range(3):
        ticked.clear()
        await asyncio.wait_for(ticked.wait(), 10)
        back += timedelta(hours=2)
    ticked.clear()
    await asyncio.wait_for(ticked.wait(), 10)
    stopping.set()
    await running


async def test_a_tick_that_knows_when_the_next_reminder_is_due_comes_then() -> None:
    """And not at the next full second."""
    ticks, stopping = asyncio.Queue[None](), asyncio.Event()

    async def tick() -> float | None:
        ticks.put_nowait(None)
        return 0.01

    running = asyncio.create_task(
        Clockwork(PeriodicTask("tick", tick, 0.5), PeriodicTask("other", _nothing, 3600)).run(stopping)
    )
    async with asyncio.timeout(20):
        for _ in range(100):
            await ticks.get()
    stopping.set()
    await running


async def _nothing() -> None:
    return None


async def test_the_clockwork_ticks_on_through_what_passes_and_ends_by_a_slip() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks < 4:
            raise ConnectionError("PostgreSQL is away")
        raise KeyError("a slip of ours")

    with pytest.raises(KeyError):
        await asyncio.wait_for(Clockwork(PeriodicTask("tick", tick, 0.01)).run(asyncio.Event()), 10)
    assert ticks == 4


async def test_a_tick_that_comes_late_is_not_dropped_and_none_runs_beside_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """APScheduler's own defaults would drop it: the job is looked at as APScheduler has it."""
    built: list[AsyncIOScheduler] = []

    class Remembering(AsyncIOScheduler):  # type: ignore[misc]  # APScheduler has no types
        def start(self, *arguments: Any) -> None:
            built.append(self)
            super().start(*arguments)

    monkeypatch.setattr(periodic, "AsyncIOScheduler", Remembering)
    ticked, stopping = asyncio.Event(), asyncio.Event()

    async def tick() -> None:
        ticked.set()

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 0.01)).run(stopping))
    await asyncio.wait_for(ticked.wait(), 10)
    [job] = built[0].get_jobs()
    stopping.set()
    await asyncio.wait_for(running, 10)

    assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)


async def test_the_clockwork_finishes_the_tick_under_way_before_it_stops() -> None:
    begun, stopping, finished = asyncio.Event(), asyncio.Event(), []

    async def tick() -> None:
        begun.set()
        await stopping.wait()
        await asyncio.sleep(0.05)
        finished.append(True)

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 0.01)).run(stopping))
    await asyncio.wait_for(begun.wait(), 10)
    stopping.set()
    await asyncio.wait_for(running, 10)

    assert finished == [True]
