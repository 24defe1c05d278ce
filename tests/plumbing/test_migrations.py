"""Every schema goes up, down and up again on a real PostgreSQL, and is the same both times."""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from services.cli.databases import SERVICES_WITH_SCHEMA, schema_versions
from services.cli.released_schemas import LAST_RELEASE, RELEASED_SCHEMAS
from services.plumbing.migrations import alembic_config, downgrade, head, sql_between, upgrade
from tests.conftest import FreshDatabase
from tests.plumbing.rows import OF_EVERY_TABLE

PROJECT = Path(__file__).resolve().parents[2]

every_schema = pytest.mark.parametrize("schema", SERVICES_WITH_SCHEMA)

# Tables, columns, indexes and constraints as the server itself writes them down.
_DESCRIPTION = """
select format('column %s.%s %s null:%s default:%s identity:%s',
              table_name, column_name, data_type, is_nullable, column_default, is_identity)
from information_schema.columns where table_schema = $1
union all
select indexdef from pg_indexes where schemaname = $1
union all
select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
from pg_constraint where connamespace = to_regnamespace($1)
union all
select format('routine %s', p.oid::regprocedure) from pg_proc p where pronamespace = to_regnamespace($1)
union all
select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t
join pg_class c on c.oid = t.tgrelid where c.relnamespace = to_regnamespace($1) and not t.tgisinternal
union all
select format('type %s', t.typname) from pg_type t
where typnamespace = to_regnamespace($1) and typtype in ('e', 'd')
union all
select format('sequence %s', c.relname) from pg_class c
where c.relnamespace = to_regnamespace($1) and c.relkind = 'S'
"""


async def description(url: str, schema: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch(_DESCRIPTION, schema)}
    finally:
        await connection.close()


