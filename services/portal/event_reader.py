"""Kafka → feed: every portal process reads all public topics for itself, from a little before their ends.

Without a group there are no offsets to commit and no other member to share with. FastStream starts such a reader at
the end (`auto_offset_reset="latest"`); it is then set back here, and what is read twice by that the feed drops.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.plumbing.kafka.consumer import PatientKafkaBroker, watch
from services.plumbing.kafka.health import kafka_check
from services.plumbing.logs import log
from services.plumbing.retry import pause_until
from services.portal.live_feed import TOPICS, LiveFeed

if TYPE_CHECKING:
    from faststream.kafka.subscriber.usecase import LogicSubscriber

TAIL = 50
"""Records of each partition that are read when the process starts."""


class LiveEventReader:
    """Reads the public topics into a feed."""

    def __init__(self, broker: PatientKafkaBroker, feed: LiveFeed) -> None:
        self._feed = feed
        self._broker = broker
        self._subscriber: LogicSubscriber[Any] = watch(broker, list(TOPICS), feed.take)
        self._from_tail: frozenset[TopicPartition] = frozenset()
        self._hears_kafka = kafka_check(broker)

    async def run(self, stopping: asyncio.Event) -> None:
        """Set the reader back to the tail of each partition that it has been given; topics may get more of them."""
        while not stopping.is_set():
            try:
                await self._set_back()
            except KafkaError as error:
                log.warning("the feed waits for Kafka", action="feed_waits", error=repr(error))
            await pause_until(1.0 if self._from_tail else 0.1, stopping)
        self._feed.close()

    async def check(self) -> str | None:
        """For `/readyz`: what keeps the feed from being fed."""
        if trouble := await self._hears_kafka():
            return trouble
        return None if self._from_tail else "the tail of the topics has not been read yet"

    async def _set_back(self) -> None:
        consumer = self._subscriber.consumer
        if consumer is None or not self._broker.is_running:
            return
        assigned = consumer.assignment()
        if assigned and assigned != self._from_tail:
            # aiokafka resets every position when it is given more partitions, so all are set back.
            first, end = await consumer.beginning_offsets(list(assigned)), await consumer.end_offsets(list(assigned))
            for partition in assigned:
                consumer.seek(partition, max(first[partition], end[partition] - TAIL))
            self._from_tail = frozenset(assigned)
            log.info("the feed reads the tails", action="feed_from_tail", partitions=len(assigned))
