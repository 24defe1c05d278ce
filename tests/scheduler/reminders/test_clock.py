"""Clocks that are wrong, that step, and that run for thirty years: nothing is told twice, nothing is left out."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from contracts.vocabulary import Status
from services.cli.fleet import PROJECT
from services.scheduler.intake import Planner
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.tick import Tick
from tests.scheduler.running import Scheduler
from tests.scheduler.scenes import NINE_SHARP, changed, milestone, scheduled, utc

Told = tuple[str, int, str]
"""A milestone, its schedule's version, and a step."""


@pytest.fixture
def scheduler(scheduler: Scheduler) -> Scheduler:
    """One that plans by the shipped book as it is, with its jitter."""
    database, clock = scheduler.database, scheduler.clock
    return replace(scheduler, planner=Planner(database, clock), tick=Tick(database, clock))


async def told(scheduler: Scheduler) -> Counter[Told]:
    """How often each step was told, by an event of its own or merged into another."""
    return Counter(
        (event.milestone.id, event.schedule_version, step)
        for event in await scheduler.told()
        for step in (event.step, *event.merged_steps)
    )


# A clock that was never set


@pytest.mark.parametrize("content", [b"", bytes(8)])
def test_a_scheduler_does_not_start_by_a_clock_that_was_never_set(tmp_path: Path, content: bytes) -> None:
    """In 1970 everything lies ahead; once the clock is right, all of it would be late."""
    clock = tmp_path / "clock"
    clock.write_bytes(content)
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "PLEDGEWIRE_CLOCK_FILE": str(clock),
    }

    ended = subprocess.run(
        [sys.executable, "-m", "services.scheduler"], env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    error, help_ = ended.stderr.splitlines()
    assert error.startswith("error: the clock says 1970-01-01T00:00Z")
    assert help_.startswith("help: ") and "PLEDGEWIRE_CLOCK_FILE" in help_
    assert ended.stdout == ""


# A clock that steps


@pytest.mark.parametrize("seed", range(6))
async def test_steps_of_hours_and_days_double_and_drop_nothing(scheduler: Scheduler, seed: int) -> None:
    """Two schedulers tick, milestones are heard of, and the clock goes on, back and far ahead in any order."""
    random = Random(seed)
    ticks = [scheduler.tick, scheduler.another()]
    now = latest = utc(2021, 12, 1)
    scheduler.clock.set(now)
    steps = [timedelta(hours=h) for h in (1, 3, 7, 20, 2, -2, 24, -24)]
    planned_at: dict[str, datetime] = {}
    days: dict[str, date] = {}
    for number in range(80):
        if number % 10 == 0:
            name = f"heard-{number}"
            days[name] = now.date() + timedelta(days=random.randint(1, 40))
            planned_at[name] = now
            await scheduler.hears(scheduled(milestone(days[name], id_=name), id_=name))
        now += random.choice(steps)
        latest = max(latest, now)
        scheduler.clock.set(now)
        if random.random() < 0.8:
            await asyncio.gather(*(tick.once() for tick in ticks[: random.randint(1, 2)]))
    scheduler.clock.set(latest)
    await scheduler.tick.once()

    expected = {(name, 1, step) for name in days for step in steps_between(days[name], planned_at[name], latest)}
    found = await told(scheduler)
    assert found == Counter(dict.fromkeys(expected, 1))
    seqs: dict[str, list[int]] = {}
    for event in await scheduler.told():
        seqs.setdefault(event.commitment.id, []).append(event.seq)
    assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())


# Thirty years

MEXICO_CITY = ZoneInfo("America/Mexico_City")


def steps_between(day: date, after: datetime, until: datetime) -> Iterator[str]:
    """The default ladder by plain arithmetic: 90, 30, 7, 1 days before, on the day, 1, 7 and every 30 days after."""
    offsets = [-90, -30, -7, -1, 0, 1, 7, *range(30, (until.date() - day).days + 1, 30)]
    for offset in offsets:
        at = datetime.combine(day + timedelta(days=offset), time(9), MEXICO_CITY)
        if after <= at <= until:
            yield f"before-{-offset}d" if offset < 0 else f"after-{offset}d" if offset else "on-the-day"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [30])
async def test_thirty_years_pass_and_each_reminder_is_told_once(scheduler: Scheduler, seed: int) -> None:
    """Milestones are heard of, moved, met and taken up again; now and then nobody is there for days.

    By a book that only records what a move puts into the past, so that plain arithmetic says what is to be told.
    """
    rules_cache = RulesCache(replace(NINE_SHARP, moved_into_past="record"))
    scheduler.planner = Planner(scheduler.database, scheduler.clock, rules_cache)
    scheduler.tick = Tick(scheduler.database, scheduler.clock, rules_cache)
    random = Random(seed)
    now, end = utc(2026, 1, 1, 5), utc(2056, 1, 1, 5)
    days: dict[str, date] = {}
    since: dict[str, datetime] = {}
    versions: Counter[str] = Counter()
    seqs: Counter[str] = Counter()
    expected: set[Told] = set()

    def close(name: str, at: datetime) -> None:
        """What the present schedule has said up to now was to be said."""
        if name in since:
            started = since.pop(name)
            expected.update((name, versions[name], step) for step in steps_between(days[name], started, at))

    while now < end:
        scheduler.clock.set(now)
        await scheduler.tick.once()
        close_to = now
        if len(days) < 20 and random.random() < 0.5:
            name = f"promise-{len(days)}"
            days[name], since[name], versions[name] = now.date() + timedelta(days=random.randint(1, 900)), now, 1
            await scheduler.hears(scheduled(milestone(days[name], id_=name), id_=name))
        elif since and random.random() < 0.5:
            name = random.choice(sorted(since))
            close(name, close_to)
            if random.random() < 0.3:
                days[name], since[name] = now.date() + timedelta(days=random.randint(1, 900)), now
                versions[name] += 1
                moved = milestone(days[name], id_=name)
                await scheduler.hears(scheduled(moved, versions[name], id_=name, change="moved"))
            else:
                seqs[name] += 1
                await scheduler.hears(changed(Status.MET, seqs[name], id_=name))
        # From one event of the world to the next, the clock stops wherever something is due, or nobody is there.
        until = min(end, now + timedelta(days=random.randint(20, 200)))
        away = random.random() < 0.2
        while not away:
            [row] = await scheduler.rows("select min(due_at) as next from reminder where state = 'pending'")
            if row["next"] is None or row["next"] > until:
                break
            scheduler.clock.set(row["next"])
            assert await scheduler.tick.once()
        now = until
    scheduler.clock.set(end)
    await scheduler.tick.once()
    for name in sorted(since):
        close(name, end)

    found = await told(scheduler)
    assert {one: times for one, times in found.items() if times > 1} == {}
    assert (expected - found.keys(), found.keys() - expected) == (set(), set())
    assert len(found) > 100
