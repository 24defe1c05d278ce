"""The log on a real database: written with the change, chained in steps by one at a time, published as it grows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.plumbing.audit.chaining import AuditChain, AuditSettings
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.forks import note_fork
from services.plumbing.audit.keyed_hash import KeyedHash
from services.plumbing.audit.log import audit
from services.plumbing.audit.reading import check_log, page_of_entries
from services.plumbing.audit.refused_attempts import RefusedAttempts
from services.plumbing.audit.verifying import Head, read_head
from services.plumbing.clock import EPOCH, SystemClock
from services.plumbing.database import Database
from services.plumbing.outbox import Outgoing

HEADS = "audit-head-plumbing"


def head_record(event_id: UUID, seq: int, position: int, hash_: bytes, now: datetime) -> Outgoing:
    value = f'{{"seq":{seq},"service":"plumbing","position":{position},"hash":"{hash_.hex()}"}}'
    return Outgoing(event_id, HEADS, "plumbing", {}, value.encode())


def chain_of(database: Database, entries: int = 1000, seconds: float = 0) -> AuditChain:
    settings = AuditSettings(head_entries=entries, head_seconds=seconds)
    return AuditChain(database, SystemClock(), settings, head_record)


def entry(n: int, **values: Any) -> AuditEntry:
    return AuditEntry("status.updated", f"commitment/{n}", Actor("tracker", "mx-sre", "k1"), EPOCH, **values)


async def write(database: Database, *numbers: int) -> None:
    for n in numbers:
        async with database.transaction() as connection:
            await audit(connection, entry(n, before={"status": "announced"}, after={"status": "met", "n": n}))


async def published_heads(database: Database) -> list[Head]:
    async with database.connection() as connection:
        rows = await connection.fetch("select value from outbox where topic = $1 order by id", HEADS)
    return [read_head(row["value"]) for row in rows]


async def test_what_is_committed_is_chained_in_its_order_and_what_is_not_never(database: Database) -> None:
    """
    A slower transaction comes later, and leaves no gap.
    """
    chain = chain_of(database)
    async with database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await audit(slow, entry(1))
        await write(database, 2)
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as connection:
                await audit(connection, entry(3))
                raise ZeroDivisionError
        assert await chain.once() == 1
        await transaction.commit()
    assert await chain.once() == 1
    assert await chain.once() == 0

    async with database.connection() as connection:
        found = await page_of_entries(connection, limit=10)
        assert [(one.position, one.subject) for one in found] == [(1, "commitment/2"), (2, "commitment/1")]
        check = await check_log(connection, "plumbing", await published_heads(database))
    assert (check.found, check.position) == (None, 2)


async def test_many_writers_and_many_processes_make_one_chain(database: Database) -> None:
    chains = [chain_of(database, entries=7, seconds=3600) for _ in range(3)]
    writers = [write(database, *range(start, start + 20)) for start in range(0, 200, 20)]
    steps = [chain.once() for chain in chains for _ in range(10)]
    await asyncio.gather(*writers, *steps)
    while await chains[0].once():
        pass
    heads = await published_heads(database)

    async with database.connection() as connection:
        check = await check_log(connection, "plumbing", heads)
        subjects = {one.subject for one in await page_of_entries(connection, limit=1000)}
    assert (check.found, check.position, len(subjects)) == (None, 200, 200)
    assert [head.seq for head in heads] == list(range(1, len(heads) + 1))


async def test_a_head_is_published_after_so_many_entries_or_so_many_seconds_and_once(database: Database) -> None:
    patient = chain_of(database, entries=3, seconds=3600)
    await write(database, 1)
    await patient.once()
    assert [head.position for head in await published_heads(database)] == [1]  # no head was ever published
    for n in (2, 3, 4):
        await write(database, n)
        await patient.once()
    assert [head.position for head in await published_heads(database)] == [1, 4]
    await write(database, 5)
    await patient.once()
    assert [head.position for head in await published_heads(database)] == [1, 4]
    hasty = chain_of(database, seconds=0)
    for _ in range(3):
        await hasty.once()
    assert [head.position for head in await published_heads(database)] == [1, 4, 5]


@pytest.mark.parametrize(
    "statement",
    ["update audit_entry set client = 'nobody'", "delete from audit_entry where position = 1", "truncate audit_entry"],
)
async def test_the_table_refuses_whatever_is_no_new_entry(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.RaiseError, match="only grows"):
            await connection.execute(statement)


Tamper = Callable[[asyncpg.Connection], Awaitable[Any]]
TAMPERINGS: dict[str, tuple[str, str, int]] = {
    "edit": ('update audit_entry set after = \'{"status":"missed"}\' where position = 4', "edited", 4),
    "delete": ("delete from audit_entry where position = 4", "missing", 4),
    "swap": (
        "update audit_entry a set at = b.at, subject = b.subject, after = b.after from audit_entry b"
        " where (a.position, b.position) in ((4, 6), (6, 4))",
        "swapped",
        4,
    ),
    "truncate": ("delete from audit_entry where position > 6", "truncated", 7),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_who_may_do_anything_to_the_table_is_found_out(database: Database, name: str) -> None:
    statement, damage, position = TAMPERINGS[name]
    await write(database, *range(1, 9))
    await chain_of(database).once()
    heads = await published_heads(database)
    async with database.connection() as connection:
        assert (await check_log(connection, "plumbing", heads)).found is None
        await connection.execute("alter table audit_entry disable trigger all")
        await connection.execute(statement)
        found = (await check_log(connection, "plumbing", heads)).found
    assert found and (found.damage, found.position) == (damage, position)


async def test_a_log_put_back_is_found_until_the_restore_is_noted_and_told_afterwards(database: Database) -> None:
    """
    Roll back: the database is an older one, goes on, and the heads since are no longer its own.
    """
    chain = chain_of(database)
    await write(database, 1, 2, 3)
    await chain.once()
    await write(database, 4, 5)
    await chain.once()
    heads = await published_heads(database)
    async with database.connection() as connection:
        await connection.execute("alter table audit_entry disable trigger all")
        await connection.execute("delete from audit_entry where position > 3")
        await connection.execute("alter table audit_entry enable trigger all")
        cut = (await check_log(connection, "plumbing", heads)).found
        assert cut and cut.damage == "truncated"
        # As `take_over` does, before anything is linked.
        async with connection.transaction():
            remarks = await note_fork(connection, "plumbing", heads)
    assert "went on to 5 after this backup, which ends at 3" in remarks[0]
    await write(database, 6, 7)
    await chain.once()
    async with database.connection() as connection:
        check = await check_log(connection, "plumbing", [*heads, *(await published_heads(database))[len(heads) :]])
        assert check.found is None
        assert [(fork.position, fork.first.position, fork.went_on_behind) for fork in check.forks] == [(4, 5, 3)]
        assert await note_fork(connection, "plumbing", heads[:1]) == []  # that one is in the log


async def test_going_on_otherwise_without_a_note_is_found(database: Database) -> None:
    chain = chain_of(database)
    await write(database, 1, 2, 3)
    await chain.once()
    heads = await published_heads(database)
    async with database.connection() as connection:
        await connection.execute("alter table audit_entry disable trigger all")
        await connection.execute("delete from audit_entry where position > 1")
    await write(database, 8, 9)
    await chain.once()
    async with database.connection() as connection:
        found = (await check_log(connection, "plumbing", heads)).found
    assert found and (found.damage, found.position) == ("rewritten", 3)


async def test_refusals_by_the_thousand_are_few_entries(database: Database) -> None:
    attempts = RefusedAttempts(database, SystemClock())
    for _ in range(120):
        await attempts.note(Actor("mx-sre"), "PATCH /subscriptions/{id_}", "/subscriptions/7", 404)
    await attempts.note(Actor("ca-gac"), "PATCH /subscriptions/{id_}", "/subscriptions/7", 404)
    await chain_of(database).once()
    async with database.connection() as connection:
        found = await page_of_entries(connection, client="mx-sre", limit=50)
        others = await page_of_entries(connection, client="ca-gac", limit=50)
    assert [one.after for one in found] == [
        f'{{"reason":"404","times_this_hour":{n},"tried":"PATCH /subscriptions/{{id_}}"}}' for n in (1, 10, 100)
    ]
    assert len(others) == 1


def test_a_personal_value_is_a_keyed_hash_or_nothing() -> None:
    """
    Another key makes another hash, and without one not even that is kept.
    """
    address = "alguien@sre.example"
    keyed, other = KeyedHash("k" * 32), KeyedHash("l" * 32)
    assert keyed.of(address) == keyed.of(address) != other.of(address)
    assert address not in str(keyed.of(address))
    assert KeyedHash().of(address) == {"withheld": True}
    assert keyed.of(None) is None


async def test_a_beat_finds_what_was_written_and_what_is_still_to_be_published(database: Database) -> None:
    chain = chain_of(database, seconds=0.3)
    await chain.beat()
    assert not chain.is_called()
    await write(database, 1)
    assert chain.is_called()
    assert await chain.beat()
    assert [head.position for head in await published_heads(database)] == [1]
    await write(database, 2)
    await chain.beat()  # linked, and its head is not due yet
    await asyncio.sleep(0.4)
    await chain.beat()

    assert [head.position for head in await published_heads(database)] == [1, 2]
    assert not chain.is_called()
