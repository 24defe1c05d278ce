"""What is claimed, in which order and at which cost, on a real PostgreSQL; and what a tick's own row promises."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bench.schedule.loading import copy_ahead, copy_due
from services.scheduler.reminders import claims, tick_log
from services.scheduler.reminders import tick as tick_module
from tests.scheduler.reminders.replanning_scenes import choice, chooses
from tests.scheduler.running import END_OF_2021, THEN, Scheduler, many, reader_of
from tests.scheduler.scenes import created, milestone, scheduled, utc

DUE = utc(2021, 12, 24, 15)
ONE, OTHER = UUID(int=1), UUID(int=2)


async def test_each_audience_has_one_event_that_merges_its_own_steps(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.ticks_at(utc(2021, 12, 2))
    await chooses(
        scheduler, choice("before-7d", "before-1d", subscription=ONE), choice("on-the-day", subscription=OTHER)
    )

    told = await scheduler.ticks_at(utc(2021, 12, 31, 16))

    assert {(reader_of(e), e.step, e.merged_steps) for e in told} == {
        (None, "on-the-day", ("before-7d", "before-1d")),
        (ONE, "before-1d", ("before-7d",)),
        (OTHER, "on-the-day", ()),
    }
    assert [e.seq for e in told if reader_of(e) is None] == [2]
    assert [e.seq for e in told if reader_of(e)] == [1, 2], "each topic counts by itself"
    rows = await scheduler.rows("select audience, step, state from reminder where audience is not null")
    assert {(r["audience"], r["step"], r["state"]) for r in rows} == {
        (ONE, "before-7d", "merged"),
        (ONE, "before-1d", "fired"),
        (OTHER, "on-the-day", "fired"),
    }
    assert await scheduler.ticks_at(utc(2021, 12, 31, 17)) == []


async def test_what_was_due_first_is_told_first(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one claim after the other; of two at a time the later batch may be committed first."""
    monkeypatch.setattr(tick_module, "AT_ONCE", 3)
    monkeypatch.setattr(tick_module, "CONCURRENT_CLAIMS", 1)
    days = [5, 1, 9, 3, 7, 2, 8, 4, 6]
    for day in days:
        name = f"commitment-{day}"
        what = milestone(date(2021, 12, day) + timedelta(days=7), id_=f"{name}-one")
        await scheduler.hears(created(name), scheduled(what, id_=name))

    told = await scheduler.ticks_at(utc(2021, 12, 9, 16))

    assert [e.commitment.id for e in told] == [f"commitment-{day}" for day in sorted(days)]


async def test_a_second_scheduler_claims_what_the_first_has_not(scheduler: Scheduler) -> None:
    await many(scheduler, 30)
    async with scheduler.database.transaction() as one, scheduler.database.transaction() as other:
        first, _ = await claims.claim(one, utc(2021, 12, 1, 15), 10)
        second, _ = await claims.claim(other, utc(2021, 12, 1, 15), 10)

    assert (len(first), len(second), set(first) & set(second)) == (10, 10, set())


# What a claim costs


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_a_claim_reads_what_it_claims_however_much_lies_ahead(
    scheduler: Scheduler, mode: str, analyzed: bool
) -> None:
    """By the partial index, whatever the planner believes of the table."""
    url = scheduler.database._settings.url.get_secret_value()
    connection = await asyncpg.connect(url, server_settings={"search_path": "scheduler"}, statement_cache_size=0)
    try:
        await copy_ahead(connection, "ahead", 40_000, DUE + timedelta(hours=1))
        await copy_due(connection, "due", 2_000, DUE, timedelta(seconds=1))
        if analyzed:
            await connection.execute("analyze")
        await connection.execute(f"set plan_cache_mode = {mode}")
        await connection.execute(f"prepare next_due (timestamptz, bigint, timestamptz) as {claims.NEXT_DUE}")
        for now, claimed in ((DUE - timedelta(days=1), 0), (DUE + timedelta(seconds=1), 500)):
            async with connection.transaction():
                await claims.claim(connection, now, 1)  # which says how to plan
                explained = await connection.fetchval(
                    f"explain (analyze, buffers, format json) execute next_due ('{now.isoformat()}', 500, '-infinity')"
                )
            [found] = json.loads(explained)
            by_node = {node["Node Type"]: node for node in nodes(found["Plan"])}
            scan = next(n for n in nodes(found["Plan"]) if n.get("Index Name") == "reminder_due")

            assert "Sort" not in by_node
            assert [
                n for n in nodes(found["Plan"]) if n["Node Type"] == "Seq Scan" and n["Relation Name"] != "hold"
            ] == []
            assert scan["Actual Rows"] * scan["Actual Loops"] == claimed
            assert found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"] <= 20 + claimed * 16
    finally:
        await connection.close()


# What the tick's own row promises


async def ticked(scheduler: Scheduler) -> datetime | None:
    [row] = await scheduler.rows("select business_at from tick")
    at: datetime | None = row["business_at"]
    return at


async def test_a_tick_that_was_frozen_takes_nothing_back(scheduler: Scheduler) -> None:
    async with scheduler.database.connection() as connection:
        looked_at = await tick_log.database_now(connection)
        await scheduler.ticks_at(THEN + timedelta(days=1))
        await tick_log.write_tick(connection, THEN, looked_at)

    assert await ticked(scheduler) == THEN + timedelta(days=1)


async def test_a_clock_that_is_put_back_is_followed(scheduler: Scheduler) -> None:
    """What is planned now may be due before the instant up to which all had been told."""
    await scheduler.ticks_at(THEN + timedelta(days=1))
    await scheduler.ticks_at(THEN)

    assert await ticked(scheduler) == THEN


async def test_nothing_is_promised_beyond_what_another_tick_has_in_hand(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.ticks_at(THEN)
    first = utc(2021, 12, 1, 15)
    async with scheduler.database.connection() as frozen:
        transaction = frozen.transaction()
        await transaction.start()
        await claims.claim(frozen, first, 10)
        assert await scheduler.ticks_at(first + timedelta(hours=1)) == []

        assert await ticked(scheduler) == first - timedelta(microseconds=1)
        await transaction.rollback()
    await scheduler.ticks_at(first + timedelta(hours=1))
    assert await ticked(scheduler) == first + timedelta(hours=1)
