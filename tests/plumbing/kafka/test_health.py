"""What stands still, lies unread or can't be known shows: in `/readyz` with its reason, and in the metrics by age."""

import asyncio
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from deploy.embedded.stack import EmbeddedStack
from services.plumbing.database import Database
from services.plumbing.kafka.consumer import PatientKafkaBroker, TopicPattern
from services.plumbing.kafka.health import LAG, LAG_READ_AT, STANDS, TOPICS_CUT, kafka_check, watch_consumers
from services.plumbing.kafka.lag import _UNKNOWN_READINGS, _dropped, _unknown_for, read_lag
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.standing import LONGEST_STAND, StandingPartitions
from tests.plumbing.conftest import MakeTopic
from tests.plumbing.kafka.test_intake import Effects, Running, good, running, send

__all__ = ["running"]

LONG_ENOUGH = 15


@pytest.fixture
async def admin(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**kafka.client_options())
    await client.start()
    yield client
    await client.close()


@asynccontextmanager
async def watched(broker: PatientKafkaBroker) -> AsyncIterator[Callable[[], Awaitable[str | None]]]:
    """The readiness check of a broker whose consumers are looked at."""
    stopping = asyncio.Event()
    watching = asyncio.create_task(watch_consumers(broker, stopping, every=0.2))
    try:
        yield kafka_check(broker)
    finally:
        stopping.set()
        await watching


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = LONG_ENOUGH) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  what is waited for happens in the broker
            await asyncio.sleep(0.1)


async def is_well(broker: PatientKafkaBroker, check: Callable[[], Awaitable[str | None]], topic: str) -> bool:
    """Whether all was measured, nothing lies unread, and nothing is wrong."""
    return bool(LAG_READ_AT.labels(f"g-{topic}")._value.get()) and lag(topic, 0) == 0 and await check() is None


async def expect_trouble(check: Callable[[], Awaitable[str | None]], words: str) -> None:
    """Wait until the check says these words, as long as promise 18 allows."""

    async def says() -> bool:
        return words in (await check() or "well")

    await until(says)


def lag(topic: str, partition: int) -> float:
    value: float = LAG.labels(f"g-{topic}", topic, str(partition))._value.get()
    return value


async def make_again(admin: AIOKafkaAdminClient, topic: str, partitions: int) -> None:
    await admin.delete_topics([topic])

    async def is_gone() -> bool:
        return topic not in await admin.list_topics()

    await until(is_gone)
    await admin.create_topics([NewTopic(topic, partitions, 1)])


