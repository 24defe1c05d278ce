"""What a batch of records becomes: effects once, dead letters with a reason, and nothing lost."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from faststream import AckPolicy

from contracts.topics import DEAD_TOPIC
from services.plumbing.clock import EPOCH
from services.plumbing.database import Database
from services.plumbing.inbox import first_sight
from services.plumbing.isolation import SYSTEMIC
from services.plumbing.kafka.consumer import TopicPattern, kafka_broker, subscribe
from services.plumbing.kafka.dead_letters import DEAD_LETTERS, DeadLetter, DeadLetters
from services.plumbing.kafka.health import DEAD_DEPTH, LAG, Stuck, watch_consumers
from services.plumbing.kafka.intake import Held, Intake
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.standing import LONGEST_STAND
from services.plumbing.recovery.consumed import ConsumedPositions
from services.plumbing.refusals import RefusedByRule
from services.plumbing.transient_errors import Unavailable
from tests.plumbing.conftest import MakeTopic, ReadTopic

Event = tuple[UUID, str]


def read(record: ConsumerRecord[bytes, bytes]) -> Event:
    headers = {name: value.decode() for name, value in record.headers}
    if record.value is None:
        raise ValueError("no value")
    return UUID(headers["id"]) if "id" in headers else UUID(int=0), record.value.decode()


def good(word: str, event_id: UUID | None = None) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    return b"key", word.encode(), [("id", str(event_id or uuid4()).encode())]


class Effects:
    """Writes each event's word once, and can be told to fail first."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.failures: list[Exception] = []
        self.batches: list[int] = []
        self.heard: list[str] = []

    async def apply(self, events: Sequence[Event]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(events))
        self.heard += [word for _, word in events]
        async with self.database.transaction() as connection:
            fresh = await first_sight(connection, "test", [event_id for event_id, _ in events], EPOCH)
            done: set[UUID] = set()
            for event_id, word in events:
                if word == "cursed":
                    raise KeyError("a defect that this word wakes")
                if word.startswith("stale"):
                    raise RefusedByRule("this is not the newest")
                if event_id in fresh and event_id not in done:
                    done.add(event_id)
                    await connection.execute("insert into effect values ($1, $2)", event_id, word)

    async def words(self) -> list[str]:
        async with self.database.connection() as connection:
            return [row["word"] for row in await connection.fetch("select word from effect order by word")]

    async def expect(self, count: int) -> list[str]:
        for _ in range(200):
            words = await self.words()
            if len(words) >= count:
                return words
            await asyncio.sleep(0.05)
        return await self.words()


Running = Callable[..., Any]


@pytest.fixture
def running(kafka: KafkaSettings, producer: KafkaProducer) -> Running:
    @asynccontextmanager
    async def run(
        topic: str | TopicPattern,
        effects: Effects,
        group: str = "",
        writes: Sequence[str] = (),
        positions: ConsumedPositions | None = None,
    ) -> Any:
        broker = kafka_broker(kafka, writes)
        intake = Intake(group or f"g-{topic}", read, effects.apply, DeadLetters(producer), positions=positions)
        subscribe(broker, topic if isinstance(topic, TopicPattern) else [topic], intake)
        await broker.start()
        try:
            yield broker
        finally:
            await broker.stop()

    return run


async def send(producer: KafkaProducer, topic: str, *records: Any) -> None:
    await producer.send_raw([(topic, key, value, headers) for key, value, headers in records])


async def committed(kafka: KafkaSettings, topic: str, group: str) -> int:
    """How far the group has committed, over all partitions."""
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return sum(meta.offset for partition, meta in offsets.items() if partition.topic == topic and meta.offset > 0)


