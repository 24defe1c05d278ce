"""The relay: publishes a schema's outbox, and says where each record lies.

It reads `published_at is null order by id`, never `id > last seen`: a slower transaction may commit a lower id later,
and would be skipped for ever.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client import Counter
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.lease import RENEWED_AFTER, Lease
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, TopicPartition
from services.plumbing.retry import Backoff, pause_until
from services.plumbing.sending_gate import SendingGate
from services.plumbing.tracing import CE_TRACEPARENT, is_recording, now_ns, record_span
from services.plumbing.transient_errors import is_transient

PUBLISHED = Counter(
    "pledgewire_events_published_total", "Records acknowledged by the broker, states and heads too", ["topic"]
)

_WAITING_SECONDS = 1.0
_SECONDS_ASIDE = 5.0
"""For which a topic that is not there is left alone, before it is tried again."""

CountHeld = Callable[[Connection], Awaitable[int]]
"""How many wait for an operator's word."""

_MARK = """
with ours as (select from outbox_lease where holder = $7),
marked as (
    update outbox o set published_at = clock_timestamp(), at_partition = m.partition, at_offset = m.at
    from unnest($1::bigint[], $2::integer[], $3::bigint[]) as m(id, partition, at)
    where o.id = m.id and exists (select from ours)
)
insert into topic_position (topic, partition, next_offset)
select * from unnest($4::text[], $5::integer[], $6::bigint[]) where exists (select from ours)
on conflict (topic, partition) do update set next_offset = excluded.next_offset
"""


@dataclass(frozen=True)
class Acknowledged:
    """Where a record lies now; the offset is -1 where the broker has it from an earlier try and did not say."""

    partition: int
    offset: int


class TopicMissing(Exception):
    """The broker doesn't have the topic, or doesn't let us see it."""


class Producer(Protocol):
    """What the relay needs of a Kafka producer."""

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged | BaseException]:
        """Send records in order and wait for all acknowledgements; one result for each.

        Those of a topic that isn't there fail as `TopicMissing`, and hold up none of another topic.
        """
        ...


class Comparison(Protocol):
    """Brings a database and its topics to the same state."""

    async def run(self, still_ours: Callable[[], Awaitable[bool]]) -> None:
        """Compare, take over and have published again; gives up where the lease is no longer ours."""
        ...

    def covers(self, topic: str) -> bool:
        """Whether it compares this topic; of another one nobody keeps how far it is known."""
        ...


class OutboxSettings(BaseSettings):
    """How the relay works."""

    model_config = SettingsConfigDict(env_prefix="OUTBOX_")

    batch: int = Field(default=500, ge=1)
    poll_seconds: float = Field(default=3.0, gt=0)
    """How long an event may lie when its wake-up was lost."""
    lease_seconds: float = Field(default=6.0, gt=0)
    """How long a relay that died or froze keeps others from taking over."""


