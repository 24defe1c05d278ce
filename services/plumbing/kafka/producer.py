"""Out to Kafka: an idempotent producer that is rebuilt when it has died, one for each process."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing
from services.plumbing.relay import Acknowledged, TopicMissing
from services.plumbing.transient_errors import Unavailable

RawRecord = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Topic, key, value and headers, as they go to Kafka."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)
"""A record over a limit: the client's own, the broker's for a batch, or one that names neither."""

LARGEST_REQUEST = 6 * 1024 * 1024
"""Bytes that the client sends at most: what a dead-letter topic takes. Every topic's own limit is the broker's."""


class KafkaProducer:
    """aiokafka's producer, idempotent and acknowledged by all in-sync replicas, rebuilt when it has died.

    aiokafka has no KIP-360 recovery: after some errors its sender task ends and the producer is dead for good.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged | BaseException]:
        """Send records in order and wait for all acknowledgements; one result for each.

        A send that timed out counts as failed though it may have been written: it will be repeated with the same id.
        """
        return await self._send(
            [(r.topic, r.key.encode(), r.value, [(k, v.encode()) for k, v in r.headers.items()]) for r in records]
        )

    async def offer_raw(self, records: Sequence[RawRecord]) -> list[BaseException | None]:
        """Send records as they are, null keys, null values and binary headers included; None for what was taken."""
        return [one if isinstance(one, BaseException) else None for one in await self._send(records)]

    async def send_raw(self, records: Sequence[RawRecord]) -> None:
        """The same, but raises `Unavailable` if one fails."""
        for result in await self._send(records):
            if isinstance(result, BaseException):
                raise Unavailable(f"the broker did not take a record: {result!r}") from result

    async def close(self) -> None:
        """Flush and disconnect."""
        if self._producer:
            producer, self._producer = self._producer, None
            try:
                await asyncio.wait_for(producer.stop(), 10)
            except (TimeoutError, KafkaError) as error:
                log.warning("the producer was cut", action="producer_cut", error=str(error))

    @property
    def is_alive(self) -> bool:
        """Whether the sender task lives; a ping of the broker would not tell."""
        if self._producer is None:
            return True
        task = self._producer._sender.sender_task  # no public way to ask
        return task is not None and not task.done()

    async def _send(self, records: Sequence[RawRecord]) -> list[Acknowledged | BaseException]:
        producer = await self._living_producer()
        missing = await _missing(producer, {topic for topic, *_ in records})
        futures: list[asyncio.Future[Any] | BaseException] = []
        pending: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                for topic, key, value, headers in records:
                    if topic in missing:
                        futures.append(TopicMissing(f"there is no topic {topic}"))
                        continue
                    try:
                        futures.append(await producer.send(topic, value, key=key, headers=headers))
                    except TOO_LARGE as error:
                        futures.append(error)
                pending = [f for f in futures if isinstance(f, asyncio.Future)]
                if pending:
                    await asyncio.wait(pending)
        except (TimeoutError, KafkaError) as error:
            # What has no answer now may still be written; a new producer makes an end to the old one's tries.
            await self._discard()
            results: list[Acknowledged | BaseException] = [_result(f, error) for f in futures]
            return results + [error] * (len(records) - len(results))
        if any(f.cancelled() or f.exception() for f in pending):
            # What the broker has refused leaves a gap in the idempotent producer's numbers, and the broker would refuse
            # all that comes behind it (`OutOfOrderSequenceNumber`) for ever: aiokafka does not begin anew by itself.
            await self._discard()
        return [_result(f, TimeoutError()) for f in futures]

    async def _living_producer(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer and not self.is_alive:
                log.error("the producer's sender task has died; a new one is made", action="producer_rebuilt")
                await self._discard()
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._settings.client_options(),
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=524_288,
                    max_request_size=LARGEST_REQUEST,
                    request_timeout_ms=15_000,
                )
                try:
                    await producer.start()
                except BaseException as error:
                    await producer.stop()
                    if isinstance(error, KafkaError):
                        raise Unavailable(f"Kafka can't be reached: {error}") from error
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer:
            # stop() would first try to flush to a broker that does not answer.
            stopping = asyncio.create_task(producer.stop())
            await asyncio.wait([stopping], timeout=1)
            if not stopping.done():
                stopping.cancel()


async def _missing(producer: AIOKafkaProducer, topics: Collection[str]) -> set[str]:
    """Which of these topics the broker doesn't show; a send to one would wait until all that is sent has timed out."""
    cluster = producer.client.cluster
    unknown = {topic for topic in topics if not cluster.partitions_for_topic(topic)}
    if unknown:
        # Of the broker itself: the client knows of the topics that it has sent to, and asks for no others.
        try:
            there = await producer.client.fetch_all_metadata()
        except KafkaError:
            return set()  # then sending will tell
        unknown = {topic for topic in unknown if not there.partitions_for_topic(topic)}
    return unknown


def _result(future: "asyncio.Future[Any] | BaseException", otherwise: BaseException) -> Acknowledged | BaseException:
    if isinstance(future, BaseException):
        return future
    if not future.done() or future.cancelled():
        return otherwise
    return future.exception() or Acknowledged(future.result().partition, future.result().offset)
