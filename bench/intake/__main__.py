"""Runs both ways in turn and prints what came of it."""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncpg

from contracts.envelope import Envelope, to_record
from contracts.events import StatusReported
from contracts.topics import ingest_topic
from contracts.vocabulary import Status
from services.cli.fleet import PROJECT, free_port
from services.cli.keys import ApiClient
from services.cli.running_stack import RunningStack, StackOptions, running_stack
from services.plumbing.kafka.producer import KafkaProducer

IN_FLIGHT = 32
MINISTRY, PARTY = "mx-sre", "MX"
TABLES = """
create schema if not exists bench;
create table if not exists bench.constant (id bigint generated always as identity primary key, body bytea not null);
create table if not exists bench.raw (
    id bigint generated always as identity primary key, run text not null, body bytea not null,
    at timestamptz not null default clock_timestamp()
);
"""
_RAW_SPAN = "select extract(epoch from at)::float8 from bench.raw where run = $1 order by at"
_WHOLE_SPAN = """
select extract(epoch from published_at)::float8 from registry.outbox
where topic = 'status-changed' and id > $1 and published_at is not null order by published_at
"""
_LATENCY = """
select extract(epoch from published_at - written_at)::float8 * 1000 as ms from registry.outbox
where topic = 'status-changed' and id > $1
"""


