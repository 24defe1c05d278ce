"""The clockwork goes on through what passes, ends by what doesn't, and does not sleep when the clock is put back."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import apscheduler.schedulers.base
import pytest

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


async def turns_of_the_loop(count: int = 50) -> None:
    """Let the event loop do whatever is due by now."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.slow  # holds up the event loop
async def test_a_tick_that_comes_late_is_not_dropped() -> None:
    """
    While the event loop stands still for longer than APScheduler's grace of a second, a tick falls due: it comes as
    soon as the loop goes on, and not when the next one would.
    """
    ticks, stopping = 0, asyncio.Event()

    async def tick() -> None:
        nonlocal ticks
        ticks += 1

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 1.4)).run(stopping))
    await turns_of_the_loop()
    time.sleep(2.6)  # noqa: ASYNC251  the loop is to stand still: the tick of 1.4 is late, that of 2.8 is to come
    await turns_of_the_loop()
    late = ticks
    stopping.set()
    await running

    assert late >= 1


@pytest.mark.slow  # holds up the event loop
async def test_ticks_that_were_missed_are_made_up_for_by_one() -> None:
    ticks, stopping = 0, asyncio.Event()

    async def tick() -> None:
        nonlocal ticks
        ticks += 1
        stopping.set()

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 0.4)).run(stopping))
    await turns_of_the_loop()
    time.sleep(1.4)  # noqa: ASYNC251  the loop is to stand still while three ticks fall due
    await running

    assert ticks == 1


async def test_no_tick_begins_before_the_last_one_has_ended() -> None:
    """
    While a tick goes on, another task of the same rhythm has its turn again and again.
    """
    begun, others = 0, asyncio.Queue[None]()
    under_way, go_on, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def tick() -> None:
        nonlocal begun
        begun += 1
        under_way.set()
        await go_on.wait()

    async def other() -> None:
        others.put_nowait(None)

    clockwork = Clockwork(PeriodicTask("tick", tick, 0.02), PeriodicTask("other", other, 0.02))
    running = asyncio.create_task(clockwork.run(stopping))
    async with asyncio.timeout(30):
        await under_way.wait()
        for _ in range(others.qsize() + 10):
            await others.get()
    beside = begun
    stopping.set()
    go_on.set()
    await running

    assert beside == 1


async def test_the_clockwork_finishes_the_tick_under_way_before_it_stops() -> None:
    begun, stopping, finished = asyncio.Event(), asyncio.Event(), []

    async def tick() -> None:
        begun.set()
        await stopping.wait()
        await turns_of_the_loop()
        finished.append(True)

    running = asyncio.create_task(Clockwork(PeriodicTask("tick", tick, 0.01)).run(stopping))
    await asyncio.wait_for(begun.wait(), 10)
    stopping.set()
    await asyncio.wait_for(running, 10)

    assert finished == [True]


async def test_a_task_that_is_called_comes_soon_though_it_said_that_it_would_come_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(periodic, "LONGEST_SLEEP", 0.05)
    done, called, stopping = asyncio.Queue[None](), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        called.clear()
        done.put_nowait(None)

    running = asyncio.create_task(Clockwork(PeriodicTask("work", work, 3600, called.is_set)).run(stopping))
    await asyncio.sleep(0.2)
    assert done.empty()
    for _ in range(2):
        called.set()
        await asyncio.wait_for(done.get(), 5)
    stopping.set()
    await running
