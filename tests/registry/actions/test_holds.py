"""No move is committed after its hold has run out."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.plumbing.transient_errors import is_transient
from services.registry.actions import holds as holds_module
from services.registry.actions.holds import ScheduleHold
from tests.registry.scenes import FOLLOWER, Register, dated, history_of
from tests.stand_ins.holds import RememberingHolds

PROJECT = Path(__file__).resolve().parents[3]


async def until_cut(register: Register) -> None:
    """Return when no transaction of this database is idle; it has to be so before a hold may be released."""
    async with register.database.connection() as connection:
        for _ in range(int(holds_module.RELEASED_AFTER / 0.05)):
            if not await connection.fetchval(
                "select exists (select from pg_stat_activity where datname = current_database()"
                " and state = 'idle in transaction')"
            ):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the transaction outlives its hold")


class UntilCut(RememberingHolds):
    """Takes the holds, and comes back only when the database has ended the transaction that asked."""

    def __init__(self, register: Register) -> None:
        super().__init__()
        self._register = register

    async def take(self, holds: Sequence[ScheduleHold]) -> None:
        await super().take(holds)
        await until_cut(self._register)


async def test_a_move_that_takes_too_long_is_not_made(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is that of a fault that passes, and the same request goes through afterwards."""
    monkeypatch.setattr(holds_module, "LONGEST_TRANSACTION", 0.2)
    slow = UntilCut(register)
    monkeypatch.setattr(register.holds, "take", slow.take)
    answer = await register.send("PUT", "/anchors/nals-2022", dated("2022-12"), key="one")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert slow.taken == [ScheduleHold(FOLLOWER, 2)]
    assert [change for change, _, _ in await history_of(register, "nals-2022")] == ["first"]

    monkeypatch.undo()
    assert (await register.send("PUT", "/anchors/nals-2022", dated("2022-12"), key="one")).status_code == 200


FROZEN = """
import asyncio, os, signal, sys
from datetime import date, datetime, UTC
from contracts.vocabulary import Source
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.transient_errors import is_transient
from services.registry.actions.anchors import MoveAnchor, move_anchor
from services.registry.actions.events import ActionContext
from services.registry.rules.edtf_dates import span_of

class Freezing:
    async def take(self, holds):
        os.kill(os.getpid(), signal.SIGSTOP)

async def main():
    database = Database(DatabaseSettings(), "registry")
    await database.open()
    move = MoveAnchor(span_of("2022-12"), None, Source(text="s"), date(2022, 3, 1))
    context = ActionContext(datetime(2022, 3, 1, tzinfo=UTC), "frozen")
    try:
        async with database.transaction() as connection:
            await move_anchor(database, connection, Freezing(), "nals-2022", move, context)
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
    assert [change for change, _, _ in await history_of(register, "nals-2022")] == ["first"]
    assert (await register.get(f"/milestones/{FOLLOWER}/schedule-version"))["schedule_version"] == 1


async def test_a_statement_in_the_middle_is_cut_too(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that waits in the database is idle for no moment, and ends all the same."""
    monkeypatch.setattr(holds_module, "LONGEST_TRANSACTION", 0.2)
    with pytest.raises(Exception) as caught:
        async with register.database.transaction() as connection:
            await holds_module.hold_old_schedules(connection, RememberingHolds(), [ScheduleHold("a", 2)])
            await connection.execute("select pg_sleep(5)")
    assert is_transient(caught.value), repr(caught.value)


async def test_other_transactions_keep_their_time(register: Register) -> None:
    """The limit ends with the transaction that set it."""
    async with register.database.connection() as connection:
        asked = "select current_setting('transaction_timeout'), current_setting('idle_in_transaction_session_timeout')"
        before = await connection.fetchrow(asked)
        async with connection.transaction():
            await holds_module.hold_old_schedules(connection, RememberingHolds(), [ScheduleHold("a", 2)])
            assert tuple(await connection.fetchrow(asked) or ()) == ("5s", "5s")
        assert await connection.fetchrow(asked) == before
