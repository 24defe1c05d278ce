"""Alembic's door: runs the revisions of one schema over asyncpg, under an advisory lock."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_attributes = context.config.attributes
_schema: str = _attributes["schema"]


def _run(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(hashtext('pledgewire-migrations-' || :s))"), {"s": _schema})
    connection.execute(text(f'create schema if not exists "{_schema}"'))
    connection.execute(text(f'set local search_path to "{_schema}"'))
    connection.execute(text("set local lock_timeout to '5s'"))
    context.configure(connection=connection, version_table_schema=_schema, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


async def _online() -> None:
    url = make_url(_attributes["database_url"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


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
