"""Holds on a real PostgreSQL: from the answer on, nothing of an older schedule is told, whoever ticks meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from random import Random

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from services.scheduler.holds import store as holds
from services.scheduler.holds.store import HoldSweep
from services.scheduler.reminders import claims
from services.scheduler.reminders.rules.agenda import PlanningRules
from services.scheduler.reminders.tick import Tick
from tests.scheduler.running import END_OF_2021, Scheduler, many, until_somebody_waits
from tests.scheduler.scenes import NINE_SHARP, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import KnownKeys, known_keys
from tests.stand_ins.schedule_versions import WrittenSchedules

DUE = utc(2021, 12, 24, 15)
"""When the step of seven days before the end of 2021 is due."""
LATER = milestone(date(2022, 6, 30))


@pytest.fixture
async def scheduler(scheduler: Scheduler) -> Scheduler:
    """One that knows a milestone, whose first reminder has fired."""
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.ticks_at(utc(2021, 12, 2))
    return scheduler


@pytest.fixture
def keys() -> KnownKeys:
    return known_keys({"registry": ["holder"], "desk": ["editor", "operator"]})


@pytest.fixture
def app(scheduler: Scheduler, keys: KnownKeys) -> FastAPI:
    return app_of(scheduler.database, scheduler.clock, keys=keys)


@pytest.fixture
async def registry(app: FastAPI, keys: KnownKeys) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the registry's key."""
    headers = keys.header("registry")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://scheduler", headers=headers
    ) as client:
        yield client


def order(version: int, *ids: str) -> dict[str, object]:
    return {"milestones": [{"milestone_id": id_, "schedule_version": version} for id_ in ids or (END_OF_2021.id,)]}


async def held(scheduler: Scheduler) -> dict[str, int]:
    rows = await scheduler.rows("select milestone_id, schedule_version from hold")
    return {row["milestone_id"]: row["schedule_version"] for row in rows}


async def grow_old(scheduler: Scheduler) -> None:
    """Let all holds be older than what is given a schedule to come."""
    await scheduler.rows("update hold set held_at = held_at - interval '11 seconds'")


# Held, and told again


