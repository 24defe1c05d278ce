"""The escalator on a real database: each level is notified once, and owning stops it."""

import asyncio
from collections import Counter
from datetime import date, timedelta

import pytest

from contracts.events import MilestoneEscalated
from contracts.vocabulary import Reading, Status
from services.scheduler.escalation import escalator, queries
from tests.scheduler.escalation.running import DUE, FIRST, LATEST, OVERDUE, SECOND, THEN, Scheduler, with_evidence
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc


async def test_level_after_level_hears_each_once_and_the_highest_again(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    told, now = [], THEN
    while now < utc(2022, 3, 1):
        told += await scheduler.ticks_at(now)
        now += timedelta(hours=3)

    assert [(e.level, e.rank, e.round, e.repeat, e.days) for e in told] == [
        ("focal-point", 1, 1, 0, 1),
        ("director", 2, 1, 0, 8),
        ("ministers-office", 3, 1, 0, 22),
        ("ministers-office", 3, 1, 1, 52),
    ]
    assert [e.seq for e in told] == [1, 2, 3, 4]
    assert [e.due_at for e in told[:2]] == [FIRST, SECOND]
    assert [e.not_after for e in told[:3]] == [e.due_at for e in told[1:]]
    assert not any(e.late or e.acknowledged for e in told)
    assert await scheduler.log() == ["overdue", "told", "told", "told", "told"]


async def test_the_event_says_all_that_a_reader_needs(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), changed(Status.AT_RISK))

    [event] = await scheduler.ticks_at(FIRST)

    assert (event.milestone, event.schedule_version, event.status) == (DUE, 1, Status.AT_RISK)
    assert event.level_title.in_language("fr").text == "Point focal"
    [row] = await scheduler.rows("select event_id, level from escalation_log where what = 'told'")
    [out] = await scheduler.rows("select event_id, headers from outbox")
    assert (row["event_id"], row["level"]) == (out["event_id"], "focal-point")
    assert out["headers"]["ce_type"] == "org.pledgewire.milestone-escalated.v1"


async def test_nobody_hears_before_it_is_overdue_or_of_what_has_no_date(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(None, id_="undated")))

    assert await scheduler.ticks_at(OVERDUE - timedelta(microseconds=1)) == []
    assert await scheduler.state() == ("dormant", OVERDUE)
    assert await scheduler.ticks_at(OVERDUE) == []
    assert await scheduler.state() == ("climbing", FIRST)
    await scheduler.ticks_at(utc(2040, 1, 1))
    assert await scheduler.state("undated") == ("dormant", None)


async def test_after_a_downtime_one_level_hears_late_and_the_others_are_noted(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    [event] = await scheduler.ticks_at(utc(2022, 1, 25, 3))

    assert (event.level, event.late, event.repeat, event.due_at) == ("ministers-office", True, 0, utc(2022, 1, 22, 15))
    rows = await scheduler.rows("select what, level from escalation_log order by id")
    assert [tuple(row) for row in rows] == [
        ("overdue", None),
        ("skipped", "focal-point"),
        ("skipped", "director"),
        ("told", "ministers-office"),
    ]
    assert (await scheduler.state())[1] == utc(2022, 2, 23, 15), "thirty days after the day there, which was the 24th"


async def test_what_came_overdue_before_it_was_heard_is_told_late(scheduler: Scheduler) -> None:
    """The scheduler was away when the milestone was scheduled, and while it came to be overdue."""
    scheduler.clock.set(utc(2022, 1, 5))
    await scheduler.hears(created(), scheduled(DUE), at=THEN)

    [event] = await scheduler.ticks_at(utc(2022, 1, 5))

    assert (event.level, event.late) == ("focal-point", True)


async def test_two_schedulers_tell_each_level_once(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalator, "AT_ONCE", 7)
    names = [f"commitment-{i}" for i in range(60)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))
    escalators = [scheduler.another() for _ in range(3)]

    for now in (FIRST, SECOND, utc(2022, 1, 22, 15), utc(2022, 2, 21, 15)):
        scheduler.clock.set(now)
        await asyncio.gather(*(one.once() for one in escalators))

    told = await scheduler.told()
    assert Counter((e.commitment.id, e.rank, e.repeat) for e in told) == Counter(
        {(name, *which): 1 for name in names for which in ((1, 0), (2, 0), (3, 0), (3, 1))}
    )
    assert all([e.seq for e in told if e.commitment.id == name] == [1, 2, 3, 4] for name in names)


async def test_a_milestone_that_is_about_to_move_is_not_told(scheduler: Scheduler) -> None:
    """Whoever moves it has held it; when nothing comes of that, it is told after all."""
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(LATEST, id_="other")))
    await scheduler.rows("insert into hold (milestone_id, schedule_version) values ($1, 2), ('other', 1)", DUE.id)

    assert [e.milestone.id for e in await scheduler.ticks_at(FIRST)] == ["other"]
    await scheduler.rows("delete from hold")
    assert [e.milestone.id for e in await scheduler.ticks_at(FIRST)] == [DUE.id]


