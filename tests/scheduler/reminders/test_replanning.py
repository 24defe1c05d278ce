"""The ladder book, readers' own ladders and zone data on a real PostgreSQL: what changes when they do."""

import asyncio
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest

from contracts.envelope import Envelope, to_record
from contracts.events import LadderChosen, LadderHolidays, LadderRung, MilestoneScheduled
from contracts.vocabulary import Country, Milestone, Reading, Status
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import new_key
from services.plumbing.ids import new_id
from services.plumbing.migrations import downgrade, upgrade
from services.plumbing.zones import ZONE_DATA
from services.scheduler.intake import Planner
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import plan
from services.scheduler.ladders.subscription_ladder import subscription_ladder
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders import ladder_store as rules_cache
from services.scheduler.reminders import replanning
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedLadderChoice, read_record
from services.scheduler.reminders.replanning import Replanner
from tests.conftest import FreshDatabase
from tests.scheduler.reminders.test_store import (  # the scheduler to try is a fixture of that file
    COAL,
    END_OF_2021,
    THEN,
    Scheduler,
    many,
    scheduler,
)
from tests.scheduler.scenes import NINE_SHARP, brief, changed, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of

__all__ = ["scheduler"]

ME, YOU = UUID(int=1), UUID(int=2)
LATE_ONES = """\
ladders:
  - name: deadlines
    when: {kinds: [deadline]}
    rungs: [before-14d, {step: before-7d, at: "17:00"}, on-the-day, after-1d]
    every: 1m
  - name: others
    rungs: [before-90d]
"""


def choice(
    *steps: str, subscription: UUID = ME, seq: int = 1, active: bool = True, at: str = "08:00", **more: Any
) -> LadderChosen:
    return LadderChosen(
        seq=seq,
        subscription_id=subscription,
        active=active,
        rungs=tuple(LadderRung(step=step, at=at) for step in steps),
        **{
            "zone": "America/Toronto",
            "holidays": None,
            "countries": (),
            "themes": (),
            "sections": (),
            "commitments": (),
            **more,
        },
    )


async def chooses(scheduler: Scheduler, *events: LadderChosen, planned: bool = True) -> None:
    """Hear choices, and plan by them as far as that is to be done."""
    received = [
        ReceivedLadderChoice(Envelope(new_id(), scheduler.clock.now(), str(e.subscription_id)), e) for e in events
    ]
    await scheduler.planner.apply(received)
    if planned:
        await plans(scheduler)


async def plans(scheduler: Scheduler, book: LadderBook = NINE_SHARP) -> int:
    """Work off all that is to be planned anew; in how many steps."""
    replanner, count = Replanner(scheduler.database, RulesCache(book)), 0
    while await replanner.once():
        count += 1
    return count


Waiting = set[tuple[str, int, str, UUID | None, datetime]]


async def waiting(scheduler: Scheduler) -> Waiting:
    rows = await scheduler.rows(
        "select milestone_id, schedule_version, step, audience, due_at from reminder where state = 'pending'"
    )
    return {tuple(row) for row in rows}


async def client(scheduler: Scheduler, folder: Path) -> tuple[httpx.AsyncClient, str]:
    """Somebody who calls the scheduler, with a key of an editor."""
    key, hashed = new_key("desk")
    reader, hashed_reader = new_key("reader")
    file = folder / "keys.json"
    file.write_text(
        f'{{"desk": {{"sha256": "{hashed}", "roles": ["editor"]}},'
        f' "reader": {{"sha256": "{hashed_reader}", "roles": ["reader"]}}}}'
    )
    app = app_of(
        scheduler.database,
        scheduler.clock,
        keys_file=file,
        checks={"database": scheduler.database.ping},
        rules_cache=RulesCache(NINE_SHARP),
    )
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://scheduler",
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/yaml"},
    )
    return http, reader


# The book


