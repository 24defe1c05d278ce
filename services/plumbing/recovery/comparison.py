"""Compares a database's outbox with the ends of its topics, and brings both to the same state.

`topic_position` says for each partition up to which offset the database knows all that lies there. What lies behind is
read: known events were in flight when a process died, and are marked; unknown ones mean that the database is an old
backup, and are taken over. Where the topic is shorter, or another one than before, the broker has lost records: they
are published again, with the same ids and in the same order, and readers' inboxes recognise what is a repeat.

Whatever is written comes in small transactions, and a comparison that was cut is taken up where it ended.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.outbox import SaidBeside, TopicPartition
from services.plumbing.recovery.taking_over import (
    MissedEvents,
    TakingOver,
    TopicRecord,
    put_position,
    read_event,
    seq_of,
)
from services.plumbing.retention.outbox_rows import pruned_through


class PartitionBounds(NamedTuple):
    """The first offset that is still there, and the one behind the last record."""

    first: int
    end: int


class OpenTopics(Protocol):
    """The partitions of some topics, as they stand."""

    async def bounds(self) -> dict[TopicPartition, PartitionBounds]:
        """Where each partition begins and ends."""
        ...

    def read(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> AsyncIterator[list[TopicRecord]]:
        """The records of each partition from its start to its end, in batches of one partition each."""
        ...


class Topics(Protocol):
    """Where topics can be read."""

    def open(self, topics: Iterable[str]) -> AbstractAsyncContextManager[OpenTopics]:
        """All partitions of these topics; raises what `is_transient` while Kafka can't be reached."""
        ...


@dataclass(frozen=True)
class Agreement:
    """Where to go on in a partition, by what is known of it."""

    position: int
    """The database knows everything below this offset."""
    check: int | None
    """The record here should be the one that the database knows there; None where there is none to look at."""


def agreement(position: int | None, bounds: PartitionBounds) -> Agreement:
    """How far a partition and the database can agree; without a position nothing is known of the partition."""
    agreed = min(position or 0, bounds.end)
    return Agreement(agreed, agreed - 1 if agreed > bounds.first else None)


class OutboxComparison:
    """Compares one schema's outbox with the topics that only its service writes."""

    def __init__(
        self,
        database: Database,
        topics: Topics,
        names: Iterable[str],
        missed_events: MissedEvents,
        said_beside: SaidBeside | None = None,
        without_effects: Collection[str] = (),
    ) -> None:
        self._database = database
        self._topics = topics
        self._names = tuple(names)
        self._missed_events = missed_events
        self._taking_over = TakingOver(database, missed_events, said_beside, without_effects)

    def covers(self, topic: str) -> bool:
        """Whether it compares this topic."""
        return topic in self._names

    async def run(self, still_ours: Callable[[], Awaitable[bool]]) -> None:
        """Compare all partitions; gives up, to be run again, where the lease is no longer ours."""
        async with self._topics.open(self._names) as topics:
            bounds = await topics.bounds()
            positions = await self._positions()
            agreements = {place: agreement(positions.get(place), one) for place, one in bounds.items()}
            shorter = {place for place, one in bounds.items() if positions.get(place, 0) > one.end}
            strange = await self._strangers(topics, agreements)
            for place in sorted(shorter | strange):
                await self._forget(place, 0 if place in strange else bounds[place].end)
            starts = {
                place: bounds[place].first if place in strange else max(one.position, bounds[place].first)
                for place, one in agreements.items()
            }
            ends = {place: one.end for place, one in bounds.items()}
            missed = 0
            for topic in self._names:  # in this order, since the events of one may rest on those of another
                of_topic = {place: start for place, start in starts.items() if place[0] == topic}
                async for batch in topics.read(of_topic, ends):
                    if not await still_ours():
                        return
                    missed += await self._taking_over.take(batch)
            lost = await self._publish_lost_again(ends)
        log.info("compared with the topics", action="compared", taken_over=missed, published_again=lost)

    async def _positions(self) -> dict[TopicPartition, int]:
        async with self._database.connection() as connection:
            rows = await connection.fetch("select topic, partition, next_offset from topic_position")
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def _strangers(
        self, topics: OpenTopics, agreements: Mapping[TopicPartition, Agreement]
    ) -> set[TopicPartition]:
        """The partitions whose last record that should be known is not: the topic was made anew."""
        checks = {place: one.check for place, one in agreements.items() if one.check is not None}
        strange = set()
        async for batch in topics.read(checks, {place: check + 1 for place, check in checks.items()}):
            async with self._database.connection() as connection:
                for record in batch:
                    if not await self._is_known(connection, record):
                        strange.add((record.topic, record.partition))
        return strange

    async def _is_known(self, connection: Connection, record: TopicRecord) -> bool:
        event = read_event(record, self._missed_events)
        if event is None:
            return True  # nothing of ours, and looked at before
        row = await connection.fetchrow(
            "select at_partition, at_offset from outbox where event_id = $1", event.event_id
        )
        if row is None:  # one that was pruned is known, too
            through = await pruned_through(connection, record.topic, [event.key])
            return seq_of(event.value) <= through.get(event.key, 0)
        return (row["at_partition"], row["at_offset"]) == (record.partition, record.offset)

    async def _forget(self, place: TopicPartition, end: int) -> None:
        """What was known to lie at `end` and behind is not there, or has to be looked for anew."""
        topic, partition = place
        log.warning("a topic is not what it was", action="topic_shorter", topic=topic, partition=partition, end=end)
        async with self._database.transaction() as connection:
            await connection.execute(
                "update outbox set at_offset = null where topic = $1 and at_partition = $2 and at_offset >= $3",
                topic,
                partition,
                end,
            )
            await put_position(connection, topic, partition, end)

    async def _publish_lost_again(self, ends: Mapping[TopicPartition, int]) -> int:
        """Have the relay publish what is on no topic any more, and what lies behind it of the same partition."""
        lost = 0
        async with self._database.transaction() as connection:
            for (topic, partition), end in ends.items():
                await put_position(connection, topic, partition, end)
                rows = await connection.fetch(
                    """
                    with first as (
                        select min(id) as id from outbox where topic = $1 and at_partition = $2
                        and published_at is not null and at_offset is null
                    )
                    update outbox o set published_at = null from first
                    where topic = $1 and at_partition = $2 and published_at is not null and o.id >= first.id
                    returning o.id
                    """,
                    topic,
                    partition,
                )
                lost += len(rows)
        if lost:
            log.warning("records that a topic has lost are published again", action="published_again", count=lost)
        return lost
