"""The laws over what was pruned: true before and after, whenever each service prunes, and false once a row is lost."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.conservation import conservation
from services.cli.databases import schema_versions
from services.cli.main import app
from services.notifier.retention import prunable as of_notifier
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.registry.retention import prunable as of_registry
from services.scheduler.retention import prunable as of_scheduler
from tests.conftest import FreshDatabase

REAL = datetime.now(UTC)
LONG_AGO = REAL - timedelta(days=600)
PRUNABLE = {"registry": of_registry, "scheduler": of_scheduler, "notifier": of_notifier}
SETTLED = {"delivered": 3, "failed": 1}


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(schema_versions())


async def said(connection: asyncpg.Connection, schema: str, topic: str, key: str, at: datetime, **body: object) -> UUID:
    """A record that was published; its `seq` is the next of its key."""
    seq = await connection.fetchval(
        f"insert into {schema}.outbox_seq values ($1, $2, 1) on conflict (topic, key) do update"
        f" set last = {schema}.outbox_seq.last + 1 returning last",
        topic,
        key,
    )
    id_ = uuid4()
    await connection.execute(
        f"insert into {schema}.outbox (event_id, topic, key, headers, value, created_at, written_at, published_at)"
        " values ($1, $2, $3, '{}', $4, $5, $5, $5)",
        id_,
        topic,
        key,
        json.dumps(body | {"seq": seq}).encode(),
        at,
    )
    return id_


async def lived(connection: asyncpg.Connection, days: int = 600) -> None:
    """So many days of all services, one event of each kind every ten days; each is told to four subscriptions."""
    for day in range(0, days, 10):
        at, key = LONG_AGO + timedelta(days=day), f"promise-{day % 3}"
        ids = {
            "status-changed": await said(connection, "registry", "status-changed", key, at),
            "milestone-due": await said(connection, "scheduler", "milestone-due", key, at),
            "consistency-flagged": await said(connection, "registry", "consistency-flagged", key, at),
            "milestone-escalated": await said(
                connection,
                "scheduler",
                "milestone-escalated",
                key,
                at,
                round=day,
                rank=1,
                repeat=0,
                milestone={"id": 1},
            ),
        }
        await connection.execute("insert into scheduler.inbox values ('scheduler', $1, $2)", ids["status-changed"], at)
        await connection.execute(
            "insert into scheduler.escalation_log"
            " (milestone_id, schedule_version, what, at, round, rank, repeat, event_id)"
            " values ('coal-1', 1, 'told', $1, $2, 1, 0, $3)",
            at,
            day,
            ids["milestone-escalated"],
        )
        for topic, id_ in ids.items():
            await connection.execute(
                "insert into notifier.event (id, topic, commitment_id, seq, value, time, received_at, matched)"
                " values ($1, $2, $3, 1, '{}', $4, $4, 4)",
                id_,
                topic,
                key,
                at,
            )
            ended = [(uuid4(), state) for state, count in SETTLED.items() for _ in range(count)]
            await connection.executemany(
                "insert into notifier.delivery (id, thread, event_id, subscription_id, commitment_id, channel, state,"
                " next_at, created_at, settled_at) values ($1, $2, $3, $4, $5, 'email', $6, $7, $7, $7)",
                [(delivery, uuid4(), id_, uuid4(), key, state, at) for delivery, state in ended],
            )
            deliveries = [{"delivery_id": str(delivery)} for delivery, _ in ended]
            await said(connection, "notifier", "delivery-settled", key, at, deliveries=deliveries)
    await connection.execute("update scheduler.feed_place set outbox_id = 1e9::bigint")


async def known(connection: asyncpg.Connection) -> None:
    """A milestone for the log of escalations to be about."""
    await connection.execute(
        "insert into scheduler.commitment_state values ('coal', 'met', 3, '{}');"
        "insert into scheduler.milestone_plan (milestone_id, commitment_id, schedule_version, commitment, milestone,"
        " settled, scheduled_at) values ('coal-1', 'coal', 1, '{}', '{}', true, now());"
        "insert into scheduler.escalation (milestone_id, schedule_version, state, round, reckoned_with)"
        " values ('coal-1', 1, 'settled', 1, '')"
    )


async def pruned(url: str, schema: str, now: datetime = REAL, days: str = "") -> int:
    settings = RetentionSettings.model_validate({"days": days, "rows": 50})
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), schema, has_queue=True)
    await database.open()
    try:
        return await Pruner(database, PRUNABLE[schema](settings), settings, lambda: now).round()
    finally:
        await database.close()


async def broken(connection: asyncpg.Connection) -> list[str]:
    return [check.name for check in await conservation(connection) if not check.ok]


async def test_the_laws_hold_before_and_after_each_service_prunes(url: str) -> None:
    """Also between: one has let go of what another still has. And a row that is missing then is told."""
    connection = await asyncpg.connect(url)
    await known(connection)
    await lived(connection)
    assert await broken(connection) == []
    events = await connection.fetchval("select count(*) from notifier.event")
    for schema, days in (
        ("scheduler", "milestone-due=300"),
        ("notifier", ""),
        ("registry", ""),
        ("scheduler", ""),
        ("notifier", "delivery=100"),
    ):
        assert await pruned(url, schema, days=days) > 0, schema
        assert await broken(connection) == [], schema
    left = await connection.fetch("select topic, count(*) as n from notifier.event group by topic order by topic")
    assert {row["topic"] for row in left} >= {"status-changed", "milestone-due"}
    assert dict(left)["status-changed"] == events / 4  # its topic is kept for ever
    assert dict(left)["milestone-due"] < events / 8
    assert await connection.fetchval("select count(*) from notifier.delivery") < events * 4 / 3

    for loss, told in (
        ("delete from notifier.event where topic = 'milestone-due'", "every event has been heard by the notifier"),
        ("delete from scheduler.outbox where topic = 'milestone-due'", "nothing was heard that was never said"),
        ("update notifier.event set id = gen_random_uuid() where topic = 'milestone-due'", "never said"),
        ("delete from notifier.delivery where state = 'failed'", "accepted × matching = terminal + pending"),
        ("update notifier.pruned set amount = amount - 1 where kind = 'delivery-settled'", "was published as settled"),
        ("delete from scheduler.outbox where topic = 'milestone-due'", "seq has no gap on any topic"),
        ("update scheduler.pruned set rows = rows - 1", "seq has no gap on any topic"),
        ("delete from scheduler.escalation_log where id % 7 = 0", "every level that was told is in the log"),
    ):
        async with connection.transaction():
            undo = connection.transaction()
            await undo.start()
            assert await connection.execute(loss) not in ("DELETE 0", "UPDATE 0"), loss
            assert any(told in name for name in await broken(connection)), loss
            await undo.rollback()
    assert await broken(connection) == []
    await connection.close()


async def test_what_feeds_have_not_taken_up_is_not_pruned(url: str) -> None:
    connection = await asyncpg.connect(url)
    await known(connection)
    await lived(connection, 200)
    reached = await connection.fetchval("select id from scheduler.outbox order by id offset 9 limit 1")
    await connection.execute("update scheduler.feed_place set outbox_id = $1", reached)
    assert await pruned(url, "scheduler") == 10
    await connection.close()


async def test_what_is_not_published_stays_however_old_it_is(url: str) -> None:
    connection = await asyncpg.connect(url)
    await known(connection)
    await lived(connection, 100)
    await connection.execute("update scheduler.outbox set published_at = null")
    assert await pruned(url, "scheduler") == 0
    await connection.close()


def retention(url: str, *words: str, days: str = "") -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(app, ["retention", *words], env={"DATABASE_URL": url, "RETENTION_DAYS": days})
    return done.exit_code, done.stdout, done.exception


async def test_the_command_lists_the_policy_and_prunes_by_it(url: str) -> None:
    connection = await asyncpg.connect(url)
    await known(connection)
    await lived(connection)
    code, told, _ = await asyncio.to_thread(retention, url, "show", "--json", days="delivery=200,milestone-due=forever")
    assert code == 0
    days = {(item["service"], item["name"]): item["days"] for item in json.loads(told)["items"]}
    assert days["notifier", "delivery"] == 200
    assert days["scheduler", "milestone-due"] is days["notifier", "milestone-due"] is None
    assert (await asyncio.to_thread(retention, url, "apply"))[0] == 0
    assert "notifier: 0 rows pruned" in (await asyncio.to_thread(retention, url, "apply"))[1]
    assert "rows of delivery were pruned so far" in (await asyncio.to_thread(retention, url, "show"))[1]
    assert await broken(connection) == []
    await connection.close()

    for days_, told in (("deliveries=3", "deliveries"), ("delivery=1", "")):
        error = (await asyncio.to_thread(retention, url, "apply", days=days_))[2]
        assert error is not None
        if told:
            assert isinstance(error, EmbeddedError)
            assert told in str(error)
