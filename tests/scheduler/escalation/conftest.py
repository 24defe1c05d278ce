"""A scheduler with the shipped levels."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.scheduler.escalation.running import Scheduler, furnished


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Scheduler]:
    made = await furnished(await fresh_database({"scheduler": VERSIONS}), tmp_path, read_escalation_book())
    yield made
    await made.http.aclose()
    await made.database.close()
