"""The registry's schema, for commands that go through the database where no service or no key is there to be asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from services.plumbing.database import Connection, Database, DatabaseSettings
from services.registry.actions.events import ActionContext


@asynccontextmanager
async def registry_transaction(database_url: str) -> AsyncIterator[tuple[Database, Connection, ActionContext]]:
    """One transaction of the registry's database, and now as the program acts; all is closed behind it."""
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": database_url}), "registry")
    await database.open()
    try:
        async with database.transaction() as connection:
            yield database, connection, ActionContext(datetime.now(UTC), "pledgewire")
    finally:
        await database.close()
