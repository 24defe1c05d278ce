"""How Kafka is read and written here; each setting below replaces a default that loses messages.

FastStream's default policy acknowledges before the handler runs; `ACK` and `REJECT_ON_ERROR` commit on failure
too; `MANUAL` commits past a failure at the next success. So: `NACK_ON_ERROR`, batches, one decision for each record
(`docs/decisions/0002-kafka-policy.md` has the measurements).
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, RecordTooLargeError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import SASLPlaintext, SASLScram256, SASLScram512
from prometheus_client import Counter, Gauge
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.failpoints import failpoint
from services.plumbing.faults import Unavailable, is_passing
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing

T = TypeVar("T")

CONSUMED = Counter("pledgewire_events_consumed_total", "Records handled, repeats included", ["topic"])
DEAD_LETTERS = Counter("pledgewire_dead_letters_total", "Records given up on, by the topic they came from", ["topic"])
DEAD_DEPTH = Gauge("pledgewire_dead_letter_depth", "Records that lie in a dead-letter topic", ["topic"])
LAG = Gauge("pledgewire_consumer_lag", "Records not yet handed out, over the assigned partitions", ["group"])


class KafkaSettings(BaseSettings):
    """Where Kafka is and how to be let in; the names are those of the Java client, in capitals."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: str = Field(default="PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$")
    sasl_mechanism: str = Field(default="SCRAM-SHA-512", pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$")
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    session_timeout_ms: int = Field(default=10_000, ge=1_000, le=300_000)
    """So long a consumer that died keeps its partitions from the others of its group."""
    send_timeout: float = Field(default=30.0, gt=0)
    """Seconds after which a send counts as unknown: an idempotent producer itself would wait for ever."""

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS with verification, where the protocol asks for it."""
        if not self.security_protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context

    def client_options(self) -> dict[str, Any]:
        """Options of an aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        return options

    def faststream_security(self) -> Any:
        """The same for FastStream, which has classes for it."""
        if not self.security_protocol.startswith("SASL"):
            from faststream.security import BaseSecurity

            context = self.ssl_context()
            return BaseSecurity(ssl_context=context, use_ssl=context is not None)
        kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
        context = self.ssl_context()
        return kinds[self.sasl_mechanism](
            username=self.sasl_username,
            password=self.sasl_password.get_secret_value(),
            ssl_context=context,
            use_ssl=context is not None,
        )


class PatientKafkaBroker(KafkaBroker):
    """FastStream's broker, but one that waits for a Kafka that is not there yet, and never creates a topic."""

    is_running = False
    session_timeout_ms = 10_000

    def silence(self) -> float:
        """Seconds since the consumers that have partitions last heard from Kafka, the quietest one's; 0 with none.

        An answer that brings nothing counts: while all is well there is one every few hundredths of a second.
        """
        quietest = 0.0
        for subscriber in self.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            polls = [consumer.last_poll_timestamp(p) or 0 for p in consumer.assignment()] if consumer else []
            if any(polls):
                quietest = max(quietest, time.time() - max(polls) / 1000)
        return quietest

    async def start(self) -> None:
        """Connect and start all subscribers, trying until Kafka is there."""
        wait = 0.2
        while True:
            try:
                await super().start()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("Kafka is not there yet", action="kafka_waits", error=str(error), seconds=wait)
                await self.stop()  # what was half started would leak
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)
            else:
                self.is_running = True
                return

    async def stop(self, *args: Any) -> None:
        """Wait for running handlers, at most the graceful time-out, and leave the groups."""
        self.is_running = False
        await super().stop(*args)


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


def kafka_broker(settings: KafkaSettings) -> PatientKafkaBroker:
    """The broker that a service declares its subscribers on."""
    broker = PatientKafkaBroker(
        settings.bootstrap_servers.split(","),
        security=settings.faststream_security(),
        consumer_only=True,  # services publish through their outbox only
        allow_auto_create_topics=False,  # or a typing error becomes a topic with one partition
        graceful_timeout=15.0,
        apply_types=False,
        logger=None,
    )
    broker.session_timeout_ms = settings.session_timeout_ms
    return broker


