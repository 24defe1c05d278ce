"""The registry with the statement taken in; each test has a database of its own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from services.cli.databases import with_database
from services.registry.catalogue.loading import NALS_2021
from services.registry.http.app import http_app
from services.registry.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.registry.scenes import Register, StoppedClock, opened, take_in
from tests.stand_ins.holds import RememberingHolds
from tests.stand_ins.known_keys import known_keys


@pytest.fixture(scope="session")
async def template(fresh_database: FreshDatabase) -> str:
    """A database with the statement taken in, to be copied for each test; nobody is connected to it."""
    url = await fresh_database({"registry": VERSIONS})
    database = await opened(url)
    await take_in(database, NALS_2021)
    await database.close()
    return url


@pytest.fixture
async def register(template: str, database_url: str) -> AsyncIterator[Register]:
    made_of = str(make_url(template).database)
    copy = f"test_{uuid4().hex[:12]}"
    server = await asyncpg.connect(database_url)
    await server.execute(f'create database "{copy}" template "{made_of}"')
    database = await opened(with_database(database_url, copy))
    keys = known_keys(
        {
            "desk": ["editor", "reporter"],
            "mx": ["reporter"],
            "ca": ["reporter"],
            "watch": ["assessor"],
            "voiceless": ["reporter"],
            "operators": ["operator"],
        },
        {"mx": "mx-sre", "ca": "ca-gac"},
    )
    holds, clock = RememberingHolds(), StoppedClock()
    app = http_app(database, clock, keys.keys, {"database": database.ping}, holds)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as client:
        yield Register(database, client, keys, holds, clock)
    await database.close()
    await server.execute(f'drop database "{copy}" with (force)')
    await server.close()


@pytest.fixture
async def joint(register: Register) -> str:
    """A commitment that binds all three."""
    (first, *_) = (await register.get("/commitments", limit=1))["items"]
    assert first["parties"] == ["CA", "MX", "US"]
    return str(first["id"])
