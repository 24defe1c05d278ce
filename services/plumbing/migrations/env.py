"""Alembic's door: runs revisions of one schema over asyncpg, each under an advisory lock, as the schema's owner."""

import asyncio
import io
from collections.abc import Sequence
from functools import partial

from alembic import context
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from services.plumbing.migrations.touched import EXCLUSIVE, touched
from services.plumbing.short_locks import taking, until_locks_are_free

PATIENCE = 60.0
"""Seconds for which a revision asks for locks that somebody holds."""

_attributes = context.config.attributes
_schema: str = _attributes["schema"]

_OWNER = """
select quote_ident(rolname) from pg_namespace join pg_roles on pg_roles.oid = nspowner
where nspname = :schema and rolname <> current_user and pg_has_role(current_user, nspowner, 'SET')
"""
_THERE = """
select quote_ident(tablename), tablename from pg_tables where schemaname = :schema and tablename = any(:tables)
union all
select quote_ident(tablename), null from pg_indexes where schemaname = :schema and indexname = any(:indexes)
"""


async def _online() -> None:
    url = make_url(_attributes["database_url"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"server_settings": {"application_name": "pledgewire-migrations"}}
    )
    try:
        async with engine.connect() as connection:
            for step in _attributes["steps"]:
                await until_locks_are_free(partial(_take, connection, step), PATIENCE)
                if told := _attributes["told"]:
                    told(_schema, step)
    finally:
        await engine.dispose()


async def _take(connection: AsyncConnection, step: str) -> None:
    async with connection.begin():
        await connection.run_sync(_run, step)


def _run(connection: Connection, step: str) -> None:
    connection.execute(text("select pg_advisory_xact_lock(hashtext('pledgewire-migrations-' || :s))"), {"s": _schema})
    if not connection.scalar(text("select to_regnamespace(:s) is not null"), {"s": f'"{_schema}"'}):
        connection.execute(text(f'create schema "{_schema}"'))
    # Or what comes new would be the superuser's, and closed to the service.
    if owner := connection.scalar(text(_OWNER), {"schema": _schema}):
        connection.execute(text(f"set local role {owner}"))
    connection.execute(text(f'set local search_path to "{_schema}"'))
    migration = partial(context.configure, connection=connection, version_table_schema=_schema)
    migration()
    found = context.get_context().get_current_revision()
    known: Sequence[str] = _attributes["known"]
    is_down = known[0] == "base"
    if found is not None:
        left = known.index(step) - known.index(found)
        if left >= 0 if is_down else left <= 0:
            return  # somebody else has taken this step
        for statement in taking(_tables(connection, found if is_down else step, is_down=is_down)):
            connection.execute(text(statement))
    moves = context.script._downgrade_revs if is_down else context.script._upgrade_revs
    migration(fn=lambda revision, _: moves(step, revision))
    with context.begin_transaction():
        context.run_migrations()


def _tables(connection: Connection, revision: str, *, is_down: bool) -> dict[str, str]:
    """What a revision takes for itself of what is there: the tables, in SQL, and the mode for each."""
    takes = touched(_sql(revision, is_down=is_down))
    asked = {"schema": _schema, "tables": list(takes.tables), "indexes": list(takes.indexes)}
    modes: dict[str, str] = {}
    for quoted, name in connection.execute(text(_THERE), asked):
        mode = takes.tables[name] if name else EXCLUSIVE
        modes[quoted] = EXCLUSIVE if EXCLUSIVE in (mode, modes.get(quoted)) else mode
    return modes


def _sql(revision: str, *, is_down: bool) -> str:
    """The SQL that a revision would run."""
    written = io.StringIO()
    on_paper = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    script = context.script.get_revision(revision)
    with Operations.context(on_paper):
        (script.module.downgrade if is_down else script.module.upgrade)()
    return written.getvalue()


if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # the default one would double every % of the script
        literal_binds=True,
        version_table_schema=_schema,
    )
    with context.begin_transaction():
        context.execute(f'create schema if not exists "{_schema}"; set local search_path to "{_schema}"')
        context.run_migrations()
else:
    asyncio.run(_online())