class Bench:
    """What both ways share."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.registry = stack.url("registry")
        self.numbers = itertools.count()
        self.refused = 0
        self.commitments: list[str] = []

    async def prepare(self) -> None:
        """The statement is taken in, and the raw ways have their tables."""
        headers = self._headers()
        async with aiohttp.ClientSession(headers=headers) as http:
            await http.post(f"{self.registry}/statements/import", json={"catalogue": "nals-2021"})
            async with http.get(f"{self.registry}/commitments", params={"limit": "200"}) as answer:
                items = (await answer.json())["items"]
        self.commitments = [one["id"] for one in items if PARTY in one["parties"]]
        connection = await asyncpg.connect(self.stack.database_url)
        await connection.execute(TABLES)
        await connection.close()

    async def over_http(self, updates: int) -> float:
        """Updates a second that the registry takes, until the last answer; all are published a moment later."""
        before = await self._last_id()
        rate = await self._posted(updates, self._post_update)
        await self._published(before, updates)
        return rate

    async def constant(self, updates: int, port: int) -> float:
        """Posts a second that the constant's server takes."""

        async def post(http: aiohttp.ClientSession, number: int) -> None:
            body = {"status": "at-risk", "party": PARTY, "note": f"Number {number}"}
            async with http.post(f"http://127.0.0.1:{port}/constant", json=body) as answer:
                await answer.read()
                assert answer.status == 201, answer.status

        return await self._posted(updates, post)

    async def over_kafka(self, reports: int) -> float:
        """Reports a second that the registry takes from a topic that is full, from the first tenth to the last one."""
        await asyncio.to_thread(self.stack.fleet.stop, "registry")
        await self._produce(reports)
        before = await self._last_id()
        self.stack.fleet.start("registry")
        await asyncio.to_thread(self.stack.fleet.wait_ready, "registry")
        return _rate(await self._published(before, reports))

    async def raw(self, reports: int) -> float:
        """Records a second that the raw consumer takes from the same topic."""
        group = f"bench-{uuid4().hex[:8]}"
        command = [sys.executable, "-m", "bench.intake.raw", ingest_topic(MINISTRY).name, group, str(reports)]
        process = await asyncio.create_subprocess_exec(*command, self.stack.database_url, cwd=PROJECT)
        await process.wait()
        connection = await asyncpg.connect(self.stack.database_url)
        times = [row[0] for row in await connection.fetch(_RAW_SPAN, group)]
        await connection.close()
        return _rate(times)

    async def paced(self, rate: int, seconds: int) -> list[float]:
        """Milliseconds from an update's row to its mark as published, behind the broker's word, at a steady rate."""
        before = await self._last_id()
        began, updates, self.refused = time.monotonic(), rate * seconds, 0
        async with aiohttp.ClientSession(headers=self._headers()) as http, asyncio.TaskGroup() as group:
            for number in range(updates):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                group.create_task(self._post_update(http, number, may_refuse=True))
        took = time.monotonic() - began
        print(f"  {(updates - self.refused) / took:.0f}/s taken in, {self.refused} turned away (503)", flush=True)
        await self._published(before, updates - self.refused)
        connection = await asyncpg.connect(self.stack.database_url)
        rows = await connection.fetch(_LATENCY, before)
        await connection.close()
        return sorted(row["ms"] for row in rows)

    async def _post_update(self, http: aiohttp.ClientSession, number: int, *, may_refuse: bool = False) -> None:
        commitment = self.commitments[number % len(self.commitments)]
        status = ("in-progress", "at-risk")[number // len(self.commitments) % 2]
        body = {"status": status, "party": PARTY, "note": f"Number {number}"}
        url = f"{self.registry}/commitments/{commitment}/status-updates"
        async with http.post(url, json=body, headers={"Idempotency-Key": str(uuid4())}) as answer:
            text = await answer.text()
            if answer.status == 503 and may_refuse:
                self.refused += 1
            elif answer.status != 201:
                raise SystemExit(f"{answer.status}: {text}")

    async def _posted(self, count: int, post: Callable[[aiohttp.ClientSession, int], Awaitable[None]]) -> float:
        numbers = iter(range(count))

        async def client(http: aiohttp.ClientSession) -> None:
            for number in numbers:
                await post(http, number)

        async with aiohttp.ClientSession(headers=self._headers()) as http:
            began = time.monotonic()
            await asyncio.gather(*(client(http) for _ in range(IN_FLIGHT)))
            return count / (time.monotonic() - began)

    async def _produce(self, reports: int) -> None:
        producer, topic = KafkaProducer(self.stack.kafka), ingest_topic(MINISTRY)
        records = []
        for _ in range(reports):
            number, now = next(self.numbers), datetime.now(UTC)
            report = StatusReported(
                report_id=uuid4(),
                commitment_id=self.commitments[number % len(self.commitments)],
                status=(Status.IN_PROGRESS, Status.AT_RISK)[number // len(self.commitments) % 2],
                note=f"Number {number}",
                reported_at=now,
            )
            record = to_record(report, Envelope(uuid4(), now, report.commitment_id), topic)
            headers = [(name, text.encode()) for name, text in record.headers.items()]
            records.append((record.topic, record.key.encode(), record.value, headers))
        await producer.send_raw(records)
        await producer.close()

    async def _last_id(self) -> int:
        connection = await asyncpg.connect(self.stack.database_url)
        found = await connection.fetchval("select coalesce(max(id), 0) from registry.outbox")
        await connection.close()
        return int(found)

    async def _published(self, before: int, count: int, within: float = 180) -> list[float]:
        """Return the times at which so many events were published, once all are."""
        connection = await asyncpg.connect(self.stack.database_url)
        try:
            async with asyncio.timeout(within):
                while len(rows := await connection.fetch(_WHOLE_SPAN, before)) < count:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise SystemExit(f"{len(rows)} of {count} were published within {within:.0f} s") from None
        finally:
            await connection.close()
        return [row[0] for row in rows]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.stack.keys['bench']}"}


def _rate(times: Sequence[float]) -> float:
    first = len(times) // 10
    return (len(times) - first) / (times[-1] - times[first])


@contextmanager
def _constant_server(stack: RunningStack) -> Iterator[int]:
    port = free_port()
    environment = os.environ | {"DATABASE_URL": stack.database_url}
    process = subprocess.Popen([sys.executable, "-m", "bench.intake.constant", str(port)], cwd=PROJECT, env=environment)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench intake", description=__doc__)
    parser.add_argument("--updates", type=int, default=2000, help="over HTTP, each time")
    parser.add_argument("--reports", type=int, default=5000, help="over Kafka, each time")
    parser.add_argument("--pairs", type=int, choices=range(1, 100), default=3, help="how often both are run in turn")
    parser.add_argument("--rate", type=int, default=200, help="updates a second, for the latency; 0 leaves it out")
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clients = (ApiClient("bench", ("editor", "reporter")),)
        options = StackOptions(state=Path(folder) / "parts", folder=Path(folder) / "services", clients=clients)
        with running_stack(options, lambda line: print(line, flush=True)) as stack:
            os.environ.update(stack.environment)
            stack.fleet.stop("scheduler", "notifier", "portal")
            found = asyncio.run(_measured(Bench(stack), choices))
    print(json.dumps(found) if choices.json else "\n".join(_told(found)))


async def _measured(bench: Bench, choices: argparse.Namespace) -> dict[str, list[float]]:
    await bench.prepare()
    found: dict[str, list[float]] = {"http": [], "constant": [], "kafka": [], "raw": [], "ms": []}
    with _constant_server(bench.stack) as port:
        while True:
            try:
                await bench.constant(100, port)  # warm
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.2)
        await bench.over_http(200)
        for _ in range(choices.pairs):
            found["constant"].append(await bench.constant(choices.updates, port))
            found["http"].append(await bench.over_http(choices.updates))
            print(f"  HTTP: {found['http'][-1]:.0f}/s of {found['constant'][-1]:.0f}/s", flush=True)
    if choices.rate:
        found["ms"] = await bench.paced(choices.rate, 15)
    for _ in range(choices.pairs):
        found["kafka"].append(await bench.over_kafka(choices.reports))
        found["raw"].append(await bench.raw(choices.reports))
        print(f"  Kafka: {found['kafka'][-1]:.0f}/s of {found['raw'][-1]:.0f}/s", flush=True)
    return found


def _told(found: dict[str, list[float]]) -> Iterator[str]:
    for name, whole, raw in (("HTTP", "http", "constant"), ("Kafka", "kafka", "raw")):
        ratios = [one / limit for one, limit in zip(found[whole], found[raw], strict=True)]
        rate = statistics.median(found[whole])
        bounds = f"{min(ratios):.2f} to {max(ratios):.2f}"
        yield f"{name}: {rate:.0f} updates/s, {statistics.median(ratios):.2f} of the raw limit ({bounds})"
    if latencies := found["ms"]:
        p99 = latencies[int(len(latencies) * 0.99)]
        yield f"from row to topic: p50 {statistics.median(latencies):.0f} ms, p99 {p99:.0f} ms"


if __name__ == "__main__":
    main()
