"""Tables as the last release left them, full of its rows, and its code still at work: upgraded, and taken back."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contracts.releases import releases
from services.cli.databases import SERVICES_WITH_SCHEMA, schema_versions
from services.cli.fleet import PROJECT
from services.cli.released_schemas import LAST_RELEASE, RELEASED_SCHEMAS
from services.plumbing.migrations import downgrade, sql_between, upgrade
from services.plumbing.migrations.touched import touched
from services.plumbing.schema import revisions
from tests.conftest import FreshDatabase
from tests.plumbing.test_migrations import description, revision, rows, told

RELEASED = RELEASED_SCHEMAS[LAST_RELEASE]
every_schema = pytest.mark.parametrize("schema", SERVICES_WITH_SCHEMA)
CONTRACTS = re.compile(r"drop (?:table|column)|rename (?:column|to)|alter column \w+ (?:type|set not null)|truncate")
"""What takes something from under the last release's feet."""


def released_rows(schema: str, release: str = LAST_RELEASE) -> str:
    """The SQL with which that release's code filled every table."""
    text = (Path(__file__).parent / "released" / f"{release}.sql").read_text(encoding="utf-8")
    return re.split(rf"^-- schema {schema}$", text, flags=re.MULTILINE)[1].partition("\n-- schema")[0]


async def released(fresh_database: FreshDatabase, schema: str) -> str:
    """A database as that release left it."""
    url = await fresh_database({})
    await upgrade(url, schema, schema_versions()[schema], RELEASED[schema])
    async with connected(url, schema) as connection:
        await connection.execute(released_rows(schema))
    return url


def in_no_order(lines: set[str]) -> set[str]:
    """The same, with the words that a check lists in the order of the alphabet."""
    return {re.sub(r"ARRAY\[(.*?)\]", lambda found: str(sorted(found[1].split(", "))), line) for line in lines}


