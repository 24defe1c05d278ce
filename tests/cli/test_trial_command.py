"""`pledgewire trial` and `go-live`, on a real database: what is held, who gets everything, the word that ends it."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.notifier.migrations import VERSIONS
from tests.conftest import FreshDatabase

HELD = """
insert into notifier.event (id, topic, commitment_id, seq, value, time, received_at, matched)
values ('00000000-0000-7000-8000-00000000000d', 'status-changed', 'coal', 1, '{}', now(), now(), 2);
insert into notifier.delivery (id, thread, event_id, subscription_id, commitment_id, channel, state, next_at,
                               created_at, not_after, rule)
select gen_random_uuid(), gen_random_uuid(), '00000000-0000-7000-8000-00000000000d', gen_random_uuid(), 'coal',
       'slack', 'pending', '9999-01-01T00:00:00Z', now(), not_after, 'trial'
from unnest(array[null, now() - interval '1 hour']) as not_after;
"""


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


async def run(url: str, *words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, [*words], env={"DATABASE_URL": url})


async def status(url: str) -> dict[str, Any]:
    shown = await run(url, "trial", "status", "--json")
    assert shown.exit_code == 0, shown.exception
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


async def sql(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        if "insert" in statement:
            await connection.execute(statement)
            return []
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_a_trial_is_begun_looked_at_changed_and_ended(url: str) -> None:
    assert await status(url) == {"is_on": False, "trial": None, "held": {"deliveries": 0, "addresses": 0, "stale": 0}}
    began = await run(url, "trial", "begin", "--allow", "Ana@SRE.example", "--by", "ana")
    assert "ana@sre.example gets everything, the rest is held" in began.stdout
    await run(url, "trial", "allow", "@gac.example", "hooks.gac.example", "--by", "ben")
    changed = await run(url, "trial", "disallow", "ana@sre.example")
    assert "@gac.example, hooks.gac.example gets everything" in changed.stdout
    await sql(url, HELD)
    shown = await status(url)
    assert (shown["trial"]["by"], shown["trial"]["allowed"]) == (
        "command-line/ana",
        ["@gac.example", "hooks.gac.example"],
    )
    assert shown["held"] == {"deliveries": 2, "addresses": 2, "stale": 1}
    assert "2 deliveries to 2 addresses held; 1 of them stale" in (await run(url, "trial", "status")).stdout

    unasked = await run(url, "go-live")
    assert isinstance(unasked.exception, EmbeddedError) and unasked.exception.status == 2
    assert (await status(url))["is_on"]
    ended = await run(url, "go-live", "--yes", "--by", "ana")
    assert "live; 2 deliveries to 2 addresses held" in ended.stdout
    assert "no trial is on" in (await run(url, "go-live", "--yes")).stdout
    assert "no trial is on" in (await run(url, "trial", "status")).stdout
    due = await sql(url, "select count(*) as n from notifier.delivery where next_at <= now()")
    assert due[0]["n"] == 2

    log = await sql(url, "select action, client, after from notifier.audit_pending order by id")
    assert [row["action"] for row in log] == ["trial.began", "trial.changed", "trial.changed", "trial.ended"]
    assert not [row for row in log if "ana@" in str(row["after"])]


async def test_what_can_not_be_on_the_list_is_said_in_two_lines(url: str) -> None:
    for words in (["begin", "--allow", "nobody"], ["allow", "https://hooks.slack.com/services/x"]):
        refused = await run(url, "trial", *words)
        assert isinstance(refused.exception, EmbeddedError) and refused.exception.status == 2
    none = await run(url, "trial", "allow", "ana@sre.example")
    assert isinstance(none.exception, EmbeddedError) and none.exception.status == 1
    assert not (await status(url))["is_on"]
