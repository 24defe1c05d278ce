"""Batches of records as they come from Kafka, inflated under a bound: 200 kB of gzip may hold 200 MB.

The broker keeps batches as they were sent (`compression.type=producer`) and inflates none in its memory, so whoever
reads them has to be careful. aiokafka inflates a batch whole, however large it becomes, and one that it can't parse
ends the iteration for good: its partition would stand still. So what stands in the place of its `MemoryRecords` here
inflates at most `LARGEST_BATCH` bytes, and gives for a batch that is larger, or broken, one record that says so
(`UnreadBatch`), which the intake puts aside.

The layout of a batch is that of Kafka's message format 2 (kafka.apache.org/documentation, "Record Batch").
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from services.plumbing.kafka.unread import UnreadBatch

LARGEST_BATCH = 4 * 1024 * 1024
"""Bytes of an inflated batch. Uncompressed ones are smaller by the topics' own limit, and so are those of clients that
keep to their defaults (16 kB and 1 MB); a fetch of a partition holds less than twice as much."""

_OFFSET_AND_LENGTH = struct.Struct(">qi")
_MAGIC = struct.Struct(">16xb")
_ATTRIBUTES = struct.Struct(">21xh")
_HEADER = 61
"""Bytes of a batch in front of its records."""
_CODEC_MASK = 0x07


class TooMuchInside(ValueError):
    """A batch that holds more than `LARGEST_BATCH` bytes."""

    def __init__(self) -> None:
        super().__init__(f"the batch holds more than {LARGEST_BATCH} bytes when it is inflated")


class BoundedRecords:
    """The batches in one partition's part of an answer; takes the place of aiokafka's `MemoryRecords`.

    Once `LARGEST_BATCH` bytes have been inflated, the rest counts as not fetched: it is asked for again afterwards.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._inflated = 0

    def size_in_bytes(self) -> int:
        """The answer's size."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether there is another whole batch; the last one of an answer may be cut."""
        return self._inflated < LARGEST_BATCH and self._end() is not None

    def next_batch(self) -> Any:
        """The next batch, None behind the last one."""
        end = self._end()
        if end is None:
            return None
        data, self._at = self._data[self._at : end], end
        batch = MemoryRecords(bytes(data)).next_batch()
        (magic,) = _MAGIC.unpack_from(data)
        if magic < 2 or batch is None or batch.is_control_batch:
            return batch
        return _BoundedBatch(data, batch, self)

    def count(self, inflated: int) -> None:
        """So many bytes more have been inflated."""
        self._inflated += inflated

    def _end(self) -> int | None:
        if len(self._data) - self._at < _OFFSET_AND_LENGTH.size:
            return None
        _, length = _OFFSET_AND_LENGTH.unpack_from(self._data, self._at)
        end: int = self._at + _OFFSET_AND_LENGTH.size + length
        return end if end <= len(self._data) else None


class _BoundedBatch:
    """One batch, inflated when its records are asked for; everything else is answered by aiokafka's own class."""

    def __init__(self, data: memoryview, batch: Any, records: BoundedRecords) -> None:
        self._data = data
        self._batch = batch
        self._records = records

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        following = self._batch.base_offset
        try:
            plain = self._inflated()
            try:
                for record in self._batch if plain is self._data else MemoryRecords(bytes(plain)).next_batch():
                    yield record
                    following = record.offset + 1
            except UnicodeDecodeError:
                # The broker takes any bytes as the name of a header, aiokafka only UTF-8.
                for record in tolerant_records(bytes(plain[_HEADER:]), self._batch):
                    if record.offset >= following:
                        yield record
                        following = record.offset + 1
        except Exception as error:
            yield self._unread(following, error)

    def _inflated(self) -> memoryview:
        """The same batch, uncompressed."""
        (attributes,) = _ATTRIBUTES.unpack_from(self._data)
        codec = attributes & _CODEC_MASK
        if not codec:
            return self._data
        inflated = inflate(codec, bytes(self._data[_HEADER:]))
        self._records.count(len(inflated))
        plain = bytearray(self._data[:_HEADER]) + inflated
        struct.pack_into(">i", plain, 8, len(plain) - _OFFSET_AND_LENGTH.size)
        struct.pack_into(">h", plain, 21, attributes & ~_CODEC_MASK)
        return memoryview(plain)

    def _unread(self, first_offset: int, error: Exception) -> "RecordInBatch":
        packed = bytes(self._data[_HEADER:])
        reason = str(error) if isinstance(error, TooMuchInside) else f"the batch can't be read: {error!r}"[:300]
        value = UnreadBatch.of(reason, first_offset, hashlib.sha256(packed).hexdigest(), len(packed))
        offset = max(first_offset, self._batch.next_offset - 1)
        return RecordInBatch(offset, self._batch.max_timestamp, self._batch.timestamp_type, None, value, ())


