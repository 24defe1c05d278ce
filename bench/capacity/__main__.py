"""Runs each with a base and with ten times as much, and prints both."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg

from bench.capacity.history import TABLES, bytes_each, filled_tables, multiply
from bench.delivery.__main__ import Bench, Meter
from bench.schedule.due import burst
from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead
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
    cpu: dict[str, float]
    bytes_each: dict[str, float]
    """Of a row of each table, and of a record on its topic."""


class Capacity(Bench):
    """The notifier on a database that has seen much."""

    def deliveries(self, history: int, others: int, rounds: int) -> DeliveryFigures:
        """Deliver to ten receivers with so many deliveries in the tables, and so many subscriptions to other things."""
        with self._notifiers(FAN_OUT) as (fleet, url):
            pids = fleet.pids() | self.stack.processes()
            self._deliver(WARM)
            there = self._of(url, lambda connection: multiply(connection, history))
            self._of(url, lambda connection: subscribe_elsewhere(connection, others))
            time.sleep(2)
            self._deliver(WARM)
            meter = Meter(pids)
            rates = [self._deliver(EVENTS) for _ in range(rounds)]
            spent = meter.spent()
            each = self._of(url, lambda connection: bytes_each(connection, TABLES))
            before = self._on_topic()
            asyncio.run(self._produce(EVENTS, "status-changed"))
            each["record on its topic"] = (self._on_topic() - before) / EVENTS
        told = rounds * EVENTS * FAN_OUT
        cpu = {part: round(seconds / told * 1000, 3) for part, seconds in spent.items()}
        return DeliveryFigures(there, others + FAN_OUT, statistics.median(rates), cpu, each)

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


async def planned_bytes(ground: Ground, reminders: int) -> dict[str, float]:
    """What a row of each of the scheduler's tables takes, with so many reminders ahead."""
    url = await ground.database()
    connection = await connect(url)
    try:
        await copy_ahead(connection, "ahead", reminders, datetime.now(UTC) + timedelta(days=1))
        await connection.execute("vacuum analyze")
        return await bytes_each(connection, await filled_tables(connection))
    finally:
        await connection.close()
        await ground.drop(url)


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench capacity", description=__doc__)
    parser.add_argument("--history", type=int, default=100_000, help="deliveries in the tables; then ten times as many")
    parser.add_argument("--subscriptions", type=int, default=1_000, help="to other things; then ten times as many")
    parser.add_argument("--reminders", type=int, default=100_000, help="ahead; then ten times as many")
    parser.add_argument("--due", type=int, default=10_000, help="reminders due within one second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--notifiers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
        bench = Capacity(stack, Path(folder), choices.notifiers, None)
        document: dict[str, object] = {}
        try:
            few, many = choices.history, choices.history * 10
            sizes = [(few, choices.subscriptions), (many, choices.subscriptions), (few, choices.subscriptions * 10)]
            found = []
            for history, others in sizes:
                one = bench.deliveries(history, others, choices.rounds)
                each = ", ".join(f"{table} {size:.0f}" for table, size in one.bytes_each.items())
                print(
                    f"{one.history:,} deliveries in the tables, {one.subscriptions:,} subscriptions: "
                    f"{one.per_second:,.0f}/s; CPU s per 1,000: {one.cpu}; bytes a row: {each}",
                    flush=True,
                )
                found.append(asdict(one))
            document["deliveries"] = found
        finally:
            bench.close()
        ground = Ground(stack, Path(folder))
        each = run(planned_bytes(ground, choices.reminders))
        print(f"planned, bytes a row: { {table: round(size) for table, size in each.items()} }", flush=True)
        document["planned_bytes"], document["reminders"] = each, []
        for ahead in (choices.reminders, choices.reminders * 10):
            for one in burst(ground, ahead, choices.due, 1.0, 2, choices.rounds):
                print(
                    f"{ahead:,} reminders ahead, {one.due:,} due within a second: on the topic after p50"
                    f" {one.p50:,.0f} ms, p99 {one.p99:,.0f} ms",
                    flush=True,
                )
                document["reminders"].append(asdict(one))
    if choices.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
