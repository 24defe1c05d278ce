"""How Kafka is read here; each setting below replaces a default that loses messages.

FastStream's default policy acknowledges before the handler runs; `ACK` and `REJECT_ON_ERROR` commit on failure
too; `MANUAL` commits past a failure at the next success. So: `NACK_ON_ERROR`, batches, one decision for each record
(`docs/decisions/0002-kafka-policy.md` has the measurements).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from services.plumbing.kafka.inflation import bound_inflation
from services.plumbing.kafka.intake import Held, Intake
from services.plumbing.kafka.patient_fetches import LONG_MS, PatientConsumer, fetch_patiently
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.standing import StandingPartitions
from services.plumbing.logs import log
from services.plumbing.recovery.consumed import ConsumedPositions
from services.plumbing.retry import Backoff, until_it_works
from services.plumbing.transient_errors import is_transient

bound_inflation()
fetch_patiently()

METADATA_SECONDS = 300
"""How old a client's knowledge of topics may be. `watch_consumers` has it renewed where the broker says otherwise; and
aiokafka, where a connection breaks or a leader is another."""


class PatientKafkaBroker(KafkaBroker):
    """FastStream's broker, but one that waits for a Kafka that is not there yet, and never creates a topic."""

    is_running = False
    session_timeout_ms = 10_000
    standing: dict[str, StandingPartitions]
    """By the group that reads them, the partitions that stand still."""
    watches: list[Any]
    """What looks at the consumers (`health.ConsumerWatch`)."""
    writes: tuple[str, ...]
    """The topics that the process publishes to: not through this broker, but it looks whether they are there."""

    def silence(self) -> float:
        """Seconds since the consumers that have partitions last heard from Kafka, the quietest one's; 0 with none.

        An answer that brings nothing counts: while all is well there is one every eight seconds (`LONG_MS`).
        """
        quietest = 0.0
        for subscriber in self.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            polls = [consumer.last_poll_timestamp(p) or 0 for p in consumer.assignment()] if consumer else []
            if any(polls):
                quietest = max(quietest, time.time() - max(polls) / 1000)
        return quietest

    async def _connect(self) -> Any:
        made: Any = (
            await super()._connect()
        )  # FastStream builds its consumers by this: aiokafka's class and its options
        builder = partial(PatientConsumer, **made.keywords)
        self.config.broker_config.builder = builder
        return builder

    async def start(self) -> None:
        """Connect and start all subscribers, trying until Kafka is there."""

        async def failed(error: Exception, pause: float) -> None:
            log.warning("Kafka is not there yet", action="kafka_waits", error=str(error), seconds=pause)
            await self.stop()  # what was half started would leak

        await until_it_works(super().start, Backoff(longest=5.0, first=0.2), failed, passes=_is_kafka_away)
        self.is_running = True

    async def stop(self, *args: Any) -> None:
        """Wait for running handlers, at most the graceful time-out, and leave the groups."""
        self.is_running = False
        await super().stop(*args)


def _is_kafka_away(error: BaseException) -> bool:
    return isinstance(error, KafkaError | OSError | TimeoutError)


def kafka_broker(settings: KafkaSettings, writes: Sequence[str] = ()) -> PatientKafkaBroker:
    """The broker that a service declares its subscribers on; it looks out for the topics that the service `writes`."""
    broker = PatientKafkaBroker(
        settings.bootstrap_servers.split(","),
        security=settings.faststream_security(),
        consumer_only=True,  # services publish through their outbox only
        allow_auto_create_topics=False,  # or a typing error becomes a topic with one partition
        metadata_max_age_ms=METADATA_SECONDS * 1000,
        graceful_timeout=15.0,
        apply_types=False,
        logger=None,
    )
    broker.session_timeout_ms = settings.session_timeout_ms
    broker.standing, broker.watches, broker.writes = {}, [], tuple(writes)
    return broker


class TopicPattern(str):
    """A regular expression for names of topics: those that there are are read, and within seconds those that come."""


