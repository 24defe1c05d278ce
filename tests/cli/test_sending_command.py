"""`pledgewire sending`, on a real database: it holds, says what waits and lets go; the audit log has each word."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.notifier.migrations import VERSIONS
from tests.conftest import FreshDatabase


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


async def run(url: str, *words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["sending", *words], env={"DATABASE_URL": url})


async def status(url: str) -> dict[str, object]:
    shown = await run(url, "status", "--json")
    assert shown.exit_code == 0, shown.exception
    return json.loads(shown.stdout)


async def test_sending_is_stopped_looked_at_and_started(url: str) -> None:
    assert await status(url) == {"is_stopped": False, "stop": None, "waiting": 0}
    stopped = await run(url, "stop", "--by", "ana", "--reason", "A wrong import")
    again = await run(url, "stop", "--by", "ben", "--reason", "Me too")
    assert (stopped.exit_code, again.exit_code) == (0, 0), stopped.exception
    assert "by command-line/ana: A wrong import" in again.stdout
    shown = await status(url)
    stop = shown["stop"]
    assert isinstance(stop, dict)
    assert (shown["is_stopped"], stop["by"], stop["reason"]) == (True, "command-line/ana", "A wrong import")
    assert abs(datetime.fromisoformat(stop["since"]) - datetime.now(UTC)).total_seconds() < 60
    assert "sending goes on; 0 waited" in (await run(url, "start", "--by", "ana")).stdout
    assert "nothing was stopped" in (await run(url, "start")).stdout

    connection = await asyncpg.connect(url)
    try:
        told = await connection.fetch("select action, client from notifier.audit_pending order by id")
    finally:
        await connection.close()
    assert [tuple(row) for row in told] == [
        ("sending.stopped", "command-line/ana"),
        ("sending.started", "command-line/ana"),
    ]


async def test_a_stop_needs_a_reason_that_can_be_read(url: str) -> None:
    assert (await run(url, "stop")).exit_code == 2
    refused = await run(url, "stop", "--reason", " ")
    assert isinstance(refused.exception, EmbeddedError)
    assert (await status(url))["is_stopped"] is False
