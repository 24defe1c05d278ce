"""The live feed: the latest public events, held in memory.

Readers hold a position and nothing else, so a slow one costs no memory and a fast one is never held up.
"""

import asyncio
import bisect
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import ConsumerRecord
from prometheus_client import Counter, Gauge

from contracts.envelope import Envelope, UnreadableRecord, from_record
from contracts.events import PublicEvent
from contracts.topics import DELIVERY_SETTLED, MILESTONE_ESCALATED, PUBLIC
from services.plumbing.logs import log

SKIPPED = Counter("pledgewire_feed_skipped_total", "Records of public topics that the feed could not read", ["topic"])
SHOWN = Counter("pledgewire_feed_events_total", "Events taken into the live feed", ["topic"])
READERS = Gauge("pledgewire_feed_readers", "Open streams of the live feed")

INTERNALS = frozenset({MILESTONE_ESCALATED.name, DELIVERY_SETTLED.name})
"""Who is asked about what is overdue, and who was told: for those with a key, and behind signed links."""
TOPICS = {topic.name: topic for topic in PUBLIC if "portal" in topic.readers and topic.name not in INTERNALS}
"""The topics that the feed shows to everybody: nobody's own ladder, and nothing of how the services do their work."""
RING = 500
"""Events kept in memory."""
OVERLAP_MS = 60_000
"""A reader that resumes gets other partitions from so long before its last event, by the broker's time stamps.

Two replicas read partitions in different orders; a reader drops what it has already, by the event's position.
"""


@dataclass(frozen=True)
class RecordPosition:
    """Where an event stands in Kafka; as text it is the id of the server-sent event."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "RecordPosition | None":
        """The position that `str` wrote; None for anything else, which resumes from the start of the ring."""
        topic, _, rest = text[:120].rpartition("-")
        topic, _, partition = topic.rpartition("-")
        if topic in TOPICS and all(part.isascii() and part.isdecimal() for part in (partition, rest)):
            return cls(topic, int(partition), int(rest))
        return None


@dataclass(frozen=True)
class LiveEvent:
    """One event as the feed holds it."""

    position: RecordPosition
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
        """The event's own id, which is the same wherever it is shown."""
        return self.envelope.id


def live_event_of(record: ConsumerRecord[bytes, bytes]) -> LiveEvent | None:
    """The event of a record; one that can't be read is logged, counted and skipped: the portal judges nothing."""
    try:
        if record.topic not in TOPICS:
            raise UnreadableRecord("the feed shows public topics only")
        envelope, event = from_record(TOPICS[record.topic].event, record.key, record.headers, record.value)
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
    position = RecordPosition(record.topic, record.partition, record.offset)
    return LiveEvent(position, envelope, event, record.timestamp)  # type: ignore[arg-type]  # a public topic's event


def events_after(held: Sequence[LiveEvent], last: RecordPosition | None) -> Sequence[LiveEvent]:
    """What a reader that last saw `last` has not seen yet; all of it where that is unknown or too long ago."""
    seen = next((event for event in held if event.position == last), None)
    if seen is None or last is None:
        return held
    since = seen.written_ms - OVERLAP_MS

    def is_unseen(event: LiveEvent) -> bool:
        position = event.position
        if (position.topic, position.partition) == (last.topic, last.partition):
            return position.offset > last.offset
        return event.written_ms >= since

    return [event for event in held if is_unseen(event)]


@dataclass
class LiveFeed:
    """The ring, in the order of Kafka's time stamps, and those who wait for what comes next."""

    size: int = RING
    readers: int = field(default=0, init=False)
    """Open streams."""
    _ring: list[tuple[int, int, LiveEvent]] = field(default_factory=list, init=False)
    """Time stamp, serial number in the order of arrival (from 1), event; sorted."""
    _positions: set[RecordPosition] = field(default_factory=set, init=False)
    _received: int = field(default=0, init=False)
    _arrival: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _closed: bool = field(default=False, init=False)

    async def take(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Take in a batch of records; one that is held already (the tail was read again) is passed over."""
        before = self._received
        for record in batch:
            event = live_event_of(record)
            if event and event.position not in self._positions:
                self._add(event)
        if self._received != before:
            self._wake()

    def latest(self, commitment_id: str | None = None) -> list[LiveEvent]:
        """What is held, oldest first, of one commitment or all."""
        return [event for _, _, event in self._ring if commitment_id in (None, event.commitment_id)]

    async def follow(self, last: RecordPosition | None, commitment_id: str | None = None) -> AsyncIterator[LiveEvent]:
        """What came after `last`, then every event as it comes, until the feed closes."""
        position = self._received
        fresh = events_after(self.latest(), last)
        while not self._closed:
            for event in fresh:
                if commitment_id in (None, event.commitment_id):
                    yield event
            arrival = self._arrival
            if position == self._received:
                await arrival.wait()
            fresh = [event for _, serial, event in self._ring if serial > position]
            position = self._received

    @contextlib.contextmanager
    def reader(self) -> Iterator[None]:
        """Count a reader while its stream is open.

        Not in `follow`: a generator whose reader has left in the middle ends only when it is collected as garbage.
        """
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def close(self) -> None:
        """End every stream; the process is stopping."""
        self._closed = True
        self._wake()

    def _count(self, change: int) -> None:
        self.readers += change
        READERS.set(self.readers)

    def _add(self, event: LiveEvent) -> None:
        self._received += 1
        bisect.insort(self._ring, (event.written_ms, self._received, event), key=lambda held: held[:2])
        self._positions.add(event.position)
        if len(self._ring) > self.size:
            _, _, oldest = self._ring.pop(0)
            self._positions.discard(oldest.position)
        SHOWN.labels(event.position.topic).inc()

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, asyncio.Event()
        arrival.set()
