"""The live feed: the latest public events, held in memory.

Readers hold a position and nothing else, so a slow one costs no memory and a fast one is never held up.
"""

import asyncio
import bisect
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import ConsumerRecord
from prometheus_client import Counter, Gauge

from contracts.envelope import Envelope, UnreadableRecord, from_record
from contracts.events import PublicEvent
from contracts.topics import BY_NAME
from services.plumbing.logs import log

SKIPPED = Counter("pledgewire_feed_skipped_total", "Records of public topics that the feed could not read", ["topic"])
SHOWN = Counter("pledgewire_feed_events_total", "Events taken into the live feed", ["topic"])
READERS = Gauge("pledgewire_feed_readers", "Open streams of the live feed")

RING = 500
"""Events kept in memory."""
OVERLAP_MS = 60_000
"""When a reader resumes, other partitions are told from so long before its last event, by the broker's time stamps.

Two replicas hear partitions in different orders; the reader drops what it has by the event's place.
"""


@dataclass(frozen=True)
class Place:
    """Where an event stands in Kafka; as text it is the id of the server-sent event."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """The place that `str` wrote; None for anything else, which resumes from the start of the ring."""
        topic, _, rest = text[:120].rpartition("-")
        topic, _, partition = topic.rpartition("-")
        if topic in BY_NAME and all(part.isascii() and part.isdecimal() for part in (partition, rest)):
            return cls(topic, int(partition), int(rest))
        return None


@dataclass(frozen=True)
class Heard:
    """One event as the feed holds it."""

    place: Place
    envelope: Envelope
    event: PublicEvent
    written_ms: int
    """The record's time stamp in Kafka, in milliseconds since 1970; only to put partitions side by side."""

    @property
    def commitment_id(self) -> str:
        """The commitment that the event is about."""
        return self.event.commitment.id

    @property
    def event_id(self) -> UUID:
        """The event's own id, which is the same wherever it is told."""
        return self.envelope.id


def read(record: ConsumerRecord[bytes, bytes]) -> Heard | None:
    """The event of a record; one that can't be read is logged, counted and skipped: the portal judges nothing."""
    try:
        envelope, event = from_record(BY_NAME[record.topic].event, record.key, record.headers, record.value)
    except (UnreadableRecord, RecursionError) as error:
        SKIPPED.labels(record.topic).inc()
        log.warning(
            "the feed skips a record",
            action="feed_skips",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=str(error),
        )
        return None
    place = Place(record.topic, record.partition, record.offset)
    return Heard(place, envelope, event, record.timestamp)  # type: ignore[arg-type]  # a public topic's event


def resume(held: Sequence[Heard], last: Place | None) -> Sequence[Heard]:
    """What a reader that last saw `last` still has to be told; all of it where that is unknown or too long ago."""
    seen = next((heard for heard in held if heard.place == last), None)
    if seen is None or last is None:
        return held
    since = seen.written_ms - OVERLAP_MS

    def untold(heard: Heard) -> bool:
        place = heard.place
        if (place.topic, place.partition) == (last.topic, last.partition):
            return place.offset > last.offset
        return heard.written_ms >= since

    return [heard for heard in held if untold(heard)]


@dataclass
class Feed:
    """The ring, in the order of Kafka's time stamps, and those who wait for what comes next."""

    size: int = RING
    readers: int = field(default=0, init=False)
    """Open streams."""
    _ring: list[tuple[int, int, Heard]] = field(default_factory=list, init=False)
    """Time stamp, serial number of hearing (from 1), event; sorted."""
    _places: set[Place] = field(default_factory=set, init=False)
    _heard: int = field(default=0, init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _closed: bool = field(default=False, init=False)

    async def take(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Hear a batch of records; one that is held already (the tail was read again) is not told twice."""
        before = self._heard
        for record in batch:
            heard = read(record)
            if heard and heard.place not in self._places:
                self._add(heard)
        if self._heard != before:
            self._wake()

    def latest(self, commitment_id: str | None = None) -> list[Heard]:
        """What is held, oldest first, of one commitment or all."""
        return [heard for _, _, heard in self._ring if commitment_id in (None, heard.commitment_id)]

    async def follow(self, last: Place | None, commitment_id: str | None = None) -> AsyncIterator[Heard]:
        """What `last` leaves to be told, then every event as it comes, until the feed closes."""
        position = self._heard
        fresh = resume(self.latest(), last)
        self._count(1)
        try:
            while not self._closed:
                for heard in fresh:
                    if commitment_id in (None, heard.commitment_id):
                        yield heard
                news = self._news
                if position == self._heard:
                    await news.wait()
                fresh = [heard for _, serial, heard in self._ring if serial > position]
                position = self._heard
        finally:
            self._count(-1)

    def close(self) -> None:
        """End every stream; the process is stopping."""
        self._closed = True
        self._wake()

    def _count(self, change: int) -> None:
        self.readers += change
        READERS.set(self.readers)

    def _add(self, heard: Heard) -> None:
        self._heard += 1
        bisect.insort(self._ring, (heard.written_ms, self._heard, heard), key=lambda held: held[:2])
        self._places.add(heard.place)
        if len(self._ring) > self.size:
            _, _, oldest = self._ring.pop(0)
            self._places.discard(oldest.place)
        SHOWN.labels(heard.place.topic).inc()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
