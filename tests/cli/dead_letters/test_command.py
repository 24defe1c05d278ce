"""`pledgewire dead-letters` as an operator types it, against a real broker and the registry's audit log."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.embedded.stack import EmbeddedStack
from services.cli.databases import schema_versions
from services.cli.running_stack import kafka_settings
from services.cli.topics import apply_topics
from services.plumbing.kafka.dead_letters import DeadLetters, dead_letter
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from tests.conftest import FreshDatabase
from tests.journeys.operating import run_pledgewire

TOPIC = "consistency-flagged"
Run = Callable[..., Awaitable[tuple[int, Any, str]]]
HEADERS = [("ce_id", b"00000000-0000-7000-8000-000000000001"), ("ce_type", b"x")]


@pytest.fixture(scope="module")
def kafka_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Kafka of its own: the commands look at every topic, and other tests put records aside, too."""
    with EmbeddedStack(tmp_path_factory.mktemp("letters")) as stack:
        yield {name: text for name, text in stack.environment().items() if name.startswith("KAFKA_")}


@pytest.fixture(scope="module")
async def kafka(kafka_environment: dict[str, str]) -> KafkaSettings:
    settings = kafka_settings(kafka_environment)
    await apply_topics(settings)
    return settings


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(schema_versions())


@pytest.fixture
def run(kafka_environment: dict[str, str], url: str) -> Run:
    """The status of a command, what it prints with --json, and what it complains of."""

    async def ran(*words: str) -> tuple[int, Any, str]:
        environment = kafka_environment | {"DATABASE_URL": url}
        done = await asyncio.to_thread(run_pledgewire, environment, "dead-letters", *words, "--json")
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stdout, done.stderr

    return ran


async def records(kafka: KafkaSettings, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """What lies there now."""
    consumer = AIOKafkaConsumer(topic, **kafka.client_options(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = list(consumer.assignment())
        first, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        found: list[ConsumerRecord[bytes, bytes]] = []
        while len(found) < sum(ends.values()) - sum(first.values()):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def put_aside(kafka: KafkaSettings, *values: bytes) -> None:
    """Publish these, and have a group give them up in this order, whichever partition answers first."""
    producer = AIOKafkaProducer(**kafka.client_options(), acks="all")
    await producer.start()
    try:
        for number, value in enumerate(values):
            await producer.send_and_wait(TOPIC, value, key=b"coal", partition=number % 2, headers=HEADERS)
    finally:
        await producer.stop()
    burying = KafkaProducer(kafka)
    try:
        taken = [one for one in await records(kafka, TOPIC) if one.value in values]
        taken.sort(key=lambda one: values.index(one.value or b""))
        letters = [dead_letter(one, ValueError(f"can't read {one.value!r}")) for one in taken]
        await DeadLetters(burying).bury("notifier", letters)
    finally:
        await burying.close()


async def test_letters_are_listed_shown_replayed_and_dropped(run: Run, kafka: KafkaSettings, url: str) -> None:
    """
    Each once, with a reason and by somebody; what is settled is counted, and goes when nothing older is open.
    """
    await put_aside(kafka, b"one", b"two", b"three")
    status, found, _ = await run("list")
    assert (status, found["counts"]) == (0, {"open": 3})
    by_reason = {one["reason"]: one for one in found["items"]}
    two = by_reason["can't read b'two'"]
    assert (two["group"], two["error"], two["from"]) == ("notifier", "ValueError", f"{TOPIC}/1/0")

    _, shown, _ = await run("show", two["id"])
    assert (shown["key"], shown["value"], shown["headers"]["ce_type"]) == ("coal", "two", "x")

    assert (await run("replay", two["id"], "--reason", "Mended in 0.3.1", "--by", "ana"))[1] == {
        "replayed": 1,
        "open": 2,
    }
    again = [one for one in await records(kafka, TOPIC) if one.value == b"two"]
    assert [(one.partition, one.key, list(one.headers)) for one in again] == [(1, b"coal", HEADERS)] * 2
    assert len(await records(kafka, f"{TOPIC}-dead")) == 3, "an older one is open"

    status, _, complaint = await run("replay", two["id"], "--reason", "Once more")
    assert (status, "was replayed by ana already" in complaint) == (2, True)
    assert (await run("drop", "--all", "--topic", TOPIC, "--reason", "Sent by a test"))[1] == {"dropped": 2, "open": 0}

    _, after, _ = await run("list", "--all")
    assert (after["items"], await records(kafka, f"{TOPIC}-dead")) == ([], [])
    connection = await asyncpg.connect(url)
    try:
        said = await connection.fetch("select action, subject, client, after from registry.audit_pending order by id")
    finally:
        await connection.close()
    assert [one["action"] for one in said] == ["dead-letter.replayed", *["dead-letter.dropped"] * 2]
    assert said[0]["subject"] == f"dead-letter/{two['id']}"
    assert said[0]["client"] == "command-line/ana"
    assert json.loads(said[0]["after"])["reason"] == "Mended in 0.3.1"


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["drop", "--reason", "x"], 2, "say which letters are meant"),
        (["drop", "a", "--all", "--reason", "x"], 2, "say which letters are meant"),
        (["replay", "nonsense", "--reason", "x"], 2, "nonsense is no id of a letter"),
        (["show", f"{TOPIC}-dead/0/4711"], 3, "there is no letter"),
        (["drop", "--all", "--reason", " "], 2, "this is no reason"),
    ],
)
async def test_what_is_asked_wrongly_changes_nothing(words: list[str], status: int, complaint: str, run: Run) -> None:
    ended, _, said = await run(*words)

    assert (ended, complaint in said, len(said.splitlines())) == (status, True, 2)


async def test_what_was_not_kept_whole_can_be_dropped_only(run: Run, kafka: KafkaSettings) -> None:
    producer = AIOKafkaProducer(**kafka.client_options())
    await producer.start()
    try:
        headers = [("dead_value", b"too large"), ("dead_group", b"notifier"), ("dead_topic", TOPIC.encode())]
        await producer.send_and_wait(f"{TOPIC}-dead", b"", key=b"coal", headers=headers)
    finally:
        await producer.stop()

    status, _, complaint = await run("replay", "--all", "--reason", "x")
    assert (status, "its value was too large to be kept" in complaint) == (2, True)
    assert (await run("drop", "--all", "--reason", "Asked for again"))[1] == {"dropped": 1, "open": 0}
