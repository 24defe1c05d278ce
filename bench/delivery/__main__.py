"""Runs both ways in turn and prints what came of it."""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.delivery.events import SECRET, event_record
from bench.processes import Meter, memory
from bench.topics import empty_topics
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import upgrade_all, with_database
from services.cli.fleet import PROJECT, Fleet, free_port
from services.cli.topics import apply_topics
from services.notifier.subscriptions.sealed_columns import sealed_values
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import Outgoing, append
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.secrets_at_rest import Secrets, SecretsSettings, new_key

EVENTS = {1: 6000, 10: 2000, 100: 300}
"""How many events for each fan-out: enough for several seconds of work."""


@dataclass
class Run:
    """One way, once; CPU in seconds, memory in MiB."""

    way: str
    fan_out: int
    deliveries: int
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.deliveries / self.seconds


@dataclass
class Throttled:
    """How a receiver with a limit was served, and those beside it: seconds, and milliseconds for the healthy ones."""

    messages: int
    seconds: float
    ideal: float
    refused: int
    tried_again: int
    healthy_p50: float
    healthy_p99: float

    def __str__(self) -> str:
        return (
            f"{self.messages} messages in {self.seconds:.1f} s, {self.seconds / self.ideal:.3f} x the ideal;"
            f" {self.refused} of {self.messages + self.refused} requests turned away;"
            f" {self.tried_again} with another number of attempts than 1;"
            f" healthy beside it: p50 {self.healthy_p50:.0f} ms, p99 {self.healthy_p99:.0f} ms"
        )


