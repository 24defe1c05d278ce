"""Requests that share a transaction are answered as each would be by itself: on a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from services.plumbing.database import Connection, Database
from services.plumbing.http.group_commit import GroupCommit
from services.plumbing.http.idempotency import Answer, KeyedRequest, KeyInFlight, KeyReused, request_digest
from services.plumbing.ids import new_id
from tests.plumbing.http.test_idempotency import effects


class Refused(Exception):
    """What a test refuses."""


def asked(key: str, body: bytes = b"{}") -> KeyedRequest:
    return KeyedRequest("mx", key, request_digest("POST", "/things", body))


class Writer:
    """Writes a row for each word. `no-…` is refused, `bad-…` fails all, `late-…` has to go by itself."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.lock_timeouts: list[str] = []
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()

    async def act(self, connection: Connection, words: Sequence[str]) -> list[Answer | Exception | None]:
        self.groups.append(list(words))
        self.lock_timeouts.append(await connection.fetchval("show lock_timeout"))
        self.begun.set()
        if any(word.startswith("slow") for word in words):
            await self.go_on.wait()
        if "cut" in words and len(words) > 1:
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        later = [word for word in words[1:] if word.startswith("late-")]
        written = [word for word in words if not word.startswith("no-") and word not in later]
        for word in written:
            await connection.execute("insert into effect (event_id, word) values ($1, $2)", new_id(), word)
        if any(word.startswith("bad-") for word in words):
            raise ValueError("one of them spoils it")
        if "locked" in words:
            await connection.execute("select from effect where word = 'row' for update")
        return [
            None if word in later else Answer(201, {"word": word}) if word in written else Refused(word)
            for word in words
        ]


async def together(database: Database, writer: Writer, words: Sequence[str], most: int = 50) -> list[Any]:
    """What comes of words that are posted while a first one's transaction runs."""
    group = GroupCommit(database, writer.act, most)
    first = asyncio.create_task(group.once(asked("slow"), "slow"))
    await writer.begun.wait()
    others = [asyncio.create_task(group.once(asked(word), word)) for word in words]
    await asyncio.sleep(0)
    writer.go_on.set()
    assert await first == Answer(201, {"word": "slow"})
    return await asyncio.gather(*others, return_exceptions=True)


async def test_the_first_goes_at_once_and_what_comes_meanwhile_goes_together_in_order(database: Database) -> None:
    writer = Writer()
    results = await together(database, writer, ["c", "a", "b"])

    assert [one.body["word"] for one in results] == ["c", "a", "b"]
    assert writer.groups == [["slow"], ["c", "a", "b"]]
    assert await effects(database) == ["a", "b", "c", "slow"]


async def test_no_group_is_larger_than_may_be(database: Database) -> None:
    writer = Writer()
    await together(database, writer, list("abcde"), most=2)

    assert writer.groups == [["slow"], ["a", "b"], ["c", "d"], ["e"]]


async def test_one_that_is_refused_changes_nothing_for_the_others_and_is_not_kept(database: Database) -> None:
    results = await together(database, Writer(), ["a", "no-b", "c"])

    assert [type(one) for one in results] == [Answer, Refused, Answer]
    assert await effects(database) == ["a", "c", "slow"]
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from api_request") == 3


async def test_one_that_spoils_the_transaction_spoils_no_other(database: Database) -> None:
    writer = Writer()
    results = await together(database, writer, ["a", "bad-b", "c"])

    assert [type(one) for one in results] == [Answer, ValueError, Answer]
    assert await effects(database) == ["a", "c", "slow"]
    assert sorted(writer.groups[2:]) == [["a"], ["bad-b"], ["c"]]


async def test_one_that_has_to_go_by_itself_goes_behind_its_group(database: Database) -> None:
    writer = Writer()
    results = await together(database, writer, ["a", "late-b"])

    assert [one.body["word"] for one in results] == ["a", "late-b"]
    assert writer.groups == [["slow"], ["a", "late-b"], ["late-b"]]
    assert await effects(database) == ["a", "late-b", "slow"]


