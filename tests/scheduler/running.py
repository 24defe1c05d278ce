"""One scheduler's insides, on a clock that the test sets."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope, from_record
from contracts.events import MilestoneDue, OwnLadderDue
from contracts.topics import OWN_LADDER_DUE
from contracts.vocabulary import Precision
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.scheduler.intake import Planner
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from services.scheduler.reminders.tick import Tick
from tests.scheduler.scenes import NINE_SHARP, created, milestone, scheduled, utc

THEN = utc(2021, 11, 18, 18)


END_OF_2021 = milestone(date(2021, 12, 31), earliest=date(2021, 1, 1), precision=Precision.YEAR)


COAL = "end-coal-finance-abroad"


def reminder_of(row: Any) -> tuple[Envelope, MilestoneDue]:
    """The reminder in a row of the outbox."""
    kind = OwnLadderDue if row["topic"] == OWN_LADDER_DUE.name else MilestoneDue
    headers = [(name, text.encode()) for name, text in row["headers"].items()]
    return from_record(kind, row["key"].encode(), headers, row["value"])


def reader_of(reminder: MilestoneDue) -> UUID | None:
    """The one subscription that it is for; None for all who have no ladder of their own."""
    return reminder.subscription_id if isinstance(reminder, OwnLadderDue) else None


@dataclass
class Scheduler:
    """One scheduler's insides, on a clock that the test sets."""

    database: Database
    clock: SharedClock
    planner: Planner
    tick: Tick

    def another(self) -> Tick:
        """A second scheduler on the same tables."""
        return Tick(self.database, self.clock, RulesCache(NINE_SHARP))

    async def hears(
        self, *events: CommitmentEvent, at: datetime | None = None, one_batch: bool = True
    ) -> list[ReceivedCommitmentEvent]:
        """Take events in, as of `at` (now, where it isn't given)."""
        received = [received_event(event, at or self.clock.now()) for event in events]
        for batch in [received] if one_batch else [[one] for one in received]:
            await self.planner.apply(batch)
        return received

    async def ticks_at(self, now: datetime) -> list[MilestoneDue]:
        """Set the clock, tick, and give what this tick has written to the outbox."""
        before = len(await self.told())
        self.clock.set(now)
        await self.tick.once()
        return (await self.told())[before:]

    async def told(self) -> list[MilestoneDue]:
        """All events in the outbox, in its order."""
        return [event for _, event in await self.records()]

    async def records(self) -> list[tuple[Envelope, MilestoneDue]]:
        rows = await self.rows("select topic, key, headers, value from outbox order by id")
        return [reminder_of(row) for row in rows]

    async def rows(self, query: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def states(self, version: int = 1, milestone_id: str = END_OF_2021.id) -> dict[str, str]:
        rows = await self.rows(
            "select step, state from reminder where milestone_id = $1 and schedule_version = $2 order by due_at",
            milestone_id,
            version,
        )
        return {row["step"]: row["state"] for row in rows}


def received_event(event: CommitmentEvent, at: datetime) -> ReceivedCommitmentEvent:
    return ReceivedCommitmentEvent(Envelope(new_id(), at, event.commitment.id, "call-1"), event)


async def many(scheduler: Scheduler, count: int) -> list[str]:
    """So many commitments with a milestone each, all due on one day."""
    names = [f"commitment-{i}" for i in range(count)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(*(scheduled(milestone(date(2021, 12, 31), id_=f"{name}-one"), id_=name) for name in names))
    return names


async def until_somebody_waits(scheduler: Scheduler) -> None:
    async with asyncio.timeout(10):
        while not await scheduler.rows("select from pg_locks, pg_sleep(0.01) where not granted"):
            pass