@pytest.mark.slow
async def test_partitions_that_are_added_are_read(
    admin: AIOKafkaAdminClient, database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    async with running(topic, effects) as broker, watched(broker):
        await send(producer, topic, good("one"))
        await effects.expect(1)
        await admin.create_partitions({topic: NewPartitions(4)})
        writer = KafkaProducer(KafkaSettings())  # which knows of all four
        await send(writer, topic, *((str(i).encode(), str(i).encode(), good("")[2]) for i in range(20)))
        await writer.close()

        async def all_are_read() -> bool:
            return len(await effects.words()) == 21

        await until(all_are_read)


@pytest.mark.slow
async def test_topics_that_a_pattern_finds_are_read_as_they_come_and_missed_when_they_go(
    admin: AIOKafkaAdminClient, database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    """
    Without a start anew, whether there was one before or none; a dead-letter topic is none of them.
    """
    prefix = f"t-{uuid4().hex[:10]}"
    effects = Effects(database)
    pattern = TopicPattern(rf"^{prefix}-(?!.*-dead$)[a-z0-9]+(-[a-z0-9]+)*$")
    async with running(pattern, effects, group=f"g-{prefix}") as broker, watched(broker) as check:
        await until(lambda: no_trouble(check))
        for word, name in (("one", f"{prefix}-mx-sre"), ("two", f"{prefix}-br-mre")):
            await make_topic(partitions=2, name=name)
            await send(producer, name, good(word))
            await until(partial(has_heard, effects, word))
        await until(lambda: no_trouble(check))
        await admin.delete_topics([f"{prefix}-mx-sre"])
        await expect_trouble(check, f"the topic {prefix}-mx-sre is missing")


async def no_trouble(check: Callable[[], Awaitable[str | None]]) -> bool:
    return await check() is None


async def has_heard(effects: Effects, word: str) -> bool:
    return word in await effects.words()


async def test_lag_counts_what_lies_in_partitions_that_nobody_reads(
    admin: AIOKafkaAdminClient, kafka: KafkaSettings, producer: KafkaProducer, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=2)
    await send(producer, topic, *((str(i).encode(), b"", []) for i in range(20)))
    consumer = AIOKafkaConsumer(**kafka.client_options(), group_id=f"g-{topic}", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        reading = await read_lag(consumer, [topic], StandingPartitions(1.0), None)
    finally:
        await consumer.stop()

    assert set(reading.positions) == {TopicPartition(topic, 0)}
    assert sum(reading.lag.values()) == 20
    assert reading.lag[TopicPartition(topic, 1)] > 0


@pytest.mark.slow
@pytest.mark.parametrize("written_since", [0, 10])
async def test_a_topic_that_was_deleted_and_made_again_is_noticed_and_read_from_its_beginning(
    written_since: int,
    admin: AIOKafkaAdminClient,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    running: Running,
) -> None:
    """Also where more stands in the new one than was read of the old one, so that no offset is out of range."""
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    await send(producer, topic, *(good(f"old {i}") for i in range(5)))
    async with running(topic, effects) as broker, watched(broker) as check:
        await effects.expect(5)
        await until(partial(is_well, broker, check, topic))

        await make_again(admin, topic, 1)
        writer = KafkaProducer(KafkaSettings())
        await send(writer, topic, *(good(f"new {i}") for i in range(written_since)))
        await expect_trouble(check, f"the topic {topic} was deleted and made again")
        assert TOPICS_CUT.labels(f"g-{topic}")._value.get() == 1
        await send(writer, topic, good("last"))
        await writer.close()
        words = await effects.expect(5 + written_since + 1)

    assert [word for word in words if word.startswith("new")] == [f"new {i}" for i in range(written_since)]
    assert "last" in words


@pytest.mark.slow
async def test_a_topic_that_is_missing_is_said_with_its_name(
    admin: AIOKafkaAdminClient, database: Database, make_topic: MakeTopic, running: Running
) -> None:
    """One that is read, one for what is put aside, or one that the process only writes."""
    topic, written = await make_topic(partitions=1), await make_topic(partitions=1)
    async with running(topic, Effects(database), writes=[written]) as broker, watched(broker) as check:
        await until(partial(is_well, broker, check, topic))
        await admin.delete_topics([f"{topic}-dead", written])
        await expect_trouble(check, f"the topic {topic}-dead is missing")
        await expect_trouble(check, f"the topic {written} is missing")


@pytest.mark.slow
async def test_while_kafka_is_frozen_lag_is_unknown_and_no_zero(
    stack: EmbeddedStack, database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    async with running(topic, effects) as broker, watched(broker) as check:
        await send(producer, topic, good("one"))
        await effects.expect(1)
        await until(partial(is_well, broker, check, topic))

        os.kill(stack.processes()["kafka-0"], signal.SIGSTOP)
        try:
            await expect_trouble(check, "nothing heard for")
            await expect_trouble(check, "lag is unknown")  # which was known later than the consumer last heard
            assert math.isnan(lag(topic, 0))
            assert math.isnan(STANDS.labels(f"g-{topic}", topic, "0")._value.get())
        finally:
            os.kill(stack.processes()["kafka-0"], signal.SIGCONT)
        await until(partial(is_well, broker, check, topic), 60)


async def test_a_partition_that_stands_still_is_told_by_age_and_with_its_reason(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    effects.failures = [KeyError("a defect")] * 10_000
    await send(producer, topic, *(good(f"{i}") for i in range(30)))
    async with running(topic, effects) as broker, watched(broker) as check:
        stands = STANDS.labels(f"g-{topic}", topic, "0")._value

        async def stands_with_all() -> bool:
            return stands.get() > 0 and lag(topic, 0) == 30

        await until(stands_with_all)
        assert await check() is None
        trouble = broker.watches[0].troubles(time.monotonic() + LONGEST_STAND)[0]
        assert "stands still" in trouble
        assert "a defect" in trouble

        effects.failures.clear()

        async def moves() -> bool:
            return not stands.get() and await is_well(broker, check, topic)

        await until(moves)


def test_a_coordinator_that_comes_back_is_no_topic_that_was_deleted() -> None:
    """It was seen to know no commit of a group for a moment, after the broker had been frozen."""
    one, two = TopicPartition("one", 0), TopicPartition("two", 0)

    once = _unknown_for({one: 3}, {}, {})
    twice = _unknown_for({one: 3}, {}, once)

    assert _dropped({one: 3}, {}, {}, once) == _dropped({one: 3}, {}, once, twice) == set()
    assert _dropped({one: 3}, {one: 3}, twice, _unknown_for({one: 3}, {one: 3}, twice)) == set()
    assert _unknown_for({one: 3, two: 5}, {}, {}) == {}
    assert _unknown_for({one: 3, two: 5}, {two: 5}, {}) == {one: 1}


def test_what_the_coordinator_knows_no_longer_or_knows_otherwise_was_deleted() -> None:
    one = TopicPartition("one", 0)

    assert _dropped({one: 3}, {}, {one: _UNKNOWN_READINGS - 1}, {one: _UNKNOWN_READINGS}) == {one}
    assert _dropped({one: 3}, {one: 8}, {one: 1}, {}) == {one}


def test_each_partition_has_a_pause_of_its_own() -> None:
    standing, one, other = StandingPartitions(15.0), TopicPartition(uuid4().hex, 0), TopicPartition("t", 1)

    pauses = [standing.stand(one, 7, "away", now) for now in range(10)]

    assert pauses == sorted(pauses)
    assert pauses[-1] == 15.0
    assert standing.stand(other, 7, "away", 0.0) == pauses[0]
    standing.move(one)
    assert standing.stand(one, 8, "away", 0.0) == pauses[0]
