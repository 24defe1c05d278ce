"""Whether the consumers and the producer of a process are well, and how far behind they are."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from prometheus_client import Gauge

from services.plumbing.kafka.consumer import PatientKafkaBroker
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.logs import log

LAG = Gauge("pledgewire_consumer_lag", "Records not yet handed out, over the assigned partitions", ["group"])
DEAD_DEPTH = Gauge("pledgewire_dead_letter_depth", "Records that lie in a dead-letter topic", ["topic"])


class Stuck(RuntimeError):
    """A consumer has records to read and does not move; a new process may."""


async def watch_consumers(
    broker: KafkaBroker, stopping: asyncio.Event, *, every: float = 5.0, patience: float = 120.0
) -> None:
    """Measure the lag of every group, and raise `Stuck` where one has not moved for `patience` seconds.

    A consumer can hang after a broker's restart or a lost session while everything looks alive; nothing in the client
    tells, so this looks at what it does. While a handler waits for something that is away (it says so in the log, and
    seeks back), the consumer polls again and counts as moving.
    """
    seen: dict[str, tuple[int, float]] = {}
    loop = asyncio.get_running_loop()
    while not stopping.is_set():
        for subscriber in broker.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            if consumer is None:
                continue
            group = getattr(subscriber, "group_id", None) or "none"
            try:
                async with asyncio.timeout(2):
                    lag, polled = await _lag(consumer)
                    if subscriber.ack_policy is AckPolicy.NACK_ON_ERROR:
                        await _measure_dead_letters(consumer)
            except Exception as error:
                # A rebalance under way, a broker away: what can't be measured now must not end what works.
                log.info("lag could not be measured", action="lag_unknown", group=group, error=repr(error))
                continue
            LAG.labels(group).set(lag)
            last, since = seen.get(group, (-1, loop.time()))
            if lag == 0 or polled != last:
                seen[group] = (polled, loop.time())
            elif loop.time() - since > patience:
                raise Stuck(f"group {group} has {lag} records to read and has not polled for {patience:.0f} s")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every)


async def _measure_dead_letters(consumer: Any) -> None:
    """How much lies in the dead-letter topics of what this consumer reads."""
    topics = {f"{partition.topic}-dead" for partition in consumer.assignment()}
    partitions = [TopicPartition(topic, 0) for topic in sorted(topics)]
    if not partitions:
        return
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    for partition in partitions:
        DEAD_DEPTH.labels(partition.topic).set(end[partition] - first[partition])


async def _lag(consumer: Any) -> tuple[int, int]:
    """Records between position and end, and a figure that changes whenever the consumer polls."""
    lag = polled = 0
    for partition in consumer.assignment():
        position = await consumer.position(partition)
        end = consumer.highwater(partition)
        lag += max(0, end - position) if end is not None else 0
        polled = max(polled, consumer.last_poll_timestamp(partition) or 0)
    return lag, polled


def kafka_check(
    broker: PatientKafkaBroker, producer: KafkaProducer, *, longest_silence: float = 10.0
) -> Callable[[], Awaitable[str | None]]:
    """A readiness check: connected, the producer's sender lives, and the consumers hear Kafka.

    A ping would not do: it says nothing of the consumers, nor of the sender task.
    """

    async def check() -> str | None:
        if not broker.is_running:
            return "not connected"
        if not producer.is_alive:
            return "the producer's sender task has died"
        silence = broker.silence()
        return f"nothing heard for {silence:.0f} s" if silence > longest_silence else None

    return check
