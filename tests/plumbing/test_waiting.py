"""What waits is known by its age from the table, by every process, and is unknown once nobody could look."""

import asyncio
import math
import os
import signal
import time
from types import SimpleNamespace
from uuid import uuid4

import pytest

from deploy.embedded.stack import EmbeddedStack
from services.plumbing import waiting as waiting_module
from services.plumbing.clock import EPOCH
from services.plumbing.database import Database
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import UNPUBLISHED, Outgoing, append, unpublished_events
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.waiting import LONGEST_WAIT, OLDEST, STALE_AFTER
from tests.plumbing.conftest import MakeTopic


def age() -> float:
    return {s.labels["what"]: s.value for m in OLDEST.collect() for s in m.samples}["events"]


def unpublished() -> float:
    return next(sample.value for metric in UNPUBLISHED.collect() for sample in metric.samples)


def go_on(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time go by for the readings."""
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds)
    monkeypatch.setattr(waiting_module, "time", clock)


async def write(database: Database, topic: str) -> None:
    async with database.transaction() as connection:
        await append(database, connection, [Outgoing(uuid4(), topic, "k", {}, b"v")], EPOCH)


async def test_an_event_that_nobody_publishes_is_seen_by_a_process_that_has_no_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = unpublished_events(database)
    await waiting.read()
    assert (age(), unpublished(), await waiting.check()) == (0.0, 0.0, None)

    await write(database, "t")
    await write(database, "t")
    await waiting.read()
    first = age()
    await waiting.read()

    assert 0 < first < age()
    assert unpublished() == 2
    assert await waiting.check() is None
    go_on(monkeypatch, LONGEST_WAIT)
    assert "has not moved for 10 s" in (await waiting.check() or "")


async def test_a_reading_that_is_too_old_is_unknown_and_no_zero(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = unpublished_events(database)
    assert math.isnan(age())  # never read yet
    await waiting.read()
    await database.close()
    await waiting.read()  # no error: what is away is said elsewhere

    assert age() == 0.0
    go_on(monkeypatch, STALE_AFTER)
    assert math.isnan(age())
    assert math.isnan(unpublished())


async def test_while_the_oldest_moves_nothing_stands_still(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = unpublished_events(database)
    for number in range(3):
        go_on(monkeypatch, number * (LONGEST_WAIT - 1))
        await write(database, "t")
        await waiting.read()
        assert await waiting.check() is None
        async with database.connection() as connection:
            await connection.execute("update outbox set published_at = clock_timestamp()")


async def test_a_topic_that_is_missing_shows_as_an_age(
    database: Database, kafka: KafkaSettings, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is set aside and holds up no other topic, but it is the oldest all the same, and not ready."""
    topic, producer = await make_topic(), KafkaProducer(kafka)
    relay, waiting = Relay(database, producer, OutboxSettings()), unpublished_events(database)
    await write(database, f"t-{uuid4().hex}")
    await write(database, topic)
    assert await relay.publish_once() == 1
    await waiting.read()
    first = age()
    go_on(monkeypatch, LONGEST_WAIT)
    await write(database, topic)
    assert await relay.publish_once() == 1
    await waiting.read()
    await producer.close()

    assert 0 < first < age()
    assert unpublished() == 1
    assert "has not moved for 10 s" in (await waiting.check() or "")


async def test_a_frozen_kafka_shows_as_an_age(
    stack: EmbeddedStack, database: Database, kafka: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = KafkaProducer(kafka.model_copy(update={"send_timeout": 2.0}))
    relay, waiting = Relay(database, producer, OutboxSettings()), unpublished_events(database)
    await write(database, topic)
    assert await relay.publish_once() == 1
    os.kill(stack.processes()["kafka-0"], signal.SIGSTOP)
    try:
        await write(database, topic)
        publishing = asyncio.create_task(relay.publish_once())
        async with asyncio.timeout(10):
            while not age() >= 1.0:  # unknown is not enough
                await waiting.read()
                await asyncio.sleep(0.1)
        assert unpublished() == 1
    finally:
        os.kill(stack.processes()["kafka-0"], signal.SIGCONT)
    await asyncio.wait([publishing])
    publishing.exception()
    while await relay.publish_once():
        continue
    await waiting.read()
    await producer.close()

    assert (age(), unpublished()) == (0.0, 0.0)
