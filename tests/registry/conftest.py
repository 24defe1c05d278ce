"""The registry with the statement taken in; each test has a database of its own."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from services.cli.databases import with_database
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings, new_key
from services.registry.actions.events import ActionContext
from services.registry.actions.import_statement import import_catalogue, read_catalogue
from services.registry.catalogue.loading import NALS_2021
from services.registry.http.app import http_app
from services.registry.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.registry.scenes import NOW, Register, StoppedClock, opened
from tests.stand_ins.holds import RememberingHolds


@pytest.fixture(scope="session")
async def template(fresh_database: FreshDatabase) -> str:
    """A database with the statement taken in, to be copied for each test; nobody is connected to it."""
    url = await fresh_database({"registry": VERSIONS})
    database = await opened(url)
    async with database.transaction() as connection:
        loaded, published = read_catalogue(NALS_2021)
        await import_catalogue(database, connection, None, loaded, published, ActionContext(NOW, "desk"))
    await database.close()
    return url


@pytest.fixture
async def register(template: str, database_url: str, tmp_path: Path) -> AsyncIterator[Register]:
    made_of = str(make_url(template).database)
    copy = f"test_{uuid4().hex[:12]}"
    server = await asyncpg.connect(database_url)
    await server.execute(f'create database "{copy}" template "{made_of}"')
    database = await opened(with_database(database_url, copy))
    plain, entries = {}, {}
    for name, ministry, roles in [("desk", None, ["editor", "reporter"]), ("mx", "mx-sre", ["reporter"])]:
        plain[name], digest = new_key(name)
        entries[name] = {"sha256": digest, "ministry": ministry, "roles": roles}
    (tmp_path / "keys.json").write_text(json.dumps(entries))
    keys = ApiKeys(ApiKeySettings(file=tmp_path / "keys.json"))
    holds, clock = RememberingHolds(), StoppedClock()
    app = http_app(database, clock, keys, {"database": database.ping}, holds)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as client:
        yield Register(database, client, plain, holds, clock)
    await database.close()
    await server.execute(f'drop database "{copy}" with (force)')
    await server.close()


@pytest.fixture
async def joint(register: Register) -> str:
    """A commitment that binds all three."""
    (first, *_) = (await register.get("/commitments", limit=1))["items"]
    assert first["countries"] == ["CA", "MX", "US"]
    return str(first["id"])
