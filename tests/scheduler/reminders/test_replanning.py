"""The ladder book, readers' own ladders and zone data on a real PostgreSQL: what changes when they do."""

import asyncio
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from contracts.vocabulary import Reading
from services.scheduler.intake import Planner
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import plan
from services.scheduler.reminders import ladder_store, replanning
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.replanning import Replanner
from tests.scheduler.reminders.replanning_scenes import LATE_ONES, Waiting, client, plans, waiting
from tests.scheduler.running import END_OF_2021, THEN, Scheduler, many
from tests.scheduler.scenes import NINE_SHARP, created, milestone, scheduled, utc

# The book


@pytest.mark.parametrize("when", [utc(2021, 11, 19), utc(2021, 12, 24, 20), utc(2022, 1, 1, 15), utc(2023, 1, 1)])
async def test_after_a_book_is_applied_the_table_holds_what_a_plan_of_now_gives(
    scheduler: Scheduler, tmp_path: Path, when: datetime
) -> None:
    summit = milestone(date(2022, 6, 10), id_="summit", reading=Reading.ON, earliest=date(2022, 6, 9))
    someday = milestone(None, id_="someday", reading=Reading.UNDATED)
    for what in (END_OF_2021, summit, someday):
        await scheduler.hears(scheduled(what))
    await scheduler.ticks_at(when)
    told = {
        (r["milestone_id"], r["step"])
        for r in await scheduler.rows("select milestone_id, step from reminder where state in ('fired', 'merged')")
    }
    http, _ = await client(scheduler, tmp_path)
    async with http:
        await http.put("/ladders", content=LATE_ONES)

    expected: Waiting = set()
    for what in (END_OF_2021, summit, someday):
        done = [Step.named(step) for name, step in told if name == what.id]
        planned = plan(what, when, read_ladder_book(LATE_ONES), scheduled_at=THEN, fired=done)
        expected |= {
            (what.id, 1, one.step.name, None, one.due_at)
            for one in planned
            if one.state == "pending" and one.step not in done
        }
    assert expected == await waiting(scheduler)


async def test_what_another_process_left_half_planned_is_finished(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replanning, "AT_ONCE", 2)
    await many(scheduler, 5)
    async with scheduler.database.transaction() as connection:
        await ladder_store.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
        begun = await replanning.begin(connection, "book", THEN)
    await Replanner(scheduler.database, RulesCache(NINE_SHARP)).once()
    partly = await scheduler.rows("select count(*) as n from reminder where step = 'before-14d'")

    done = await Replanner(scheduler.database, RulesCache(NINE_SHARP)).finish(begun)

    assert partly[0]["n"] == 2
    assert (done.milestones, done.finished) == (5, True)
    assert [tuple(r) for r in await scheduler.rows("select count(*) from reminder where step = 'before-14d'")] == [(5,)]
    assert await plans(scheduler) == 0


async def test_two_who_plan_anew_at_once_do_each_part_once(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replanning, "AT_ONCE", 3)
    await many(scheduler, 20)
    async with scheduler.database.transaction() as connection:
        await ladder_store.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
        begun = await replanning.begin(connection, "book", THEN)

    both = await asyncio.gather(
        *(Replanner(scheduler.database, RulesCache(NINE_SHARP)).finish(begun) for _ in range(2))
    )

    assert [one.milestones for one in both] == [20, 20]


async def test_the_replanner_works_until_it_is_told_to_stop(scheduler: Scheduler) -> None:
    await many(scheduler, 3)
    stopping = asyncio.Event()
    running = asyncio.create_task(Replanner(scheduler.database, RulesCache(NINE_SHARP), 0.01).run(stopping))
    async with scheduler.database.transaction() as connection:
        await replanning.begin(connection, "book", THEN)
    async with asyncio.timeout(10):
        while await scheduler.rows("select from replanning, pg_sleep(0.01) where finished_at is null"):
            pass
    stopping.set()

    await asyncio.wait_for(running, 10)


async def test_a_milestone_that_is_heard_while_a_book_is_being_applied_is_planned_by_it(scheduler: Scheduler) -> None:
    """The intake waits for whoever changes the rules, and sees what they changed."""
    async with scheduler.database.transaction() as connection:
        await RulesCache(NINE_SHARP).rules(connection, "alone")
        hearing = asyncio.create_task(scheduler.hears(created(), scheduled(END_OF_2021)))
        async with asyncio.timeout(10):
            while not await scheduler.rows("select from pg_locks, pg_sleep(0.01) where not granted"):
                pass
        await ladder_store.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
    await hearing

    assert "before-14d" in await scheduler.states()
    assert "before-90d" not in await scheduler.states()


# A date that moves


async def test_what_a_move_puts_into_the_past_is_told_once_and_late(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(milestone(date(2022, 6, 30))))
    scheduler.clock.set(utc(2021, 12, 27))
    await scheduler.hears(scheduled(END_OF_2021, 2, change="moved"))

    [told] = await scheduler.ticks_at(utc(2021, 12, 27))

    assert (told.step, told.late, told.phase, told.days, told.schedule_version) == ("before-7d", True, "ahead", 5, 2)
    assert await scheduler.ticks_at(utc(2021, 12, 28)) == []


async def test_by_the_rule_record_a_move_is_silent_about_the_past(scheduler: Scheduler) -> None:
    by = replace(NINE_SHARP, moved_into_past="record")
    planner = Planner(scheduler.database, scheduler.clock, RulesCache(by))
    silent = replace(scheduler, planner=planner)
    await silent.hears(created(), scheduled(milestone(date(2022, 6, 30))))
    scheduler.clock.set(utc(2021, 12, 27))
    await silent.hears(scheduled(END_OF_2021, 2, change="moved"))

    assert await scheduler.ticks_at(utc(2021, 12, 27)) == []
