"""Who is revoked reads no more, on a connection that is open too; who gets another password needs it."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from services.cli.access.admin import AccessAdmin, AccessRefused, can_log_in
from services.cli.access.applying import apply_access, new_password, revoke, rotate
from services.cli.access.document import access_from
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import as_principal

DOCUMENT = access_from("ministries: {mx-sre: {read: [status-changed], report: true}}", "the test's file")
LONGEST = 5.0
"""Seconds in which reading is to have ended."""


@pytest.fixture
async def ministry(kafka: KafkaSettings) -> KafkaSettings:
    """How the ministry reaches the broker."""
    password = new_password()
    await apply_access(kafka, DOCUMENT, {"mx-sre": password})
    await rotate(kafka, "mx-sre", password)
    return as_principal(kafka, "mx-sre", password)


async def test_reading_ends_within_seconds_on_an_open_connection(kafka: KafkaSettings, ministry: KafkaSettings) -> None:
    """
    A consumer that is in the middle of reading gets nothing that was written after the revocation, and an error.
    """
    consumer = AIOKafkaConsumer(
        "status-changed", **ministry.client_options(), group_id="mx-sre.reading", auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(**kafka.client_options(), acks="all")
    await producer.start()
    await consumer.start()
    try:
        await producer.send_and_wait("status-changed", b"before", key=b"k")
        assert (await asyncio.wait_for(consumer.getone(), 20)).value is not None

        await revoke(kafka, "mx-sre")
        read = []
        with pytest.raises((TopicAuthorizationFailedError, GroupAuthorizationFailedError)):
            async with asyncio.timeout(LONGEST):
                while True:
                    await producer.send_and_wait("status-changed", b"after", key=b"k")
                    read += [r.value for batch in (await consumer.getmany(timeout_ms=50)).values() for r in batch]
        assert b"after" not in read
    finally:
        await producer.stop()
        await consumer.stop()


async def test_writing_ends_too(kafka: KafkaSettings, ministry: KafkaSettings) -> None:
    producer = AIOKafkaProducer(**ministry.client_options(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait("status-reported-mx-sre", b"{}", key=b"k")
        await revoke(kafka, "mx-sre")
        with pytest.raises(KafkaError):
            async with asyncio.timeout(LONGEST):
                await producer.send_and_wait("status-reported-mx-sre", b"{}", key=b"k")
    finally:
        await producer.stop()


async def test_nothing_is_left_of_who_is_revoked(kafka: KafkaSettings, ministry: KafkaSettings) -> None:
    password = ministry.sasl_password.get_secret_value()
    assert await can_log_in(kafka, "mx-sre", password)

    await revoke(kafka, "mx-sre")
    await revoke(kafka, "mx-sre")  # again is no error

    assert not await can_log_in(kafka, "mx-sre", password)
    async with AccessAdmin(kafka) as admin:
        found = await admin.found()
    assert "mx-sre" not in found.users | set(found.quotas)
    assert not [acl for acl in found.acls if acl.principal == "User:mx-sre"]


async def test_the_rules_go_before_the_credentials(
    kafka: KafkaSettings, ministry: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Broken off in between, who was to be revoked may log in and do nothing; the other way round it would read on.
    """

    async def broken_off(self: AccessAdmin, names: object) -> None:
        raise AccessRefused("the broker went away")

    with monkeypatch.context() as patched:
        patched.setattr(AccessAdmin, "delete_users", broken_off)
        with pytest.raises(AccessRefused):
            await revoke(kafka, "mx-sre")

    async with AccessAdmin(kafka) as admin:
        assert not [acl for acl in (await admin.found()).acls if acl.principal == "User:mx-sre"]
    await revoke(kafka, "mx-sre")


async def test_another_password_ends_the_first(kafka: KafkaSettings, ministry: KafkaSettings) -> None:
    first, second = ministry.sasl_password.get_secret_value(), new_password()

    await rotate(kafka, "mx-sre", second)

    assert await can_log_in(kafka, "mx-sre", second)
    assert not await can_log_in(kafka, "mx-sre", first)