async def test_the_shipped_book_holds_until_another_is_applied(scheduler: Scheduler, tmp_path: Path) -> None:
    http, _ = await client(scheduler, tmp_path)
    async with http:
        before = (await http.get("/ladders")).json()
        applied = await http.put("/ladders", content=LATE_ONES)
        after = (await http.get("/ladders")).json()

    assert (0, None, DEFAULT_BOOK.text) == (before["version"], before["applied_by"], before["text"])
    assert applied.status_code == 200, applied.text
    assert (after["version"], after["applied_by"], after["text"]) == (1, "desk", LATE_ONES)
    assert read_ladder_book(LATE_ONES).sha256 == after["sha256"] == applied.json()["sha256"]
    assert [ladder["name"] for ladder in after["ladders"]] == ["deadlines", "others"]
    assert datetime.fromisoformat(after["applied_at"]) == THEN


async def test_another_book_replans_what_is_to_come_and_says_how_much(scheduler: Scheduler, tmp_path: Path) -> None:
    summit = milestone(date(2022, 6, 10), id_="summit", reading=Reading.ON)
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(summit))
    await scheduler.ticks_at(utc(2021, 12, 1, 15))
    scheduler.clock.set(utc(2021, 12, 20))
    http, _ = await client(scheduler, tmp_path)
    async with http:
        applied = (await http.put("/ladders", content=LATE_ONES)).json()
        again = (await http.put("/ladders", content=LATE_ONES)).json()

    # Of the deadline before-7d moves, before-1d and after-7d go; of the summit all but before-90d go.
    assert {"milestones": 2, "added": 0, "withdrawn": 8, "moved": 1, "passed": 0}.items() <= applied.items()
    assert {"version": 1, "milestones": 0, "withdrawn": 0}.items() <= again.items()
    assert await scheduler.states() == {
        "before-90d": "passed",
        "before-30d": "fired",
        "before-14d": "passed",
        "before-7d": "pending",
        "before-1d": "withdrawn",
        "on-the-day": "pending",
        "after-1d": "pending",
        "after-7d": "withdrawn",
    }
    told = await scheduler.ticks_at(utc(2022, 2, 1))
    assert {("after-1m", ("before-7d", "on-the-day", "after-1d"))} == {(e.step, e.merged_steps) for e in told}


async def test_every_scheduler_plans_by_the_new_book_from_then_on(scheduler: Scheduler, tmp_path: Path) -> None:
    elsewhere = scheduler.another()
    await elsewhere.once()
    http, _ = await client(scheduler, tmp_path)
    async with http:
        await http.put("/ladders", content=LATE_ONES)

    await scheduler.hears(created(), scheduled(END_OF_2021))
    scheduler.clock.set(utc(2022, 1, 2))
    await elsewhere.once()

    assert {"before-14d": "merged", "before-7d": "merged", "on-the-day": "merged", "after-1d": "fired"}.items() <= (
        await scheduler.states()
    ).items()
    assert (await scheduler.states())["after-1m"] == "pending"


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
        planned = plan(what, when, read_ladder_book(LATE_ONES), scheduled_at=THEN, told=done)
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
        await rules_cache.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
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
        await rules_cache.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
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
        await rules_cache.write_ladder_book(connection, read_ladder_book(LATE_ONES), THEN, "desk")
    await hearing

    assert "before-14d" in await scheduler.states()
    assert "before-90d" not in await scheduler.states()


