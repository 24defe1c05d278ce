"""From a batch of records to one transaction: each is applied or put aside before its offset moves."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import Counter

from services.plumbing.failpoints import failpoint
from services.plumbing.isolation import one_by_one, reason_of
from services.plumbing.kafka.dead_letters import DeadLetter, DeadLetters, dead_letter
from services.plumbing.kafka.unread import UnreadBatch
from services.plumbing.logs import log
from services.plumbing.recovery.consumed import ConsumedPositions, Taken
from services.plumbing.refusals import RefusedByRule
from services.plumbing.tracing import CE_CORRELATION, CE_TRACEPARENT, header_of, is_recording, now_ns, record_span
from services.plumbing.transient_errors import is_transient

T = TypeVar("T")

CONSUMED = Counter("pledgewire_events_consumed_total", "Records handled by a group, repeats included", ["topic"])

Read = Callable[[ConsumerRecord[bytes, bytes]], T]
"""Makes an event of a record; raises ValueError, with the reason, for one that can never be read."""
Apply = Callable[[Sequence[T]], Awaitable[None]]
"""Does the effect of events in one transaction: all or nothing, and nothing for what was seen before."""

_AWAY = 2
"""So many partitions that fail in passing one after the other: what they need is away, and the rest need not ask."""


@dataclass(frozen=True)
class Held:
    """A partition that goes no further than `offset` for now, and why: from there on its records come again."""

    partition: TopicPartition
    offset: int
    reason: str


@dataclass
class _Part(Generic[T]):
    """The records of one partition in a batch: those that could be read, and those that go to the dead letters."""

    partition: TopicPartition
    records: list[ConsumerRecord[bytes, bytes]] = field(default_factory=list)
    events: list[tuple[ConsumerRecord[bytes, bytes], T]] = field(default_factory=list)
    unreadable: list[DeadLetter] = field(default_factory=list)

    def held(self, error: Exception) -> Held:
        return Held(self.partition, self.records[0].offset, reason_of(error))


@dataclass
class Intake(Generic[T]):
    """Takes batches of records from Kafka into the database.

    Each record ends in one of two ways before its offset moves: its effect is committed, or it is in the dead-letter
    topic. A fault that passes, and one of ours, holds the partition that it is met in, and no other one.
    """

    group: str
    read: Read[T]
    apply: Apply[T]
    dead_letters: DeadLetters
    longest_pause: float = 15.0
    """Seconds that a partition waits at most before it is tried again."""
    positions: ConsumedPositions | None = None
    """Where the database keeps how far its effects reach; without it only Kafka knows."""

    async def take(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> list[Held]:
        """Handle one batch; the partitions that are to come again. Raises nothing that a record could bring about."""
        failpoint("intake-after-poll")
        began = now_ns()
        parts = self._parts(batch)
        try:
            await self._apply([event for part in parts for event in part.events])
            await self.dead_letters.bury(self.group, [letter for part in parts for letter in part.unreadable])
            held = []
        except Exception as error:
            held = await self._part_by_part(parts, error)
        held += await self._save_positions(parts, {one.partition for one in held})
        standing = {one.partition for one in held}
        for part in parts:
            if part.partition not in standing:
                CONSUMED.labels(part.partition.topic).inc(len(part.records))
        failpoint("intake-after-commit")
        self._trace(parts, {one.partition for one in held}, began)
        return held

    def _trace(self, parts: Sequence[_Part[T]], held: Collection[TopicPartition], began: int) -> None:
        """A span for each record, in its trace; it has failed where it will come again or is dead."""
        if not is_recording():
            return
        for part in parts:
            dead = {letter.record.offset for letter in part.unreadable}
            for record in part.records:
                failed = "held" if part.partition in held else "dead-letter" if record.offset in dead else None
                record_span(
                    f"process {record.topic}",
                    header_of(record.headers, CE_TRACEPARENT),
                    "consumer",
                    began,
                    failed,
                    **{
                        "messaging.system": "kafka",
                        "messaging.destination.name": record.topic,
                        "messaging.consumer.group.name": self.group,
                    },
                )

    async def _save_positions(self, parts: list[_Part[T]], standing: Collection[TopicPartition]) -> list[Held]:
        """Say in the database how far its effects reach; the partitions that have to be read again from further back.

        After the effects, and before Kafka is told: so the positions are never ahead of what the database holds.
        """
        taken = [part for part in parts if part.partition not in standing]
        if self.positions is None or not taken:
            return []
        try:
            behind = await self.positions.save(
                {tuple(one.partition): Taken(one.records[0].offset, one.records[-1].offset + 1) for one in taken}
            )
        except Exception as error:
            if not is_transient(error):
                raise
            return [part.held(error) for part in taken]
        for place, offset in behind.items():
            log.warning(
                "the database is older than what was read",
                action="read_again",
                group=self.group,
                topic=place[0],
                partition=place[1],
                offset=offset,
            )
        why = "read again after an old backup"
        return [Held(TopicPartition(*place), offset, why) for place, offset in behind.items()]

    def _parts(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> list[_Part[T]]:
        parts: dict[TopicPartition, _Part[T]] = {}
        for record in batch:
            partition = TopicPartition(record.topic, record.partition)
            part = parts.setdefault(partition, _Part(partition))
            part.records.append(record)
            if isinstance(record.value, UnreadBatch):
                part.unreadable.append(DeadLetter(record, record.value.reason, UnreadBatch.__name__))
                continue
            try:
                part.events.append((record, self.read(record)))
            except Exception as error:  # reading is pure: what fails now fails for ever
                part.unreadable.append(dead_letter(record, error))
        return list(parts.values())

    async def _part_by_part(self, parts: list[_Part[T]], error: Exception) -> list[Held]:
        """After the whole batch has failed: each partition for itself, so that one that can't go on holds no other."""
        if len(parts) == 1 and is_transient(error):
            log.warning("a partition will come again", action="intake_waits", group=self.group, error=str(error))
            return [parts[0].held(error)]
        held: list[Held] = []
        away: Exception | None = error if is_transient(error) else None
        failures = 0
        for part in parts:
            if away and failures >= _AWAY:
                held.append(part.held(away))
                continue
            try:
                await self._take_part(part, error if len(parts) == 1 else None)
                failures = 0
            except Exception as failure:
                log.warning(
                    "a partition will come again",
                    action="intake_waits",
                    group=self.group,
                    topic=part.partition.topic,
                    partition=part.partition.partition,
                    error=str(failure),
                )
                held.append(part.held(failure))
                if is_transient(failure):
                    away, failures = failure, failures + 1
        return held

    async def _take_part(self, part: _Part[T], failed: Exception | None) -> None:
        """One partition's records; `failed` is what these very events have failed by already, all together."""
        dead = list(part.unreadable)
        if failed is None:
            try:
                await self._apply(part.events)
            except Exception as error:
                if is_transient(error):
                    raise
                failed = error
        if failed is not None:
            dead += await self._isolated(part.events)
        await self.dead_letters.bury(self.group, dead)

    async def _apply(self, events: list[tuple[ConsumerRecord[bytes, bytes], T]]) -> None:
        if events:
            await self.apply([event for _, event in events])

    async def _isolated(self, events: list[tuple[ConsumerRecord[bytes, bytes], T]]) -> list[DeadLetter]:
        """Apply events one by one; those that can't be. Raises what passes, and RuntimeError for a fault of ours."""
        log.warning("records are taken one by one", action="intake_isolates", group=self.group)

        async def by_itself(number: int) -> int:
            await self.apply([events[number][1]])
            return 1

        _, failed = await one_by_one(range(len(events)), by_itself, "records could be applied")
        for number, error in failed.items():
            if not isinstance(error, RefusedByRule):
                thread = header_of(events[number][0].headers, CE_CORRELATION)
                log.error("a record can't be applied", action="intake_rejects", exc_info=error, correlation_id=thread)
        return [dead_letter(events[number][0], error) for number, error in failed.items()]
