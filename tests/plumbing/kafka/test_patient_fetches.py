"""A consumer at rest hardly asks, and what comes after a lull is taken at once, whatever happened before."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ConsumerStoppedError

from services.plumbing.kafka import consumer as consumer_module
from services.plumbing.kafka.patient_fetches import LONG_MS, SHORT_MS, PatientConsumer, PatientFetcher
from services.plumbing.kafka.settings import KafkaSettings
from tests.plumbing.conftest import MakeTopic

assert consumer_module  # it is what sets the fetcher in its place

QUICK = 1.0
"""Seconds; far less than a fetch waits, far more than this machine needs."""


class Reading:
    """A consumer, and what it has been given: when, from where, at which offset."""

    def __init__(self, consumer: PatientConsumer) -> None:
        self.consumer = consumer
        self.heard: list[tuple[TopicPartition, int]] = []
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConsumerStoppedError):
            while True:
                for partition, records in (await self.consumer.getmany(timeout_ms=1)).items():
                    self.heard += [(partition, record.offset) for record in records]
                self._more.set()

    async def wait_for(self, count: int, seconds: float = QUICK) -> None:
        async with asyncio.timeout(seconds):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()

    async def close(self) -> None:
        await self.consumer.stop()
        await self._task


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long each fetch was to wait, in milliseconds."""
    waits: list[int] = []
    plain = PatientFetcher._proc_fetch_request

    async def noting(self: Any, assignment: Any, node: int, request: Any) -> Any:
        waits.append(request._max_wait_ms)
        return await plain(self, assignment, node, request)

    monkeypatch.setattr(PatientFetcher, "_proc_fetch_request", noting)
    return waits


@pytest.fixture
async def topics(make_topic: MakeTopic) -> list[str]:
    return [await make_topic(partitions=3) for _ in range(2)]


@pytest.fixture
async def writer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    writer = AIOKafkaProducer(**kafka.client_options(), acks="all")
    await writer.start()
    yield writer
    await writer.stop()


@pytest.fixture
async def reading(kafka: KafkaSettings, topics: list[str], waits: list[int]) -> AsyncIterator[Reading]:
    """At rest: its long fetch is under way."""
    consumer = PatientConsumer(
        *topics,
        **kafka.client_options(),
        group_id=f"g-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=LONG_MS,
    )
    await consumer.start()
    reading = Reading(consumer)
    await at_rest(waits)
    yield reading
    await reading.close()


async def at_rest(waits: list[int]) -> None:
    async with asyncio.timeout(10):
        while not waits or waits[-1] != LONG_MS:  # noqa: ASYNC110  the fetcher's own loop does it
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)


async def test_at_rest_one_fetch_is_under_way_and_each_partition_is_heard_at_once(
    reading: Reading, topics: list[str], writer: AIOKafkaProducer, waits: list[int]
) -> None:
    before = len(waits)
    await asyncio.sleep(1.5)
    assert len(waits) == before

    for count, partition in enumerate([(topic, number) for topic in topics for number in range(3)], 1):
        started = time.monotonic()
        await writer.send_and_wait(partition[0], b"x", partition=partition[1])
        await reading.wait_for(count)
        assert time.monotonic() - started < QUICK
        assert reading.heard[-1][0] == partition
        await asyncio.sleep(0.3)


async def test_what_is_set_back_comes_again_at_once(
    reading: Reading, topics: list[str], writer: AIOKafkaProducer, waits: list[int]
) -> None:
    partition = TopicPartition(topics[0], 1)
    await writer.send_and_wait(partition.topic, b"x", partition=1)
    await reading.wait_for(1)
    await at_rest(waits)

    reading.consumer.seek(partition, 0)
    await reading.wait_for(2)

    assert reading.heard == [(partition, 0)] * 2


async def test_a_held_partition_comes_again_when_its_pause_ends_and_holds_no_other(
    reading: Reading, topics: list[str], writer: AIOKafkaProducer, waits: list[int]
) -> None:
    """As the intake holds one: set back and paused, and fetched again later, on a silent topic or a loud one."""
    held, other = TopicPartition(topics[0], 0), TopicPartition(topics[1], 2)
    await writer.send_and_wait(held.topic, b"x", partition=held.partition)
    await reading.wait_for(1)
    await at_rest(waits)

    reading.consumer.seek(held, 0)
    reading.consumer.pause(held)
    await asyncio.sleep(0.2)
    reading.consumer.resume(held)
    await reading.wait_for(2)
    await at_rest(waits)
    reading.consumer.seek(held, 0)
    reading.consumer.pause(held)
    await writer.send_and_wait(other.topic, b"x", partition=other.partition)
    await reading.wait_for(3)
    await asyncio.sleep(0.2)
    assert waits[-1] == SHORT_MS
    reading.consumer.resume(held)
    await reading.wait_for(4)

    assert reading.heard == [(held, 0), (held, 0), (other, 0), (held, 0)]


async def test_what_is_not_taken_keeps_the_fetch_of_the_others_short(
    kafka: KafkaSettings, topics: list[str], writer: AIOKafkaProducer, waits: list[int]
) -> None:
    """A reader that is busy with one partition's records hears of another's as soon as it asks again."""
    consumer = PatientConsumer(*topics, **kafka.client_options(), auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        await writer.send_and_wait(topics[0], b"x", partition=0)
        await asyncio.sleep(0.5)  # busy: fetched, and not taken
        assert waits[-1] == SHORT_MS
        await writer.send_and_wait(topics[1], b"x", partition=0)
        async with asyncio.timeout(QUICK):
            heard = set(await consumer.getmany())
            while len(heard) < 2:
                heard |= set(await consumer.getmany())
    finally:
        await consumer.stop()


async def test_a_stop_does_not_wait_for_the_fetch(reading: Reading) -> None:
    started = time.monotonic()
    await reading.close()
    assert time.monotonic() - started < QUICK
