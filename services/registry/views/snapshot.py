"""One moment for all that an answer shows."""

import contextlib
from collections.abc import AsyncIterator

from services.plumbing.database import Connection, Database


@contextlib.asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection on which all reads see the same moment."""
    async with database.connection() as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