def kafka_check(
    broker: PatientKafkaBroker, producer: "KafkaProducer", *, longest_silence: float = 10.0
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


@dataclass(frozen=True)
class DeadLetter:
    """A record that can never work, and why."""

    record: ConsumerRecord[bytes, bytes]
    reason: str
    error: str


class DeadLetters:
    """Sends records to `<topic>-dead`: the same bytes, key and headers, with the reason and where they came from."""

    def __init__(self, producer: "KafkaProducer") -> None:
        self._producer = producer

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Send them all and wait; raises where the broker does not take one, so that its record comes again."""
        if not letters:
            return
        await self._producer.send_raw([_dead_record(letter) for letter in letters])
        for letter in letters:
            DEAD_LETTERS.labels(letter.record.topic).inc()
            log.error(
                "a record was put aside",
                action="dead_letter",
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                reason=letter.reason,
            )


def _dead_record(letter: DeadLetter) -> tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]:
    record = letter.record
    why = {
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_error": letter.error,
        "dead_reason": letter.reason,
    }
    value = record.value
    if record.key is None and value is None:
        # The client refuses a record that has neither; without this it would come again for ever.
        value, why["dead_value"] = b"", "null"
    headers = [*record.headers, *((name, text.encode()) for name, text in why.items())]
    return f"{record.topic}-dead", record.key, value, headers


class KafkaProducer:
    """aiokafka's producer, idempotent and acknowledged by all in-sync replicas, rebuilt when it has died.

    aiokafka has no KIP-360 recovery: after some errors its sender task ends and the producer is dead for good.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, records: Sequence[Outgoing]) -> list[BaseException | None]:
        """Send records in order and wait for all acknowledgements; one result for each, None for success.

        A send that timed out counts as failed though it may have been written: it will be repeated with the same id.
        """
        return await self._send(
            [(r.topic, r.key.encode(), r.value, [(k, v.encode()) for k, v in r.headers.items()]) for r in records]
        )

    async def send_raw(
        self, records: Sequence[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]]
    ) -> None:
        """Send records as they are, null keys, null values and binary headers included; raises if one fails."""
        for result in await self._send(records):
            if result is not None:
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

    async def _send(
        self, records: Sequence[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]]
    ) -> list[BaseException | None]:
        producer = await self._living_producer()
        futures: list[asyncio.Future[Any] | BaseException] = []
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                for topic, key, value, headers in records:
                    try:
                        futures.append(await producer.send(topic, value, key=key, headers=headers))
                    except RecordTooLargeError as error:
                        futures.append(error)
                pending = [f for f in futures if isinstance(f, asyncio.Future)]
                if pending:
                    await asyncio.wait(pending)
        except (TimeoutError, KafkaError) as error:
            # What has no answer now may still be written; a new producer makes an end to the old one's tries.
            await self._discard()
            results: list[BaseException | None] = [_result(f, error) for f in futures]
            return results + [error] * (len(records) - len(results))
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


def _result(future: "asyncio.Future[Any] | BaseException", otherwise: BaseException) -> BaseException | None:
    if isinstance(future, BaseException):
        return future
    if not future.done() or future.cancelled():
        return otherwise
    return future.exception()


Read = Callable[[ConsumerRecord[bytes, bytes]], T]
"""Makes an event of a record; raises ValueError, with the reason, for one that can never be read."""
Apply = Callable[[Sequence[T]], Awaitable[None]]
"""Does the effect of events in one transaction: all or nothing, and nothing for what was seen before."""

_SYSTEMIC = 20
"""So many records that fail one by one, and none that works: that is our fault and no poison."""


