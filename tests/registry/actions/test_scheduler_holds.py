"""Holding the old date: what is asked of the scheduler, and that no move is committed after its hold has run out."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from services.plumbing.transient_errors import is_transient
from services.registry.actions import scheduler_holds as holding
from services.registry.actions.scheduler_holds import Hold, Holds, HoldSettings, SchedulerAway, SchedulerHolds
from tests.registry.actions.test_anchors import dated, news_of
from tests.registry.scenes import Register
from tests.stand_ins.holds import RememberingHolds

PROJECT = Path(__file__).resolve().parents[3]
FOLLOWER = "nals-2021-next-summit-meeting"
KEY = "pw_registry_0123456789"


@dataclass
class Scheduler:
    """The route that the scheduler has for this, and nothing else."""

    status: int = 204
    hangs: bool = False
    received: list[Hold] = field(default_factory=list)
    requests: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/holds")
        async def holds(request: Request) -> Response:
            self.requests += 1
            if self.hangs:
                await asyncio.Event().wait()
            if request.headers["authorization"] != f"Bearer {KEY}":
                return Response(status_code=401)
            if self.status == 204:
                self.received += [Hold(**one) for one in (await request.json())["milestones"]]
            return Response(status_code=self.status)

        return app


@pytest.fixture
async def scheduler() -> Scheduler:
    return Scheduler()


@pytest.fixture
async def over_http(scheduler: Scheduler) -> AsyncIterator[SchedulerHolds]:
    transport = httpx2.ASGITransport(scheduler.app())
    async with httpx2.AsyncClient(transport=transport) as client:
        yield SchedulerHolds(client, "http://scheduler/", KEY)


@dataclass
class Kit:
    """An implementation, what it has been asked to hold, and how to make it go away."""

    holds: Holds
    scheduler: Scheduler | RememberingHolds

    @property
    def taken(self) -> list[Hold]:
        return self.scheduler.received if isinstance(self.scheduler, Scheduler) else self.scheduler.taken

    def go_away(self) -> None:
        if isinstance(self.scheduler, Scheduler):
            self.scheduler.status = 503
        else:
            self.scheduler.away = True


@pytest.fixture(params=["over HTTP", "remembering"])
def kit(request: pytest.FixtureRequest, scheduler: Scheduler, over_http: SchedulerHolds) -> Kit:
    if request.param == "over HTTP":
        return Kit(over_http, scheduler)
    remembering = RememberingHolds()
    return Kit(remembering, remembering)


# What the real one and the stand-in have in common


async def test_all_are_taken_in_their_order(kit: Kit) -> None:
    wanted = [Hold("a", 2), Hold("b", 7), Hold("a", 3)]
    await kit.holds.take(wanted)
    assert kit.taken == wanted


async def test_more_than_fit_into_a_request_are_taken_too(kit: Kit) -> None:
    wanted = [Hold(f"m-{n}", 2) for n in range(2 * holding.LARGEST_HOLD + 1)]
    await kit.holds.take(wanted)
    assert kit.taken == wanted


async def test_one_that_is_away_is_a_refusal(kit: Kit) -> None:
    kit.go_away()
    with pytest.raises(SchedulerAway):
        await kit.holds.take([Hold("a", 2)])
    assert kit.taken == []


# The real one


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 404, 409, 422, 500, 503])
async def test_any_answer_but_204_is_none(scheduler: Scheduler, over_http: SchedulerHolds, status: int) -> None:
    scheduler.status = status
    with pytest.raises(SchedulerAway, match=str(status)):
        await over_http.take([Hold("a", 2)])
    assert scheduler.requests == 1


async def test_a_scheduler_that_hangs_is_left_in_time(
    scheduler: Scheduler, over_http: SchedulerHolds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LONGEST_HOLD", 0.05)
    scheduler.hangs = True
    with pytest.raises(SchedulerAway, match="did not answer"):
        await over_http.take([Hold("a", 2)])


async def test_a_scheduler_that_is_not_there_is_a_refusal() -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        with pytest.raises(SchedulerAway, match="did not answer"):
            await SchedulerHolds(client, "http://127.0.0.1:9", KEY).take([Hold("a", 2)])


@pytest.mark.parametrize("key", [{}, {"SCHEDULER_KEY": ""}])
def test_an_address_needs_a_key(monkeypatch: pytest.MonkeyPatch, key: dict[str, str]) -> None:
    for name, value in {"SCHEDULER_URL": "http://scheduler:8000", **key}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="role `holder`"):
        HoldSettings()


def test_without_an_address_the_register_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEDULER_URL", raising=False)
    assert HoldSettings().url is None


# A transaction does not outlive its hold


async def until_cut(register: Register) -> None:
    """Return when no transaction of this database is idle; it has to be so before a hold may be released."""
    async with register.database.connection() as connection:
        for _ in range(int(holding.RELEASED_AFTER / 0.05)):
            if not await connection.fetchval(
                "select exists (select from pg_stat_activity where datname = current_database()"
                " and state = 'idle in transaction')"
            ):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the transaction outlives its hold")


class UntilCut(RememberingHolds):
    """Holds, and comes back only when the database has ended the transaction that asked."""

    def __init__(self, register: Register) -> None:
        super().__init__()
        self._register = register

    async def take(self, holds: Sequence[Hold]) -> None:
        await super().take(holds)
        await until_cut(self._register)


async def test_a_move_that_takes_too_long_is_not_made(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is that of a fault that passes, and the same request goes through afterwards."""
    monkeypatch.setattr(holding, "LONGEST_TRANSACTION", 0.2)
    slow = UntilCut(register)
    monkeypatch.setattr(register.holds, "take", slow.take)
    answer = await register.send("PUT", "/anchors/nals-2022", dated("2022-12"), key="one")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert slow.taken == [Hold(FOLLOWER, 2)]
    assert [change for change, _, _ in await news_of(register, "nals-2022")] == ["first"]

    monkeypatch.undo()
    assert (await register.send("PUT", "/anchors/nals-2022", dated("2022-12"), key="one")).status_code == 200


