"""The registry with a short past and with a long one: every update before was taken in by it, none was copied."""

import asyncio
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.capacity.history import bytes_each, filled_tables
from bench.intake.__main__ import Bench
from services.cli.keys import ApiClient
from services.cli.running_stack import StackOptions, running_stack

OVER_HTTP, OVER_KAFKA = 1500, 5000
"""Updates of one measurement."""
AT_ONCE = 10_000
"""Updates that are waited for together while the past is made."""


@dataclass(frozen=True)
class UpdateFigures:
    """One size: updates taken in a second in both ways, and bytes of a row of each table."""

    past: int
    over_http: float
    over_kafka: float
    bytes_each: dict[str, float]

    def __str__(self) -> str:
        each = ", ".join(f"{table} {size:.0f}" for table, size in self.bytes_each.items())
        return (
            f"{self.past:,} updates in the tables: over HTTP {self.over_http:,.0f}/s,"
            f" over Kafka {self.over_kafka:,.0f}/s; bytes a row: {each}"
        )


def grown_updates(folder: Path, past: int, rounds: int) -> Iterator[UpdateFigures]:
    """Measure with so many updates behind, and with ten times as many; in a stack of its own."""
    clients = (ApiClient("bench", ("editor", "reporter")),)
    options = StackOptions(state=folder / "parts", folder=folder / "services", clients=clients)
    with running_stack(options, lambda line: None) as stack:
        os.environ.update(stack.environment)
        stack.fleet.stop("scheduler", "notifier", "portal")
        with asyncio.Runner() as runner:
            bench = Bench(stack)
            runner.run(bench.prepare())
            runner.run(bench.over_http(200))  # warm
            for size in (past, past * 10):
                yield runner.run(_measured(bench, size, rounds))


async def _measured(bench: Bench, past: int, rounds: int) -> UpdateFigures:
    connection = await asyncpg.connect(bench.stack.database_url, server_settings={"search_path": "registry"})
    try:
        count = "select count(*) from status_update"
        while (missing := past - await connection.fetchval(count)) > 0:
            await bench.over_kafka(min(missing, AT_ONCE))
        await connection.execute("vacuum analyze")
        there = await connection.fetchval(count)
        over_http = [await bench.over_http(OVER_HTTP) for _ in range(rounds)]
        over_kafka = [await _over_kafka(bench, connection) for _ in range(rounds)]
        each = await bytes_each(connection, await filled_tables(connection))
    finally:
        await connection.close()
    return UpdateFigures(there, statistics.median(over_http), statistics.median(over_kafka), each)


async def _over_kafka(bench: Bench, connection: asyncpg.Connection) -> float:
    """Updates a second of a topic that is full, from the first row of them to the last that is published."""
    before = await connection.fetchval("select coalesce(max(id), 0) from outbox")
    await bench.over_kafka(OVER_KAFKA)
    seconds = await connection.fetchval(
        "select extract(epoch from max(published_at) - min(written_at))::float8 from outbox"
        " where topic = 'status-changed' and id > $1",
        before,
    )
    return OVER_KAFKA / float(seconds)
