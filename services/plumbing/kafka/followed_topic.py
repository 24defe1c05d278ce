"""A compacted topic that each process holds in its memory: read from its beginning at the start, then followed."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from services.plumbing.kafka.consumer import PatientKafkaBroker, watch
from services.plumbing.logs import log
from services.plumbing.retry import pause_until

if TYPE_CHECKING:
    from faststream.kafka.subscriber.usecase import LogicSubscriber

T = TypeVar("T")
FOLLOWED = Counter(
    "pledgewire_records_followed_total", "Records read of a topic that is held in memory", ["topic", "outcome"]
)


class FollowedTopic(Generic[T]):
    """Gives what stands on a topic to `take`, batch by batch in its order."""

    def __init__(
        self,
        broker: PatientKafkaBroker,
        topic: str,
        read: Callable[[ConsumerRecord[bytes, bytes]], T],
        take: Callable[[Sequence[T]], None],
    ) -> None:
        """`read` raises ValueError for a record that it can't read, which is logged and passed over."""
        self._read = read
        self._take = take
        self._subscriber: LogicSubscriber[Any] = watch(broker, [topic], self._hear, from_beginning=True)
        self._behind: dict[TopicPartition, int] = {}
        """Behind which offsets all has been taken."""
        self._is_complete = False

    def silence(self) -> float:
        """Seconds since Kafka was last heard of it; infinitely many until all that stood there has been taken."""
        consumer = self._subscriber.consumer
        if not self._is_complete or consumer is None:
            return math.inf
        polls = [consumer.last_poll_timestamp(partition) or 0 for partition in consumer.assignment()]
        return max(0.0, time.time() - min(polls) / 1000) if all(polls) and polls else 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Look whether all has been taken, until it has."""
        while not stopping.is_set() and not self._is_complete:
            try:
                self._is_complete = await self._has_all()
            except KafkaError as error:
                log.warning("a topic can't be read yet", action="followed_topic_waits", error=repr(error))
            await pause_until(0.05, stopping)
        await stopping.wait()

    async def _has_all(self) -> bool:
        consumer = self._subscriber.consumer
        partitions = list(consumer.assignment()) if consumer else []
        if consumer is None or not partitions:
            return False
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        return all(end[p] == first[p] or self._behind.get(p, 0) >= end[p] for p in partitions)

    async def _hear(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        found = []
        for record in batch:
            try:
                found.append(self._read(record))
                FOLLOWED.labels(record.topic, "read").inc()
            except ValueError as error:
                FOLLOWED.labels(record.topic, "passed-over").inc()
                log.error(
                    "a record is passed over",
                    action="record_passed_over",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    error=str(error)[:300],
                )
        self._take(found)
        for record in batch:
            self._behind[TopicPartition(record.topic, record.partition)] = record.offset + 1