class Relay:
    """Publishes a schema's outbox, one relay at a time, each record until it is acknowledged.

    A lease in the database (by the database's clock) keeps a second relay waiting; one that was frozen past its
    lease and wakes up may repeat its last batch, with the same event ids, which every inbox recognises.
    """

    def __init__(
        self,
        database: Database,
        producer: Producer,
        settings: OutboxSettings,
        comparison: Comparison | None = None,
        gate: SendingGate | None = None,
        count_held: CountHeld | None = None,
    ) -> None:
        self._database = database
        self._producer = producer
        self._settings = settings
        self._comparison = comparison
        self._gate = gate or SendingGate()
        self._count_held = count_held
        self._lease = Lease(database, settings.lease_seconds, self._gate)
        self._known_ends: dict[TopicPartition, int] = {}
        self._aside: dict[str, float] = {}
        self._awake = asyncio.Event()
        self.published_batch: Callable[[int], None] = lambda count: None

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until told to stop; faults that pass are waited out."""
        listener = asyncio.create_task(self._database.listen("outbox", self._awake.set))
        backoff = Backoff(longest=10.0)
        try:
            while not stopping.is_set():
                try:
                    self._awake.clear()
                    published = await self.publish_once()
                    backoff.reset()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    self._lease.doubt()  # the database may be another one than before
                    log.warning("the outbox waits", action="outbox_waits", error=str(error), seconds=backoff.pause)
                    await backoff.wait(stopping)
                    continue
                if not published:
                    await pause_until(self._pause(), stopping, self._awake)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            await self._lease.release()

    def _pause(self) -> float:
        """Seconds until it looks again though nothing calls; soon where another relay or an operator is waited for."""
        may_publish = self._lease.compared and not self._gate.held_since
        longest = self._settings.lease_seconds * RENEWED_AFTER if may_publish else _WAITING_SECONDS
        return min(self._settings.poll_seconds, longest)

    async def publish_once(self) -> int:
        """Publish one batch if this relay has the lease, and has compared; how many were published."""
        if not await self._lease.hold() or not await self._has_compared():
            return 0
        if self._gate.held_since:
            await self._tell_how_many_are_held()
            return 0
        if self._lease.nothing_waits:
            return 0
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id, event_id, topic, key, headers, value from outbox"
                " where published_at is null and topic <> all($2::text[]) order by id limit $1",
                self._settings.batch,
                self._set_aside(),
            )
            if not rows:
                return 0
            failpoint("relay-after-claim")
            records = [Outgoing(r["event_id"], r["topic"], r["key"], r["headers"], r["value"]) for r in rows]
            began = now_ns()
            results = await self._producer.publish(records)
            failpoint("relay-after-produce")
            _trace(records, results, began)
            sent = _published_prefix(records, results)
            await self._mark(connection, rows, records, results, sent)
            failpoint("relay-after-mark")
        for i in sent:
            PUBLISHED.labels(records[i].topic).inc()
        self._put_aside(records, results)
        failure = next((r for r in results if isinstance(r, BaseException) and not isinstance(r, TopicMissing)), None)
        if failure is not None:
            raise ConnectionError(f"{len(records) - len(sent)} of {len(records)} records not published: {failure!r}")
        return len(sent)

    def _set_aside(self) -> list[str]:
        """Topics that are not there, for now: what waits for them keeps nothing else from being published."""
        now = time.monotonic()
        self._aside = {topic: until for topic, until in self._aside.items() if until > now}
        return list(self._aside)

    def _put_aside(self, records: Sequence[Outgoing], results: Sequence[Acknowledged | BaseException]) -> None:
        for topic in {r.topic for r, one in zip(records, results, strict=True) if isinstance(one, TopicMissing)}:
            self._aside[topic] = time.monotonic() + _SECONDS_ASIDE
            log.error("a topic is missing; its events wait", action="topic_missing", topic=topic)

    async def _has_compared(self) -> bool:
        """Compare where that is not done yet under this lease; whether it is done."""
        if self._lease.compared:
            return True
        if self._comparison:
            await self._comparison.run(self._lease.hold)
        if not await self._lease.confirm():
            return False
        async with self._database.connection() as connection:
            rows = await connection.fetch("select topic, partition, next_offset from topic_position")
        self._known_ends = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return True

    async def _tell_how_many_are_held(self) -> None:
        if self._count_held:
            async with self._database.connection() as connection:
                held = await self._count_held(connection)
                await connection.execute("update recovery set held = $1 where released_at is null", held)
            self._gate.held = held

    async def _mark(
        self,
        connection: Connection,
        rows: Sequence[Any],
        records: Sequence[Outgoing],
        results: Sequence[Acknowledged | BaseException],
        sent: Sequence[int],
    ) -> None:
        """Say which rows are published, and where they and the ends of the topics are, in one statement."""
        known = [
            (r.topic, ack)
            for r, ack in zip(records, results, strict=True)
            if isinstance(ack, Acknowledged) and (self._comparison is None or self._comparison.covers(r.topic))
        ]
        ends, strange = ends_after(self._known_ends, known)
        places = [_place(records[i].topic, ack, strange) for i in sent if isinstance(ack := results[i], Acknowledged)]
        await connection.execute(
            _MARK,
            [rows[i]["id"] for i in sent],
            [partition for partition, _ in places],
            [offset for _, offset in places],
            [topic for topic, _ in ends],
            [partition for _, partition in ends],
            list(ends.values()),
            self._lease.holder,
        )
        self._known_ends |= ends
        if strange:
            self._lease.doubt(comparison=True)


def ends_after(
    known: Mapping[TopicPartition, int], acknowledged: Iterable[tuple[str, Acknowledged]]
) -> tuple[dict[TopicPartition, int], set[TopicPartition]]:
    """The ends of the partitions that grew by these records alone, and the partitions in which something else happened.

    Another has written there, or the topic was made anew: then nothing is known of its end.
    """
    offsets: dict[TopicPartition, list[int]] = {}
    for topic, ack in acknowledged:
        offsets.setdefault((topic, ack.partition), []).append(ack.offset)
    ends, strange = {}, set()
    for place, found in offsets.items():
        end = known.get(place, 0)
        if sorted(found) == list(range(end, end + len(found))):
            ends[place] = end + len(found)
        else:
            strange.add(place)
    return ends, strange


def _trace(records: Sequence[Outgoing], results: Sequence[Acknowledged | BaseException], began: int) -> None:
    """A span for each record, in the trace of whatever brought it about."""
    if not is_recording():
        return
    for record, result in zip(records, results, strict=True):
        failed = type(result).__qualname__ if isinstance(result, BaseException) else None
        record_span(
            f"publish {record.topic}",
            record.headers.get(CE_TRACEPARENT),
            "producer",
            began,
            failed,
            **{"messaging.system": "kafka", "messaging.destination.name": record.topic},
        )


def _place(topic: str, ack: Acknowledged, strange: Collection[TopicPartition]) -> tuple[int, int | None]:
    """Where a published row lies; without an offset where that has to be looked at first."""
    return ack.partition, None if (topic, ack.partition) in strange else ack.offset


def _published_prefix(records: Sequence[Outgoing], results: Sequence[Acknowledged | BaseException]) -> list[int]:
    """Indexes of the records that count as published: for each key those before its first failure.

    A record acknowledged behind a failed one of the same key is sent again after it, so that the order holds.
    """
    failed: set[tuple[str, str]] = set()
    sent = []
    for i, (record, result) in enumerate(zip(records, results, strict=True)):
        if isinstance(result, BaseException):
            failed.add((record.topic, record.key))
        elif (record.topic, record.key) not in failed:
            sent.append(i)
    return sent
