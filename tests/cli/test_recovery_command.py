"""`pledgewire recovery release` gives the operator's word for all that was taken over, never for a part of it."""

import asyncio
import json

import asyncpg

from services.cli.databases import upgrade_all
from tests.conftest import FreshDatabase
from tests.journeys.operating import run_pledgewire

WAITING = """
insert into notifier.event (id, topic, commitment_id, seq, value, time, received_at, matched)
values ('00000000-0000-7000-8000-00000000000d', 'status-changed', 'coal', 1, '{}', '2022-01-01', '2022-01-01', 7);
insert into notifier.subscription (owner, subscriber, channel, address, language, zone, fingerprint, created_at)
select 'sre', 'Desk', 'slack', 'https://example.org/' || n, 'en', 'America/Mexico_City', sha256(n::text::bytea),
       '2021-11-18'
from generate_series(1, 1103) n;
insert into notifier.delivery (thread, event_id, subscription_id, commitment_id, channel, state, next_at, created_at)
select gen_random_uuid(), '00000000-0000-7000-8000-00000000000d', id, 'coal', 'slack',
       case when row_number() over () <= 1100 then 'pending' else 'delivered' end, '2022-01-01', '2022-01-01'
from notifier.subscription;
"""
STATES = "select state, reason, count(*) from notifier.delivery group by 1, 2"
OPEN = "select count(*) from notifier.recovery where released_at is null"


async def test_a_service_that_is_still_taking_over_is_released_when_it_has_all(fresh_database: FreshDatabase):
    url = await fresh_database({})
    await upgrade_all(url)
    environment = {"DATABASE_URL": url}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("insert into notifier.recovery (taken_over) values ('{\"delivery-settled\": 7}')")
        await connection.execute("update notifier.outbox_lease set compared = false")

        refused = await asyncio.to_thread(run_pledgewire, environment, "recovery", "release", "--wait", "0")

        assert refused.returncode == 1
        assert "notifier: still taking over, and nothing is released" in refused.stderr
        assert await connection.fetchval(OPEN) == 1

        waiting = asyncio.create_task(asyncio.to_thread(run_pledgewire, environment, "recovery", "release"))
        await asyncio.sleep(2)
        assert await connection.fetchval(OPEN) == 1
        await connection.execute("update notifier.outbox_lease set compared = true")
        released = await waiting

        assert released.returncode == 0, released.stderr
        assert "notifier: released" in released.stdout
        assert await connection.fetchval(OPEN) == 0
    finally:
        await connection.close()


async def test_what_waits_at_a_held_notifier_can_be_dropped_and_says_why(fresh_database: FreshDatabase) -> None:
    """
    All of it and nothing else, with a reason and a name in the audit log; without a hold nothing at all.
    """
    url = await fresh_database({})
    await upgrade_all(url)
    connection = await asyncpg.connect(url)
    drop = ("recovery", "drop", "--reason", "The wrong import of Friday", "--by", "ana")
    try:
        await connection.execute(WAITING)
        unheld = await asyncio.to_thread(run_pledgewire, {"DATABASE_URL": url}, *drop)
        assert (unheld.returncode, "nothing was dropped" in unheld.stdout) == (0, True)

        await connection.execute("insert into notifier.recovery (taken_over) values ('{\"delivery-settled\": 7}')")
        await connection.execute("update notifier.outbox_lease set compared = true")
        dropped = await asyncio.to_thread(run_pledgewire, {"DATABASE_URL": url}, *drop)

        assert dropped.returncode == 0, dropped.stderr
        assert "notifier: 1100 dropped" in dropped.stdout
        states = await connection.fetch("select state, reason, count(*) from notifier.delivery group by 1, 2")
        assert {tuple(row) for row in states} == {("delivered", None, 3), ("cancelled", "dropped-after-restore", 1100)}
        said = await connection.fetch("select client, after from notifier.audit_pending order by id")
        assert {row["client"] for row in said} == {"command-line/ana"}
        assert sum(json.loads(row["after"])["deliveries"] for row in said) == 1100
        assert await connection.fetchval(OPEN) == 1, "it is still held"
    finally:
        await connection.close()