class Bench:
    """The parts that both ways share."""

    def __init__(self, stack: EmbeddedStack, folder: Path, notifiers: int, commitments: int | None) -> None:
        self.stack, self.folder, self.notifiers, self.commitments = stack, folder, notifiers, commitments
        os.environ.update(stack.environment())
        self.kafka = KafkaSettings()
        self.port = free_port()
        self.sink_url = f"http://127.0.0.1:{self.port}"
        self.sink = subprocess.Popen([sys.executable, "-m", "bench.delivery.sink", str(self.port)], cwd=PROJECT)
        self.http = httpx2.Client(base_url=self.sink_url, timeout=60, trust_env=False)
        self.settings: dict[str, str] = {}
        """Of every notifier, beside those that each needs."""
        self.prepare: Callable[[str], Coroutine[Any, Any, None]] | None = None
        """What is done to a database before its notifiers start."""
        asyncio.run(apply_topics(self.kafka))

    def close(self) -> None:
        self.sink.kill()
        self.sink.wait()

    def arrived(self) -> int:
        return int(self.http.get("/count").text)

    def arrivals(self) -> list[tuple[str, float]]:
        return [(line.split()[0], float(line.split()[1])) for line in self.http.get("/arrivals").text.splitlines()]

    def raw(self, fan_out: int) -> Run:
        events = EVENTS[fan_out]
        topic = f"bench-{uuid4().hex[:8]}"
        asyncio.run(self._make_topic(topic))
        asyncio.run(self._produce(events, topic))
        self._forget()
        command = [sys.executable, "-m", "bench.delivery.raw", topic, str(events), str(fan_out), self.sink_url]
        process = subprocess.Popen(command, cwd=PROJECT)
        meter = Meter({"raw": process.pid, "sink": self.sink.pid} | self.stack.processes())
        spent, used = self._watch(meter, {"raw": process.pid}, events * fan_out)
        process.wait()
        return Run("raw", fan_out, events * fan_out, self._seconds(), spent, used)

    def whole(self, fan_out: int) -> Run:
        events = EVENTS[fan_out]
        self._forget()
        with self._notifiers(fan_out) as (fleet, url):
            pids = fleet.pids() | {"sink": self.sink.pid} | self.stack.processes()
            meter = Meter(pids)
            asyncio.run(self._produce(events, "status-changed"))
            spent, used = self._watch(meter, pids, events * fan_out)
            asyncio.run(_check(url, events * fan_out))
        arrivals = self.arrivals()
        if len({delivery for delivery, _ in arrivals}) != events * fan_out or len(arrivals) != events * fan_out:
            raise SystemExit(f"{len(arrivals)} arrivals instead of {events * fan_out}: lost or doubled")
        return Run("whole", fan_out, events * fan_out, self._seconds(), spent, used)

    def paced(self, fan_out: int, rate: int, seconds: int) -> tuple[float, float]:
        """Commit-to-delivery p50 and p99 in milliseconds, at so many events a second."""
        self._forget()
        with self._notifiers(fan_out) as (_, url):
            asyncio.run(self._pace(url, rate, rate * 2))  # warm
            time.sleep(1)
            self._forget()
            written = asyncio.run(self._pace(url, rate, rate * seconds))
            self._watch(Meter({}), {}, len(written) * fan_out)
            asyncio.run(_check(url, None))
            event_of = asyncio.run(_events_of_deliveries(url))
        latencies = sorted((at - written[event_of[i]]) * 1000 for i, at in self.arrivals() if event_of[i] in written)
        return statistics.median(latencies), latencies[int(len(latencies) * 0.99)]

    def throttled(self, fan_out: int, per_second: int, messages: int, *, is_known: bool) -> Throttled:
        """A receiver that takes so many a second, beside healthy ones: 50 events a second, then what is left drains.

        `is_known`: its limit stands in the notifiers' table; otherwise it is found by trying.
        """
        self._forget()
        limited = f"http://localhost:{self.port}/limit/{per_second}/{uuid4().hex[:8]}"
        limits = f"localhost={per_second}" if is_known else ""
        with self._notifiers(fan_out, limited, limits) as (_, url):
            written = asyncio.run(self._pace(url, 50, messages))
            self._watch(Meter({}), {}, messages * (fan_out + 1), within=messages / per_second * 3 + 60)
            asyncio.run(_check(url, None))
            deliveries = asyncio.run(_deliveries(url))
        slow, healthy = [], []
        for id_, at in self.arrivals():
            one = deliveries[id_]
            if one["subscriber"] == limited:
                slow.append(at)
            elif one["event_id"] in written:
                healthy.append((at - written[one["event_id"]]) * 1000)
        return Throttled(
            messages=messages,
            seconds=max(slow) - min(slow),
            ideal=(messages - 1) / per_second,
            refused=len(self.http.get("/refused").text.splitlines()),
            tried_again=sum(one["attempts"] != 1 for one in deliveries.values()),
            healthy_p50=statistics.median(healthy),
            healthy_p99=sorted(healthy)[int(len(healthy) * 0.99)],
        )

    @contextmanager
    def _notifiers(self, fan_out: int, limited: str = "", limits: str = "") -> Iterator[tuple[Fleet, str]]:
        url = with_database(self.stack.environment()["DATABASE_URL"], f"bench_{uuid4().hex[:8]}")
        asyncio.run(_make_database(self.stack.environment()["DATABASE_URL"], url))
        asyncio.run(empty_topics(self.kafka))
        asyncio.run(_subscribe(url, [f"{self.sink_url}/{number}" for number in range(fan_out)]))
        settings = {"DATABASE_URL": url, "NOTIFIER_ALLOW_HOSTS": "127.0.0.1,localhost", "NOTIFIER_LINK_KEYS": "b" * 32}
        if limited:
            asyncio.run(_subscribe(url, [limited]))
            settings["NOTIFIER_LIMITS"] = limits
        if self.prepare:
            asyncio.run(self.prepare(url))
        fleet = Fleet(self.folder / uuid4().hex[:8], settings | self.settings)
        for number in range(self.notifiers):
            fleet.add(f"notifier-{number}", "services.notifier")
        fleet.start()
        try:
            fleet.wait_ready()
            for member in fleet.members.values():
                _wait_until_it_sends(member.admin_url)
            yield fleet, url
        finally:
            fleet.stop()

    def _watch(
        self, meter: Meter, pids: dict[str, int], wanted: int, within: float = 120
    ) -> tuple[dict[str, float], dict[str, float]]:
        end = time.monotonic() + within
        while self.arrived() < wanted:
            if time.monotonic() > end:
                raise SystemExit(f"{self.arrived()} of {wanted} arrived within {within:.0f} s")
            time.sleep(0.05)
        spent = meter.spent()
        return spent, memory(pids)

    def _seconds(self) -> float:
        times = [at for _, at in self.arrivals()]
        return max(times) - min(times)

    def _forget(self) -> None:
        self.http.delete("/")

    async def _make_topic(self, name: str) -> None:
        admin = AIOKafkaAdminClient(**self.kafka.client_options())
        await admin.start()
        await admin.create_topics([NewTopic(name, 6, 1)])
        await admin.close()
        await asyncio.sleep(0.3)

    async def _produce(self, events: int, topic: str) -> None:
        producer = KafkaProducer(self.kafka)
        records = []
        for number in range(events):
            record = event_record(number, self.commitments)
            headers = [(k, v.encode()) for k, v in record.headers.items()]
            records.append((topic, record.key.encode(), record.value, headers))
        await producer.send_raw(records)
        await producer.close()

    async def _pace(self, url: str, rate: int, count: int) -> dict[str, float]:
        """Write events to an outbox, each in its own transaction, and relay them; when each was committed."""
        database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "registry")
        await database.open()
        producer = KafkaProducer(self.kafka)
        stopping = asyncio.Event()
        relay = asyncio.create_task(Relay(database, producer, OutboxSettings()).run(stopping))
        await asyncio.sleep(0.5)
        committed = {}
        start = time.monotonic()
        for number in range(count):
            record = event_record(number)
            event_id = record.headers["ce_id"]
            async with database.transaction() as connection:
                outgoing = Outgoing(UUID(event_id), "status-changed", record.key, record.headers, record.value)
                await append(database, connection, [outgoing], datetime.now(UTC))
            committed[event_id] = time.time()
            await asyncio.sleep(max(0.0, start + (number + 1) / rate - time.monotonic()))
        await asyncio.sleep(1)
        stopping.set()
        await relay
        await producer.close()
        await database.close()
        return committed


