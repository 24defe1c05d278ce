"""The tick on a real database: what is due is fired once, whatever fails and whoever ticks."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.events import MilestoneDue
from contracts.vocabulary import Status
from services.plumbing.isolation import SYSTEMIC
from services.plumbing.zones import ZONE_DATA
from services.scheduler.intake import Planner
from services.scheduler.reminders import claims, due_events, replanning
from services.scheduler.reminders import tick as tick_module
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.rules.agenda import PlanningRules
from tests.scheduler.running import END_OF_2021, THEN, Scheduler, many, until_somebody_waits
from tests.scheduler.scenes import NINE_SHARP, changed, created, milestone, scheduled, utc


async def test_after_a_downtime_each_milestone_has_one_event(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.hears(created("other"), scheduled(milestone(date(2022, 2, 1), id_="other-one"), id_="other"))

    told = await scheduler.ticks_at(utc(2022, 1, 3, 18))

    assert {(e.milestone.id, e.step, e.merged_steps, e.phase, e.days, e.late) for e in told} == {
        (END_OF_2021.id, "after-1d", ("before-30d", "before-7d", "before-1d", "on-the-day"), "overdue", 3, True),
        ("other-one", "before-30d", (), "ahead", 29, True),
    }
    states = Counter((await scheduler.states()).values())
    assert states == {"passed": 1, "merged": 4, "fired": 1, "pending": 1}


async def test_rungs_that_nobody_had_planned_yet_are_merged_too(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))

    [told] = await scheduler.ticks_at(utc(2022, 4, 15))

    assert (told.step, told.merged_steps[-3:]) == ("after-90d", ("after-7d", "after-30d", "after-60d"))
    assert (await scheduler.states())["after-120d"] == "pending"


async def test_what_came_due_before_the_schedule_was_heard_is_told_late(scheduler: Scheduler) -> None:
    """The scheduler was away when the milestone was scheduled, and while its first steps came due."""
    scheduler.clock.set(utc(2021, 12, 27))
    await scheduler.hears(created(), scheduled(END_OF_2021), at=THEN)

    [told] = await scheduler.ticks_at(utc(2021, 12, 27))

    assert (told.step, told.merged_steps, told.late) == ("before-7d", ("before-30d",), True)


async def test_a_clock_that_steps_back_and_forth_doubles_and_drops_nothing(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    told: list[MilestoneDue] = []
    now, steps = utc(2021, 12, 1), [timedelta(hours=20), timedelta(hours=-16), timedelta(hours=4)]
    for i in range(400):
        told += await scheduler.ticks_at(now)
        now += steps[i % 3]

    assert [e.step for e in told] == ["before-30d", "before-7d", "before-1d", "on-the-day", "after-1d", "after-7d"]


async def test_two_schedulers_tell_each_reminder_once(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_module, "AT_ONCE", 7)
    names = await many(scheduler, 60)
    ticks = [scheduler.another() for _ in range(3)]

    for now in (utc(2021, 12, 1, 15), utc(2021, 12, 24, 15), utc(2021, 12, 30, 15), utc(2022, 5, 1)):
        scheduler.clock.set(now)
        await asyncio.gather(*(tick.once() for tick in ticks))

    counts = Counter((e.commitment.id, e.step) for e in await scheduler.told())
    assert counts == Counter(
        {(name, step): 1 for name in names for step in ("before-30d", "before-7d", "before-1d", "after-120d")}
    )
    for name in names:
        assert [e.seq for e in await scheduler.told() if e.commitment.id == name] == [1, 2, 3, 4]


async def test_a_withdrawal_that_races_with_the_last_rung_leaves_nothing_to_come(scheduler: Scheduler) -> None:
    """The tick plans the next rung in the transaction that a withdrawal waits for."""
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.ticks_at(utc(2022, 1, 2))
    scheduler.clock.set(utc(2022, 1, 7, 15))
    async with scheduler.database.transaction() as connection:
        [locked], [due] = await claims.claim(connection, scheduler.clock.now(), 10)
        withdrawal = asyncio.create_task(scheduler.hears(changed(Status.MET)))
        await until_somebody_waits(scheduler)
        await scheduler.tick._write(connection, [due], PlanningRules(NINE_SHARP), scheduler.clock.now())
    await withdrawal

    states = await scheduler.states()
    assert locked == END_OF_2021.id
    assert (states["after-7d"], states["after-30d"]) == ("fired", "withdrawn")
    assert await scheduler.ticks_at(utc(2022, 12, 1)) == []


async def test_a_milestone_that_cannot_be_told_does_not_stop_the_others(scheduler: Scheduler) -> None:
    await many(scheduler, 3)
    async with scheduler.database.connection() as connection:
        await connection.execute(
            "update milestone_plan set milestone = milestone - 'wording' where milestone_id = 'commitment-1-one'"
        )

    told = await scheduler.ticks_at(utc(2021, 12, 1, 15))

    assert {e.commitment.id for e in told} == {"commitment-0", "commitment-2"}
    [failed] = await scheduler.rows("select milestone_id, step, reason from reminder where state = 'failed'")
    assert (failed["milestone_id"], failed["step"]) == ("commitment-1-one", "before-30d")
    assert "wording" in failed["reason"]


async def test_what_was_put_aside_is_tried_again_by_the_next_process(scheduler: Scheduler) -> None:
    await many(scheduler, 1)
    async with scheduler.database.connection() as connection:
        good = await connection.fetchval("select milestone from milestone_plan")
        await connection.execute("update milestone_plan set milestone = '{}'")
        await scheduler.ticks_at(utc(2021, 12, 1, 15))
        await connection.execute("update milestone_plan set milestone = $1", good)
    assert await scheduler.told() == []

    await scheduler.another().once()

    assert [e.step for e in await scheduler.told()] == ["before-30d"]


async def test_when_nothing_works_at_all_it_is_no_reminders_fault(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(scheduler, SYSTEMIC)

    def broken(*_: object) -> None:
        raise KeyError("a slip of ours")

    monkeypatch.setattr(due_events, "due_reminder", broken)

    with pytest.raises(RuntimeError, match="none of 20 milestones"):
        await scheduler.ticks_at(utc(2021, 12, 1, 15))
    assert not await scheduler.rows("select from reminder where state = 'failed'")


async def test_other_zone_data_gives_other_instants(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the rows had been written when Mexico City still was an hour ahead on New Year's Eve."""
    await many(scheduler, 3)
    await scheduler.hears(created(), scheduled(END_OF_2021))
    async with scheduler.database.connection() as connection:
        await connection.execute("update reminder set due_at = due_at - interval '1 hour' where state = 'pending'")
    monkeypatch.setattr(replanning, "AT_ONCE", 2)

    await scheduler.tick.once()

    rows = await scheduler.rows("select step, due_at from reminder where milestone_id = $1", END_OF_2021.id)
    assert {"on-the-day": utc(2021, 12, 31, 15)}.items() <= {r["step"]: r["due_at"] for r in rows}.items()
    [row] = await scheduler.rows("select zone_data, business_at, ticked_at from tick")
    assert (row["zone_data"], row["business_at"]) == (ZONE_DATA, THEN)
    assert abs(row["ticked_at"] - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_reminder_that_was_told_before_an_old_backup_is_recognised(scheduler: Scheduler) -> None:
    """Its event has the same id whenever it fires; where the outbox has that event, nothing is told again."""
    await scheduler.hears(created(), scheduled(END_OF_2021))
    for now in (utc(2021, 12, 1, 15), utc(2022, 1, 2)):
        await scheduler.ticks_at(now)
    before = await scheduler.records()
    reminders = await scheduler.rows("select step, state, event_id from reminder order by step")
    async with scheduler.database.connection() as connection:
        await connection.execute("update reminder set state = 'pending', event_id = null where event_id is not null")

    for now in (utc(2021, 12, 1, 15), utc(2022, 1, 2)):
        assert await scheduler.ticks_at(now) == []

    assert await scheduler.records() == before
    assert await scheduler.rows("select step, state, event_id from reminder order by step") == reminders
    assert await scheduler.rows("select last from outbox_seq where topic = 'milestone-due'") == [(len(before),)]


async def test_what_is_planned_for_sooner_than_the_tick_knew_calls_it(scheduler: Scheduler) -> None:
    """It may sleep until the next reminder that it knew of is due."""
    scheduler.planner = Planner(
        scheduler.database, scheduler.clock, RulesCache(NINE_SHARP), planned=scheduler.tick.planned
    )
    await scheduler.hears(created(), scheduled(END_OF_2021))
    assert scheduler.tick.is_called
    await scheduler.tick.once()
    assert not scheduler.tick.is_called

    later = milestone(date(2023, 2, 1), id_="later-one")
    await scheduler.hears(created("later"), scheduled(later, id_="later"))
    assert not scheduler.tick.is_called
    sooner = milestone(date(2021, 11, 20), id_="sooner-one")
    await scheduler.hears(created("sooner"), scheduled(sooner, id_="sooner"))
    assert scheduler.tick.is_called
