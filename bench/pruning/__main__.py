"""Sends over a table full of old deliveries, with and without pruning in turn; then prunes alone, without a rest."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench.delivery.__main__ import Bench
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import upgrade_all, with_database
from services.notifier.delivery.pruning import OldDeliveries
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner

KEPT = timedelta(days=400)
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench pruning", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000, help="old deliveries, each with an attempt")
    parser.add_argument("--fan-out", type=int, default=10, choices=(1, 10, 100))
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
    urls: list[str] = []

    async def fill(url: str) -> None:
        urls.append(url)
        await _fill(url, choices.rows)

    bench.prepare = fill
    without, beside, rates = [], [], []
    for _ in range(choices.pairs):
        bench.settings = FOREVER
        without.append(bench.whole(choices.fan_out).rate)
        bench.settings = PRUNED
        began = time.monotonic()
        beside.append(bench.whole(choices.fan_out).rate)
        rates.append(asyncio.run(_pruned(urls[-1])) / (time.monotonic() - began))
        print(
            f"fan-out {choices.fan_out}: {without[-1]:,.0f}/s without, {beside[-1]:,.0f}/s beside pruning,"
            f" ratio {beside[-1] / without[-1]:.3f}; {rates[-1]:,.0f} deliveries pruned a second meanwhile",
            flush=True,
        )
    ratio = statistics.median(one / other for one, other in zip(beside, without, strict=True))
    print(f"median ratio {ratio:.3f}; pruned beside sending: {statistics.median(rates):,.0f}/s")
    return {"ratio": ratio, "pruned_beside_per_second": statistics.median(rates)}


async def _alone(server: str, rows: int) -> dict[str, float]:
    """Without a rest between the steps, and with nobody beside."""
    url = with_database(server, f"bench_{uuid4().hex[:8]}")
    connection = await asyncpg.connect(server)
    await connection.execute(f'create database "{url.split("?")[0].rsplit("/", 1)[1]}"')
    await connection.close()
    await upgrade_all(url)
    await _fill(url, rows)
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "notifier", has_queue=True)
    await database.open()
    began = time.monotonic()
    pruned = await Pruner(database, [OldDeliveries(KEPT)], RetentionSettings(), lambda: datetime.now(UTC)).round()
    rate = pruned / (time.monotonic() - began)
    await database.close()
    print(f"alone, without a rest: {pruned:,} deliveries with their attempts, {rate:,.0f}/s")
    return {"pruned_alone_per_second": rate}


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
