"""The producer against brokers that freeze and answers that get lost: what is acknowledged is there, once."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.produce import ProduceRequest

from deploy.embedded.stack import EmbeddedStack
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import Outgoing
from services.plumbing.relay import Acknowledged
from tests.plumbing.conftest import MakeTopic, ReadTopic


async def leader_of_a_new_topic(name: str) -> str:
    """Make a topic of one partition with three replicas; the broker that leads it, once all three are in step."""
    admin = AIOKafkaAdminClient(**KafkaSettings().client_options())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 3)])
        async with asyncio.timeout(60):
            while True:
                [described] = await admin.describe_topics([name])
                for partition in described["partitions"]:
                    if partition["leader"] >= 0 and len(partition["isr"]) == 3:
                        return f"kafka-{partition['leader']}"
                await asyncio.sleep(0.1)
    finally:
        await admin.close()


@pytest.mark.slow
def taken(results: Sequence[Acknowledged | BaseException]) -> list[bool]:
    return [isinstance(one, Acknowledged) for one in results]


async def test_what_its_leader_alone_has_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While both followers are frozen, the record is on one disk only: it counts as not published, until they go on.
    """
    with EmbeddedStack(tmp_path / "stack", brokers=3) as stack:
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        leader = await leader_of_a_new_topic("t")
        record = Outgoing(uuid4(), "t", "a", {}, b"once")
        producer = KafkaProducer(KafkaSettings(send_timeout=5))
        followers = [pid for name, pid in stack.processes().items() if name.startswith("kafka") and name != leader]
        assert len(followers) == 2
        assert taken(await producer.publish([record])) == [True]  # connected, and all three are well
        for pid in followers:
            os.kill(pid, signal.SIGSTOP)
        try:
            [alone] = await producer.publish([record])
        finally:
            for pid in followers:
                os.kill(pid, signal.SIGCONT)
        producer_again = KafkaProducer(KafkaSettings())
        together = await producer_again.publish([record])
        await producer.close()
        await producer_again.close()

    assert isinstance(alone, TimeoutError)
    assert taken(together) == [True]


async def test_a_record_whose_acknowledgement_was_lost_is_written_once(
    kafka: KafkaSettings, make_topic: MakeTopic, read_topic: ReadTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The broker knows what an idempotent producer sends again; other producers write it twice.
    """
    topic = await make_topic(1)
    producer = KafkaProducer(kafka)
    one, two, three = (Outgoing(uuid4(), topic, "a", {}, value) for value in (b"one", b"two", b"three"))
    assert taken(await producer.publish([one])) == [True]  # so the answer that is lost is that of a leader
    send = AIOKafkaClient.send
    lost: list[object] = []

    async def losing_the_first_answer(client: AIOKafkaClient, node: int, request: Any, **options: Any) -> Any:
        answer = await send(client, node, request, **options)
        if isinstance(request, ProduceRequest) and not lost:
            lost.append(answer)
            raise RequestTimedOutError
        return answer

    monkeypatch.setattr(AIOKafkaClient, "send", losing_the_first_answer)
    try:
        results = await producer.publish([two])
        results += await producer.publish([three])
    finally:
        await producer.close()

    assert lost
    assert taken(results) == [True, True]
    assert [r.value for r in await read_topic(topic, 3)] == [b"one", b"two", b"three"]
