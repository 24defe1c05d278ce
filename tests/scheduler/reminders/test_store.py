"""The scheduler on a real PostgreSQL: what is heard, planned, withdrawn and told, also by two at once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from contracts.envelope import Envelope, from_record
from contracts.events import MilestoneDue
from contracts.vocabulary import Country, Precision, Status
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.plumbing.isolation import SYSTEMIC
from services.plumbing.transient_errors import is_transient
from services.plumbing.zones import ZONE_DATA, UnknownZone
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders import claims, due_events, replanning
from services.scheduler.reminders import tick as tick_module
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent, PlanningRules
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.scheduler.scenes import NINE_SHARP, changed, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of

THEN = utc(2021, 11, 18, 18)
END_OF_2021 = milestone(date(2021, 12, 31), earliest=date(2021, 1, 1), precision=Precision.YEAR)
COAL = "end-coal-finance-abroad"


@dataclass
class Scheduler:
    """One scheduler's insides, on a clock that the test sets."""

    database: Database
    clock: SharedClock
    planner: Planner
    tick: Tick

    def another(self) -> Tick:
        """A second scheduler on the same tables."""
        return Tick(self.database, self.clock, RulesCache(NINE_SHARP))

    async def hears(
        self, *events: CommitmentEvent, at: datetime | None = None, one_batch: bool = True
    ) -> list[ReceivedCommitmentEvent]:
        """Take events in, as of `at` (now, where it isn't given)."""
        received = [_received(event, at or self.clock.now()) for event in events]
        for batch in [received] if one_batch else [[one] for one in received]:
            await self.planner.apply(batch)
        return received

    async def ticks_at(self, now: datetime) -> list[MilestoneDue]:
        """Set the clock, tick, and give what this tick has written to the outbox."""
        before = len(await self.told())
        self.clock.set(now)
        await self.tick.once()
        return (await self.told())[before:]

    async def told(self) -> list[MilestoneDue]:
        """All events in the outbox, in its order."""
        return [event for _, event in await self.records()]

    async def records(self) -> list[tuple[Envelope, MilestoneDue]]:
        rows = await self.rows("select key, headers, value from outbox order by id")
        return [
            from_record(MilestoneDue, r["key"].encode(), [(k, v.encode()) for k, v in r["headers"].items()], r["value"])
            for r in rows
        ]

    async def rows(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def states(self, version: int = 1, milestone_id: str = END_OF_2021.id) -> dict[str, str]:
        rows = await self.rows(
            "select step, state from reminder where milestone_id = $1 and schedule_version = $2 order by due_at",
            milestone_id,
            version,
        )
        return {row["step"]: row["state"] for row in rows}


def _received(event: CommitmentEvent, at: datetime) -> ReceivedCommitmentEvent:
    return ReceivedCommitmentEvent(Envelope(new_id(), at, event.commitment.id, "call-1"), event)


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Scheduler]:
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(THEN)
    rules_cache = RulesCache(NINE_SHARP)
    yield Scheduler(database, clock, Planner(database, clock, rules_cache), Tick(database, clock, rules_cache))
    await database.close()


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


async def test_statuses_of_countries_are_kept_until_they_cover_a_milestone(scheduler: Scheduler) -> None:
    both = milestone(date(2021, 12, 31), countries=(Country.CA, Country.MX))
    await scheduler.hears(scheduled(both))
    await scheduler.hears(changed(Status.MET, 1, Country.CA, Status.PARTLY_MET))
    assert "pending" in (await scheduler.states()).values()

    await scheduler.hears(changed(Status.MET, 2, Country.MX, Status.PARTLY_MET))

    assert "pending" not in (await scheduler.states()).values()


async def test_a_commitment_that_is_taken_up_again_is_told_of_what_lies_ahead(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.MET, 1))
    assert await scheduler.ticks_at(utc(2021, 12, 20)) == []

    await scheduler.hears(changed(Status.IN_PROGRESS, 2))

    assert await scheduler.ticks_at(utc(2021, 12, 24, 14)) == []
    [told] = await scheduler.ticks_at(utc(2021, 12, 24, 15))
    assert (told.step, told.status, told.merged_steps) == ("before-7d", Status.IN_PROGRESS, ())
    assert (await scheduler.states())["before-30d"] == "withdrawn"


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


# Two at once


async def many(scheduler: Scheduler, count: int) -> list[str]:
    """So many commitments with a milestone each, all due on one day."""
    names = [f"commitment-{i}" for i in range(count)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(date(2021, 12, 31), id_=f"{name}-one"), id_=name) for name in names))
    return names


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
        await _until_somebody_waits(scheduler)
        await scheduler.tick._write(connection, [due], PlanningRules(NINE_SHARP), scheduler.clock.now())
    await withdrawal

    states = await scheduler.states()
    assert locked == END_OF_2021.id
    assert (states["after-7d"], states["after-30d"]) == ("fired", "withdrawn")
    assert await scheduler.ticks_at(utc(2022, 12, 1)) == []


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


async def _until_somebody_waits(scheduler: Scheduler) -> None:
    async with asyncio.timeout(10):
        while not await scheduler.rows("select from pg_locks, pg_sleep(0.01) where not granted"):
            pass


# What breaks


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


async def test_a_zone_that_does_not_exist_is_refused_and_leaves_no_trace(scheduler: Scheduler) -> None:
    nowhere = milestone(date(2021, 12, 31), zone="America/Nowhere")

    with pytest.raises(UnknownZone) as raised:
        await scheduler.hears(created(), scheduled(nowhere))

    assert not is_transient(raised.value)
    assert not await scheduler.rows("select from inbox")
    assert not await scheduler.rows("select from commitment_state")


# Instants and the tick's own row


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


# Shown over HTTP


async def test_reminders_are_listed_in_the_order_in_which_they_are_due_page_by_page(scheduler: Scheduler) -> None:
    await many(scheduler, 5)
    app = app_of(scheduler.database, scheduler.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as client:
        found, cursor = [], ""
        while cursor is not None:
            answer = await client.get(f"/reminders?limit=4{cursor and '&cursor=' + cursor}")
            assert answer.status_code == 200, answer.text
            page = json.loads(answer.content)
            found += page["items"]
            cursor = page["next_cursor"]

        assert len(found) == len({one["id"] for one in found}) == 5 * 6
        assert [one["due_at"] for one in found] == sorted(one["due_at"] for one in found)
        assert {one["state"] for one in found} == {"pending"}

        until = await client.get("/reminders", params={"before": "2021-12-02T00:00:00Z", "commitment": "commitment-3"})
        assert [(one["commitment_id"], one["step"]) for one in until.json()["items"]] == [
            ("commitment-3", "before-30d")
        ]
        assert len((await client.get("/reminders?state=passed")).json()["items"]) == 5


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "state=lost",
        "commitment=Not%20a%20slug",
        "before=2021-12-02T00:00:00",
        "before=1637193600",
        "cursor=zzz",
        "cursor=WyIyMDIxIiwgMV0=",
        "cursor=W10=",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_as_a_problem(scheduler: Scheduler, query: str) -> None:
    app = app_of(scheduler.database, scheduler.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as client:
        answer = await client.get(f"/reminders?{query}")

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