async def test_an_acknowledgement_stops_it_and_no_evidence_re_arms_it(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    scheduler.clock.set(utc(2022, 1, 3, 20))

    answer = await scheduler.acknowledges()

    assert (answer.status_code, answer.json()["state"]) == (201, "owned")
    assert answer.json()["acknowledged"]["name"] == "Ana Ruiz"
    assert answer.json()["next_at"] == "2022-01-17T15:00:00Z"
    assert await scheduler.ticks_at(utc(2022, 1, 17, 14, 59)) == []
    [event] = await scheduler.ticks_at(utc(2022, 1, 17, 15))
    assert (event.level, event.round, event.late) == ("focal-point", 2, False)
    assert event.acknowledged is not None
    assert (event.acknowledged.name, event.acknowledged.note) == ("Ana Ruiz", "We are on it.")
    assert await scheduler.log() == ["overdue", "told", "acknowledged", "re-armed", "told"]


async def test_evidence_keeps_it_owned_and_a_note_alone_does_not(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), changed(Status.IN_PROGRESS, 1))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()
    scheduler.clock.set(utc(2022, 1, 10, 20))
    await scheduler.hears(with_evidence(2))
    assert await scheduler.state() == ("owned", utc(2022, 1, 24, 15))
    scheduler.clock.set(utc(2022, 1, 12, 20))

    await scheduler.hears(changed(Status.IN_PROGRESS, 3).model_copy(update={"previous": Status.IN_PROGRESS}))

    assert await scheduler.state() == ("owned", utc(2022, 1, 24, 15))
    [row] = await scheduler.rows("select client, name from escalation_log where what = 'evidence'")
    assert tuple(row) == ("test", "Ana Ruiz")


@pytest.mark.parametrize("status", [Status.MET, Status.WITHDRAWN])
async def test_a_commitment_that_is_over_is_silent(scheduler: Scheduler, status: Status) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)

    await scheduler.hears(changed(status))

    assert await scheduler.state() == ("settled", None)
    assert await scheduler.ticks_at(utc(2023, 1, 1)) == []
    assert (await scheduler.acknowledges()).status_code == 409


async def test_it_is_over_when_all_who_are_bound_are_done(scheduler: Scheduler) -> None:
    both = milestone(LATEST, parties=("CA", "MX"))
    await scheduler.hears(created(), scheduled(both))
    await scheduler.hears(changed(Status.MET, 1, "CA", Status.PARTLY_MET))
    assert len(await scheduler.ticks_at(FIRST)) == 1

    await scheduler.hears(changed(Status.MET, 2, "MX", Status.PARTLY_MET))

    assert await scheduler.ticks_at(utc(2023, 1, 1)) == []


