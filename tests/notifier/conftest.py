"""A notifier for the tests of its rooms: its database, migrated once for each module, and its HTTP interface."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from services.notifier.application import http_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.migrations import VERSIONS
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import (
    ACKNOWLEDGEMENT_TOKENS,
    DESTINATIONS,
    NOW,
    PAGES,
    TOKENS,
    UNDO_TOKENS,
    database_at,
    empty,
)
from tests.stand_ins.known_keys import known_keys


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


@pytest.fixture(scope="module")
async def migrated(url: str) -> AsyncIterator[Database]:
    database = database_at(url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def database(migrated: Database) -> Database:
    await empty(migrated)
    return migrated


@pytest.fixture
async def http(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key of `sre`; the other keys are in its `keys`."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    keys = known_keys(
        {
            "sre": ["subscriber"],
            "gac": ["subscriber"],
            "ops": ["subscriber", "operator"],
            "watch": ["operator"],
            "dos": ["reporter"],
        }
    )
    allowed = AllowList.of(["127.0.0.1"])
    app = http_app(
        database,
        clock,
        keys.keys,
        {},
        links=links(),
        pages=PAGES,
        tokens=TOKENS,
        acknowledgement_tokens=ACKNOWLEDGEMENT_TOKENS,
        undo_tokens=UNDO_TOKENS,
        destinations=DESTINATIONS,
        allowed=allowed,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        client.headers["authorization"] = f"Bearer {keys['sre']}"
        client.keys = keys  # type: ignore[attr-defined]
        client.clock = clock  # type: ignore[attr-defined]
        yield client
