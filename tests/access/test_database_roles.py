"""Each service changes the rows of its own schema, the migrator its tables, and nobody more: on a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest

from services.cli.access.applying import new_password
from services.cli.access.database_roles import apply_roles, can_log_in
from services.cli.access.passwords import DatabasePasswords
from services.cli.access.role_planning import MIGRATOR, ROLES, SERVICE_ROLES
from services.cli.databases import SERVICES_WITH_SCHEMA, schema_versions, upgrade_all, with_user
from services.plumbing.migrations import downgrade
from services.plumbing.schema import revisions
from tests.conftest import FreshDatabase
from tests.plumbing.rows import OF_EVERY_TABLE

PASSWORDS = {role: new_password() for role in ROLES}
every_service = pytest.mark.parametrize("service", SERVICE_ROLES)


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    """A database with all schemas, and the roles."""
    made = await fresh_database(schema_versions())
    assert await apply_roles(made, PASSWORDS)
    return made


@asynccontextmanager
async def logged_in(url: str, role: str, schema: str = "") -> AsyncIterator[Any]:
    """A connection of this role's, as its service has one."""
    settings = {"search_path": schema} if schema else {}
    connection = await asyncpg.connect(with_user(url, role, PASSWORDS[role]), server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def tables(url: str, schema: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = $1", schema)
    finally:
        await connection.close()
    return sorted(row[0] for row in rows)


async def refused(connection: Any, sql: str) -> bool:
    """Whether the server says that this role may not; what it may is taken back."""
    try:
        async with connection.transaction():
            await connection.execute(sql)
            raise ZeroDivisionError  # back with it
    except asyncpg.InsufficientPrivilegeError:
        return True
    except ZeroDivisionError:
        return False


@every_service
async def test_a_service_works_in_its_own_schema(service: str, url: str) -> None:
    """
    It fills every table, and may change and delete what is in each.
    """
    async with logged_in(url, SERVICE_ROLES[service], service) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(OF_EVERY_TABLE[service])
        await transaction.rollback()
        for table in await tables(url, service):
            assert not await refused(connection, f"select from {table}")
            with suppress(asyncpg.RaiseError):  # a table that only grows says so itself
                assert not await refused(connection, f"delete from {table} where false")


@every_service
async def test_a_service_neither_reads_nor_writes_another_s_schema(service: str, url: str) -> None:
    async with logged_in(url, SERVICE_ROLES[service], service) as connection:
        for other in set(SERVICE_ROLES) - {service}:
            for table in await tables(url, other):
                name, wrong = f'{other}."{table}"', list[str]()
                column = await connection.fetchval(
                    "select attname from pg_attribute where attrelid = (select c.oid from pg_class c"
                    " join pg_namespace n on n.oid = relnamespace where nspname = $1 and relname = $2) and attnum = 1",
                    other,
                    table,
                )
                for sql in (
                    f"select * from {name}",
                    f"insert into {name} default values",
                    f'update {name} set "{column}" = null',
                    f"delete from {name}",
                    f"truncate {name}",
                    f"lock table {name} in access share mode",
                    f"copy {name} to stdout",
                ):
                    if not await refused(connection, sql):
                        wrong.append(sql)
                assert wrong == []


@pytest.mark.parametrize(
    "sql",
    [
        "alter table audit_entry disable trigger audit_entry_only_grows",
        "alter table audit_entry disable trigger all",
        "set session_replication_role to replica",
        "truncate audit_entry",
        "drop trigger audit_entry_only_grows on audit_entry",
        "create or replace function audit_entry_only_grows() returns trigger language plpgsql as 'begin end'",
        "drop table outbox",
        "alter table outbox add column more text",
        "create table more (id int)",
        "create table public.more (id int)",
        "create schema more",
        "create role more",
        f"set role {MIGRATOR}",
        "set role pledgewire",
        "create extension file_fdw",
        "copy outbox to program 'true'",
        "copy outbox to '/tmp/outbox'",
        "select pg_read_file('PG_VERSION')",
        "select rolpassword from pg_authid",
    ],
)
@every_service
async def test_a_service_changes_no_more_than_rows(service: str, sql: str, url: str) -> None:
    async with logged_in(url, SERVICE_ROLES[service], service) as connection:
        assert await refused(connection, sql)


async def test_the_migrator_changes_tables_and_makes_nobody(url: str) -> None:
    async with logged_in(url, MIGRATOR, "registry") as connection:
        assert not await refused(connection, "alter table outbox add column more text")
        assert await refused(connection, "create role more")
        assert await refused(connection, "set role pledgewire")
        assert await refused(connection, "create table public.more (id int)")


@pytest.mark.parametrize("as_migrator", [True, False])
async def test_tables_of_a_later_revision_are_the_services_too(
    as_migrator: bool, fresh_database: FreshDatabase
) -> None:
    """
    Whoever upgrades, the migrator owns what comes new, and nothing has to be applied again.
    """
    versions = schema_versions()
    url = await fresh_database(versions)
    for schema, folder in versions.items():
        await downgrade(url, schema, folder, revisions(folder)[2])
    await apply_roles(url, PASSWORDS)

    await upgrade_all(with_user(url, MIGRATOR, PASSWORDS[MIGRATOR]) if as_migrator else url)

    assert await apply_roles(url, PASSWORDS, dry_run=True) == []
    for service, role in SERVICE_ROLES.items():
        async with logged_in(url, role, service) as connection, connection.transaction():
            await connection.execute(OF_EVERY_TABLE[service])


async def test_roles_come_before_the_schemas_as_well_as_after(fresh_database: FreshDatabase) -> None:
    """
    A migrator without any other right makes the schemas' tables; then nothing differs.
    """
    url = await fresh_database({})
    await apply_roles(url, PASSWORDS)

    await upgrade_all(with_user(url, MIGRATOR, PASSWORDS[MIGRATOR]))

    assert await apply_roles(url, PASSWORDS) == []


async def test_who_owns_the_database_grants_what_services_need(
    fresh_database: FreshDatabase,
) -> None:
    """
    As on a cluster whose operator makes the roles and the database, and lets nobody be a superuser.
    """
    url = await fresh_database({})
    await apply_roles(url, PASSWORDS)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"alter database {url.partition('?')[0].rpartition('/')[2]} owner to {MIGRATOR}")
    finally:
        await connection.close()
    as_owner = with_user(url, MIGRATOR, PASSWORDS[MIGRATOR])
    await upgrade_all(as_owner)
    async with logged_in(url, MIGRATOR) as owner:
        await owner.execute("revoke select on registry.commitment from pledgewire_registry")

    assert [one.what for one in await apply_roles(as_owner, {})] == ["select on table registry.commitment"]
    assert await apply_roles(as_owner, {}) == []


@pytest.mark.parametrize(
    ("drift", "told"),
    [
        ("grant select on notifier.subscription to pledgewire_registry", "no longer select on table"),
        ("grant usage on schema notifier to pledgewire_registry", "no longer usage on schema notifier"),
        ("grant select on notifier.subscription to public", "no longer select on table"),
        ("revoke update on registry.commitment from pledgewire_registry", "update on table registry.commitment"),
        ("grant truncate on registry.outbox to pledgewire_registry", "no longer truncate on table registry.outbox"),
        ("alter role pledgewire_registry superuser", "no longer more than a role needs"),
        ("alter role pledgewire_registry nologin", "may log in"),
        ("grant pg_read_all_data to pledgewire_registry", "no longer a member of pg_read_all_data"),
        ("grant pledgewire_migrator to pledgewire_registry", "no longer a member of pledgewire_migrator"),
        ("alter table registry.outbox owner to pledgewire_registry", "owns 1 table of registry"),
        ("alter role pledgewire_registry password 'another-password'", "another password"),
        ("grant create on schema registry to pledgewire_registry", "no longer create on schema registry"),
    ],
)
async def test_every_drift_is_seen_and_mended(drift: str, told: str, url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(drift)
    finally:
        await connection.close()

    planned = await apply_roles(url, PASSWORDS, dry_run=True)
    assert any(one.what.startswith(told) for one in planned), planned
    assert await apply_roles(url, PASSWORDS) == planned

    assert await apply_roles(url, PASSWORDS) == []
    for role, password in PASSWORDS.items():
        assert await can_log_in(url, role, password)


def test_every_service_with_a_schema_has_a_role() -> None:
    assert tuple(SERVICE_ROLES) == SERVICES_WITH_SCHEMA


async def test_without_a_password_and_a_role_none_is_wanted(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in DatabasePasswords.model_fields:
        monkeypatch.delenv(f"DATABASE_PASSWORD_{name.upper()}", raising=False)
    assert DatabasePasswords().by_role() == {}
    url = await fresh_database(schema_versions())
    connection = await asyncpg.connect(url)
    try:  # the server is that of every test of this run
        is_any = await connection.fetchval("select exists (select from pg_roles where rolname = any($1))", ROLES)
    finally:
        await connection.close()

    assert bool(await apply_roles(url, {}, dry_run=True)) == is_any
