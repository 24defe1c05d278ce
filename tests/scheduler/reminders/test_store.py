"""The scheduler on a real PostgreSQL: what is heard, planned, withdrawn and told, also by two at once."""

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from contracts.vocabulary import Status
from services.plumbing.transient_errors import is_transient
from services.plumbing.zones import UnknownZone
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from tests.scheduler.running import COAL, END_OF_2021, THEN, Scheduler, many
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc

# Planned, told, moved, withdrawn


async def test_a_milestone_is_told_step_by_step_each_once(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))

    day, told = THEN, []
    while day < utc(2022, 3, 10):
        told += await scheduler.ticks_at(day)
        day += timedelta(hours=6)

    assert [(e.step, e.phase, e.days) for e in told] == [
        ("before-30d", "ahead", 30),
        ("before-7d", "ahead", 7),
        ("before-1d", "ahead", 1),
        ("on-the-day", "today", 0),
        ("after-1d", "overdue", 1),
        ("after-7d", "overdue", 7),
        ("after-30d", "overdue", 30),
        ("after-60d", "overdue", 60),
    ]
    assert [e.seq for e in told] == list(range(1, 9))
    assert not any(e.late or e.merged_steps for e in told)
    states = await scheduler.states()
    assert states.pop("before-90d") == "passed"
    assert states.pop("after-90d") == "pending"
    assert set(states.values()) == {"fired"}


async def test_the_event_says_all_that_a_reader_needs(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.AT_RISK))
    await scheduler.ticks_at(utc(2021, 12, 24, 15))

    [(envelope, event)] = await scheduler.records()
    assert (event.commitment.id, event.milestone) == (COAL, END_OF_2021)
    assert (event.schedule_version, event.status) == (1, Status.AT_RISK)
    assert (event.due_at, event.not_after) == (utc(2021, 12, 24, 15), utc(2021, 12, 30, 15))
    assert (envelope.subject, envelope.time, envelope.correlation_id) == (COAL, utc(2021, 12, 24, 15), "call-1")
    [row] = await scheduler.rows("select event_id from reminder where step = 'before-7d'")
    assert row["event_id"] == envelope.id


async def test_a_repeat_of_an_event_changes_nothing(scheduler: Scheduler) -> None:
    received = await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.IN_PROGRESS))
    before = await scheduler.rows("select * from reminder order by id")

    await scheduler.planner.apply([*received, *received])

    assert await scheduler.rows("select * from reminder order by id") == before


async def test_after_a_move_the_old_version_never_fires(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.hears(scheduled(milestone(date(2022, 6, 30)), 2, change="moved"))

    assert await scheduler.ticks_at(utc(2021, 12, 31, 15)) == []
    [told] = await scheduler.ticks_at(utc(2022, 4, 1, 15))
    assert (told.schedule_version, told.step, told.milestone.span.latest) == (2, "before-90d", date(2022, 6, 30))
    assert set((await scheduler.states(1)).values()) == {"passed", "withdrawn"}


async def test_an_older_version_that_arrives_late_never_fires(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(milestone(date(2022, 6, 30)), 2))
    await scheduler.hears(scheduled(END_OF_2021, 1))

    assert await scheduler.ticks_at(utc(2021, 12, 31, 15)) == []
    assert await scheduler.states(1) == {}


async def test_a_milestone_that_loses_its_date_is_looked_at_again_and_never_overdue(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(milestone(None), 2, change="cancelled"))

    assert await scheduler.ticks_at(utc(2022, 5, 18, 13)) == []
    [told] = await scheduler.ticks_at(utc(2022, 5, 18, 14))
    [late] = await scheduler.ticks_at(utc(2025, 1, 1))

    assert (told.step, told.phase, told.days, told.late) == ("review-1", "review", 0, False)
    assert (late.step, late.phase, late.merged_steps[0]) == ("review-6", "review", "review-2")
    assert (await scheduler.states(2))["review-7"] == "pending"


@pytest.mark.parametrize("one_batch", [True, False])
@pytest.mark.parametrize("met_first", [True, False])
async def test_a_met_commitment_is_silent_whichever_topic_was_faster(
    scheduler: Scheduler, met_first: bool, one_batch: bool
) -> None:
    events: list[CommitmentEvent] = [scheduled(END_OF_2021), changed(Status.MET)]

    await scheduler.hears(*(events[::-1] if met_first else events), one_batch=one_batch)

    assert await scheduler.ticks_at(utc(2022, 5, 1)) == []


async def test_an_older_status_that_arrives_late_revives_nothing(scheduler: Scheduler) -> None:
    await scheduler.hears(scheduled(END_OF_2021), changed(Status.MET, 2))
    await scheduler.hears(changed(Status.IN_PROGRESS, 1))

    assert await scheduler.ticks_at(utc(2022, 5, 1)) == []


async def test_statuses_of_parties_are_kept_until_they_cover_a_milestone(scheduler: Scheduler) -> None:
    both = milestone(date(2021, 12, 31), parties=("CA", "MX"))
    await scheduler.hears(scheduled(both))
    await scheduler.hears(changed(Status.MET, 1, "CA", Status.PARTLY_MET))
    assert "pending" in (await scheduler.states()).values()

    await scheduler.hears(changed(Status.MET, 2, "MX", Status.PARTLY_MET))

    assert "pending" not in (await scheduler.states()).values()


async def test_a_commitment_that_is_taken_up_again_is_told_of_what_lies_ahead(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.MET, 1))
    assert await scheduler.ticks_at(utc(2021, 12, 20)) == []

    await scheduler.hears(changed(Status.IN_PROGRESS, 2))

    assert await scheduler.ticks_at(utc(2021, 12, 24, 14)) == []
    [told] = await scheduler.ticks_at(utc(2021, 12, 24, 15))
    assert (told.step, told.status, told.merged_steps) == ("before-7d", Status.IN_PROGRESS, ())
    assert (await scheduler.states())["before-30d"] == "withdrawn"


# Two at once


async def test_a_status_and_a_schedule_heard_at_once_by_two_members_see_each_other(scheduler: Scheduler) -> None:
    for i in range(30):
        name = f"commitment-{i}"
        what = milestone(date(2021, 12, 31), id_=f"{name}-one")
        await asyncio.gather(scheduler.hears(scheduled(what, id_=name)), scheduler.hears(changed(Status.MET, id_=name)))

    assert await scheduler.ticks_at(utc(2022, 5, 1)) == []


async def test_batches_that_overlap_do_not_block_each_other_for_good(scheduler: Scheduler) -> None:
    names = await many(scheduler, 20)
    batches: list[Iterable[CommitmentEvent]] = [
        [changed(Status.IN_PROGRESS, seq, id_=name) for name in (names if seq % 2 else names[::-1])]
        for seq in range(1, 9)
    ]

    await asyncio.gather(*(scheduler.hears(*batch) for batch in batches))

    [row] = await scheduler.rows("select count(*) as n from commitment_state where seq = 8")
    assert row["n"] == 20


# What breaks


async def test_a_zone_that_does_not_exist_is_refused_and_leaves_no_trace(scheduler: Scheduler) -> None:
    nowhere = milestone(date(2021, 12, 31), zone="America/Nowhere")

    with pytest.raises(UnknownZone) as raised:
        await scheduler.hears(created(), scheduled(nowhere))

    assert not is_transient(raised.value)
    assert not await scheduler.rows("select from inbox")
    assert not await scheduler.rows("select from commitment_state")
