"""Somebody who asks a scheduler for previews."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest

from services.scheduler.reminders.ladder_store import RulesCache
from tests.scheduler.previews.asking import Preview
from tests.scheduler.running import Scheduler
from tests.scheduler.scenes import NINE_SHARP
from tests.scheduler.serving import app_of


@pytest.fixture
async def preview(scheduler: Scheduler) -> AsyncIterator[Preview]:
    app = app_of(scheduler.database, scheduler.clock, rules_cache=RulesCache(NINE_SHARP))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as http:
        yield Preview(http)