@dataclass(frozen=True)
class RecordInBatch:
    """What aiokafka makes a consumer's record of."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    checksum: None = None


def tolerant_records(records: bytes, batch: Any) -> Iterator[RecordInBatch]:
    """The records of an uncompressed batch; what is no UTF-8 in the name of a header is replaced by U+FFFD.

    Raises whatever comes of bytes that are no records.
    """
    data, at = bytearray(records), 0

    def number() -> int:
        nonlocal at
        found: int
        found, at = decode_varint(data, at)
        return found

    def text() -> bytes | None:
        nonlocal at
        if (size := number()) < 0:
            return None
        if at + size > len(data):
            raise ValueError("a field is longer than its batch")
        at += size
        return bytes(data[at - size : at])

    while at < len(data):
        number()  # the record's length
        at += 1  # its attributes, of which there are none
        passed, offset, key, value = number(), batch.base_offset + number(), text(), text()
        headers = tuple(((text() or b"").decode(errors="replace"), text()) for _ in range(number()))
        time = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + passed
        yield RecordInBatch(offset, time, batch.timestamp_type, key, value, headers)


def inflate(codec: int, packed: bytes) -> bytes:
    """The records of a compressed batch, by Kafka's number of the codec: 1 gzip, 2 Snappy, 3 LZ4, 4 Zstandard.

    Raises `TooMuchInside`, and whatever the codecs raise for what is broken. Never holds more than `LARGEST_BATCH`.
    """
    match codec:
        case 1:
            return _gunzip(packed)
        case 2:
            return _unsnap(packed)
        case 3:
            return _inflate_into(cramjam.lz4.decompress_into, packed)
        case 4:
            return _inflate_into(cramjam.zstd.decompress_into, packed)
    raise ValueError(f"there is no codec {codec}")


def _inflate_into(decompress_into: Any, packed: bytes) -> bytes:
    room = bytearray(LARGEST_BATCH)  # the system gives memory only for what is written
    try:
        size = decompress_into(packed, room)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise TooMuchInside from error
        raise
    return bytes(memoryview(room)[:size])


def _gunzip(packed: bytes) -> bytes:
    parts: list[bytes] = []
    left = LARGEST_BATCH
    while packed:  # a file of gzip may have several members
        inflater = zlib.decompressobj(wbits=31)
        parts.append(inflater.decompress(packed, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise TooMuchInside
        if not inflater.eof:
            raise ValueError("the gzip data ends too early")
        packed = inflater.unused_data
    return b"".join(parts)


_XERIAL_MAGIC = b"\x82SNAPPY\0"
_XERIAL_HEADER = 16


def _unsnap(packed: bytes) -> bytes:
    """Snappy alone, or in the blocks of Xerial's stream, which Java's clients write."""
    if not packed.startswith(_XERIAL_MAGIC):
        return _unsnap_block(packed, LARGEST_BATCH)
    parts: list[bytes] = []
    at, left = _XERIAL_HEADER, LARGEST_BATCH
    while at < len(packed):
        (size,) = struct.unpack_from(">i", packed, at)
        at += 4
        if not 0 < size <= len(packed) - at:
            raise ValueError("a block of the Snappy stream is longer than the stream")
        parts.append(_unsnap_block(packed[at : at + size], left))
        left -= len(parts[-1])
        at += size
    return b"".join(parts)


def _unsnap_block(block: bytes, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > most:  # which the block itself says in front
        raise TooMuchInside
    return bytes(cramjam.snappy.decompress_raw(block))


def bound_inflation() -> None:
    """Have all consumers of this process inflate under the bound, from now on."""
    if fetcher.MemoryRecords not in (MemoryRecords, BoundedRecords):
        raise RuntimeError("aiokafka's fetcher reads batches in another way than this version knows")
    fetcher.MemoryRecords = BoundedRecords