FROZEN = """
import asyncio, os, signal, sys
from datetime import date, datetime, UTC
from contracts.vocabulary import Source
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.transient_errors import is_transient
from services.registry.actions.anchors import Moved, move_anchor
from services.registry.actions.events import Occasion
from services.registry.rules.edtf_dates import span_of

class Freezing:
    async def take(self, holds):
        os.kill(os.getpid(), signal.SIGSTOP)

async def main():
    database = Database(DatabaseSettings(), "registry")
    await database.open()
    news = Moved(span_of("2022-12"), None, Source(text="s"), date(2022, 3, 1))
    occasion = Occasion(datetime(2022, 3, 1, tzinfo=UTC), "frozen", holds=Freezing())
    try:
        async with database.transaction() as connection:
            await move_anchor(database, connection, "nals-2022", news, occasion)
    except Exception as error:
        return 3 if is_transient(error) else 4
    return 0

sys.exit(asyncio.run(main()))
"""


@pytest.mark.slow
async def test_a_registry_that_was_frozen_after_its_hold_can_not_commit(register: Register) -> None:
    """SIGSTOP between hold and commit; half of the scheduler's patience later the transaction is gone for good."""
    url = register.database._settings.url.get_secret_value()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FROZEN, cwd=PROJECT, env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(PROJECT)}
    )
    try:
        _, status = await asyncio.to_thread(os.waitpid, child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "it was frozen in the middle of its transaction"
        await until_cut(register)
        child.send_signal(signal.SIGCONT)
        assert await child.wait() == 3
    finally:
        if child.returncode is None:
            child.kill()
    assert [change for change, _, _ in await news_of(register, "nals-2022")] == ["first"]
    assert (await register.get(f"/milestones/{FOLLOWER}/schedule-version"))["schedule_version"] == 1


async def test_a_statement_in_the_middle_is_cut_too(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that waits in the database is idle for no moment, and ends all the same."""
    monkeypatch.setattr(holding, "LONGEST_TRANSACTION", 0.2)
    with pytest.raises(Exception) as caught:
        async with register.database.transaction() as connection:
            await holding.hold_old_schedules(connection, RememberingHolds(), [Hold("a", 2)])
            await connection.execute("select pg_sleep(5)")
    assert is_transient(caught.value), repr(caught.value)


async def test_other_transactions_keep_their_time(register: Register) -> None:
    """The limit ends with the transaction that set it."""
    async with register.database.connection() as connection:
        asked = "select current_setting('transaction_timeout'), current_setting('idle_in_transaction_session_timeout')"
        before = await connection.fetchrow(asked)
        async with connection.transaction():
            await holding.hold_old_schedules(connection, RememberingHolds(), [Hold("a", 2)])
            assert tuple(await connection.fetchrow(asked) or ()) == ("5s", "5s")
        assert await connection.fetchrow(asked) == before