@pytest.mark.parametrize(
    ("headers", "content", "status", "what"),
    [
        ({"Authorization": ""}, LATE_ONES, 401, "Send a valid API key"),
        ({"Authorization": "reader"}, LATE_ONES, 403, "no role `editor`"),
        ({"Content-Type": "application/json"}, "{}", 415, "application/yaml"),
        ({}, "ladders: []", 422, "line 1: ladders: there are 1 to 100 ladders"),
        ({}, b"\xff", 422, "UTF-8"),
        ({}, "x" * 70_000, 422, "at most 65536 characters"),
        ({}, "x" * 300_000, 413, "262144"),
    ],
)
async def test_what_may_not_or_cannot_be_applied_is_refused_and_changes_nothing(
    scheduler: Scheduler, tmp_path: Path, headers: dict[str, str], content: str | bytes, status: int, what: str
) -> None:
    http, reader = await client(scheduler, tmp_path)
    headers = {name: f"Bearer {reader}" if value == "reader" else value for name, value in headers.items()}
    async with http:
        answer = await http.put("/ladders", content=content, headers=headers)

        assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
        assert what in answer.text
        assert (await http.get("/ladders")).json()["version"] == 0


# Readers' ladders


async def test_a_readers_ladder_is_told_to_that_reader_beside_the_books(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    holidays = LadderHolidays(country=Country.CA, subdivision="ON")
    await chooses(scheduler, choice("before-3bd", "on-the-day", holidays=holidays))

    assert await scheduler.ticks_at(utc(2021, 12, 24, 12, 59)) != []
    [mine] = await scheduler.ticks_at(utc(2021, 12, 24, 13))
    told = await scheduler.ticks_at(utc(2021, 12, 31, 16))

    assert (mine.audience, mine.step, mine.phase, mine.days, mine.late) == (ME, "before-3bd", "ahead", 7, False)
    assert utc(2021, 12, 31, 13) == mine.not_after or mine.not_after == mine.due_at + timedelta(days=7)
    assert {(None, "on-the-day"), (ME, "on-the-day")} == {(e.audience, e.step) for e in told}


async def test_a_milestone_that_is_scheduled_later_has_the_readers_ladder_too(scheduler: Scheduler) -> None:
    await chooses(scheduler, choice("before-10d"), choice("before-5d", subscription=YOU, themes=("trade",)))
    await scheduler.hears(created(), scheduled(END_OF_2021))

    assert {ME} == {audience for *_, audience, _ in await waiting(scheduler)} - {None}


async def test_who_gives_a_ladder_up_or_asks_for_something_else_is_not_reminded_by_it(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.hears(created("other"), scheduled(milestone(date(2022, 2, 1), id_="other-one"), id_="other"))
    await chooses(scheduler, choice("before-10d"), choice("before-10d", subscription=YOU))
    await chooses(
        scheduler, choice("before-10d", seq=2, commitments=("other",)), choice(subscription=YOU, seq=2, active=False)
    )

    assert {("other-one", ME)} == {
        (name, audience) for name, _, _, audience, _ in await waiting(scheduler) if audience is not None
    }


async def test_what_is_due_by_a_ladder_that_was_given_up_is_not_told_even_before_it_is_planned_anew(
    scheduler: Scheduler,
) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d"))
    await chooses(scheduler, choice(seq=2, active=False), planned=False)

    assert {None} == {e.audience for e in await scheduler.ticks_at(utc(2021, 12, 22))}
    assert {"withdrawn"} == {
        r["state"] for r in await scheduler.rows("select state from reminder where audience is not null")
    }


async def test_an_older_choice_that_arrives_late_and_a_repeat_change_nothing(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d", seq=2))
    before = await scheduler.rows("select * from reminder order by id")

    await chooses(scheduler, choice("before-20d", seq=1), choice("before-10d", seq=2))

    assert before == await scheduler.rows("select * from reminder order by id")


async def test_of_two_choices_in_one_batch_the_newer_counts(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d", seq=2), choice("before-20d", seq=1))

    assert {"before-10d"} == {step for _, _, step, audience, _ in await waiting(scheduler) if audience}


async def test_a_choice_that_cannot_be_reckoned_is_never_kept() -> None:
    event = choice("before-10d", zone="America/Nowhere")
    record = to_record(event, Envelope(new_id(), THEN, str(ME)))

    class Arrived:
        topic, key, value = record.topic, record.key.encode(), record.value
        headers = tuple((name, text.encode()) for name, text in record.headers.items())

    with pytest.raises(ValueError, match="America/Nowhere"):
        read_record(Arrived())  # type: ignore[arg-type]  # of a consumer record this is all that is read


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_readers_choose_and_the_register_says_everybody_has_what_his_ladder_gives(
    scheduler: Scheduler, seed: int
) -> None:
    """Milestones that come, move and settle, and choices that come, change and end, in any order: against the rule."""
    draw = random.Random(seed)
    sections, themes = ("climate", "health"), ("trade", "climate", "migration")
    milestones: dict[str, MilestoneScheduled] = {}
    newest: dict[UUID, LadderChosen] = {}
    settled: set[str] = set()

    def schedule(number: int) -> MilestoneScheduled:
        of = f"commitment-{number}"
        known = milestones.get(of)
        what = milestone(
            draw.choice([None, date(2022, 3, 1), date(2022, 9, 1)]),
            id_=f"{of}-one",
            countries=tuple(draw.sample(list(Country), draw.randint(1, 3))),
            reading=Reading.BY,
        )
        event = scheduled(what, known.schedule_version + 1 if known else 1, of)
        about = (
            known.commitment
            if known
            else brief(of).model_copy(
                update={"section": draw.choice(sections), "themes": tuple(draw.sample(themes, draw.randint(1, 2)))}
            )
        )
        return event.model_copy(update={"commitment": about})

    def choose() -> LadderChosen:
        who = UUID(int=draw.randint(1, 3))
        return choice(
            *draw.sample(["before-90d", "before-3bd", "on-the-day", "after-1w", "before-1m"], draw.randint(0, 4)),
            subscription=who,
            seq=newest[who].seq + 1 if who in newest else 1,
            active=draw.random() < 0.8,
            countries=tuple(draw.sample(list(Country), draw.choice([0, 0, 1, 2]))),
            themes=tuple(draw.sample(themes, draw.choice([0, 0, 1]))),
            sections=tuple(draw.sample(sections, draw.choice([0, 0, 1]))),
            commitments=tuple(f"commitment-{n}" for n in draw.sample(range(5), draw.choice([0, 0, 0, 3]))),
        )

    for i in range(30):
        match draw.choice(["schedule", "schedule", "choose", "status", "plan"]):
            case "schedule":
                event = schedule(draw.randrange(5))
                milestones[event.commitment.id] = event
                await scheduler.hears(event)
            case "choose":
                event_ = choose()
                newest[event_.subscription_id] = event_
                await chooses(scheduler, event_, planned=False)
            case "status":
                of = f"commitment-{draw.randrange(5)}"
                status = draw.choice([Status.MET, Status.IN_PROGRESS])
                (settled.add if status is Status.MET else settled.discard)(of)
                await scheduler.hears(changed(status, i + 1, id_=of))
            case "plan":
                await plans(scheduler)
    await plans(scheduler)

    subscription_ladders = [found for event in newest.values() if (found := subscription_ladder(event))]
    expected: Waiting = set()
    for of, event in milestones.items():
        for one in (None, *(c for c in subscription_ladders if c.asks_for(event.commitment, event.milestone))):
            if of not in settled:
                expected |= {
                    (event.milestone.id, event.schedule_version, p.step.name, one and one.subscription_id, p.due_at)
                    for p in plan(event.milestone, THEN, NINE_SHARP, own_ladder=one)
                    if p.state == "pending"
                }
    assert expected == await waiting(scheduler)


async def test_a_subscriptions_reminders_are_listed_apart_from_the_books(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d"))
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app_of(scheduler.database, scheduler.clock)), base_url="http://scheduler"
    )
    async with http:
        everybodys = (await http.get("/reminders")).json()["items"]
        mine = (await http.get(f"/reminders?subscription={ME}")).json()["items"]

    assert {None} == {one["audience"] for one in everybodys}
    assert [("before-10d", str(ME))] == [(one["step"], one["audience"]) for one in mine]


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


# Zone data


async def test_other_zone_data_moves_instants_and_says_which(scheduler: Scheduler, tmp_path: Path) -> None:
    """As if the rows had been written when Mexico City still was an hour ahead on New Year's Eve."""
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("on-the-day"))
    async with scheduler.database.connection() as connection:
        await connection.execute("update tick set zone_data = '2020.1'")
        await connection.execute(
            "update reminder set due_at = due_at - interval '1 hour' where state = 'pending' and step = 'on-the-day'"
        )
    http, _ = await client(scheduler, tmp_path)
    async with http:
        before = (await http.get("/zones")).json()
        await scheduler.tick.once()
        after = (await http.get("/zones?limit=10")).json()
        ready = (await http.get("/readyz")).json()

    assert (before["stored"], before["zone_data"], before["changes"]) == ("2020.1", ZONE_DATA, [])
    assert (after["stored"], datetime.fromisoformat(after["recomputed_at"])) == (ZONE_DATA, THEN)
    assert {
        (None, "2021-12-31T14:00:00Z", "2021-12-31T15:00:00Z"),
        (str(ME), "2021-12-31T12:00:00Z", "2021-12-31T13:00:00Z"),
    } == {(c["audience"], c["before"], c["after"]) for c in after["changes"]}
    assert {("end-of-2021", "on-the-day", "2020.1", ZONE_DATA)} == {
        (c["milestone_id"], c["step"], c["from_release"], c["to_release"]) for c in after["changes"]
    }
    assert ready["zone_data"] == ZONE_DATA


async def test_a_reminder_that_newer_zone_data_puts_into_the_past_is_told(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    async with scheduler.database.connection() as connection:
        await connection.execute(
            "update reminder set due_at = due_at + interval '2 hours' where state = 'pending' and step = 'before-30d'"
        )

    [told] = await scheduler.ticks_at(utc(2021, 12, 1, 16))

    assert ("before-30d", utc(2021, 12, 1, 15)) == (told.step, told.due_at)


# From the tables of the first release


async def test_what_the_first_release_planned_is_computed_anew_at_the_first_start(
    fresh_database: FreshDatabase, scheduler: Scheduler
) -> None:
    url = await fresh_database({"scheduler": VERSIONS})
    await downgrade(url, "scheduler", VERSIONS, "0001")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    someday = milestone(None, id_="someday", reading=Reading.UNDATED)
    async with database.connection() as connection:
        await connection.execute("update tick set zone_data = $1, business_at = $2", ZONE_DATA, THEN)
        await connection.execute(
            "insert into commitment_state (commitment_id, overall, seq, countries) values ($1, 'announced', 0, '{}')",
            COAL,
        )
        for what in (END_OF_2021, someday):
            await connection.execute(
                "insert into milestone_plan values ($1, $2, 1, $3, $4, false, null)",
                what.id,
                COAL,
                brief().model_dump(mode="json"),
                _as_of_the_first_release(what),
            )
        await connection.execute(
            "insert into reminder (milestone_id, schedule_version, step, due_at, state)"
            " values ('end-of-2021', 1, 'on-the-day', '2021-12-31T15:00Z', 'pending')"
        )
    await database.close()
    await upgrade(url, "scheduler", VERSIONS)
    await database.open()
    later = replace(scheduler, database=database, tick=type(scheduler.tick)(database, scheduler.clock))

    await later.tick.once()

    assert {
        (what.id, 1, one.step.name, None, one.due_at)
        for what in (END_OF_2021, someday)
        for one in plan(what, THEN)
        if one.state == "pending"
    } == await waiting(later)
    assert await later.rows("select from zone_change") == []
    await database.close()


def _as_of_the_first_release(what: Milestone) -> dict[str, Any]:
    stored = what.model_dump(mode="json")
    for name in ("offset", "local_time", "review_months", "wording_language"):
        del stored[name]
    return stored
