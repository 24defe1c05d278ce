"""Sends over a table full of old deliveries, with and without pruning in turn; then prunes a whole house's past alone.

Whoever else uses the machine meanwhile makes rates differ; what a delivery costs in CPU time hardly does.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench.delivery.__main__ import Bench, Run
from deploy.embedded.stack import EmbeddedStack
from services.cli.conservation import conservation
from services.cli.databases import upgrade_all, with_database
from services.notifier.retention import prunable as of_notifier
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.scheduler.retention import prunable as of_scheduler

PRUNABLE = {"scheduler": of_scheduler, "notifier": of_notifier}
FOREVER, PRUNED = {"RETENTION_DAYS": "delivery=forever"}, {"RETENTION_EVERY_SECONDS": "1"}

# As they stand after a year: of ten subscriptions, each delivered at the first attempt.
_FILL = """
insert into delivery (id, thread, event_id, subscription_id, commitment_id, channel, destination, state, attempts,
                      next_at, created_at, settled_at, last_code)
select uuidv7(), md5('t' || n % 5000)::uuid, md5('e' || n / 10)::uuid, md5('s' || n % 10)::uuid, 'promise-' || n % 500,
       'webhook', sha256((n % 10)::text::bytea), 'delivered', 1, at, at, at, 200
from generate_series(1, $1::integer) n, lateral (select now() - interval '700 days' + n * interval '1 second' as at) t
"""
_TRIED = """
insert into delivery_attempt select id, 1, created_at, settled_at, 'delivered', null, 200, 4 from delivery
where settled_at < now() - interval '1 day'
"""

# The past of a house, 700 to 400 days ago: each event was told to ten, and their ends in one record.
_HOUSE = """
create temporary table past as
select n, uuidv7() as id, 'promise-' || n % 500 as key, (n - 1) / 500 + 1 as seq,
       now() - interval '700 days' + n * interval '250 days' / $1 as at,
       (select array_agg(uuidv7()) from generate_series(1, 10 + 0 * n)) as ended,
       (select string_agg(md5(random()::text), '') from generate_series(1, 62 + 0 * n)) as text
from generate_series(1, $1) n;
insert into scheduler.outbox (event_id, topic, key, headers, value, created_at, written_at, published_at)
select id, 'milestone-due', key, '{}', convert_to(json_build_object('seq', seq, 'text', text)::text,
       'UTF8'), at, at, at from past order by n;
insert into scheduler.outbox_seq select 'milestone-due', key, max(seq) from past group by key;
update scheduler.feed_place set outbox_id = (select max(id) from scheduler.outbox);
insert into notifier.event (id, topic, commitment_id, seq, value, time, received_at, matched)
select id, 'milestone-due', key, seq, convert_to(text, 'UTF8'), at, at, 10 from past order by n;
insert into notifier.delivery (id, thread, event_id, subscription_id, commitment_id, channel, destination, state,
                               attempts, next_at, created_at, settled_at, last_code)
select d, md5(key || o)::uuid, id, md5('s' || o)::uuid, key, 'webhook', sha256(o::text::bytea), 'delivered', 1, at, at,
       at, 200 from past, unnest(ended) with ordinality as e(d, o) order by n;
insert into notifier.delivery_attempt select id, 1, created_at, settled_at, 'delivered', null, 200, 4
from notifier.delivery;
insert into notifier.outbox (event_id, topic, key, headers, value, created_at, written_at, published_at)
select uuidv7(), 'delivery-settled', key, '{}', convert_to(json_build_object('seq', seq, 'deliveries',
       (select json_agg(json_build_object('delivery_id', d, 'text', left(text, 250))) from unnest(ended) d))::text,
       'UTF8'), at, at, at from past order by n;
insert into notifier.outbox_seq select 'delivery-settled', key, max(seq) from past group by key;
analyze;
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench pruning", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000, help="old deliveries, each with an attempt")
    parser.add_argument("--fan-out", type=int, default=10, choices=(1, 10, 100))
    parser.add_argument("--share", type=float, default=0.1, help="of a connection's time that pruning takes")
    parser.add_argument("--pairs", type=int, default=3, help="how often it is sent with and without pruning in turn")
    parser.add_argument("--notifiers", type=int, default=2, help="notifier processes")
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
        bench = Bench(stack, Path(folder), choices.notifiers, None)
        try:
            found = _send(bench, choices)
        finally:
            bench.close()
        found |= asyncio.run(_alone(stack.environment()["DATABASE_URL"], choices.rows))
    if choices.json:
        print(json.dumps(found, indent=2))