def subscribe(
    broker: PatientKafkaBroker, topics: Sequence[str] | TopicPattern, intake: Intake[Any], *, max_records: int = 500
) -> None:
    """Declare a batch subscriber whose offsets move only after `intake` has taken the batch.

    Partitions that the intake holds are set back and paused, each for itself, while the others go on.
    """
    standing = broker.standing[intake.group] = StandingPartitions(intake.longest_pause)
    is_pattern = isinstance(topics, TopicPattern)
    subscriber: Any = broker.subscriber(
        *(() if is_pattern else topics),
        pattern=str(topics) if is_pattern else None,
        group_id=intake.group,
        batch=True,
        max_records=max_records,
        session_timeout_ms=broker.session_timeout_ms,
        heartbeat_interval_ms=broker.session_timeout_ms // 3,
        fetch_max_wait_ms=LONG_MS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",  # a new group hears what was published before it
        isolation_level="read_committed",  # others may write transactionally to their ingest topics
        parser=_unparsed,
        decoder=_raw,
        no_reply=True,  # or a `reply_to` header would make us publish where its sender likes
        title=intake.group,
        listener=_GoBack(lambda: subscriber.consumer, intake.positions) if intake.positions else None,
    )

    @subscriber  # type: ignore[untyped-decorator]  # it has no common type for batches
    async def take(batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        consumer: AIOKafkaConsumer = subscriber.consumer
        partitions = {TopicPartition(record.topic, record.partition) for record in batch}
        standing.take_in_hand(partitions, time.monotonic())
        try:
            held = await intake.take(batch)
        finally:
            standing.put_down()
        for partition in partitions.difference(one.partition for one in held):
            standing.move(partition)
        for one in held:
            _hold(consumer, one, standing.stand(one.partition, one.offset, one.reason, time.monotonic()))


class _GoBack(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Sets partitions back to where the database is, as they are assigned, where their group is ahead of it.

    Until that is known nothing of them is read: what lies ahead must not have its effects before what lies between.
    """

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer], positions: ConsumedPositions) -> None:
        self._consumer = consumer
        self._positions = positions
        self._looking: asyncio.Task[None] | None = None

    async def on_partitions_revoked(self, revoked: Any) -> None:
        if self._looking:
            self._looking.cancel()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer().pause(*assigned)
        # Beside the rebalance, which the committed offsets wait for.
        self._looking = asyncio.create_task(self._look(set(assigned)))

    async def _look(self, assigned: set[TopicPartition]) -> None:
        def failed(error: Exception, pause: float) -> None:
            log.warning("the positions wait", action="positions_wait", error=str(error), seconds=pause)

        await until_it_works(partial(self._go_back, assigned), Backoff(longest=5.0), failed, passes=_is_away)

    async def _go_back(self, assigned: set[TopicPartition]) -> None:
        consumer = self._consumer()
        committed = {tuple(p): await consumer.committed(p) for p in sorted(assigned)}
        for place, offset in (await self._positions.places_behind(committed)).items():
            partition = TopicPartition(*place)
            if partition in consumer.assignment():
                log.warning(
                    "the database is older than what its group has read",
                    action="read_again",
                    topic=partition.topic,
                    partition=partition.partition,
                    offset=offset,
                )
                consumer.seek(partition, offset)
        consumer.resume(*assigned.intersection(consumer.assignment()))


def _is_away(error: BaseException) -> bool:
    return _is_kafka_away(error) or is_transient(error)


def _hold(consumer: AIOKafkaConsumer, held: Held, pause: float) -> None:
    """Set a partition back to the first record that is not taken, and leave it alone for so many seconds.

    The commit that follows commits this place, and that of the others behind what was taken.
    """
    if held.partition not in consumer.assignment():
        return  # another member has it now, from the offset that was committed last
    consumer.seek(held.partition, held.offset)
    consumer.pause(held.partition)
    asyncio.get_running_loop().call_later(pause, _resume, consumer, held.partition)


def _resume(consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
    if partition in consumer.assignment():
        consumer.resume(partition)


def watch(
    broker: KafkaBroker,
    topics: Sequence[str],
    take: Callable[[Sequence[ConsumerRecord[bytes, bytes]]], Awaitable[None]],
    *,
    from_beginning: bool = False,
) -> Any:
    """Declare a subscriber without a group, which leaves no trace: it hears every record from its start on.

    For what is shown and forgotten, such as a live page; and, `from_beginning`, for what each process holds in its
    memory. Whatever has an effect needs `subscribe`.
    """
    subscriber = broker.subscriber(
        *topics,
        group_id=None,
        batch=True,
        fetch_max_wait_ms=LONG_MS,
        ack_policy=AckPolicy.MANUAL,  # there is nothing to acknowledge to: without a group a commit is an error
        auto_offset_reset="earliest" if from_beginning else "latest",
        isolation_level="read_committed",
        parser=_unparsed,
        decoder=_raw,
        no_reply=True,
        title="-".join(("watch", *topics))[:80],
    )

    @subscriber
    async def hear(batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        await take(batch)

    return subscriber


async def _unparsed(message: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """FastStream's message, without its reading of headers.

    A header that is null or no UTF-8 would make the batch unparseable, and such a batch is skipped without a word.
    """
    parsed = await original((replace(message[0], headers=()),))
    parsed.raw_message = message
    return parsed


async def _raw(message: Any) -> Any:
    return message.raw_message
