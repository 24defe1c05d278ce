"""Whether the consumers and the producer of a process are well, and how far behind they are."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import OffsetAndMetadata, TopicPartition
from prometheus_client import Gauge

from services.plumbing.kafka.consumer import PatientKafkaBroker
from services.plumbing.kafka.lag import LagReading, ask_for_topics, read_lag, renew_if_outdated
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.standing import LONGEST_STAND, StandingPartitions
from services.plumbing.logs import log
from services.plumbing.retry import pause_until

PARTITION = ("group", "topic", "partition")
LAG = Gauge(
    "pledgewire_consumer_lag",
    "Records published and not yet taken, of all partitions of the group's topics; NaN while it is not known",
    PARTITION,
)
LAG_READ_AT = Gauge(
    "pledgewire_consumer_lag_read_seconds", "When lag was last measured, in seconds of Unix time", ["group"]
)
STANDS = Gauge(
    "pledgewire_partition_stands_seconds",
    "For how long a partition that this process reads has records and takes none; 0 for one that moves, NaN while it is"
    " not known",
    PARTITION,
)
DEAD_DEPTH = Gauge(
    "pledgewire_dead_letter_depth",
    "Records that lie in a dead-letter topic, one for each group that put a record aside; NaN while it is not known",
    ["topic"],
)
TOPICS_CUT = Gauge(
    "pledgewire_topics_cut",
    "Topics that ended before what had been read of them: deleted and made again, or cut; since this process started",
    ["group"],
)

CUT_SHOWN = 60.0
"""Seconds for which a topic that was made again keeps its readers from being ready, so that it can't be overlooked."""
LONGEST_IGNORANCE = 10.0
"""Seconds for which lag may be unknown."""
_LONGEST_READING = 3.0
CALM = 3
"""So many times as long is waited for the next look while nothing lies unread and nothing is wrong."""


class Stuck(RuntimeError):
    """A consumer has records to read and does not move; a new process may."""


class ConsumerWatch:
    """Looks again and again at what one consumer does, which looks alive whatever happens to it.

    It can hang after a broker's restart or a lost session, and it reads on without a word where a topic was deleted
    and made again; nothing in the client tells.
    """

    def __init__(self, group: str | None, standing: StandingPartitions | None, writes: Sequence[str] = ()) -> None:
        self._group = group or "none"
        self._writes = writes
        self._standing = standing
        self._reading: LagReading | None = None
        self._read_at = self._moved_at = time.monotonic()
        self._is_known = False
        self._polled = -1
        self._still: dict[TopicPartition, tuple[int, float]] = {}
        self._cut: dict[str, float] = {}
        self._had: set[str] = set()
        TOPICS_CUT.labels(self._group).set(0)

    def troubles(self, now: float) -> list[str]:
        """What is wrong, by the clock that can't be set; nothing while all is well."""
        troubles = self._standing.troubles(now) if self._standing else []
        for partition, (_, since) in sorted(self._still.items()):
            if now - since >= LONGEST_STAND and not (self._standing and self._standing.offset(partition) is not None):
                troubles.append(f"nothing is read of partition {partition.partition} of {partition.topic}")
        if self._reading:
            troubles += [f"the topic {topic} is missing" for topic in self._reading.missing]
        troubles += [
            f"the topic {topic} was deleted and made again, or cut: what was in it is gone"
            for topic, noticed in sorted(self._cut.items())
            if now - noticed < CUT_SHOWN
        ]
        if now - self._read_at > LONGEST_IGNORANCE:
            troubles.append(f"its lag is unknown for {now - self._read_at:.0f} s")
        return troubles

    @property
    def is_calm(self) -> bool:
        """Whether at the last look, which told all, nothing lay unread and nothing was wrong."""
        nothing_lay_unread = self._reading is not None and not any(self._reading.lag.values())
        return self._is_known and nothing_lay_unread and not self.troubles(time.monotonic())

    async def look(self, consumer: Any, topics: list[str], patience: float, topics_there: "_TopicsThere") -> None:
        """Measure once; raises `Stuck` where the consumer has not moved for `patience` seconds."""
        topics = sorted({*topics, *self._had})  # one that a pattern finds no longer is missing, not forgotten
        try:
            async with asyncio.timeout(_LONGEST_READING):
                cluster = await topics_there.ask(consumer)
                renew_if_outdated(consumer, cluster)
                reading = await read_lag(consumer, topics, self._standing, self._reading, self._writes, cluster)
                await self._notice_cut(consumer, reading)
        except Exception as error:
            # A rebalance under way, a broker away: what can't be measured now must not end what works.
            log.info("lag could not be measured", action="lag_unknown", group=self._group, error=repr(error))
            self._say_unknown()
            self._is_known = False
        else:
            self._say(reading)
            self._is_known = True
        now = time.monotonic()
        if self._standing:
            self._standing.forget_all_but(consumer.assignment())
        self._say_standing(consumer.assignment(), now, is_known=self._is_known)
        if self._reading and any(self._reading.lag[p] for p in self._reading.positions):
            if now - self._moved_at > patience:
                raise Stuck(f"group {self._group} has records to read and has not polled for {patience:.0f} s")
        else:
            self._moved_at = now

    def _say(self, reading: LagReading) -> None:
        now = time.monotonic()
        if reading.polled != self._polled:
            self._polled, self._moved_at = reading.polled, now
        for partition in (self._reading.lag.keys() if self._reading else set[TopicPartition]()) - reading.lag.keys():
            LAG.remove(self._group, partition.topic, str(partition.partition))
        for partition, lag in reading.lag.items():
            LAG.labels(self._group, partition.topic, str(partition.partition)).set(lag)
        for topic, depth in reading.dead.items():
            DEAD_DEPTH.labels(topic).set(depth)
        self._still = {
            partition: known if (known := self._still.get(partition)) and known[0] == position else (position, now)
            for partition, position in reading.positions.items()
            if reading.lag[partition]
        }
        self._reading, self._read_at = reading, now
        LAG_READ_AT.labels(self._group).set_to_current_time()

    def _say_unknown(self) -> None:
        if self._reading:
            for partition in self._reading.lag:
                LAG.labels(self._group, partition.topic, str(partition.partition)).set(math.nan)
            for topic in self._reading.dead:
                DEAD_DEPTH.labels(topic).set(math.nan)

    def _say_standing(self, assigned: Any, now: float, *, is_known: bool) -> None:
        """That a partition stands may be known while what it has is not; that it moves is not."""
        seconds: Mapping[TopicPartition, float] = self._standing.seconds(now) if self._standing else {}
        for partition in assigned:
            still = now - self._still[partition][1] if partition in self._still else 0.0
            stands = max(seconds.get(partition, 0.0), still)
            STANDS.labels(self._group, partition.topic, str(partition.partition)).set(
                stands if stands or is_known else math.nan
            )

    async def _notice_cut(self, consumer: Any, reading: LagReading) -> None:
        """Say which topics were cut, and forget what was committed beyond their ends."""
        before = self._reading.missing if self._reading else ()
        # Missing once may be a broker that is only just coming back.
        gone = {topic for topic in reading.missing if topic in before and topic in self._had}
        self._had |= {partition.topic for partition in reading.lag}
        for topic in {partition.topic for partition in reading.beyond} | gone:
            if topic not in self._cut:
                log.error("a topic was deleted and made again, or cut", action="topic_cut", topic=topic)
            self._cut[topic] = time.monotonic()
        TOPICS_CUT.labels(self._group).set(len(self._cut))
        beyond = [partition for partition in reading.beyond if partition in reading.positions]
        if beyond and self._standing:
            # The client would read on at its old place where the new topic is long enough already, and else commit
            # its new place only with the next record. What is read twice by this the inbox knows.
            first = await consumer.beginning_offsets(beyond)
            for partition in beyond:
                consumer.seek(partition, first[partition])
            await consumer.commit({partition: OffsetAndMetadata(first[partition], "") for partition in beyond})


