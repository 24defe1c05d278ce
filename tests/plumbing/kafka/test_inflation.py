"""What others compress is inflated under a bound, and what can't be read is put aside while its partition goes on."""

import os
import struct
from pathlib import Path

import cramjam
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher

from deploy.embedded.stack import EmbeddedStack
from services.plumbing.database import Database
from services.plumbing.kafka.inflation import LARGEST_BATCH, BoundedRecords, TooMuchInside, bound_inflation, inflate
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from tests.plumbing.conftest import MakeTopic, ReadTopic
from tests.plumbing.kafka.bombs import CODECS, Codec, batch_of, one_record, packed, produce, record
from tests.plumbing.kafka.test_intake import Effects, Running, good, running, send

__all__ = ["running"]

MB = 1024 * 1024
MOST_GROWTH = 100 * MB


def memory(pid: int | str, figure: str) -> int:
    """Bytes: `VmRSS`, or `VmHWM`, the most there ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(figure))


def memory_from_now_on() -> int:
    """Forget the most memory that this process ever had; what it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory(os.getpid(), "VmHWM")


@pytest.mark.parametrize("codec", CODECS)
async def test_a_batch_that_holds_200_mb_is_put_aside_and_nobody_grows(
    codec: Codec,
    stack: EmbeddedStack,
    kafka: KafkaSettings,
    database: Database,
    producer: KafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    """Snappy can't hold so much in a batch that the broker takes: there as much as it can."""
    topic = await make_topic(partitions=1, config={"message.timestamp.type": "LogAppendTime"})
    records = packed(codec, one_record(b"k", 20 * MB if codec == "snappy" else 200 * MB))
    broker = stack.processes()["kafka-0"]
    broker_before = memory(broker, "VmHWM")
    before = memory_from_now_on()

    assert await produce(kafka, topic, batch_of(CODECS[codec], records)) == 0
    await send(producer, topic, good("good"))
    effects = Effects(database)
    async with running(topic, effects):
        assert await effects.expect(1) == ["good"]
        [letter] = await read_topic(f"{topic}-dead", 1)

    assert stack.processes()["kafka-0"] == broker
    assert memory(broker, "VmHWM") - broker_before < MOST_GROWTH
    assert memory(os.getpid(), "VmHWM") - before < MOST_GROWTH
    why = dict(letter.headers)
    assert letter.value == b""
    assert (why["dead_offset"], why["dead_first_offset"]) == (b"0", b"0")
    assert why["dead_length"] == str(len(records)).encode()
    assert str(LARGEST_BATCH) in why["dead_reason"].decode()


@pytest.mark.parametrize("codec", CODECS)
async def test_what_is_compressed_as_usual_is_read(
    codec: Codec,
    kafka: KafkaSettings,
    database: Database,
    make_topic: MakeTopic,
    running: Running,
) -> None:
    topic = await make_topic(partitions=1)
    client = AIOKafkaProducer(**kafka.client_options(), compression_type=codec, linger_ms=50)
    await client.start()
    for word in ("one", "two", "x" * 500_000):
        key, value, headers = good(word)
        await client.send(topic, value, key=key, headers=headers)
    await client.stop()
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(3) == ["one", "two", "x" * 500_000]


@pytest.mark.parametrize("codec", CODECS)
def test_the_bound_is_exact(codec: Codec) -> None:
    fits = packed(codec, (bytes(32 * 1024) for _ in range(LARGEST_BATCH // (32 * 1024))))
    one_more = packed(codec, iter([*(bytes(32 * 1024) for _ in range(LARGEST_BATCH // (32 * 1024))), b"1"]))

    assert inflate(CODECS[codec], fits) == bytes(LARGEST_BATCH)
    with pytest.raises(TooMuchInside):
        inflate(CODECS[codec], one_more)


def test_snappy_without_a_stream_is_read_too() -> None:
    assert inflate(2, bytes(cramjam.snappy.compress_raw(b"abc" * 9))) == b"abc" * 9


@pytest.mark.parametrize("codec", range(1, 8))
def test_what_is_broken_is_one_record_that_says_so(codec: int) -> None:
    """A codec that there is not, and one whose bytes are none of its own; what stands behind it is read."""
    data = batch_of(codec, b"\x1f\x8b no such thing \x82SNAPPY", count=3)
    (_, length) = struct.unpack_from(">qi", data)
    records = BoundedRecords(data + data[: 12 + length // 2])

    assert records.has_next()
    [record] = list(records.next_batch())
    assert not records.has_next()
    assert (record.offset, record.value.first_offset, record.value.length) == (2, 0, len(data) - 61)


@pytest.mark.parametrize("codec", [None, *CODECS])
async def test_a_header_whose_name_is_no_utf_8_spoils_its_own_record_only(
    codec: Codec | None,
    kafka: KafkaSettings,
    database: Database,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    running: Running,
) -> None:
    """The broker takes such a record, aiokafka can't read it: its partition would stand still for ever."""
    topic = await make_topic(partitions=1)
    ids = [good("")[2][0][1] for _ in range(3)]
    records = b"".join(
        [
            record(0, b"k", b"before", [(b"id", ids[0])]),
            record(1, b"k", b"spoiled", [(b"id", b"none"), (b"\xff\xfe", b"x")]),
            record(2, b"k", b"behind", [(b"id", ids[2]), (b"\xff", b"x")]),
        ]
    )
    batch = batch_of(0, records, 3) if codec is None else batch_of(CODECS[codec], packed(codec, iter([records])), 3)
    assert await produce(kafka, topic, batch) == 0
    effects = Effects(database)

    async with running(topic, effects):
        assert await effects.expect(2) == ["before", "behind"]
        [letter] = await read_topic(f"{topic}-dead", 1)

    assert (letter.key, letter.value) == (b"k", b"spoiled")
    assert dict(letter.headers)["\ufffd\ufffd"] == b"x"
    assert dict(letter.headers)["dead_offset"] == b"1"


def test_an_answer_with_many_batches_is_inflated_bit_by_bit() -> None:
    """Sixty batches, each under the bound, would be 180 MB."""
    one = batch_of(1, packed("gzip", one_record(b"k", 3 * MB)))
    records = BoundedRecords(one * 60)

    read = 0
    while records.has_next():
        read += len(list(records.next_batch()))

    assert read == 2


def test_the_bound_stands_where_aiokafka_opens_batches() -> None:
    bound_inflation()

    assert fetcher.MemoryRecords is BoundedRecords