async def test_what_is_held_is_not_told_and_nothing_else_is_silent(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    await scheduler.hears(created("other"), scheduled(milestone(date(2021, 12, 31), id_="other-one"), id_="other"))

    answer = await registry.post("/holds", json=order(2))

    assert answer.status_code == 204
    assert [e.commitment.id for e in await scheduler.ticks_at(DUE)] == ["other"]
    [waiting] = await scheduler.rows("select business_at from tick")
    assert waiting["business_at"] == DUE - timedelta(microseconds=1), "what waits has not been told"


async def test_the_new_schedule_is_told_and_makes_the_hold_moot(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    await registry.post("/holds", json=order(2))
    await scheduler.hears(scheduled(LATER, 2, change="moved"))

    [told] = await scheduler.ticks_at(utc(2022, 4, 1, 15))
    assert (told.schedule_version, told.step) == (2, "before-90d")
    await HoldSweep(scheduler.database, None).once()
    assert await held(scheduler) == {}


async def test_a_hold_for_the_schedule_that_is_already_here_holds_nothing(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    """The registry holds for version 1 only if it means to write it: it came faster than the hold."""
    await registry.post("/holds", json=order(1))

    assert [e.step for e in await scheduler.ticks_at(DUE)] == ["before-7d"]


async def test_a_milestone_that_is_not_known_yet_can_be_held(scheduler: Scheduler, registry: httpx.AsyncClient) -> None:
    await registry.post("/holds", json=order(2, "new-one"))
    await scheduler.hears(scheduled(milestone(date(2021, 12, 31), id_="new-one"), id_="other"))

    assert {e.milestone.id for e in await scheduler.ticks_at(DUE)} == {END_OF_2021.id}


async def test_the_greatest_version_is_held_however_often_and_in_whatever_order(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    for version in (3, 2):
        await registry.post("/holds", json=order(version))
    body = {"milestones": [*order(5, "twice")["milestones"], *order(4, "twice")["milestones"]]}  # type: ignore[misc]
    await registry.post("/holds", json=body)

    assert await held(scheduler) == {END_OF_2021.id: 3, "twice": 5}


# A tick and a hold at once


async def test_a_hold_waits_for_the_tick_that_has_the_milestone_in_hand(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    """The event is written before the answer, so it is none of after it."""
    scheduler.clock.set(DUE)
    async with scheduler.database.transaction() as connection:
        _, [due] = await claims.claim(connection, DUE, 10)
        asking = asyncio.create_task(registry.post("/holds", json=order(2)))
        await until_somebody_waits(scheduler)
        assert not asking.done()
        await scheduler.tick._write(connection, [due], PlanningRules(NINE_SHARP), DUE)
    answer = await asking

    assert answer.status_code == 204
    assert [e.step for e in await scheduler.told()][-1] == "before-7d"
    assert await scheduler.ticks_at(utc(2022, 3, 1)) == []


async def test_a_tick_that_takes_too_long_is_answered_with_503_and_nothing_is_held(
    scheduler: Scheduler, registry: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "LONGEST_WAIT", 0.05)
    async with scheduler.database.transaction() as connection:
        await claims.claim(connection, DUE, 10)
        answer = await registry.post("/holds", json=order(2, END_OF_2021.id, "another"))

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert await held(scheduler) == {}


async def test_a_tick_passes_over_what_is_being_held(scheduler: Scheduler) -> None:
    scheduler.clock.set(DUE)
    async with scheduler.database.transaction() as connection:
        await holds.take_holds(connection, {END_OF_2021.id: 2})
        await asyncio.wait_for(scheduler.tick.once(), 5)
        before = len(await scheduler.told())

    await scheduler.tick.once()
    assert len(await scheduler.told()) == before == 1


async def test_a_hold_that_comes_between_a_claims_look_and_its_lock_is_seen(scheduler: Scheduler) -> None:
    """The first look finds the reminder, the lock waits behind the hold's, the second look sees the hold."""
    async with scheduler.database.transaction() as ticking:
        plans = await ticking.fetch(f"select {claims._PLAN} from milestone_plan p for update")
        async with scheduler.database.connection() as other:
            await other.execute("insert into hold (milestone_id, schedule_version) values ($1, 2)", END_OF_2021.id)
        locked, due = await claims._claim_locked(ticking, DUE, plans)

    assert (locked, due) == ([END_OF_2021.id], [])


# Holds whose schedule never comes


async def test_a_hold_whose_schedule_was_never_written_is_released(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    written = WrittenSchedules()
    written.versions[END_OF_2021.id] = 1
    sweep = HoldSweep(scheduler.database, written)
    await registry.post("/holds", json=order(2))

    await sweep.once()
    assert (await held(scheduler), written.asked) == ({END_OF_2021.id: 2}, []), "it is young"
    assert await scheduler.ticks_at(DUE) == []
    await grow_old(scheduler)
    await sweep.once()

    assert await held(scheduler) == {}
    assert [e.step for e in await scheduler.ticks_at(DUE)] == ["before-7d"]


@pytest.mark.parametrize(("written_version", "away"), [(2, False), (3, False), (1, True), (None, False)])
async def test_a_hold_is_kept_while_its_schedule_may_come(
    scheduler: Scheduler, registry: httpx.AsyncClient, written_version: int | None, away: bool
) -> None:
    """It was written, or the registry can't be asked, or does not know the milestone: rather silent than wrong."""
    written = WrittenSchedules()
    written.away = away
    if written_version:
        written.versions[END_OF_2021.id] = written_version
    await registry.post("/holds", json=order(2))
    await grow_old(scheduler)

    await HoldSweep(scheduler.database, written).once()

    assert await held(scheduler) == {END_OF_2021.id: 2}
    assert await scheduler.ticks_at(DUE) == []


async def test_a_hold_that_was_taken_again_while_the_registry_was_asked_is_kept(
    scheduler: Scheduler, registry: httpx.AsyncClient
) -> None:
    class Meanwhile:
        async def version_of(self, milestone_id: str) -> int:
            await registry.post("/holds", json=order(2))
            return 1

    await registry.post("/holds", json=order(2))
    await grow_old(scheduler)

    await HoldSweep(scheduler.database, Meanwhile()).once()

    assert await held(scheduler) == {END_OF_2021.id: 2}


async def test_without_a_registry_to_ask_a_hold_is_kept(scheduler: Scheduler, registry: httpx.AsyncClient) -> None:
    await registry.post("/holds", json=order(2))
    await grow_old(scheduler)
    sweep = HoldSweep(scheduler.database, None)

    await sweep.once()
    await sweep.once()

    assert await held(scheduler) == {END_OF_2021.id: 2}


# Moves while others tick


@pytest.mark.parametrize("seed", range(6))
async def test_after_a_moves_answer_the_old_schedule_never_fires_whoever_ticks(
    scheduler: Scheduler, registry: httpx.AsyncClient, seed: int
) -> None:
    """As the registry does it: hold, commit (or roll back), answer; Kafka brings the schedule when it likes."""
    random = Random(seed)
    names = await many(scheduler, 12)
    ids = {f"{name}-one": name for name in names}
    written = WrittenSchedules()
    written.versions = dict.fromkeys(ids, 1)
    allowed_from: dict[str, int] = {}
    """How many events had been written when a move's answer went out: no old one may come behind."""
    scheduler.clock.set(DUE - timedelta(days=1))
    await scheduler.tick.once()
    stopping = asyncio.Event()

    async def ticking(tick: Tick) -> None:
        while not stopping.is_set():
            await tick.once()
            await asyncio.sleep(random.random() * 0.002)

    async def sweeping() -> None:
        sweep = HoldSweep(scheduler.database, written)
        while not stopping.is_set():
            await grow_old(scheduler)
            await sweep.once()
            await asyncio.sleep(0.01)

    async def move(id_: str) -> None:
        await asyncio.sleep(random.random() * 0.1)
        assert (await registry.post("/holds", json=order(2, id_))).status_code == 204
        if random.random() < 0.25:
            return  # the registry's transaction failed
        written.versions[id_] = 2
        [row] = await scheduler.rows("select coalesce(max(id), 0) as last from outbox")
        allowed_from[id_] = row["last"]
        await asyncio.sleep(random.random() * 0.1)
        moved = milestone(date(2022, 6, 30), id_=id_)
        await scheduler.hears(scheduled(moved, 2, id_=ids[id_], change="moved"))

    async def time_goes() -> None:
        await asyncio.sleep(random.random() * 0.15)
        scheduler.clock.set(DUE)

    running = [asyncio.create_task(ticking(scheduler.another())) for _ in range(2)]
    running.append(asyncio.create_task(sweeping()))
    await asyncio.gather(time_goes(), *(move(id_) for id_ in ids))
    for id_ in ids.keys() - allowed_from.keys():  # those not moved are told as if nothing had been
        async with asyncio.timeout(20):
            while (await scheduler.states(milestone_id=id_))["before-7d"] != "fired":
                await scheduler.rows("select pg_sleep(0.01)")
    stopping.set()
    await asyncio.gather(*running)

    rows = await scheduler.rows("select id, convert_from(value, 'UTF8')::jsonb as event from outbox order by id")
    late = [
        (row["event"]["milestone"]["id"], row["event"]["step"])
        for row in rows
        if row["event"]["schedule_version"] == 1
        and row["id"] > allowed_from.get(row["event"]["milestone"]["id"], row["id"])
    ]
    assert late == []
    assert allowed_from, "nothing was moved"


# Who may


@pytest.mark.parametrize(
    ("client", "body", "status"),
    [
        (None, order(2), 401),
        ("desk", order(2), 403),
        ("registry", {"milestones": []}, 422),
        ("registry", {"milestones": order(2)["milestones"] * 1001}, 422),  # type: ignore[operator]
        ("registry", order(0), 422),
        ("registry", order(2**31), 422),
        ("registry", order(2, "Not a slug"), 422),
        ("registry", {"milestones": [{"milestone_id": "a", "schedule_version": "2"}]}, 422),
        ("registry", {**order(2), "more": 1}, 422),
    ],
)
async def test_only_the_registrys_own_key_holds_and_only_what_makes_sense(
    scheduler: Scheduler,
    registry: httpx.AsyncClient,
    keys: KnownKeys,
    client: str | None,
    body: dict[str, object],
    status: int,
) -> None:
    headers = keys.header(client) if client else {"Authorization": ""}

    answer = await registry.post("/holds", json=body, headers=headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await held(scheduler) == {}


async def test_a_body_that_is_not_json_is_no_order(registry: httpx.AsyncClient) -> None:
    answer = await registry.post("/holds", content=b"milestones=1", headers={"content-type": "text/plain"})

    assert answer.status_code == 415
