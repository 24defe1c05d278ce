"""Reads topics from given offsets up to their ends, without a group and without a trace."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import TopicPartition as Place
from services.plumbing.recovery.comparison import PartitionBounds
from services.plumbing.recovery.taking_over import TopicRecord
from services.plumbing.transient_errors import Unavailable


class TopicReader:
    """Reads what lies on topics as it stands now."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, topics: Iterable[str]) -> AsyncIterator["ReadableTopics"]:
        """All partitions of these topics; raises `Unavailable` where Kafka or a topic can't be reached."""
        consumer = AIOKafkaConsumer(
            *topics,
            **self._settings.client_options(),
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            request_timeout_ms=15_000,
            # As it starts it reads from the beginning, before it is told where to.
            max_partition_fetch_bytes=262_144,
        )
        try:
            try:
                await consumer.start()
                consumer.pause(*consumer.assignment())
                yield ReadableTopics(consumer)
            except KafkaError as error:
                raise Unavailable(f"the topics can't be read: {error!r}") from error
        finally:
            await consumer.stop()


@dataclass(frozen=True)
class ReadableTopics:
    """The partitions of some topics."""

    consumer: AIOKafkaConsumer

    async def bounds(self) -> dict[Place, PartitionBounds]:
        """Of each partition the first offset that is still there, and the one behind the last record."""
        partitions = list(self.consumer.assignment())
        first = await self.consumer.beginning_offsets(partitions)
        end = await self.consumer.end_offsets(partitions)
        return {(p.topic, p.partition): PartitionBounds(first[p], end[p]) for p in partitions}

    async def read(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> AsyncIterator[list[TopicRecord]]:
        """The records of each partition from its start to its end, in batches of one partition each."""
        unread = {TopicPartition(*place): ends[place] for place, start in starts.items() if start < ends[place]}
        others = [p for p in self.consumer.assignment() if p not in unread]
        self.consumer.pause(*others)
        self.consumer.resume(*unread)
        for partition in unread:
            self.consumer.seek(partition, starts[partition.topic, partition.partition])
        while unread:
            for partition, batch in (await self.consumer.getmany(timeout_ms=250, max_records=500)).items():
                if partition not in unread:
                    continue
                records = [
                    TopicRecord(
                        r.topic, r.partition, r.offset, r.key, tuple((n, v) for n, v in r.headers), r.value, r.timestamp
                    )
                    for r in batch
                    if r.offset < unread[partition]
                ]
                if records:
                    yield records
            # The end may lie behind a record of a transaction, which nobody is given.
            for partition in [p for p, end in unread.items() if await self.consumer.position(p) >= end]:
                self.consumer.pause(partition)
                del unread[partition]
