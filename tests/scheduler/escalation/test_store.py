"""Escalation on a real PostgreSQL: heard, told, acknowledged, also by several at once, and walked at random."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from contracts.envelope import Envelope, from_record
from contracts.events import Evidence, MilestoneEscalated, StatusChanged
from contracts.topics import MILESTONE_ESCALATED
from contracts.vocabulary import Country, Status
from services.cli.databases import schema_versions
from services.cli.observing import Observer
from services.cli.platform import add_key
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.plumbing.isolation import SYSTEMIC
from services.scheduler.escalation import escalator as escalating
from services.scheduler.escalation import queries
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from tests.conftest import FreshDatabase
from tests.scheduler.scenes import changed, created, milestone, scheduled, text, utc
from tests.scheduler.serving import app_of

# Mexico City is six hours behind UTC in winter: nine there is 15:00, the day after begins at 06:00.
LATEST = date(2021, 12, 31)
DUE = milestone(LATEST)
THEN = utc(2021, 11, 18, 18)
OVERDUE, FIRST, SECOND = utc(2022, 1, 1, 6), utc(2022, 1, 1, 15), utc(2022, 1, 8, 15)


@dataclass
class Scheduler:
    """One scheduler's insides, on a clock that the test sets."""

    database: Database
    clock: SharedClock
    watched: EscalationStore
    planner: Planner
    escalator: Escalator
    http: httpx.AsyncClient
    url: str

    def another(self, book: EscalationBook | None = None) -> Escalator:
        """A second scheduler on the same tables; or the first, started again, with other waits."""
        return Escalator(self.database, self.clock, EscalationStore(book) if book else self.watched)

    async def hears(self, *events: CommitmentEvent, at: datetime | None = None, one_batch: bool = True) -> None:
        when = at or self.clock.now()
        received = [
            ReceivedCommitmentEvent(Envelope(new_id(), when, one.commitment.id, "call-1"), one) for one in events
        ]
        for batch in [received] if one_batch else [[one] for one in received]:
            await self.planner.apply(batch)

    async def ticks_at(self, now: datetime) -> list[MilestoneEscalated]:
        """Set the clock, look once, and give what was written to the outbox."""
        before = len(await self.told())
        self.clock.set(now)
        await self.escalator.once()
        return (await self.told())[before:]

    async def told(self) -> list[MilestoneEscalated]:
        rows = await self.rows(
            "select key, headers, value from outbox where topic = $1 order by id", MILESTONE_ESCALATED.name
        )
        return [
            from_record(
                MilestoneEscalated,
                row["key"].encode(),
                [(name, value.encode()) for name, value in row["headers"].items()],
                row["value"],
            )[1]
            for row in rows
        ]

    async def rows(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def state(self, milestone_id: str = DUE.id) -> tuple[str, datetime | None]:
        [row] = await self.rows("select state, next_at from escalation where milestone_id = $1", milestone_id)
        return row["state"], row["next_at"]

    async def log(self) -> list[str]:
        return [row["what"] for row in await self.rows("select what from escalation_log order by id")]

    async def acknowledges(
        self, name: str = "Ana Ruiz", note: str | None = "We are on it.", *, key: str = "", milestone_id: str = DUE.id
    ) -> httpx.Response:
        return await self.http.post(
            f"/milestones/{milestone_id}/acknowledgements",
            json={"name": name, "note": note},
            headers={"Idempotency-Key": key or str(new_id())},
        )


def with_evidence(seq: int, status: Status = Status.IN_PROGRESS, country: Country | None = None) -> StatusChanged:
    evidence = Evidence(url="https://example.org/report", title="The report")
    return changed(status, seq, country).model_copy(update={"previous": status, "evidence": evidence})


async def furnished(url: str, folder: Path, book: EscalationBook) -> Scheduler:
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(folder / "clock")
    clock.set(THEN)
    key = add_key(folder / "keys.json", "mx-sre", ["reporter"], "mx-sre")
    watched = EscalationStore(book)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app_of(database, clock, keys_file=folder / "keys.json", escalations=watched)),
        base_url="http://scheduler",
        headers={"Authorization": f"Bearer {key}"},
    )
    planner = Planner(database, clock, escalations=watched)
    return Scheduler(database, clock, watched, planner, Escalator(database, clock, watched), http, url)


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Scheduler]:
    made = await furnished(await fresh_database({"scheduler": VERSIONS}), tmp_path, read_escalation_book())
    yield made
    await made.http.aclose()
    await made.database.close()