class _TopicsThere:
    """Asks once for all consumers of a process; broker and principal are the same."""

    def __init__(self) -> None:
        self._answer: Any = None

    async def ask(self, consumer: Any) -> Any:
        """What there is; raises where it can't be had."""
        self._answer = self._answer or await ask_for_topics(consumer)
        return self._answer


async def watch_consumers(
    broker: PatientKafkaBroker, stopping: asyncio.Event, *, every: float = 2.5, patience: float = 120.0
) -> None:
    """Look at every consumer each `every` seconds, or a third as often while all are calm; for `/readyz` and metrics.

    Raises `Stuck` where one has not moved for `patience` seconds. While a partition stands still, which the log and
    `/readyz` say with the reason, its consumer polls again and counts as moving.
    """
    for subscriber in broker.subscribers:
        group = getattr(subscriber, "group_id", None)
        broker.watches.append(ConsumerWatch(group, broker.standing.get(group or ""), broker.writes))
    while not stopping.is_set():
        topics_there = _TopicsThere()
        for watch, subscriber in zip(broker.watches, broker.subscribers, strict=True):
            consumer = getattr(subscriber, "consumer", None)
            if consumer is not None:
                await watch.look(consumer, _topics(subscriber, consumer), patience, topics_there)
        are_calm = all(watch.is_calm for watch in broker.watches)
        await pause_until(every * CALM if are_calm else every, stopping)


def _topics(subscriber: Any, consumer: Any) -> list[str]:
    """The topics that a subscriber reads: by a pattern, those that it has found."""
    if subscriber.pattern:
        return sorted(consumer.subscription())
    names: list[str] = subscriber.topic_names_for_subscribe
    return names


def kafka_check(
    broker: PatientKafkaBroker, producer: KafkaProducer | None = None, *, longest_silence: float = 12.0
) -> Callable[[], Awaitable[str | None]]:
    """A readiness check: connected, the producer's sender lives, the consumers hear Kafka, and nothing stands still.

    A ping would not do: it says nothing of the consumers, nor of the sender task.
    """

    async def check() -> str | None:
        if not broker.is_running:
            return "not connected"
        if producer and not producer.is_alive:
            return "the producer's sender task has died"
        silence = broker.silence()
        troubles = [f"nothing heard for {silence:.0f} s"] if silence > longest_silence else []
        for watch in broker.watches:
            troubles += watch.troubles(time.monotonic())
        return "; ".join(troubles) or None

    return check
