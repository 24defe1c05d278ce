"""Somebody who asks a scheduler for previews."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from services.scheduler.reminders.ladder_store import RulesCache
from tests.scheduler.previews.asking import Preview
from tests.scheduler.running import Scheduler
from tests.scheduler.scenes import NINE_SHARP
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys


@pytest.fixture
async def preview(scheduler: Scheduler, tmp_path: Path) -> AsyncIterator[Preview]:
    """With the key of an operator, who sees all ladders."""
    keys = known_keys({"ops": ["operator"]})
    app = app_of(scheduler.database, scheduler.clock, keys=keys, rules_cache=RulesCache(NINE_SHARP))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scheduler", headers=keys.header("ops")) as http:
        yield Preview(http)