# Told


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
    assert event.level_title.fr == "Point focal"
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
    monkeypatch.setattr(escalating, "AT_ONCE", 7)
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


# Owned


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
    both = milestone(LATEST, countries=(Country.CA, Country.MX))
    await scheduler.hears(created(), scheduled(both))
    await scheduler.hears(changed(Status.MET, 1, Country.CA, Status.PARTLY_MET))
    assert len(await scheduler.ticks_at(FIRST)) == 1

    await scheduler.hears(changed(Status.MET, 2, Country.MX, Status.PARTLY_MET))

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


# Over HTTP


async def test_the_same_request_has_the_same_answer_and_no_second_effect(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)

    first = await scheduler.acknowledges(key="one")
    scheduler.clock.set(utc(2022, 1, 5))
    again, *more = await asyncio.gather(*(scheduler.acknowledges(key="one") for _ in range(5)))
    other = await scheduler.acknowledges("Luc Roy", key="one")

    assert (first.status_code, again.status_code) == (201, 201)
    assert all(one.json() == first.json() for one in (again, *more))
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert (await scheduler.log()).count("acknowledged") == 1


async def test_a_key_of_one_milestone_is_none_of_another(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(LATEST, id_="other")))
    await scheduler.ticks_at(FIRST)

    answers = await asyncio.gather(*(scheduler.acknowledges(key="one", milestone_id=id_) for id_ in (DUE.id, "other")))

    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_requests_that_cannot_be_are_refused_with_a_reason(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    path = f"/milestones/{DUE.id}/acknowledgements"
    keyed = {"Idempotency-Key": "a"}

    early = await scheduler.acknowledges()
    unknown = await scheduler.acknowledges(milestone_id="nobody-knows-it")
    await scheduler.ticks_at(FIRST)
    refused = {
        "no key": await scheduler.http.post(path, json={"name": "Ana"}),
        "no name": await scheduler.http.post(path, json={"note": "Ana"}, headers=keyed),
        "blanks": await scheduler.http.post(path, json={"name": "  "}, headers=keyed),
        "a number": await scheduler.http.post(path, json={"name": 1}, headers=keyed),
        "a line break": await scheduler.http.post(path, json={"name": "Ana\nRuiz"}, headers=keyed),
        "more": await scheduler.http.post(path, json={"name": "Ana", "until": "then"}, headers=keyed),
        "no JSON": await scheduler.http.post(path, content=b"Ana", headers=keyed),
        "nobody": await scheduler.http.post(path, json={"name": "Ana"}, headers={**keyed, "Authorization": ""}),
    }

    assert (early.status_code, early.json()["detail"]) == (
        409,
        "the milestone is not overdue: its last day is 2021-12-31",
    )
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
    assert {what: answer.status_code for what, answer in refused.items()} == {
        "no key": 400,
        "no name": 422,
        "blanks": 422,
        "a number": 422,
        "a line break": 422,
        "more": 422,
        "no JSON": 415,
        "nobody": 401,
    }
    assert "acknowledged" not in await scheduler.log()


async def test_the_record_tells_how_it_came_about(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()

    record = (await scheduler.http.get(f"/milestones/{DUE.id}/escalation")).json()

    assert (record["state"], record["next_level"], record["latest"]) == ("owned", "focal-point", "2021-12-31")
    assert [(line["what"], line["level"], line["name"], line["client"]) for line in record["log"]] == [
        ("overdue", None, None, None),
        ("told", "focal-point", None, None),
        ("acknowledged", None, "Ana Ruiz", "mx-sre"),
    ]
    assert (await scheduler.http.get("/milestones/nobody-knows-it/escalation")).status_code == 404


async def test_the_list_is_paged_in_the_order_of_what_comes_next(scheduler: Scheduler) -> None:
    names = [f"commitment-{i}" for i in range(7)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(
        *(
            scheduled(milestone(LATEST - timedelta(days=i // 2), id_=f"{name}-one"), id_=name)
            for i, name in enumerate(names)
        )
    )
    await scheduler.ticks_at(OVERDUE)
    await scheduler.acknowledges(milestone_id="commitment-0-one")

    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await scheduler.http.get("/escalations", params={"limit": "2", **cursor})).json()
        found += [item["milestone_id"] for item in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    owned = (await scheduler.http.get("/escalations", params={"state": "owned"})).json()
    mine = (await scheduler.http.get("/escalations", params={"commitment": "commitment-3"})).json()

    nexts = await scheduler.rows("select milestone_id from escalation where state = 'climbing' order by next_at, 1")
    assert found == [row["milestone_id"] for row in nexts]
    assert len(found) == 6
    assert [item["milestone_id"] for item in owned["items"]] == ["commitment-0-one"]
    assert [item["milestone_id"] for item in mine["items"]] == ["commitment-3-one"]
    assert (await scheduler.http.get("/escalations", params={"cursor": "bm9uZQ=="})).status_code == 400


# What changes under it, and what breaks


async def test_other_waits_are_reckoned_with_by_the_next_process(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    levels = tuple(level.model_copy(update={"wait": 2}) for level in read_escalation_book().levels)
    book = read_escalation_book().model_copy(update={"levels": levels})

    await scheduler.another(book).once()

    assert await scheduler.state() == ("climbing", utc(2022, 1, 3, 15))


async def test_other_zone_data_is_reckoned_with_by_the_next_process(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.rows("update escalation set next_at = next_at + interval '1 hour', reckoned_with = 'old'")

    await scheduler.another().once()

    assert await scheduler.state() == ("dormant", OVERDUE)


async def test_milestones_from_before_there_were_escalations_begin_with_the_first_level(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.rows("delete from escalation")
    scheduler.clock.set(utc(2024, 5, 1, 20))
    assert (await scheduler.acknowledges()).status_code == 503
    await scheduler.hears(changed(Status.AT_RISK))

    assert await scheduler.ticks_at(utc(2024, 5, 1, 20)) == []
    [event] = await scheduler.ticks_at(utc(2024, 5, 2, 15))

    assert (event.level, event.late, event.status) == ("focal-point", False, Status.AT_RISK)


async def test_a_milestone_that_cannot_be_told_does_not_stop_the_others(scheduler: Scheduler) -> None:
    names = [f"commitment-{i}" for i in range(3)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))
    await scheduler.ticks_at(OVERDUE)
    [good] = await scheduler.rows("select milestone from milestone_plan where milestone_id = 'commitment-1-one'")
    await scheduler.rows("update milestone_plan set milestone = '{}' where milestone_id = 'commitment-1-one'")

    told = await scheduler.ticks_at(FIRST)

    assert {e.commitment.id for e in told} == {"commitment-0", "commitment-2"}
    [failed] = await scheduler.rows("select milestone_id, failed from escalation where failed is not null")
    assert failed["milestone_id"] == "commitment-1-one"
    assert "wording" in failed["failed"]
    await scheduler.rows(
        "update milestone_plan set milestone = $1 where milestone_id = 'commitment-1-one'", good["milestone"]
    )
    await scheduler.another().once()
    assert [e.commitment.id for e in await scheduler.told()][-1] == "commitment-1"


async def test_when_nothing_works_at_all_it_is_no_milestones_fault(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"commitment-{i}" for i in range(SYSTEMIC)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(LATEST, id_=f"{name}-one"), id_=name) for name in names))

    def broken(*_: object) -> None:
        raise KeyError("a slip of ours")

    monkeypatch.setattr(escalating, "advanced", broken)

    with pytest.raises(RuntimeError, match="none of 20 milestones"):
        await scheduler.ticks_at(FIRST)
    assert not await scheduler.rows("select from escalation where failed is not null")


# Seen from outside


async def test_the_observer_sees_what_is_due_and_what_was_said_twice(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    scheduler = await furnished(await fresh_database(schema_versions()), tmp_path, read_escalation_book())
    await scheduler.hears(created(), scheduled(DUE))
    law = "no level was told twice in a round"
    async with Observer(scheduler.url) as observer:
        assert (await observer.pending_work(FIRST)).escalations_due == 1
        await scheduler.ticks_at(FIRST)
        assert (await observer.pending_work(FIRST)).escalations_due == 0
        assert {check.name: check.ok for check in await observer.conservation()}[law]

        await scheduler.rows(
            "insert into outbox (event_id, topic, key, headers, value, created_at)"
            " select gen_random_uuid(), topic, key, headers, value, created_at from outbox"
            " where topic = 'milestone-escalated'"
        )

        assert not {check.name: check.ok for check in await observer.conservation()}[law]
    await scheduler.http.aclose()
    await scheduler.database.close()


# At random


SHORT = EscalationBook(
    levels=tuple(
        EscalationLevel(level=f"level-{i}", title=text(f"Level {i}"), wait=wait) for i, wait in ((1, 1), (2, 2))
    ),
    repeat_days=3,
    evidence_within_days=2,
)


class Escalating(RuleBasedStateMachine):
    """Whatever is heard, said and slept through in whatever order: nobody is forgotten, and nobody told twice."""

    runner: asyncio.Runner
    scheduler: Scheduler
    ordinal = 0

    @initialize()
    def begin(self) -> None:
        type(self).ordinal += 1
        self.id = f"commitment-{self.ordinal}"
        self.milestone = milestone(LATEST, id_=f"{self.id}-one")
        self.version = self.seq = 1
        self.status = Status.IN_PROGRESS
        self.word: datetime | None = None
        self.now = THEN
        self.scheduler.clock.set(THEN)
        self.hears(created(self.id), scheduled(self.milestone, 1, self.id), changed(self.status, 1, id_=self.id))

    def hears(self, *events: CommitmentEvent) -> None:
        self.runner.run(self.scheduler.hears(*events))

    def told(self) -> list[MilestoneEscalated]:
        return [e for e in self.runner.run(self.scheduler.told()) if e.commitment.id == self.id]

    @rule(hours=st.sampled_from([1, 9, 24, 15 * 24, 60 * 24]))
    def time_passes(self, hours: int) -> None:
        self.now = max(self.now, utc(2021, 12, 30)) + timedelta(hours=hours)
        self.scheduler.clock.set(self.now)

    @rule(two=st.booleans())
    def ticks(self, two: bool) -> None:
        before = len(self.told())
        escalators = [self.scheduler.escalator, *([self.scheduler.another()] if two else [])]

        async def tick() -> None:
            await asyncio.gather(*(one.once() for one in escalators))

        self.runner.run(tick())
        new = self.told()[before:]
        assert len(new) <= 1
        if new and self.word:
            assert new[0].acknowledged and new[0].acknowledged.at == self.word, "silent until it is re-armed"
            self.word = None
        state, next_at = self.runner.run(self.scheduler.state(self.milestone.id))
        latest = self.milestone.span.latest
        past = latest is not None and self.now >= utc(latest.year, latest.month, latest.day, 6) + timedelta(days=1)
        if past and self.status is not Status.MET:
            assert state == ("owned" if self.word else "climbing")
            assert next_at is not None and self.now < next_at <= self.now + timedelta(days=4)
        elif self.status is Status.MET:
            assert (state, next_at) == ("settled", None)

    @rule()
    def somebody_acknowledges(self) -> None:
        answer = self.runner.run(self.scheduler.acknowledges(milestone_id=self.milestone.id))
        assert answer.status_code in (201, 409)
        if answer.status_code == 201:
            self.word = datetime.fromisoformat(answer.json()["acknowledged"]["at"])

    @rule(status=st.sampled_from([Status.IN_PROGRESS, Status.AT_RISK, Status.MET]))
    def status_is_reported(self, status: Status) -> None:
        self.seq += 1
        state, _ = self.runner.run(self.scheduler.state(self.milestone.id))
        self.hears(with_evidence(self.seq, status).model_copy(update={"commitment": created(self.id).commitment}))
        self.status = status
        after, _ = self.runner.run(self.scheduler.state(self.milestone.id))
        if status is Status.MET:
            self.word = None
        elif (state, after) == ("climbing", "owned"):
            log = self.runner.run(
                self.scheduler.rows("select acknowledged from escalation where milestone_id = $1", self.milestone.id)
            )
            self.word = datetime.fromisoformat(log[0]["acknowledged"]["at"])

    @rule(days=st.sampled_from([-3, 0, 5, None]))
    def the_date_moves(self, days: int | None) -> None:
        self.version += 1
        latest = None if days is None else self.now.date() + timedelta(days=days)
        self.milestone = milestone(latest, id_=self.milestone.id)
        self.hears(scheduled(self.milestone, self.version, self.id, change="moved"))
        if days is None or days >= 0:
            self.word = None

    @invariant()
    def no_message_has_the_name_of_another(self) -> None:
        if hasattr(self, "id"):
            told = self.told()
            assert [e.seq for e in told] == list(range(1, len(told) + 1))
            names = [(e.round, e.rank, e.repeat) for e in told]
            assert names == sorted(set(names))


def test_whatever_happens_in_whatever_order(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        scheduler = runner.run(_at_random(fresh_database, tmp_path))
        Escalating.runner, Escalating.scheduler = runner, scheduler
        try:
            run_state_machine_as_test(
                Escalating,
                settings=settings(
                    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            runner.run(_end(scheduler))


async def _at_random(fresh_database: FreshDatabase, folder: Path) -> Scheduler:
    return await furnished(await fresh_database({"scheduler": VERSIONS}), folder, SHORT)


async def _end(scheduler: Scheduler) -> None:
    await scheduler.http.aclose()
    await scheduler.database.close()
