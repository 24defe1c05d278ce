"""`pledgewire person`, on a real database: what is held of one person is given out whole, and erased everywhere."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.databases import schema_versions
from services.cli.main import app
from services.notifier.delivery.fan_out import FanOut
from services.notifier.notices.link_requests import LinkRequests
from services.plumbing.audit.entries import Actor
from services.plumbing.secrets_at_rest import Secrets, new_key, read_keys
from tests.conftest import FreshDatabase
from tests.notifier.scenes import DESTINATIONS, LADDER, NO_CAPACITY, database_at, incoming
from tests.notifier.subscriptions.test_sealed import added, everything, store_with

KEY = new_key()
ANA, EVA, NAME = "ana.ruiz@sre.example", "eva@sre.example", "Ana Ruiz"
NOW = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(schema_versions())


async def person(url: str, *words: str) -> Result:
    env = {"DATABASE_URL": url, "SECRETS_KEY": KEY, "NOTIFIER_LINK_KEYS": "k" * 40, "AUDIT_HASH_KEY": "h" * 40}
    return await asyncio.to_thread(CliRunner().invoke, app, ["person", *words], env=env)


async def test_what_is_held_of_an_address_is_given_out_and_erased_and_nobody_elses(url: str) -> None:
    database = database_at(url)
    await database.open()
    store = store_with(database, Secrets(read_keys(KEY)))
    await added(store, ANA, "email", subscriber=NAME, ladder=LADDER)
    over = await added(store, ANA, "email", subscriber=NAME, themes=["climate"])
    await store.end(over["id"], None, "unsubscribed", NOW, Actor("sre"))
    await added(store, EVA, "email", subscriber="Eva")
    await FanOut(database, lease_seconds=60).apply([incoming(at=NOW)], NOW, NO_CAPACITY)
    await LinkRequests(database, DESTINATIONS).ask(ANA, NOW)

    held = json.loads((await person(url, "export", "--address", ANA.upper())).stdout)
    assert [(one["address"], one["subscriber"]) for one in held["subscriptions"]] == [(ANA, NAME)] * 2
    assert [one["state"] for one in held["deliveries"]] == ["pending"]
    assert len(held["link_requests"]) == 1
    assert "secret" not in held["subscriptions"][0]

    erased = await person(url, "erase", "--address", ANA, "--yes", "--by", "ops")
    assert erased.exit_code == 0, erased.exception
    assert "2 subscriptions erased" in erased.stdout
    left = await everything(database)
    assert NAME not in left.replace(
        '"subscriber": "Ana Ruiz"', ""
    )  # as `delivery-settled` was told of the cancellation
    destination = DESTINATIONS.of("email", ANA).hex()
    assert destination not in left
    assert json.loads((await person(url, "export", "--address", ANA)).stdout)["subscriptions"] == []
    assert "0 subscriptions erased" in (await person(url, "erase", "--address", ANA, "--yes")).stdout
    kept = json.loads((await person(url, "export", "--address", EVA)).stdout)
    assert (len(kept["subscriptions"]), len(kept["deliveries"])) == (1, 1)

    async with database.connection() as connection:
        states = await connection.fetch("select state, reason, address from subscription order by id")
        told = await connection.fetch("select action from audit_pending where client = 'command-line/ops' order by id")
        ladder = await connection.fetchval(
            "select value from outbox where topic = 'ladder-chosen' order by id desc limit 1"
        )
    assert [(row["state"], row["address"]) for row in states[:2]] == [("ended", "")] * 2
    assert [row["action"] for row in told] == ["subscription.ended", "subscription.erased", "subscription.erased"]
    assert json.loads(ladder)["active"] is False  # the scheduler plans nothing for it any more
    await database.close()


async def test_who_was_on_a_milestone_is_given_out_and_erased(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "insert into scheduler.commitment_state values ('coal', 'met', 3, '{}');"
        "insert into scheduler.milestone_plan (milestone_id, commitment_id, schedule_version, commitment, milestone,"
        " settled, scheduled_at) values ('coal-1', 'coal', 1, '{}', '{}', true, now());"
        "insert into scheduler.escalation"
        " (milestone_id, schedule_version, state, round, reckoned_with, since, acknowledged)"
        ' values (\'coal-1\', 1, \'owned\', 1, \'\', now(), \'{"name": "Ana Ruiz", "note": "call me", "at": 1}\');'
        "insert into scheduler.escalation_log (milestone_id, schedule_version, what, at, round, name, note, client,"
        " idem_key, body_sha256, answer) values ('coal-1', 1, 'acknowledged', now(), 1, 'Ana Ruiz', 'call me', 'sre',"
        " 'one', '', '{\"acknowledged\": {\"name\": \"Ana Ruiz\"}}')"
    )
    held = json.loads((await person(url, "export", "--name", NAME)).stdout)
    assert [(one["milestone_id"], one["note"]) for one in held["acknowledgements"]] == [("coal-1", "call me")]
    assert "1 acknowledgements erased" in (await person(url, "erase", "--name", NAME, "--yes")).stdout
    rows = await connection.fetch("select e::text, l::text from scheduler.escalation e, scheduler.escalation_log l")
    assert [word for word in ("Ana", "call me") if word in str(rows)] == []
    assert '"erased"' in rows[0]["e"]
    await connection.close()


async def test_nobody_is_named(url: str) -> None:
    refused = await person(url, "export")
    assert isinstance(refused.exception, EmbeddedError)
    assert "nobody is named" in str(refused.exception)