@asynccontextmanager
async def connected(url: str, schema: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        yield connection
    finally:
        await connection.close()


def test_every_release_has_its_revisions_and_its_rows() -> None:
    """
    A release of the contracts is made with a line of its schemas' revisions, which this code still knows.
    """
    assert list(RELEASED_SCHEMAS) == [one.version for one in releases(PROJECT / "contracts")]
    for release, schemas in RELEASED_SCHEMAS.items():
        assert schemas.keys() == set(SERVICES_WITH_SCHEMA)
        for schema, found in schemas.items():
            assert found in revisions(schema_versions()[schema])
            assert "insert into" in released_rows(schema, release)


@every_schema
def test_what_is_newer_than_the_last_release_only_adds(schema: str) -> None:
    """
    Expand, then contract: the last release runs beside, so nothing that it knows goes or changes its name.
    """
    sql = sql_between(schema, schema_versions()[schema], RELEASED[schema], "head").lower()

    assert CONTRACTS.findall(sql) == []


@every_schema
async def test_rows_of_the_last_release_are_kept_up_and_down(schema: str, fresh_database: FreshDatabase) -> None:
    """
    Upgraded, every row is what it was in all that the release knows; taken back, the tables are the release's again.
    """
    url = await released(fresh_database, schema)
    before, tables = await description(url, schema), await rows(url, schema)
    assert [name for name, found in tables.items() if not found] == []

    await upgrade(url, schema, schema_versions()[schema])
    above = await rows(url, schema)
    await downgrade(url, schema, schema_versions()[schema], RELEASED[schema])
    again = await rows(url, schema)

    for name, found in tables.items():
        assert told(above[name], found[0]) == told(found, found[0]), name
        assert told(again[name], found[0]) == told(found, found[0]), name
    assert in_no_order(await description(url, schema)) == in_no_order(before)
    assert await revision(url, schema) == RELEASED[schema]


@every_schema
async def test_the_last_release_writes_on_the_newest_schema(schema: str, fresh_database: FreshDatabase) -> None:
    url = await fresh_database({schema: schema_versions()[schema]})

    async with connected(url, schema) as connection:
        await connection.execute(released_rows(schema))


@every_schema
async def test_a_revision_takes_its_locks_before_it_does_anything(schema: str, fresh_database: FreshDatabase) -> None:
    """
    What each locks against others while it runs, of the tables that were there, it knows beforehand.
    """
    versions = schema_versions()[schema]
    url = await fresh_database({})
    known = revisions(versions)
    for before, after in pairwise(known):
        await upgrade(url, schema, versions, before)
        async with connected(url, schema) as connection:
            there = {row[0] for row in await connection.fetch("select tablename from pg_tables")}
            script = sql_between(schema, versions, before, after)
            takes = touched(script)
            of_indexes = await connection.fetch(
                "select tablename from pg_indexes where schemaname = $1 and indexname = any($2)",
                schema,
                list(takes.indexes),
            )
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(script.replace("BEGIN;", "").replace("COMMIT;", ""))
            locked = await connection.fetch(
                "select relname from pg_locks join pg_class c on c.oid = relation where pid = pg_backend_pid()"
                " and relkind = 'r' and relnamespace = to_regnamespace($1)"
                " and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')",
                schema,
            )
            await transaction.rollback()
        found = {row[0] for row in locked} & there
        assert found <= {*takes.tables, *(row[0] for row in of_indexes)}, (schema, after)


async def test_a_migration_waits_for_who_works_and_ends_nobody_s_transaction(fresh_database: FreshDatabase) -> None:
    """
    Beside a tick that takes the tables in another order again and again, the upgrade comes through and nobody loses.
    """
    url = await released(fresh_database, "notifier")
    ended, turns = list[BaseException](), 0
    stop = asyncio.Event()

    async def work() -> None:
        nonlocal turns
        async with connected(url, "notifier") as connection:
            while not stop.is_set():
                try:
                    async with connection.transaction():
                        await connection.execute("update settled_before set attempts = attempts + 1")
                        await asyncio.sleep(0.05)  # thinks
                        await connection.execute("update delivery set attempts = attempts + 1")
                        await connection.fetch("select * from subscription")
                except asyncpg.PostgresError as error:
                    ended.append(error)
                turns += 1

    workers = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0.2)
    await upgrade(url, "notifier", schema_versions()["notifier"])
    after = turns
    async with asyncio.timeout(10):
        while turns < after + 6:  # noqa: ASYNC110  tasks on another connection
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*workers)

    # Outside a transaction asyncpg prepares such a statement anew by itself; services take it as what passes.
    assert [one for one in ended if not isinstance(one, asyncpg.InvalidCachedStatementError)] == []
    assert len(ended) <= len(workers)
    assert await revision(url, "notifier") == revisions(schema_versions()["notifier"])[-1]


async def test_who_holds_a_table_for_long_is_waited_for_in_short_turns(fresh_database: FreshDatabase) -> None:
    """
    While an hour-long report holds a table, the upgrade stands in nobody's way, and goes on when it has ended.
    """
    url = await released(fresh_database, "notifier")
    async with connected(url, "notifier") as reporting, connected(url, "notifier") as working:
        report = reporting.transaction()
        await report.start()
        await reporting.fetch("select * from delivery")
        upgrading = asyncio.create_task(upgrade(url, "notifier", schema_versions()["notifier"]))

        longest = 0.0
        for _ in range(40):
            began = asyncio.get_running_loop().time()
            await working.execute("update delivery set attempts = attempts + 1")
            longest = max(longest, asyncio.get_running_loop().time() - began)
            await asyncio.sleep(0.05)
        assert not upgrading.done()
        await report.rollback()
        async with asyncio.timeout(20):
            await upgrading

    assert longest < 2.0, "a second, and what a busy machine adds"
    assert await revision(url, "notifier") == revisions(schema_versions()["notifier"])[-1]
