"""The tail on a real broker: what was there before, what comes, and no trace of a reader left behind."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from contracts.topics import MILESTONE_DUE, PUBLIC
from deploy.embedded.stack import EmbeddedStack
from services.plumbing.kafka.consumer import kafka_broker
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.portal.event_reader import TAIL, LiveEventReader
from services.portal.live_feed import LiveEvent, LiveFeed
from tests.contracts.golden_records import Wire, example

DUE = example("milestone-due.v1.coal-finance-in-7-days")


@pytest.fixture
async def kafka(kafka_environment: dict[str, str]) -> KafkaSettings:
    """The broker, with the public topics on it."""
    settings = KafkaSettings()
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    try:
        with contextlib.suppress(TopicAlreadyExistsError):
            await admin.create_topics([NewTopic(topic.name, topic.partitions, 1) for topic in PUBLIC])
    finally:
        await admin.close()
    return settings


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[KafkaProducer]:
    made = KafkaProducer(kafka)
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def reading(kafka: KafkaSettings) -> AsyncIterator[tuple[LiveFeed, LiveEventReader]]:
    """A feed that is fed from the topics' tails."""
    feed, broker, stopping = LiveFeed(), kafka_broker(kafka), asyncio.Event()
    tail = LiveEventReader(broker, feed)
    working = asyncio.create_task(tail.run(stopping))
    starting = asyncio.create_task(broker.start())
    try:
        yield feed, tail
    finally:
        stopping.set()
        await working
        await starting
        await broker.stop()


def numbered(seq: int, base: Wire = DUE) -> tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]:
    """A record whose event has this number; all of them have one key, so one partition."""
    value = {**json.loads(base.value or b""), "seq": seq}
    headers = [(name, content) for name, content in base.headers if content is not None]
    return base.topic.name, base.key, json.dumps(value).encode(), headers


async def until(feed: LiveFeed, seq: int) -> list[LiveEvent]:
    """What a reader has been told when the event of this number comes."""
    told: list[LiveEvent] = []
    async with asyncio.timeout(30):
        async for event in feed.follow(None):
            told.append(event)
            if event.event.seq == seq and event.position.topic == MILESTONE_DUE.name:
                break
    return told


async def test_the_tail_is_read_first_and_then_what_comes(kafka: KafkaSettings, producer: KafkaProducer) -> None:
    await producer.send_raw([numbered(seq) for seq in range(1001, 1001 + TAIL + 10)])
    async with reading(kafka) as (feed, tail):
        before = await until(feed, 1000 + TAIL + 10)
        assert await tail.check() is None
        await producer.send_raw([numbered(2001)])
        await until(feed, 2001)

    due = [event.event.seq for event in before if event.position.topic == MILESTONE_DUE.name]
    assert due == list(range(1011, 1061))
    assert [event.event.seq for event in feed.latest()][-2:] == [1060, 2001]


async def test_every_process_hears_everything_and_no_group_is_left(
    kafka: KafkaSettings, producer: KafkaProducer
) -> None:
    async with reading(kafka) as (one, _), reading(kafka) as (other, _):
        await producer.send_raw([numbered(3001)])
        await until(one, 3001)
        await until(other, 3001)
        admin = AIOKafkaAdminClient(**kafka.client_options())
        await admin.start()
        groups = await admin.list_consumer_groups()
        await admin.close()

    assert not [name for name, *_ in groups if "portal" in name or not name]


async def test_an_unreadable_record_holds_nothing_up(kafka: KafkaSettings, producer: KafkaProducer) -> None:
    async with reading(kafka) as (feed, _):
        headers: list[tuple[str, bytes]] = [("ce_id", b"\xff\xfe"), ("content-type", b"application/json")]
        poison = replace(DUE, value=b'{"seq": 1}', headers=list(headers))
        await producer.send_raw(
            [numbered(4001), numbered(4002, poison), (DUE.topic.name, DUE.key, None, []), numbered(4003)]
        )
        told = await until(feed, 4003)

    numbers = [event.event.seq for event in told if event.event.seq > 4000]
    assert numbers == [4001, 4003]


async def test_without_a_broker_the_feed_is_not_ready() -> None:
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    tail = LiveEventReader(kafka_broker(nowhere), LiveFeed())

    assert await tail.check() == "not connected"


async def until_it_says(tail: LiveEventReader, words: str | None) -> None:
    """Wait until the readiness check says these words, None for well."""
    async with asyncio.timeout(15):
        while (said := await tail.check()) != words and not (said and words and words in said):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_a_frozen_kafka_is_said(stack: EmbeddedStack, kafka: KafkaSettings, producer: KafkaProducer) -> None:
    """The feed's reader would wait on without a word."""
    async with reading(kafka) as (feed, tail):
        await producer.send_raw([numbered(4001)])
        await until(feed, 4001)
        await until_it_says(tail, None)
        os.kill(stack.processes()["kafka-0"], signal.SIGSTOP)
        try:
            await until_it_says(tail, "nothing heard for")
        finally:
            os.kill(stack.processes()["kafka-0"], signal.SIGCONT)
        await producer.send_raw([numbered(4002)])
        await until(feed, 4002)
        await until_it_says(tail, None)
