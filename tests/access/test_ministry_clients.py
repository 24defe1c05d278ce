"""What the engineers' page says of a client, tried as a ministry: its groups, its topics, and what refuses."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from confluent_kafka import Consumer
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from services.cli.access.applying import apply_access, new_password
from services.cli.access.document import access_from
from services.cli.fleet import PROJECT
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import as_principal

ENGINEERS = PROJECT / "docs" / "for-engineers.md"
DOCUMENT = access_from("ministries: {mx-sre: {read: [milestone-due], report: true}}", "the test's file")


@pytest.fixture
async def ministry(kafka: KafkaSettings) -> KafkaSettings:
    password = new_password()
    await apply_access(kafka, DOCUMENT, {"mx-sre": password})
    return as_principal(kafka, "mx-sre", password)


async def put(kafka: KafkaSettings, topic: str, value: bytes, headers: Mapping[str, bytes] | None = None) -> None:
    producer = AIOKafkaProducer(**kafka.client_options(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key=b"k", headers=list((headers or {}).items()))
    finally:
        await producer.stop()


@pytest.mark.parametrize("options", [{}, {"allow_auto_create_topics": False}], ids=["by default", "as we advise"])
async def test_a_subscriber_of_faststream_reads_in_a_group_of_its_own(
    kafka: KafkaSettings, ministry: KafkaSettings, options: Mapping[str, bool]
) -> None:
    broker = KafkaBroker(ministry.bootstrap_servers.split(","), security=ministry.faststream_security(), **options)
    mark, heard = str(uuid4()), asyncio.Event()

    @broker.subscriber(
        "milestone-due",
        group_id=f"mx-sre.{uuid4()}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def remind(due: Any) -> None:  # other tests have put what is no event there, too
        if mark in str(due):
            heard.set()

    await put(kafka, "milestone-due", f'{{"mark": "{mark}"}}'.encode(), {"content-type": b"application/json"})
    async with broker:
        await broker.start()
        async with asyncio.timeout(30):
            await heard.wait()


@pytest.mark.parametrize("group", ["reminders", "mx-sre", "ca-gac.reminders"])
async def test_a_group_of_another_name_is_refused(ministry: KafkaSettings, group: str) -> None:
    consumer = AIOKafkaConsumer("milestone-due", **ministry.client_options(), group_id=group)
    try:
        with pytest.raises(GroupAuthorizationFailedError):
            async with asyncio.timeout(30):
                await consumer.start()
    finally:
        await consumer.stop()


async def test_a_topic_that_was_not_granted_is_refused(ministry: KafkaSettings) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        async with asyncio.timeout(30):
            await put(ministry, "status-reported-ca-gac", b"{}")


async def test_an_idempotent_producer_reports(ministry: KafkaSettings) -> None:
    """
    Without a right beyond writing its own topic.
    """
    await put(ministry, "status-reported-mx-sre", b"{}")


@pytest.mark.parametrize(
    ("spoiled", "topic", "said"),
    [
        ({"group.id": "reminders"}, "milestone-due", "GROUP_AUTHORIZATION_FAILED"),
        ({"group.id": "mx-sre"}, "milestone-due", "GROUP_AUTHORIZATION_FAILED"),
        ({}, "milestone-duo", "TOPIC_AUTHORIZATION_FAILED"),
        ({}, "status-changed", "TOPIC_AUTHORIZATION_FAILED"),
        ({"sasl.password": "a-guess"}, "milestone-due", "invalid credentials"),
    ],
)
async def test_librdkafka_says_what_is_amiss(
    spoiled: Mapping[str, str], topic: str, said: str, ministry: KafkaSettings
) -> None:
    """
    In the words that the engineers' page tells.
    """
    heard: list[str] = []
    consumer = Consumer(
        {
            "bootstrap.servers": ministry.bootstrap_servers,
            "security.protocol": ministry.security_protocol,
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "mx-sre",
            "sasl.password": ministry.sasl_password.get_secret_value(),
            "group.id": f"mx-sre.{uuid4()}",
            "error_cb": lambda error: heard.append(str(error)),
            "log_level": 0,
            **spoiled,
        }
    )
    consumer.subscribe([topic])
    try:
        async with asyncio.timeout(30):
            while not heard:
                message = await asyncio.to_thread(consumer.poll, 0.2)
                heard += [str(message.error())] if message and message.error() else []
    finally:
        await asyncio.to_thread(consumer.close)

    assert said in heard[0]
    assert said in ENGINEERS.read_text(encoding="utf-8")
