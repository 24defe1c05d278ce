"""A scheduler with three clients' keys."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import new_key
from services.scheduler.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.scheduler.feeds.serving import THEN, House, client_of


@pytest.fixture
async def house(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[House]:
    url = await fresh_database({"scheduler": VERSIONS})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(tmp_path / "clock")
    clock.set(THEN)
    keys, entries = {}, {}
    for client, role in (("sre", "subscriber"), ("gac", "editor"), ("dos", "reporter")):
        keys[client], digest = new_key(client)
        entries[client] = {"sha256": digest, "roles": [role]}
    keys_file = tmp_path / "keys.json"
    keys_file.write_text(json.dumps(entries))
    async with client_of(database, clock, keys_file, keys["sre"]) as http:
        yield House(database, clock, http, keys, keys_file)
    await database.close()
