"""The notifier on a database that has seen much, and that serves many."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg

from bench.capacity.history import TABLES, bytes_each, multiply
from bench.delivery.__main__ import Bench
from bench.processes import Meter
from deploy.embedded.stack import EmbeddedStack

T = TypeVar("T")

FAN_OUT = 10
EVENTS = 2000
WARM = 500
"""Events that are delivered first: whose rows are multiplied, and whose time doesn't count."""


@dataclass(frozen=True)
class DeliveryFigures:
    """One size: deliveries a second, CPU seconds for a thousand of them, and bytes of a row of each table."""

    history: int
    subscriptions: int
    per_second: float
    slowest: float
    cpu: dict[str, float]
    bytes_each: dict[str, float]
    """Of a row of each table, of a record on its topic, and what a delivery adds to the schema's other tables."""

    def __str__(self) -> str:
        each = ", ".join(f"{table} {size:.0f}" for table, size in self.bytes_each.items())
        return (
            f"{self.history:,} deliveries in the tables, {self.subscriptions:,} subscriptions:"
            f" {self.per_second:,.0f}/s (slowest {self.slowest:,.0f}); CPU s per 1,000: {self.cpu}; bytes a row: {each}"
        )


def grown_deliveries(
    stack: EmbeddedStack, folder: Path, history: int, subscriptions: int, notifiers: int, rounds: int
) -> Iterator[DeliveryFigures]:
    """Measure with a base, with ten times the history, and with ten times the subscriptions."""
    bench = Capacity(stack, folder, notifiers, None)
    try:
        for there, others in ((history, subscriptions), (history * 10, subscriptions), (history, subscriptions * 10)):
            yield bench.deliveries(there, others, rounds)
    finally:
        bench.close()


class Capacity(Bench):
    """Deliveries beside what is there already."""

    def deliveries(self, history: int, others: int, rounds: int) -> DeliveryFigures:
        """Deliver to ten receivers with so many deliveries in the tables, and so many subscriptions to other things."""
        with self._notifiers(FAN_OUT) as (fleet, url):
            pids = fleet.pids() | self.stack.processes()
            self._deliver(WARM)
            there = self._of(url, lambda connection: multiply(connection, history))
            self._of(url, lambda connection: subscribe_elsewhere(connection, others))
            time.sleep(2)
            self._deliver(WARM)
            beside = self._of(url, bytes_beside)
            meter = Meter(pids)
            rates = [self._deliver(EVENTS) for _ in range(rounds)]
            spent = meter.spent()
            each = self._of(url, lambda connection: bytes_each(connection, TABLES))
            beside = self._of(url, bytes_beside) - beside
            before = self._on_topic()
            asyncio.run(self._produce(EVENTS, "status-changed"))
            each["record on its topic"] = (self._on_topic() - before) / EVENTS
        told = rounds * EVENTS * FAN_OUT
        each["in other tables, for a delivery"] = beside / told
        cpu = {part: round(seconds / told * 1000, 3) for part, seconds in spent.items()}
        return DeliveryFigures(there, others + FAN_OUT, statistics.median(rates), min(rates), cpu, each)

    def _on_topic(self) -> int:
        """Bytes of the topic's segments, without their indexes."""
        folders = (self.folder / "state" / "kafka").glob("broker-*/data/status-changed-[0-9]*")
        return sum(segment.stat().st_size for folder in folders for segment in folder.glob("*.log"))

    def _deliver(self, events: int) -> float:
        """Deliveries a second, of so many events at once."""
        self._forget()
        asyncio.run(self._produce(events, "status-changed"))
        self._watch(Meter({}), {}, events * FAN_OUT, within=300)
        return events * FAN_OUT / self._seconds()

    @staticmethod
    def _of(url: str, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        async def asked() -> T:
            connection = await asyncpg.connect(url, server_settings={"search_path": "notifier", "jit": "off"})
            try:
                return await ask(connection)
            finally:
                await connection.close()

        return asyncio.run(asked())


async def bytes_beside(connection: asyncpg.Connection) -> int:
    """What all tables of the schema take but those whose rows are measured one by one."""
    return int(
        await connection.fetchval(
            "select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c"
            " where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relname <> all($1)",
            list(TABLES),
        )
    )


async def subscribe_elsewhere(connection: asyncpg.Connection, count: int) -> None:
    """So many subscriptions to commitments of which no event comes."""
    await connection.execute(
        "insert into subscription (owner, subscriber, channel, address, secret, language, zone, fingerprint,"
        " commitments, created_at)"
        " select 'bench', 'elsewhere-' || n, channel, address, secret, language, zone,"
        " sha256(convert_to('elsewhere-' || n, 'UTF8')), array['elsewhere-' || n], now()"
        " from (select * from subscription limit 1) one, generate_series(1, $1) n",
        count,
    )
    await connection.execute("analyze subscription")