def _send(bench: Bench, choices: argparse.Namespace) -> dict[str, float]:
    urls, filled = [], []

    async def fill(url: str) -> None:
        await _fill(url, choices.rows)
        urls.append(url)
        filled.append(time.monotonic())

    bench.prepare = fill
    without, beside, rates, cost = [], [], [], []
    for _ in range(choices.pairs):
        bench.settings = FOREVER
        one = bench.whole(choices.fan_out)
        bench.settings = PRUNED | {"RETENTION_SHARE": str(choices.share)}
        other = bench.whole(choices.fan_out)
        without.append(one.rate)
        beside.append(other.rate)
        cost.append(_cpu(one) / _cpu(other))
        rates.append(asyncio.run(_pruned(urls[-1])) / (time.monotonic() - filled[-1]))
        print(
            f"fan-out {choices.fan_out}: {without[-1]:,.0f}/s without, {beside[-1]:,.0f}/s beside pruning,"
            f" ratio {beside[-1] / without[-1]:.3f}, by CPU time {cost[-1]:.3f};"
            f" {rates[-1]:,.0f} deliveries pruned a second meanwhile",
            flush=True,
        )
    ratio = statistics.median(one / other for one, other in zip(beside, without, strict=True))
    by_cpu = statistics.median(cost)
    print(
        f"median ratio {ratio:.3f}, by CPU time {by_cpu:.3f}; pruned beside sending: {statistics.median(rates):,.0f}/s"
    )
    return {"ratio": ratio, "ratio_by_cpu": by_cpu, "pruned_beside_per_second": statistics.median(rates)}


async def _alone(server: str, rows: int) -> dict[str, float]:
    """All services, without a rest between the steps and with nobody beside; `verify` before and after."""
    url = with_database(server, f"bench_{uuid4().hex[:8]}")
    connection = await asyncpg.connect(server)
    await connection.execute(f'create database "{url.split("?")[0].rsplit("/", 1)[1]}"')
    await connection.close()
    await upgrade_all(url)
    connection = await asyncpg.connect(url)
    await connection.execute(_HOUSE.replace("$1", str(rows // 10)))
    before = await connection.fetchval("select pg_database_size(current_database())")
    await _verified(connection)
    found = {"bytes_a_delivery": before / rows}
    for service, prunable in PRUNABLE.items():
        settings = RetentionSettings()
        database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), service, has_queue=True)
        await database.open()
        began = time.monotonic()
        pruned = await Pruner(database, prunable(settings), settings, lambda: datetime.now(UTC)).round()
        seconds = time.monotonic() - began
        await database.close()
        found[f"{service}_pruned_alone_per_second"] = pruned / seconds
        print(f"alone, without a rest: {pruned:,} rows of the {service} in {seconds:.1f} s, {pruned / seconds:,.0f}/s")
        await _verified(connection)
    left = await connection.fetchval("select count(*) from notifier.delivery")
    print(f"{left} of {rows:,} deliveries are left; every law holds before, between and after")
    await connection.close()
    return found


async def _verified(connection: asyncpg.Connection) -> None:
    if broken := [f"{check.name}: {check.found}" for check in await conservation(connection) if not check.ok]:
        raise SystemExit(f"a law does not hold: {'; '.join(broken)}")


def _cpu(run: Run) -> float:
    """CPU seconds of a delivery, of everybody's: what bounds the rate of a machine that has nothing else to do."""
    return sum(run.cpu.values()) / run.deliveries


async def _fill(url: str, rows: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    await connection.execute(_FILL, rows)
    await connection.execute(_TRIED)
    await connection.execute("vacuum analyze delivery, delivery_attempt")
    await connection.close()


async def _pruned(url: str) -> int:
    connection = await asyncpg.connect(url)
    rows: int = await connection.fetchval(
        "select coalesce(sum(rows), 0)::bigint from notifier.pruned where name = 'delivery'"
    )
    await connection.close()
    return rows


if __name__ == "__main__":
    main()
