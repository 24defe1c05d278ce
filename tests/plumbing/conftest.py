"""A broker to talk to, topics of one's own, and a schema with an outbox and an inbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import DEAD_TOPIC, EVERY_TOPIC
from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import with_database
from services.plumbing.audit.tables import AUDIT_V1
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.idempotency import IDEMPOTENCY_V1
from services.plumbing.inbox import INBOX_V1
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import OUTBOX_V1
from services.plumbing.recovery.tables import RECOVERY_V1
from services.plumbing.retention.tables import PRUNED_V1

MakeTopic = Callable[..., Awaitable[str]]
ReadTopic = Callable[[str, int], Awaitable[list[ConsumerRecord[bytes, bytes]]]]


@pytest.fixture
def kafka(kafka_environment: dict[str, str]) -> KafkaSettings:
    return KafkaSettings()


@pytest.fixture
async def make_topic(kafka: KafkaSettings) -> MakeTopic:
    """Makes a topic and its dead-letter topic under a name that no other test has."""

    async def make(
        partitions: int = 3,
        config: Mapping[str, str] | None = None,
        dead_config: Mapping[str, str] = DEAD_TOPIC,
        name: str | None = None,
    ) -> str:
        name = name or f"t-{uuid4().hex[:10]}"
        admin = AIOKafkaAdminClient(**kafka.client_options())
        await admin.start()
        try:
            await admin.create_topics(
                [
                    NewTopic(name, partitions, 1, topic_configs={**EVERY_TOPIC, **(config or {})}),
                    NewTopic(f"{name}-dead", 1, 1, topic_configs={**EVERY_TOPIC, **dead_config}),
                ]
            )
            async with asyncio.timeout(10):  # the broker has made it before it tells of it
                made = [name, f"{name}-dead"]
                while any(one["error_code"] for one in await admin.describe_topics(made)):  # noqa: ASYNC110  the broker
                    await asyncio.sleep(0.02)
        finally:
            await admin.close()
        return name

    return make


@pytest.fixture
async def read_topic(kafka: KafkaSettings) -> ReadTopic:
    """Reads a topic from its beginning until so many records have come, or ten seconds have gone."""

    async def read(topic: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
        consumer = AIOKafkaConsumer(topic, **kafka.client_options(), auto_offset_reset="earliest")
        await consumer.start()
        records: list[ConsumerRecord[bytes, bytes]] = []
        try:
            for _ in range(40):
                for batch in (await consumer.getmany(timeout_ms=250)).values():
                    records += batch
                if len(records) >= count:
                    break
        finally:
            await consumer.stop()
        return records

    return read


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[KafkaProducer]:
    made = KafkaProducer(kafka)
    yield made
    await made.close()


@pytest.fixture
async def database(stack: EmbeddedStack, database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with the plumbing's tables in one schema."""
    name = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(database_url)
    await connection.execute(f'create database "{name}"')
    await connection.close()
    url = with_database(database_url, name)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "create schema plumbing; set search_path to plumbing;"
        + OUTBOX_V1
        + RECOVERY_V1
        + PRUNED_V1
        + INBOX_V1
        + IDEMPOTENCY_V1
        + AUDIT_V1
    )
    await connection.execute("create table effect (event_id uuid, word text)")
    await connection.close()
    opened = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "plumbing")
    await opened.open()
    yield opened
    await opened.close()