async def test_a_connection_that_breaks_under_a_group_costs_nobody_the_answer(database: Database) -> None:
    results = await together(database, Writer(), ["a", "cut", "c"])

    assert [one.body["word"] for one in results] == ["a", "cut", "c"]
    assert await effects(database) == ["a", "c", "cut", "slow"]


async def test_who_waits_for_a_row_holds_up_no_other(database: Database) -> None:
    async with database.connection() as holder:
        await holder.execute("insert into effect (event_id, word) values ($1, 'row')", new_id())
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("select from effect where word = 'row' for update")
        writer = Writer()
        group = GroupCommit(database, writer.act)
        waiting = asyncio.create_task(group.once(asked("locked"), "locked"))
        await writer.begun.wait()
        other = await group.once(asked("a"), "a")
        assert not waiting.done()
        await transaction.rollback()

    assert (other.body, (await waiting).body) == ({"word": "a"}, {"word": "locked"})
    in_groups, alone = writer.lock_timeouts[:-1], writer.lock_timeouts[writer.groups.index(["locked"], 1)]
    assert "500ms" in in_groups
    assert alone == "10s", "whoever goes alone waits as long as anybody"


async def test_a_key_acts_once_in_a_group_as_well(database: Database) -> None:
    writer = Writer()
    first = await together(database, writer, ["a", "b"])
    group = GroupCommit(database, writer.act)
    again, reused, new = await asyncio.gather(
        group.once(asked("a"), "other"),
        group.once(asked("b", b"[1]"), "other"),
        group.once(asked("c"), "c"),
        return_exceptions=True,
    )

    assert again == first[0]
    assert isinstance(reused, KeyReused)
    assert new == Answer(201, {"word": "c"})
    assert await effects(database) == ["a", "b", "c", "slow"]


async def test_a_key_that_waits_or_is_worked_on_elsewhere_is_in_flight(database: Database) -> None:
    here, elsewhere = Writer(), Writer()
    group, another = GroupCommit(database, here.act), GroupCommit(database, elsewhere.act)
    first = asyncio.create_task(group.once(asked("slow"), "slow"))
    await here.begun.wait()
    queued = asyncio.create_task(group.once(asked("a"), "a"))
    await asyncio.sleep(0)
    results = await asyncio.gather(
        group.once(asked("slow"), "slow"),
        group.once(asked("a"), "a"),
        another.once(asked("slow"), "slow"),
        another.once(asked("b"), "b"),
        return_exceptions=True,
    )
    here.go_on.set()
    await asyncio.gather(first, queued)

    assert [type(one) for one in results] == [KeyInFlight, KeyInFlight, KeyInFlight, Answer]
    assert await effects(database) == ["a", "b", "slow"]


async def test_who_gives_up_takes_nobody_along_and_finds_what_was_done(database: Database) -> None:
    writer = Writer()
    group = GroupCommit(database, writer.act)
    first = asyncio.create_task(group.once(asked("slow"), "slow"))
    await writer.begun.wait()
    queued = [asyncio.create_task(group.once(asked(word), word)) for word in "ab"]
    await asyncio.sleep(0)
    first.cancel()
    queued[0].cancel()
    await asyncio.sleep(0)
    writer.go_on.set()

    assert await queued[1] == Answer(201, {"word": "b"})
    assert await group.once(asked("slow"), "again") == Answer(201, {"word": "slow"})
    assert await effects(database) == ["b", "slow"]
    assert await group.once(asked("a"), "a") == Answer(201, {"word": "a"})


@pytest.mark.parametrize("count", [1, 40])
async def test_many_waves_are_all_answered(database: Database, count: int) -> None:
    writer = Writer()
    group = GroupCommit(database, writer.act)

    async def client(number: int) -> None:
        for wave in range(5):
            word = f"{number:02}-{wave}"
            assert await group.once(asked(word), word) == Answer(201, {"word": word})

    await asyncio.gather(*(client(number) for number in range(count)))
    assert len(await effects(database)) == 5 * count
    assert len(writer.groups) < 5 * count or count == 1
