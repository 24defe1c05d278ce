"""What all measurements here stand on: a PostgreSQL with fsync, a Kafka, databases in bulk, and real schedulers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bench.topics import empty_topics
from contracts.envelope import Envelope, to_record
from contracts.events import ApiKeyChanged
from contracts.topics import MILESTONE_DUE, MILESTONE_ESCALATED
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import with_database
from services.cli.fleet import Fleet
from services.cli.topics import apply_topics
from services.plumbing.http.api_key_text import new_key
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.migrations import upgrade
from services.plumbing.zones import ZONE_DATA
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.ladder_store import write_ladder_book

T = TypeVar("T")

SAFE = ("fsync", "synchronous_commit", "full_page_writes")
NINE_SHARP = read_ladder_book(DEFAULT_BOOK.text.replace("\njitter: 15m\n", "\njitter: 0\n"))
"""All at nine sharp: the hardest hour, and few instants to play."""
PARTITIONS = [TopicPartition(MILESTONE_DUE.name, number) for number in range(MILESTONE_DUE.partitions)]


def run(work: Awaitable[T]) -> T:
    """Run it on the loop that the services use."""

    async def awaited() -> T:
        return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(awaited())


class Ground:
    """The parts that measurements share."""

    def __init__(self, stack: EmbeddedStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self._environment = stack.environment()
        self._server = self._environment["DATABASE_URL"]
        named = {name.removeprefix("KAFKA_").lower(): value for name, value in self._environment.items()}
        self.kafka = KafkaSettings.model_validate({k: v for k, v in named.items() if k in KafkaSettings.model_fields})
        run(self._prepare())

    async def _prepare(self) -> None:
        await apply_topics(self.kafka)
        # So that a record's timestamp says when the broker had it.
        admin = AIOKafkaAdminClient(**self.kafka.client_options())
        await admin.start()
        try:
            config = {"message.timestamp.type": "LogAppendTime"}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, MILESTONE_DUE.name, config)])
        finally:
            await admin.close()
        connection = await asyncpg.connect(self._server)
        for name in SAFE:
            if (setting := await connection.fetchval(f"show {name}")) != "on":
                raise SystemExit(f"{name} is {setting}: this would measure something else")
        await connection.close()

    async def database(self) -> str:
        """A new database with the scheduler's empty tables, by a book that spreads nothing; its URL."""
        name = f"bench_{uuid4().hex[:8]}"
        connection = await asyncpg.connect(self._server)
        await connection.execute(f'create database "{name}"')
        await connection.close()
        url = with_database(self._server, name)
        await upgrade(url, "scheduler", VERSIONS)
        connection = await connect(url)
        await write_ladder_book(connection, NINE_SHARP, datetime.now(UTC), "bench")
        await connection.close()
        connection = await connect(url)
        # Or the first tick would compute anew when everything is due, which here is not nine in the morning.
        await connection.execute("update tick set zone_data = $1", ZONE_DATA)
        await connection.close()
        await empty_topics(self.kafka, (MILESTONE_DUE, MILESTONE_ESCALATED))
        return url

    async def tells_of_key(self, client: str, roles: tuple[str, ...]) -> str:
        """Tell schedulers of a new API key, as the registry would; the key."""
        made, now = new_key(), datetime.now(UTC)
        event = ApiKeyChanged(
            seq=1,
            key_id=made.id,
            sha256=made.sha256,
            client=client,
            ministry=None,
            roles=roles,
            created_at=now,
            expires_at=None,
            revoked_at=None,
        )
        record = to_record(event, Envelope(uuid4(), now, made.id))
        producer = AIOKafkaProducer(**self.kafka.client_options(), acks="all")
        await producer.start()
        try:
            headers = [(name, text.encode()) for name, text in record.headers.items()]
            await producer.send_and_wait(record.topic, record.value, record.key.encode(), headers=headers)
        finally:
            await producer.stop()
        return made.text

    async def drop(self, url: str) -> None:
        """Give a database's room back."""
        connection = await asyncpg.connect(self._server)
        await connection.execute(f'drop database "{url.split("?")[0].rsplit("/", 1)[1]}" with (force)')
        await connection.close()

    @contextmanager
    def schedulers(self, url: str, count: int, **settings: str) -> Iterator[Fleet]:
        """Real scheduler processes on a database, ready."""
        fleet = Fleet(self.folder / uuid4().hex[:8], self._environment | {"DATABASE_URL": url} | settings)
        for number in range(count):
            fleet.add(f"scheduler-{number}", "services.scheduler")
        fleet.start()
        try:
            fleet.wait_ready()
            yield fleet
        finally:
            fleet.stop()

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the topic of reminders ends now."""
        async with self._consumer() as consumer:
            return await consumer.end_offsets(PARTITIONS)  # type: ignore[no-any-return]

    async def behind(self, start: dict[TopicPartition, int]) -> list[ConsumerRecord[bytes, bytes]]:
        """All records of that topic from there to its end, read once nothing more is to come."""
        async with self._consumer() as consumer:
            ends = await consumer.end_offsets(PARTITIONS)
            consumer.assign(PARTITIONS)
            for partition, offset in start.items():
                consumer.seek(partition, offset)
            wanted = sum(ends.values()) - sum(start.values())
            found: list[ConsumerRecord[bytes, bytes]] = []
            while len(found) < wanted:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
            return found

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(**self.kafka.client_options(), auto_offset_reset="earliest")
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


async def connect(url: str) -> asyncpg.Connection:
    """A connection to the scheduler's tables that measures and fills."""
    return await asyncpg.connect(url, server_settings={"search_path": "scheduler", "jit": "off"})
