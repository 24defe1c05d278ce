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
from services.notifier.delivery.fan_out import FanOut
from services.notifier.migrations import VERSIONS
from services.plumbing.database import Database, DatabaseSettings
from tests.conftest import FreshDatabase
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe


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


async def test_a_destination_that_fails_is_somebodys_and_its_address_is_not_shown(url: str) -> None:
    destination, settings = "0a1b2c3d4e5f" + "0" * 20, DatabaseSettings.model_validate({"DATABASE_URL": url})
    database = Database(settings, "notifier", has_queue=True)
    await database.open()
    first, _ = await subscribe(database), await subscribe(database, "https://hooks.example.org/another")
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        await connection.execute(
            "update subscription set destination = $2 where id = $1", first, bytes.fromhex(destination)
        )
        await connection.execute(
            "insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason, code)"
            " select id, 1, $1, $1, 'refused', 'temporarily-unavailable', 503 from delivery where subscription_id = $2",
            NOW,
            first,
        )
    await database.close()

    shown = await run(url, "destination", destination[:12])
    as_json = await run(url, "destination", destination[:12], "--json")
    nobody, wrong = await run(url, "destination", "ffffffffffff"), await run(url, "destination", "hooks.example.org")

    assert f"A desk (webhook), subscription {first}: active" in shown.stdout
    assert "refused temporarily-unavailable 503" in shown.stdout
    found = json.loads(as_json.stdout)
    assert [one["id"] for one in found["subscriptions"]] == [str(first)]
    assert [(one["outcome"], one["code"]) for one in found["attempts"]] == [("refused", 503)]
    assert "hooks.example" not in shown.stdout + as_json.stdout
    assert isinstance(nobody.exception, EmbeddedError)
    assert isinstance(wrong.exception, EmbeddedError)
    assert (nobody.exception.status, wrong.exception.status) == (3, 2)
