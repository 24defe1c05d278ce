"""From a batch of records to one transaction: each is applied or put aside before its offset moves."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aiokafka import ConsumerRecord
from prometheus_client import Counter

from services.plumbing.failpoints import failpoint
from services.plumbing.kafka.dead_letters import DeadLetter, DeadLetters, dead_letter
from services.plumbing.logs import log
from services.plumbing.retry import Backoff
from services.plumbing.transient_errors import Unavailable, is_transient

T = TypeVar("T")

CONSUMED = Counter("pledgewire_events_consumed_total", "Records handled, repeats included", ["topic"])

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
    _backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.longest_pause)

    async def take(self, batch: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Handle one batch; raises only what passes, so that the batch comes again."""
        failpoint("intake-after-poll")
        events: list[tuple[ConsumerRecord[bytes, bytes], T]] = []
        dead: list[DeadLetter] = []
        for record in batch:
            try:
                events.append((record, self.read(record)))
            except Exception as error:  # reading is pure: what fails now fails for ever
                dead.append(dead_letter(record, error))
        try:
            if events:
                dead += await self._apply(events)
            await self.dead_letters.bury(dead)
        except Exception as error:
            log.warning("a batch will come again", action="intake_waits", group=self.group, error=str(error))
            await self._backoff.wait()
            raise
        self._backoff.reset()
        for record in batch:
            CONSUMED.labels(record.topic).inc()
        failpoint("intake-after-commit")

    async def _apply(self, events: list[tuple[ConsumerRecord[bytes, bytes], T]]) -> list[DeadLetter]:
        try:
            await self.apply([event for _, event in events])
        except Exception as error:
            if is_transient(error):
                raise
            log.warning("a batch is taken record by record", action="intake_isolates", error=repr(error))
        else:
            return []
        dead = []
        for record, event in events:
            try:
                await self.apply([event])
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("a record can't be applied", action="intake_rejects")
                dead.append(dead_letter(record, error))
        if len(dead) == len(events) >= _SYSTEMIC:
            raise Unavailable(f"none of {len(events)} records could be applied, last: {dead[-1].reason}")
        return dead
