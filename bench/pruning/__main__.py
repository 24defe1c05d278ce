"""Sends over a table full of old deliveries, with and without pruning in turn; then prunes a whole past alone.

The turns are of one run and short: two runs differ by more than what pruning costs, whoever else uses the machine.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench.delivery.__main__ import EVENTS, Bench
from deploy.embedded.stack import EmbeddedStack
from services.cli.conservation import conservation
from services.cli.databases import upgrade_all, with_database
from services.notifier.retention import prunable as of_notifier
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.scheduler.retention import prunable as of_scheduler

PRUNABLE = {"scheduler": of_scheduler, "notifier": of_notifier}
PRUNED = {"RETENTION_EVERY_SECONDS": "1"}
NOTICED = 1.2
"""Seconds."""

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

# The past of an instance, 700 to 400 days ago: each event was told to ten, and their ends in one record.
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
    parser.add_argument("--events", type=int, default=16_000, help="sent, each to --fan-out subscriptions")
    parser.add_argument("--turn", type=float, default=4.0, help="seconds with pruning, and without it, in turn")
    parser.add_argument("--share", type=float, default=0.05, help="of a connection's time that pruning takes")
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
    """One long run, in which pruning is held up for some seconds and let go for as many, in turn."""
    turns: list[Turn] = []
    stopping = threading.Event()

    async def fill(url: str) -> None:
        await _fill(url, choices.rows)
        switching.append(threading.Thread(target=lambda: asyncio.run(_switched(url, choices.turn, turns, stopping))))
        switching[0].start()

    switching: list[threading.Thread] = []
    bench.prepare, bench.settings = fill, PRUNED | {"RETENTION_SHARE": str(choices.share)}
    EVENTS[choices.fan_out] = choices.events
    try:
        whole = bench.whole(choices.fan_out)
    finally:
        stopping.set()
        switching[0].join()
    times = [at for _, at in bench.arrivals()]
    rates = [turn.rate(times) for turn in turns]
    first, last = min(times), max(times)
    ratios = []
    for before, (turn, beside), after in zip(rates, list(zip(turns, rates, strict=True))[1:], rates[2:], strict=False):
        if turn.pruned and turn.began - choices.turn > first and turn.ended + choices.turn < last:
            ratios.append(beside * 2 / (before + after))
    pruned = [turn.pruned / (turn.ended - turn.began) for turn in turns if turn.pruned and turn.began > first]
    if len(ratios) < 3:
        raise SystemExit("too short to tell: more --events, or more --rows")
    ratio, meanwhile = statistics.median(ratios), statistics.median(pruned)
    print(
        f"fan-out {choices.fan_out}: {whole.rate:,.0f}/s over {whole.seconds:.0f} s; while pruning at"
        f" {choices.share:g} of a connection's time {ratio:.3f} x the rate before and after (median of {len(ratios)}:"
        f" {', '.join(f'{one:.2f}' for one in sorted(ratios))}); {meanwhile:,.0f} deliveries pruned a second meanwhile",
        flush=True,
    )
    return {"rate": whole.rate, "ratio": ratio, "pruned_beside_per_second": meanwhile}


@dataclass(frozen=True)
class Turn:
    """Some seconds with or without pruning, by the machine's clock."""

    began: float
    ended: float
    pruned: int

    def rate(self, times: Sequence[float]) -> float:
        """Deliveries a second, but for the first second, in which the pruner notices that it may."""
        return sum(self.began + NOTICED < at < self.ended for at in times) / (self.ended - self.began - NOTICED)


async def _switched(url: str, seconds: float, turns: list[Turn], stopping: threading.Event) -> None:
    """Hold everybody's turn to prune, let it go, and so on; what was pruned in each."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    while not stopping.is_set():
        for holds in (True, False):
            transaction = connection.transaction()
            await transaction.start()
            if holds:
                await connection.execute("select from pruning_turn for update")
            began, before = time.time(), await _pruned(url)
            await asyncio.sleep(seconds)
            turns.append(Turn(began, time.time(), await _pruned(url) - before))
            await transaction.rollback()
    await connection.close()


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
