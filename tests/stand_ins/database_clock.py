"""The database on a machine whose clock is ahead of ours, as the clocks of two machines may be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.plumbing.database import Database


class _Ahead(Database):
    """Finds the schema's own `clock_timestamp` before PostgreSQL's."""

    def _server_settings(self) -> dict[str, str]:
        return super()._server_settings() | {"search_path": f"{self.schema}, pg_catalog"}


@asynccontextmanager
async def an_hour_ahead(database: Database) -> AsyncIterator[Database]:
    """The same database and schema, where `clock_timestamp()` tells an hour more than this machine's clock."""
    name = f"{database.schema}.clock_timestamp()"
    async with database.connection() as connection:
        await connection.execute(
            f"create function {name} returns timestamptz volatile language sql"
            " return pg_catalog.clock_timestamp() + interval '1 hour'"
        )
    ahead = _Ahead(database._settings, database.schema)
    await ahead.open()
    try:
        yield ahead
    finally:
        await ahead.close()
        async with database.connection() as connection:
            await connection.execute(f"drop function {name}")