async def test_after_an_old_backup_what_lies_between_has_its_effects_before_what_lies_ahead(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    before, after = Effects(database), Effects(database)
    async with running(topic, before, positions=ConsumedPositions(database, "test")):
        await send(producer, topic, *(good(word) for word in ("1", "2", "3", "4")))
        await before.expect(4)
    async with database.connection() as connection:
        await connection.execute("update consumed_position set next_offset = 2; delete from effect; delete from inbox")
    await send(producer, topic, good("5"))
    async with running(topic, after, positions=ConsumedPositions(database, "test")):
        await after.expect(3)

    assert after.heard == ["3", "4", "5"]


async def test_poison_goes_to_the_dead_letter_topic_and_everything_else_arrives(
    kafka: KafkaSettings,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    topic = await make_topic(partitions=1)
    poison = [
        (b"k", None, []),
        (b"k", b"\xff\xfe", [("id", str(uuid4()).encode())]),
        (b"k", b"bad id", [("id", b"no uuid")]),
        (b"k", b"header is no UTF-8", [("id", b"\xff")]),
        (None, b"null header", [("id", None)]),
        good("cursed"),
    ]
    records = []
    for i, bad in enumerate(poison):
        records += [good(f"good {i}"), bad]
    await send(producer, topic, *records, good("last"))
    effects = Effects(database)

    async with running(topic, effects):
        words = await effects.expect(7)
        dead = await read_topic(f"{topic}-dead", len(poison))
        for _ in range(100):
            if await committed(kafka, topic, f"g-{topic}") == 13:
                break
            await asyncio.sleep(0.05)

    assert words == sorted([f"good {i}" for i in range(6)] + ["last"])
    assert {(p[0], p[1], tuple(p[2])) for p in poison} == {
        (d.key, d.value, tuple(h for h in d.headers if not h[0].startswith("dead_"))) for d in dead
    }
    for letter in dead:
        why = {name: value for name, value in letter.headers if name.startswith("dead_")}
        assert set(why) == {"dead_group", "dead_topic", "dead_partition", "dead_offset", "dead_error", "dead_reason"}
        assert why["dead_group"] == f"g-{topic}".encode()
        assert why["dead_topic"] == topic.encode()
    assert await committed(kafka, topic, f"g-{topic}") == 13


async def test_a_repeated_event_has_its_effect_once(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic()
    event_id = uuid4()
    await send(producer, topic, good("one", event_id), good("one", event_id), good("two"))
    await send(producer, topic, good("one", event_id), good("three"))
    effects = Effects(database)

    async with running(topic, effects):
        await effects.expect(3)
        await send(producer, topic, good("one", event_id), good("zero, in a batch of its own"))
        await effects.expect(4)

    assert await effects.words() == ["one", "three", "two", "zero, in a batch of its own"]


async def test_who_sees_an_event_second_waits_for_the_first_and_then_knows_it(database: Database) -> None:
    """Two members of a group may hold the same record at once: looking it up would not do."""
    event_id = uuid4()

    async def see() -> set[UUID]:
        async with database.transaction() as connection:
            return await first_sight(connection, "test", [event_id], EPOCH)

    async with database.transaction() as connection:
        assert await first_sight(connection, "test", [event_id], EPOCH) == {event_id}
        second = asyncio.create_task(see())
        await asyncio.wait([second], timeout=0.3)
        assert not second.done()
    assert await second == await see() == set()


async def test_a_fault_that_passes_loses_nothing_and_keeps_the_order(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, read_topic: ReadTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    effects.failures = [Unavailable("away"), ConnectionError("reset"), TimeoutError()]
    await send(producer, topic, *(good(f"{i:03}") for i in range(50)))

    async with running(topic, effects):
        words = await effects.expect(50)

    assert words == [f"{i:03}" for i in range(50)]
    assert await read_topic(f"{topic}-dead", 0) == []


async def test_offsets_move_only_after_the_effect(
    kafka: KafkaSettings, database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    effects.failures = [Unavailable("away") for _ in range(100)]
    await send(producer, topic, good("one"))

    async with running(topic, effects, group=f"g-{topic}"):
        async with asyncio.timeout(60):
            while len(effects.failures) > 97:  # noqa: ASYNC110  three tries, each of which could have moved the offset
                await asyncio.sleep(0.05)
    assert await committed(kafka, topic, f"g-{topic}") == 0

    effects.failures = []
    async with running(topic, effects, group=f"g-{topic}"):
        assert await effects.expect(1) == ["one"]


async def test_a_new_group_hears_what_was_published_before_it(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic()
    await send(producer, topic, good("early"))
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(1) == ["early"]


async def test_a_dead_letter_that_is_not_taken_keeps_its_record(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)

    class Refusing(DeadLetters):
        tries = 0

        async def bury(self, group: str, letters: Any) -> None:
            if letters:
                Refusing.tries += 1
                raise Unavailable("no room")

    intake = Intake("g", read, effects.apply, Refusing(producer))
    batch = [ConsumerRecord(topic, 0, 0, 0, 0, None, None, None, 0, 0, ())]

    assert await intake.take(batch) == [Held(TopicPartition(topic, 0), 0, "Unavailable: no room")]
    assert Refusing.tries == 1


async def test_a_dead_letter_topic_that_is_missing_is_no_end_of_the_record(
    kafka: KafkaSettings, database: Database
) -> None:
    """The burial raises, so that the record is held; whoever swallowed that would lose it."""
    producer = KafkaProducer(kafka.model_copy(update={"send_timeout": 1.0}))
    record = ConsumerRecord(f"t-{uuid4().hex[:10]}", 0, 0, 0, 0, b"k", None, None, 1, 0, ())
    intake = Intake("g", read, Effects(database).apply, DeadLetters(producer))

    with pytest.raises(Unavailable, match="did not take"):
        await DeadLetters(producer).bury("g", [DeadLetter(record, "no value", "ValueError")])
    [held] = await intake.take([record])
    assert "did not take" in held.reason
    await producer.close()


def cursed(partition: int, offset: int, word: bytes = b"cursed") -> ConsumerRecord[bytes, bytes]:
    headers = (("id", str(uuid4()).encode()),)
    return ConsumerRecord("t", partition, offset, 0, 0, b"k", word, None, 0, len(word), headers)


class Recording(DeadLetters):
    """Keeps what is put aside."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def bury(self, group: str, letters: Sequence[DeadLetter]) -> None:
        self.letters.extend(letters)


async def test_a_defect_of_ours_stops_its_partition_and_buries_nobody(database: Database) -> None:
    dead_letters, effects = Recording(), Effects(database)
    intake = Intake("g", read, effects.apply, dead_letters)

    batch = [cursed(0, offset) for offset in range(7, 7 + SYSTEMIC)] + [cursed(1, 3, b"good"), cursed(1, 4)]
    [held] = await intake.take(batch)

    assert (held.partition, held.offset) == (TopicPartition("t", 0), 7)
    assert f"none of {SYSTEMIC} records could be applied" in held.reason
    assert [(letter.record.partition, letter.record.offset) for letter in dead_letters.letters] == [(1, 4)]
    assert await effects.words() == ["good"]


async def test_what_is_away_holds_every_partition_and_is_asked_for_no_longer_than_it_takes_to_know(
    database: Database,
) -> None:
    effects = Effects(database)
    effects.failures = [Unavailable("away") for _ in range(99)]
    intake = Intake("g", read, effects.apply, Recording())

    held = await intake.take([cursed(partition, 5, b"good") for partition in range(40)])

    assert [(one.partition.partition, one.offset) for one in held] == [(partition, 5) for partition in range(40)]
    assert 99 - len(effects.failures) == 3  # all together, and two partitions by themselves


def test_no_subscriber_may_take_another_policy(kafka: KafkaSettings, producer: KafkaProducer) -> None:
    broker = kafka_broker(kafka)

    async def nothing(events: Sequence[Event]) -> None: ...

    subscribe(broker, ["x"], Intake("g", read, nothing, DeadLetters(producer)))

    (subscriber,) = broker.subscribers
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    assert subscriber._no_reply is True
    assert subscriber._connection_args["auto_offset_reset"] == "earliest"
    assert subscriber._connection_args["enable_auto_commit"] is False


async def test_a_consumer_that_hangs_is_noticed(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    hanging, released = asyncio.Event(), asyncio.Event()

    async def hang(events: Sequence[Event]) -> None:
        hanging.set()
        await released.wait()

    effects.apply = hang  # type: ignore[method-assign]
    async with running(topic, effects) as broker:
        await send(producer, topic, *(good(f"{i}") for i in range(600)))
        await hanging.wait()
        await send(producer, topic, good("one more"))
        with pytest.raises(Stuck, match=f"g-{topic}"):
            async with asyncio.timeout(20):
                await watch_consumers(broker, asyncio.Event(), every=0.2, patience=2)
        assert LAG.labels(f"g-{topic}", topic, "0")._value.get() >= 1
        released.set()


async def test_lag_and_dead_letters_are_measured(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    async with running(topic, effects) as broker:
        await send(producer, topic, good("one"), (b"k", None, []), (b"k", None, []), good("two"))
        await effects.expect(2)
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(2, stopping.set)
        await watch_consumers(broker, stopping, every=0.2)

    assert DEAD_DEPTH.labels(f"{topic}-dead")._value.get() == 2
    assert LAG.labels(f"g-{topic}", topic, "0")._value.get() == 0


async def test_an_idle_consumer_is_no_hanging_one(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    effects = Effects(database)
    async with running(topic, effects) as broker:
        await send(producer, topic, good("one"))
        await effects.expect(1)
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(1.5, stopping.set)

        await watch_consumers(broker, stopping, every=0.2, patience=0.5)


async def test_a_record_with_neither_key_nor_value_is_put_aside_too(
    kafka: KafkaSettings,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    """The client's own `send` refuses such a record, but anybody may write one."""
    topic = await make_topic(partitions=1)
    raw = AIOKafkaProducer(**kafka.client_options())
    await raw.start()
    batch = raw.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=[])
    await (await raw.send_batch(batch, topic, partition=0))
    await raw.stop()
    await send(producer, topic, good("after it"))
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(1) == ["after it"]
        (letter,) = await read_topic(f"{topic}-dead", 1)
        for _ in range(100):
            if await committed(kafka, topic, f"g-{topic}") == 2:
                break
            await asyncio.sleep(0.05)

    assert (letter.key, letter.value, dict(letter.headers)["dead_value"]) == (None, b"", b"null")
    assert await committed(kafka, topic, f"g-{topic}") == 2


async def test_refusals_are_answers_however_many_come_at_once(
    kafka: KafkaSettings,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    """A ministry that pushes its whole, mostly stale state is told so for each record, and freezes nothing."""
    topic = await make_topic(partitions=1)
    await send(producer, topic, *(good(f"stale {i}") for i in range(3 * SYSTEMIC)))
    effects = Effects(database)

    async with running(topic, effects):
        letters = await read_topic(f"{topic}-dead", 3 * SYSTEMIC)
        await send(producer, topic, good("good"))
        assert await effects.expect(1) == ["good"]

    assert len(letters) == 3 * SYSTEMIC
    assert {dict(letter.headers)["dead_error"] for letter in letters} == {b"RefusedByRule"}


async def test_a_partition_that_stands_still_keeps_no_other_waiting_and_says_so(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    topic = await make_topic(partitions=2)
    effects = Effects(database)
    by_partition: dict[int, bytes] = {}
    for i in range(100):
        by_partition.setdefault(DefaultPartitioner()(str(i).encode(), [0, 1], [0, 1]), str(i).encode())
    await send(producer, topic, *((by_partition[0], b"cursed", good("")[2]) for _ in range(2 * SYSTEMIC)))

    async with running(topic, effects) as broker:
        standing = broker.standing[f"g-{topic}"]
        async with asyncio.timeout(20):
            while not standing.seconds(time.monotonic()):  # noqa: ASYNC110  the first try
                await asyncio.sleep(0.05)
        for word in ("one", "two", "three"):
            await send(producer, topic, (by_partition[1], word.encode(), good("")[2]))
        assert await effects.expect(3) == ["one", "three", "two"]
        [trouble] = standing.troubles(time.monotonic() + LONGEST_STAND)
        assert trouble.startswith(f"partition 0 of {topic} stands still")
        assert "KeyError" in trouble
        assert standing.troubles(time.monotonic()) == []


@pytest.mark.parametrize("room", [True, False])
async def test_any_record_that_was_accepted_can_be_put_aside(
    room: bool,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    """Near the topic's limit, by its value or by its headers; also where the dead letters' topic takes no more."""
    topic = await make_topic(partitions=1, dead_config={} if not room else DEAD_TOPIC)
    value, header, no_id = b"x" * 1_048_400, ("filler", b"y" * 1_048_400), [("id", b"none")]
    await send(producer, topic, (b"k", value, no_id), (b"k", b"", [*no_id, header]), good("good"))
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(1) == ["good"]
        by_value, by_header = await read_topic(f"{topic}-dead", 2)

    assert by_value.key == by_header.key == b"k"
    kept = dict(by_value.headers)
    if room:
        assert by_value.value == value
        assert header in by_header.headers
    else:
        assert by_value.value == by_header.value == b""
        assert kept["dead_value"] == b"too large"
        assert kept["dead_sha256"] == hashlib.sha256(value).hexdigest().encode()
        assert (kept["dead_length"], kept["dead_offset"]) == (b"1048400", b"0")
        assert int(dict(by_header.headers)["dead_headers_length"]) == 6 + 1_048_400 + len(b"idnone")
    assert dict(by_header.headers)["dead_offset"] == b"1"


async def test_each_group_says_that_it_put_a_record_aside(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, read_topic: ReadTopic, running: Running
) -> None:
    topic = await make_topic(partitions=1)
    await send(producer, topic, (b"k", None, []))

    async with running(topic, Effects(database), group=f"a-{topic}"):
        async with running(topic, Effects(database), group=f"b-{topic}"):
            letters = await read_topic(f"{topic}-dead", 2)

    assert {dict(letter.headers)["dead_group"].decode() for letter in letters} == {f"a-{topic}", f"b-{topic}"}
    assert DEAD_LETTERS.labels(topic, f"a-{topic}")._value.get() == 1
    assert DEAD_LETTERS.labels(topic, f"b-{topic}")._value.get() == 1


async def test_a_reader_of_dead_letters_leaves_them_where_they_lie(
    database: Database, producer: KafkaProducer, make_topic: MakeTopic, running: Running
) -> None:
    """There is no second topic to put them aside in, and waiting for one would hold the partition for ever."""
    topic = f"{await make_topic()}-dead"
    await send(producer, topic, (b"k", None, []), good("good"))
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(1) == ["good"]