def _wait_until_it_sends(url: str) -> None:
    """A notifier that has just started sends nothing before its outbox was compared with the topics: no throughput."""
    end = time.monotonic() + 20
    while "pledgewire_sending_closed 0.0" not in httpx2.get(f"{url}/metrics", trust_env=False).text:
        if time.monotonic() > end:
            raise SystemExit("a notifier does not begin to send")
        time.sleep(0.05)


async def _make_database(server: str, url: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(f'create database "{url.split("?")[0].rsplit("/", 1)[1]}"')
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        setting = await connection.fetchval(f"show {name}")
        if setting != "on":
            raise SystemExit(f"{name} is {setting}: this would measure something else")
    await connection.close()
    await upgrade_all(url)


async def _subscribe(url: str, addresses: Sequence[str]) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    sealing = Secrets.from_settings(SecretsSettings())
    for address in addresses:
        id_ = new_id()
        columns = sealed_values(sealing, id_, {"address": address, "secret": SECRET})
        await connection.execute(
            "insert into subscription"
            " (id, owner, subscriber, channel, address, secret, language, zone, fingerprint, created_at)"
            " values ($1, 'bench', $2, 'webhook', $3, $4, 'en', 'UTC', sha256(convert_to($2::text, 'UTF8')), now())",
            id_,
            address,
            columns["address"],
            columns["secret"],
        )
    await connection.close()


async def _check(url: str, wanted: int | None) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    for _ in range(200):
        rows = await connection.fetch(
            "select state, count(*) as n from delivery where created_at > now() - interval '1 day' group by state"
        )
        states = {row["state"]: row["n"] for row in rows}
        if set(states) <= {"delivered"} and (wanted is None or states.get("delivered") == wanted):
            break
        await asyncio.sleep(0.05)
    else:
        raise SystemExit(f"not all rows are delivered: {states}")
    await connection.close()


async def _events_of_deliveries(url: str) -> dict[str, str]:
    return {id_: one["event_id"] for id_, one in (await _deliveries(url)).items()}


async def _deliveries(url: str) -> dict[str, asyncpg.Record]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "notifier"})
    rows = await connection.fetch(
        "select d.id::text as id, d.event_id::text as event_id, d.attempts, s.subscriber"
        " from delivery d join subscription s on s.id = d.subscription_id"
    )
    await connection.close()
    return {row["id"]: row for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench delivery", description=__doc__)
    parser.add_argument("--fan-out", type=int, nargs="*", choices=sorted(EVENTS), default=None)
    parser.add_argument("--pairs", type=int, default=3, help="how often both ways are run in turn")
    parser.add_argument("--notifiers", type=int, default=2, help="notifier processes")
    parser.add_argument(
        "--commitments", type=int, metavar="N", help="events about so many, not each about its own: threads keep order"
    )
    parser.add_argument("--paced-seconds", type=int, default=20)
    parser.add_argument(
        "--throttled", type=int, metavar="MESSAGES", default=0, help="so many for a receiver that takes 5 a second"
    )
    parser.add_argument(
        "--in-the-clear", action="store_true", help="without a key, so that addresses are not sealed in the database"
    )
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    if not choices.in_the_clear:
        os.environ["SECRETS_KEY"] = new_key()
    fan_outs = sorted(EVENTS) if choices.fan_out is None else choices.fan_out
    with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
        bench = Bench(stack, Path(folder), choices.notifiers, choices.commitments)
        try:
            document = [_compare(bench, fan_out, choices.pairs) for fan_out in fan_outs]
            for fan_out in fan_outs if choices.paced_seconds else ():
                if fan_out > 10:
                    continue  # 50 events/s × 100 is throughput, not pace
                p50, p99 = bench.paced(fan_out, 50, choices.paced_seconds)
                print(f"paced at 50 events/s, fan-out {fan_out}: commit to delivery p50 {p50:.0f} ms, p99 {p99:.0f} ms")
                document.append({"fan_out": fan_out, "paced": 50, "p50_ms": p50, "p99_ms": p99})
            for is_known in (True, False) if choices.throttled else ():
                found = bench.throttled(10, 5, choices.throttled, is_known=is_known)
                print(f"throttled at 5/s, limit {'known' if is_known else 'found by trying'}: {found}", flush=True)
                document.append({"throttled": choices.throttled, "known": is_known, **vars(found)})
        finally:
            bench.close()
    if choices.json:
        print(json.dumps(document, indent=2))


def _compare(bench: Bench, fan_out: int, pairs: int) -> dict[str, object]:
    raws, wholes = [], []
    for _ in range(pairs):
        raws.append(bench.raw(fan_out))
        wholes.append(bench.whole(fan_out))
        print(
            f"fan-out {fan_out}: raw {raws[-1].rate:,.0f}/s, whole {wholes[-1].rate:,.0f}/s,"
            f" ratio {wholes[-1].rate / raws[-1].rate:.2f}",
            flush=True,
        )
    ratio = statistics.median(w.rate / r.rate for w, r in zip(wholes, raws, strict=True))
    last = wholes[-1]
    cpu = {name: round(seconds / last.deliveries * 1000, 3) for name, seconds in last.cpu.items()}
    print(
        f"fan-out {fan_out}: median ratio {ratio:.2f}; CPU s per 1,000 deliveries: {cpu}; MiB: "
        f"{ {name: round(mib) for name, mib in last.memory.items()} }",
        flush=True,
    )
    return {
        "fan_out": fan_out,
        "raw_per_second": statistics.median(r.rate for r in raws),
        "whole_per_second": statistics.median(w.rate for w in wholes),
        "ratio": ratio,
        "cpu_seconds_per_1000": cpu,
        "mib": last.memory,
    }


if __name__ == "__main__":
    main()
