"""Batches of records that hold far more than they weigh, made without ever holding it, and sent past the client."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import cramjam
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

from services.plumbing.kafka.settings import KafkaSettings

Codec = Literal["gzip", "snappy", "lz4", "zstd"]
CODECS: dict[Codec, int] = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_BLOCK = bytes(32 * 1024)


def one_record(key: bytes, zeros: int) -> Iterator[bytes]:
    """One record, in pieces, whose value is so many zeros, in multiples of 32 KiB."""
    front = b"\0" + _varint(0) + _varint(0) + _varint(len(key)) + key + _varint(zeros)
    yield _varint(len(front) + zeros + 1) + front
    yield from (_BLOCK for _ in range(zeros // len(_BLOCK)))
    yield _varint(0)


def record(place: int, key: bytes, value: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """One record, the `place`-th of its batch, with any bytes as the names of its headers."""
    parts = [b"\0", _varint(0), _varint(place), _varint(len(key)), key, _varint(len(value)), value]
    parts.append(_varint(len(headers)))
    parts += [_varint(len(part)) + part for header in headers for part in header]
    body = b"".join(parts)
    return _varint(len(body)) + body


def packed(codec: Codec, pieces: Iterator[bytes]) -> bytes:
    """The pieces, compressed as Kafka's clients do it."""
    match codec:
        case "gzip":
            gzip = zlib.compressobj(9, wbits=31)
            return b"".join([*(gzip.compress(piece) for piece in pieces), gzip.flush()])
        case "snappy":
            kept: dict[bytes, bytes] = {}
            blocks = [kept.setdefault(piece, bytes(cramjam.snappy.compress_raw(piece))) for piece in pieces]
            return b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1) + b"".join(struct.pack(">i", len(b)) + b for b in blocks)
        case "lz4":
            compressor = cramjam.lz4.Compressor(level=9, content_checksum=False, block_linked=False)
        case "zstd":
            compressor = cramjam.zstd.Compressor(level=3)
    written = b""
    for piece in pieces:
        compressor.compress(piece)
        written += bytes(compressor.flush()) if codec == "lz4" else b""
    return written + bytes(compressor.finish())


def batch_of(codec: int, records: bytes, count: int = 1) -> bytes:
    """A batch in Kafka's format 2, with `records` as they are."""
    now = 1_700_000_000_000
    body = struct.pack(">hiqqqhii", codec, count - 1, now, now, -1, -1, -1, count) + records
    behind_length = struct.pack(">ibI", -1, 2, calc_crc32c(body)) + body
    return struct.pack(">qi", 0, len(behind_length)) + behind_length


async def produce(kafka: KafkaSettings, topic: str, batch: bytes) -> int:
    """Have the broker take a batch for the first partition; its error code, 0 where it took it."""
    client = AIOKafkaClient(**kafka.client_options())
    await client.bootstrap()
    try:
        await client._wait_on_metadata(topic)
        leader = client.cluster.leader_for_partition(TopicPartition(topic, 0))
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=30_000, topics=[(topic, [(0, batch)])]
        )
        answer = await client.send(leader, request)
    finally:
        await client.close()
    error: int = answer.topics[0][1][0][1]
    return error


def _varint(number: int) -> bytes:
    written = bytearray()
    write: Callable[[int], None] = written.append
    encode_varint(number, write)
    return bytes(written)
