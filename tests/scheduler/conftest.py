"""What the tests of several rooms share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.intake import Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.scheduler.running import THEN, Scheduler
from tests.scheduler.scenes import NINE_SHARP


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Scheduler]:
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(THEN)
    rules_cache = RulesCache(NINE_SHARP)
    yield Scheduler(database, clock, Planner(database, clock, rules_cache), Tick(database, clock, rules_cache))
    await database.close()