async def test_an_event_that_has_taken_place_is_nobodys_to_own(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    assert len(await scheduler.ticks_at(FIRST)) == 1

    await scheduler.hears(scheduled(DUE.model_copy(update={"held": True}), 2, change="held"))
    await scheduler.hears(changed(Status.IN_PROGRESS, 1))

    assert await scheduler.state() == ("settled", None)
    assert await scheduler.ticks_at(utc(2023, 1, 1)) == []


@pytest.mark.parametrize("one_batch", [True, False])
async def test_met_and_taken_up_again_begins_a_round_of_its_own(scheduler: Scheduler, one_batch: bool) -> None:
    """However the events were batched."""
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(SECOND)

    await scheduler.hears(changed(Status.MET, 1), changed(Status.IN_PROGRESS, 2), one_batch=one_batch)

    [event] = await scheduler.ticks_at(utc(2022, 1, 9, 15))
    assert (event.level, event.round) == ("focal-point", 2)
    assert (await scheduler.log())[-4:] == ["settled", "reopened", "overdue", "told"]


async def test_a_moved_date_withdraws_it_until_that_has_passed(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()

    await scheduler.hears(scheduled(milestone(date(2022, 6, 30)), 2, change="moved"))

    assert await scheduler.state() == ("dormant", utc(2022, 7, 1, 5))
    assert await scheduler.ticks_at(utc(2022, 6, 30, 20)) == []
    assert (await scheduler.acknowledges()).status_code == 409
    [event] = await scheduler.ticks_at(utc(2022, 7, 1, 14))
    assert (event.schedule_version, event.level, event.round) == (2, "focal-point", 2)


async def test_a_move_that_races_with_the_tick_leaves_nothing_to_come(scheduler: Scheduler) -> None:
    """The intake waits for the claim, and then finds the state that it left."""
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    scheduler.clock.set(SECOND)
    async with scheduler.database.transaction() as connection:
        [locked], [row] = await queries.claim_due(connection, SECOND, 10)
        moving = asyncio.create_task(scheduler.hears(scheduled(milestone(date(2022, 6, 30)), 2, change="moved")))
        async with asyncio.timeout(10):
            while not await scheduler.rows("select from pg_locks, pg_sleep(0.01) where not granted"):
                pass
        assert await scheduler.another().once() == 0, "a second one passes over what the first has in hand"
        await scheduler.escalator._write(connection, [scheduler.escalator._advance(row, SECOND)], SECOND)
    await moving

    assert locked == DUE.id
    assert await scheduler.state() == ("dormant", utc(2022, 7, 1, 5))
    assert [e.schedule_version for e in await scheduler.told()] == [1, 1]
    assert await scheduler.ticks_at(utc(2022, 6, 1)) == []


async def test_a_clock_that_steps_back_and_forth_doubles_and_drops_nothing(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    told: list[MilestoneEscalated] = []
    now, steps = utc(2021, 12, 30), [timedelta(hours=31), timedelta(hours=-24), timedelta(hours=2)]
    for i in range(300):
        told += await scheduler.ticks_at(now)
        now += steps[i % 3]

    assert [(e.rank, e.repeat) for e in told] == [(1, 0), (2, 0), (3, 0)]


async def test_an_acknowledgement_and_a_tick_at_once_never_end_in_a_message_after_the_word(
    scheduler: Scheduler,
) -> None:
    """Either the level heard before, or it doesn't hear."""
    names = [f"commitment-{i}" for i in range(30)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))
    await scheduler.ticks_at(OVERDUE)
    scheduler.clock.set(FIRST)

    _, *answers = await asyncio.gather(
        scheduler.escalator.once(), *(scheduler.acknowledges(milestone_id=f"{name}-one") for name in names)
    )
    await scheduler.ticks_at(SECOND)

    assert {answer.status_code for answer in answers} == {201}
    rows = await scheduler.rows(
        "select milestone_id, array_agg(what order by id) as whats from escalation_log group by milestone_id"
    )
    assert len(rows) == 30
    for row in rows:
        assert row["whats"] in (["overdue", "acknowledged"], ["overdue", "told", "acknowledged"])


SUMMIT = milestone(LATEST, id_="summit", reading=Reading.ON, anchor_id="nals-2022")


async def test_an_event_is_asked_about_and_only_a_lasting_silence_escalates(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(SUMMIT))

    told, now = [], THEN
    while now < utc(2022, 1, 30):
        told += await scheduler.ticks_at(now)
        now += timedelta(hours=3)

    assert [(e.level, e.round, e.days, e.due_at) for e in told] == [
        ("focal-point", 1, 15, utc(2022, 1, 15, 15)),
        ("director", 1, 22, utc(2022, 1, 22, 15)),
    ]
    assert await scheduler.log() == ["asked", "unanswered", "told", "told"]


async def test_an_event_that_was_held_within_its_days_is_told_to_nobody(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(SUMMIT))
    assert await scheduler.ticks_at(OVERDUE) == []
    assert await scheduler.state(SUMMIT.id) == ("asked", utc(2022, 1, 15, 15))

    scheduler.clock.set(utc(2022, 1, 10))
    await scheduler.hears(scheduled(SUMMIT.model_copy(update={"held": True}), 2, change="held"))

    assert await scheduler.ticks_at(utc(2023, 1, 1)) == []
    assert await scheduler.state(SUMMIT.id) == ("settled", None)
    record = (await scheduler.http.get(f"/milestones/{SUMMIT.id}/escalation")).json()
    assert [line["what"] for line in record["log"]] == ["asked", "settled"]


async def test_who_is_on_an_event_stops_it_as_well(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(SUMMIT))
    await scheduler.ticks_at(OVERDUE)
    scheduler.clock.set(utc(2022, 1, 5, 15))
    answer = await scheduler.acknowledges(milestone_id=SUMMIT.id)

    assert (answer.status_code, answer.json()["state"]) == (201, "owned")
    assert await scheduler.ticks_at(utc(2022, 1, 18)) == []
    [again] = await scheduler.ticks_at(utc(2022, 1, 19, 15))
    assert (again.level, again.round, again.acknowledged and again.acknowledged.name) == ("focal-point", 2, "Ana Ruiz")


async def test_an_event_that_a_release_before_counted_as_overdue_is_asked_about(scheduler: Scheduler) -> None:
    """Its row as that release has left it on New Year's morning, nine hours before its first level would hear."""
    await scheduler.hears(created(), scheduled(SUMMIT))
    await scheduler.rows(
        "update escalation set state = 'climbing', round = 1, since = $1, rank = 0, told = 0, next_at = $2,"
        " reckoned_with = 'before'",
        LATEST,
        FIRST,
    )

    assert [one for hour in (FIRST, SECOND) for one in await scheduler.ticks_at(hour)] == []
    assert await scheduler.state(SUMMIT.id) == ("asked", utc(2022, 1, 14, 15))