async def revision(url: str, schema: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(f'select version_num from "{schema}".alembic_version')
    finally:
        await connection.close()


def versions_of(schema: str) -> Path:
    return schema_versions()[schema]


async def rows(url: str, schema: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of each table but Alembic's own."""
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = $1 and tablename <> 'alembic_version'", schema
        )
        return {
            table: [json.loads(row[0]) for row in await connection.fetch(f'select to_jsonb(t) from "{table}" t')]
            for (table,) in tables
        }
    finally:
        await connection.close()


def told(found: list[dict[str, Any]], columns: Iterable[str]) -> Counter[str]:
    """Rows by these columns, in no order."""
    return Counter(json.dumps({name: row[name] for name in columns}, sort_keys=True) for row in found)


def is_taken_by_a_downgrade(table: str, row: dict[str, Any], revision: str) -> bool:
    """What the older revision can't hold: reminders of a subscription's own ladder, and of steps in other units."""
    return (table, revision) == ("reminder", "0001") and (row["audience"] is not None or row["step"] == "before-3bd")


_LIST = re.compile(r"constraint (?:\w+\.)?(\w+) \S+ CHECK \(\((\w+) = ANY \(ARRAY\[('.*)\]\)\)\)$")


def listed_values(description: Iterable[str]) -> dict[str, dict[str, set[str]]]:
    """By table and column, the values that a check lists; one that is `NOT VALID` lets old rows be."""
    listed: dict[str, dict[str, set[str]]] = {}
    for table, column, values in (found.groups() for line in description if (found := _LIST.match(line))):
        listed.setdefault(table, {})[column] = set(re.findall(r"'([^']*)'", values))
    return listed


def is_refused(row: dict[str, Any], listed: dict[str, set[str]]) -> bool:
    """Whether a row has a value that no check lists."""
    return any(row.get(column) not in {None, *values} for column, values in listed.items())


CALLED_BEFORE = {"parties": "countries", "party": "country", "commitment_party_status": "commitment_country_status"}
"""What revisions call otherwise that know countries only: columns, tables, and members of JSON."""
UNKNOWN_BEFORE = {"organisations", "language"}
"""Members of JSON that those have not."""
KNOWS_PARTIES = {"registry": "0005", "scheduler": "0007", "notifier": "0012"}
"""From which revision on each schema knows parties."""


def as_called_in(schema: str, older: str, name: str) -> str:
    """A column or a table by the name that it had there."""
    return name if older >= KNOWS_PARTIES[schema] else CALLED_BEFORE.get(name, name)


def as_before(value: Any, *, inside: bool = False) -> Any:
    """A row as a revision has it that knows countries only."""
    as_called_before = partial(as_called_in, "registry", "0001")
    if isinstance(value, list):
        return [as_before(one, inside=inside) for one in value]
    if not isinstance(value, dict):
        return value
    known = {name: one for name, one in value.items() if not (inside and name in UNKNOWN_BEFORE)}
    return {as_called_before(name): as_before(one, inside=True) for name, one in known.items()}


GONE = {"feed_event": {"everybodys"}, "commitment_state": {"whole"}}
"""Columns by table that older revisions have and the newest has not."""
WRITTEN_BY_AN_UPGRADE = {("scheduler", "0001"): {"tick": {"zone_data"}}}
"""Columns by the revision that one comes from: what was planned before ladders is to be computed anew."""


def steps() -> list[tuple[str, str]]:
    """Every schema with every revision that is not its newest."""
    return [
        (schema, revision.revision)
        for schema in SERVICES_WITH_SCHEMA
        for revision in ScriptDirectory.from_config(alembic_config("", "", versions_of(schema))).walk_revisions()
        if revision.revision != head(versions_of(schema))
    ]


async def filled(fresh_database: FreshDatabase, schema: str) -> str:
    """A database with the schema's newest revision, and rows in all of its tables."""
    url = await fresh_database({schema: versions_of(schema)})
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        async with connection.transaction():
            await connection.execute(OF_EVERY_TABLE[schema])
    finally:
        await connection.close()
    return url


@every_schema
async def test_a_schema_goes_up_down_and_up(schema: str, fresh_database: FreshDatabase) -> None:
    """
    Full of rows, down and up again ends where the first way up ended; down leaves nothing but Alembic's own table.
    """
    versions = versions_of(schema)
    url = await filled(fresh_database, schema)
    first = await description(url, schema)
    assert [table for table, found in (await rows(url, schema)).items() if not found] == []

    await downgrade(url, schema, versions)
    emptied = await description(url, schema)
    assert {line for line in emptied if "alembic_version" not in line} == set()

    await upgrade(url, schema, versions)
    assert await description(url, schema) == first
    assert await revision(url, schema) == head(versions)


@pytest.mark.parametrize(("schema", "older"), steps())
async def test_what_an_older_revision_knows_is_kept_on_the_way_down_and_up(
    schema: str, older: str, fresh_database: FreshDatabase
) -> None:
    """
    Rows refuse neither way, and each is the same afterwards, in every column that both revisions have.

    What the older revision refuses, a channel or a language that is new, is changed or gone: the downgrade sees to it.
    """
    versions = versions_of(schema)
    url = await filled(fresh_database, schema)
    first, full = await description(url, schema), await rows(url, schema)
    assert schema != "notifier" or "channel" in listed_values(first)["subscription"]

    await downgrade(url, schema, versions, older)
    below, listed = await rows(url, schema), listed_values(await description(url, schema))
    await upgrade(url, schema, versions)
    again = await rows(url, schema)

    assert await description(url, schema) == first
    as_called_before = partial(as_called_in, schema, older)
    assert below.keys() <= {*map(as_called_before, full)} and full.keys() == again.keys()
    for table in {table for table in full if as_called_before(table) in below}:
        found = below[as_called_before(table)]
        columns = found[0].keys() - GONE.get(table, set())
        refused = {row["id"] for row in full[table] if is_refused(row, listed.get(table, {}))}
        now = {name for name in full[table][0] if as_called_before(name) in columns}
        found, after, expected = (
            [row for row in some if not refused or row["id"] not in refused]
            for some in (found, again[table], full[table])
        )
        expected = [row for row in expected if not is_taken_by_a_downgrade(table, row, older)]
        assert told(found, columns) == told(
            [row if older >= KNOWS_PARTIES[schema] else as_before(row) for row in expected], columns
        ), table
        now -= WRITTEN_BY_AN_UPGRADE.get((schema, older), {}).get(table, set())
        assert told(after, now) == told(expected, now), table


@every_schema
async def test_a_schema_keeps_to_itself(schema: str, fresh_database: FreshDatabase) -> None:
    """
    A service's revisions make nothing outside its own schema.
    """
    url = await fresh_database({schema: versions_of(schema)})

    connection = await asyncpg.connect(url)
    try:
        elsewhere = await connection.fetch(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname not in ($1, 'pg_catalog', 'information_schema', 'pg_toast')"
            " and n.nspname !~ '^pg_temp'",
            schema,
        )
    finally:
        await connection.close()
    assert [tuple(row) for row in elsewhere] == []


async def test_all_schemas_live_in_one_database(fresh_database: FreshDatabase) -> None:
    """
    The services' schemas stand side by side; each one's tables are there, and a second upgrade changes nothing.
    """
    url = await fresh_database(schema_versions())
    before = {schema: await description(url, schema) for schema in SERVICES_WITH_SCHEMA}

    for schema, versions in schema_versions().items():
        await upgrade(url, schema, versions)

    assert all(before.values())
    assert {schema: await description(url, schema) for schema in SERVICES_WITH_SCHEMA} == before


@every_schema
async def test_two_may_migrate_at_once(schema: str, fresh_database: FreshDatabase) -> None:
    """
    Two that start at the same time don't meet half-way: one waits, then finds everything done.
    """
    versions = versions_of(schema)
    url = await fresh_database({})

    # Processes, since that is what would meet; Alembic itself isn't made for two threads.
    script = (
        "import asyncio, sys; from pathlib import Path; from services.plumbing.migrations import upgrade;"
        "asyncio.run(upgrade(sys.argv[1], sys.argv[2], Path(sys.argv[3])))"
    )
    both = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, url, schema, str(versions), cwd=PROJECT)
        for _ in range(2)
    ]

    assert [await one.wait() for one in both] == [0, 0]
    assert await revision(url, schema) == head(versions)


@every_schema
async def test_the_sql_for_administrators_makes_the_same_schema(schema: str, fresh_database: FreshDatabase) -> None:
    """
    What `db sql` prints, run by hand, ends in the same schema as the revisions do; in two parts, too, and back.
    """
    versions = versions_of(schema)
    migrated, by_hand = await fresh_database({schema: versions}), await fresh_database({})
    between = RELEASED_SCHEMAS[LAST_RELEASE][schema]

    connection = await asyncpg.connect(by_hand)
    try:
        await connection.execute(sql_between(schema, versions, "base", "head"))
        first = await description(by_hand, schema)
        await connection.execute(sql_between(schema, versions, "head", between) or "select")
        below = await revision(by_hand, schema)
        await connection.execute(sql_between(schema, versions, between, "head") or "select")
    finally:
        await connection.close()

    assert first == await description(by_hand, schema) == await description(migrated, schema)
    assert (below, await revision(by_hand, schema)) == (between, head(versions))