@dataclass
class Intake(Generic[T]):
    """Takes batches of records from Kafka into the database.

    Each record ends in one of two ways before its offset moves: its effect is committed, or it is in the dead-letter
    topic. A fault that passes leaves the batch to come again, after a pause that grows.
    """

    group: str
    read: Read[T]
    apply: Apply[T]
    dead_letters: DeadLetters
    longest_pause: float = 15.0
    """Seconds; must stay well under `max_poll_interval_ms` (5 minutes)."""
    _pause: float = field(default=0.1, init=False)

    async def take(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Handle one batch; raises only what passes, so that the batch comes again."""
        failpoint("intake-after-poll")
        events: list[tuple[ConsumerRecord[bytes, bytes], T]] = []
        dead: list[DeadLetter] = []
        for record in batch:
            try:
                events.append((record, self.read(record)))
            except Exception as error:  # reading is pure: what fails now fails for ever
                dead.append(DeadLetter(record, str(error)[:1000] or repr(error), type(error).__name__))
        try:
            if events:
                dead += await self._apply(events)
            await self.dead_letters.bury(dead)
        except Exception as error:
            log.warning("a batch will come again", action="intake_waits", group=self.group, error=str(error))
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, self.longest_pause)
            raise
        self._pause = 0.1
        for record in batch:
            CONSUMED.labels(record.topic).inc()
        failpoint("intake-after-commit")

    async def _apply(self, events: list[tuple[ConsumerRecord[bytes, bytes], T]]) -> list[DeadLetter]:
        try:
            await self.apply([event for _, event in events])
        except Exception as error:
            if is_passing(error):
                raise
            log.warning("a batch is taken record by record", action="intake_isolates", error=repr(error))
        else:
            return []
        dead = []
        for record, event in events:
            try:
                await self.apply([event])
            except Exception as error:
                if is_passing(error):
                    raise
                log.exception("a record can't be applied", action="intake_rejects")
                dead.append(DeadLetter(record, str(error)[:1000] or repr(error), type(error).__name__))
        if len(dead) == len(events) >= _SYSTEMIC:
            raise Unavailable(f"none of {len(events)} records could be applied, last: {dead[-1].reason}")
        return dead


def subscribe(
    broker: PatientKafkaBroker, topics: Sequence[str], intake: "Intake[Any]", *, max_records: int = 500
) -> None:
    """Declare a batch subscriber whose offsets move only after `intake` has taken the batch."""

    @broker.subscriber(
        *topics,
        group_id=intake.group,
        batch=True,
        max_records=max_records,
        session_timeout_ms=broker.session_timeout_ms,
        heartbeat_interval_ms=broker.session_timeout_ms // 4,
        # FastStream waits so long for a batch and, where none came, sleeps as long again: that is what the first
        # event after a lull waits.
        batch_timeout_ms=20,
        # aiokafka has one fetch per broker under way, for the partitions that were empty when it was sent: what comes
        # to another one lies until that fetch returns. Its default of 500 ms was the 99th percentile of deliveries.
        fetch_max_wait_ms=40,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",  # a new group hears what was published before it
        isolation_level="read_committed",  # others may write transactionally to their ingest topics
        parser=_unparsed,
        decoder=_raw,
        no_reply=True,  # or a `reply_to` header would make us publish where its sender likes
        title=f"{intake.group}",
    )
    async def take(batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        await intake.take(batch)


def watch(
    broker: KafkaBroker,
    topics: Sequence[str],
    take: Callable[[Sequence[ConsumerRecord[bytes, bytes]]], Awaitable[None]],
) -> Any:
    """Declare a subscriber without a group: it hears every record from its start on, and leaves no trace.

    For what is shown and forgotten, such as a live page; whatever has an effect needs `subscribe`.
    """
    subscriber = broker.subscriber(
        *topics,
        group_id=None,
        batch=True,
        batch_timeout_ms=200,
        ack_policy=AckPolicy.MANUAL,  # there is nothing to acknowledge to: without a group a commit is an error
        auto_offset_reset="latest",
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
