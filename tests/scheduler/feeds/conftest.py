"""A scheduler with three clients' keys."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.scheduler.feeds.serving import THEN, LiveScheduler, client_of
from tests.stand_ins.known_keys import known_keys


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[LiveScheduler]:
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(THEN)
    keys = known_keys({"sre": ["subscriber"], "gac": ["editor"], "dos": ["reporter"]})
    async with client_of(database, clock, keys) as http:
        yield LiveScheduler(database, clock, http, keys)
    await database.close()
