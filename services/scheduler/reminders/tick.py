"""The tick: claims what is due and writes the event about it, in one transaction; any number of schedulers may."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter, Gauge, Histogram
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.topics import MILESTONE_DUE
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.outbox import append, take_seqs
from services.plumbing.transient_errors import is_transient
from services.plumbing.zones import ZONE_DATA
from services.scheduler.reminders import claims
from services.scheduler.reminders.agenda import PlanningRules
from services.scheduler.reminders.claims import ClaimedReminder, FiredReminder
from services.scheduler.reminders.due_events import PlanReader, due_record
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.replanning import Replanner, begin_for_zones

FIRED = Counter("pledgewire_reminders_fired_total", "Reminders told by an event of their own", ["phase"])
MERGED = Counter("pledgewire_reminders_merged_total", "Missed reminders told by a later one's event")
FAILED = Counter("pledgewire_reminders_failed_total", "Reminders put aside since they could not be told")
TICK_AGE = Gauge("pledgewire_tick_age_seconds", "Seconds, of real time, since this process ticked last")
DUE_TO_OUTBOX = Histogram(
    "pledgewire_due_to_outbox_seconds",
    "From the instant that a reminder was due to its event's commit; not kept under a settable clock",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 21600),
)

AT_ONCE = 500
"""Milestones claimed in one transaction."""

CONCURRENT_CLAIMS = 2
"""Transactions at a time, once more is due than one of them takes."""

OLDEST_CLOCK_READING = timedelta(seconds=5)
"""A process that was frozen for longer, between its look at the clock and its claim, looks again."""

YIELD_EVERY = 50
"""Events after which others have their turn."""

READ_AHEAD = timedelta(seconds=10)
"""What is due so soon is read already."""

READ_AT_ONCE = 2_000
MOST_AHEAD = 20_000
"""Milestones that are read ahead of their time: after one tick, and in all."""

SYSTEMIC_FAILURES = 20
"""So many milestones that fail one by one, and none that works: that is our fault, and none of theirs."""


class TickSettings(BaseSettings):
    """How often the scheduler looks for what is due."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    tick_seconds: float = Field(default=1.0, gt=0, le=5)
    """Seconds of real time between two ticks; above 5 the promise to tell within 5 seconds could not be kept."""


@dataclass(frozen=True)
class _Pass:
    """One look at what is due: when by either clock, what was found, and how far along it was."""

    looked_at: datetime
    now: datetime
    some: "_Batch"


@dataclass(frozen=True)
class _Batch:
    """What a look claimed, in milestones, what it told of it, in events, and when the last of it had been due."""

    claimed: int
    told: int
    up_to: datetime = claims.BEFORE_ALL


class _StaleClockReading(Exception):
    """The claim is given up, so that what is due is weighed by the clock of now."""


class Tick:
    """Tells what is due, until nothing is."""

    def __init__(self, database: Database, clock: Clock, shelf: RulesCache | None = None) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf or RulesCache()
        self._last = time.monotonic()
        self._awake = False
        self._next_due: datetime | None = None
        self._reader = PlanReader()
        self._read_to: tuple[datetime, int] = (datetime.min.replace(tzinfo=UTC), 0)
        TICK_AGE.set_function(lambda: self.age)

    @property
    def age(self) -> float:
        """Seconds, of real time, since a look that went through; since the start before the first."""
        return time.monotonic() - self._last

    async def once(self) -> int:
        """Tell all that is due now; how many events that were.

        Raises what passes (nothing is lost then: the next tick finds the same rows), and what is broken beyond
        single milestones. A milestone that alone can't be told is put aside as `failed`.
        """
        if not self._awake:
            await self._wake()
        first = await self._look()
        told, looks = first.some.told, [first]
        if first.some.claimed:
            # While one waits for the database the other writes events.
            hands = CONCURRENT_CLAIMS if first.some.claimed > AT_ONCE // 2 else 1
            ends = await asyncio.gather(*(self._rest() for _ in range(hands)), return_exceptions=True)
            _raise_permanent_first(ends)
            for events, last in ends:  # type: ignore[misc]  # none of them is an error any more
                told += events
                looks.append(last)
        last_looks = [look for look in looks if not look.some.claimed]
        async with self._database.connection() as connection:
            self._next_due = await claims.write_tick(
                connection, min(look.now for look in last_looks), min(look.looked_at for look in last_looks)
            )
        return told

    async def _rest(self) -> tuple[int, _Pass]:
        """Tell until nothing is left; how many events, and the look from the first on that found nothing."""
        told, since = 0, claims.BEFORE_ALL
        while True:
            look = await self._look(since)
            told += look.some.told
            if not look.some.claimed and since == claims.BEFORE_ALL:
                return told, look
            since = look.some.up_to

    async def _look(self, since: datetime = claims.BEFORE_ALL) -> _Pass:
        """Look once, and tell some of what is due."""
        async with self._database.connection() as connection:
            looked_at = await claims.database_now(connection)
        now = self._clock.now()
        some = await self._tell_some(now, since)
        self._last = time.monotonic()
        return _Pass(looked_at, now, some)

    async def beat(self) -> float | None:
        """Tick; seconds of real time until the next reminder is due, None where that can't be told."""
        await self.once()
        if self._clock.settable or self._next_due is None:
            return None
        await self._read_ahead()
        left = (self._next_due - self._clock.now()).total_seconds()
        return left if left > 0 else None

    async def _read_ahead(self) -> None:
        """Read what is due within `AHEAD` and has not been read yet."""
        until = self._clock.now() + READ_AHEAD
        if self._next_due is None or self._next_due > until:
            return
        async with self._database.connection() as connection:
            coming = await claims.upcoming_plans(connection, self._read_to, until, READ_AT_ONCE)
        for number in range(0, len(coming), YIELD_EVERY):
            some = coming[number : number + YIELD_EVERY]
            self._reader.read_ahead(((one.plan, one.texts) for one in some), MOST_AHEAD)
            await asyncio.sleep(0)
        if coming:
            self._read_to = coming[-1].place

    async def _wake(self) -> None:
        """Once in a process: what a newer program or newer zone data sees otherwise."""
        async with self._database.transaction() as connection:
            last = await claims.last_tick(connection)
            retried = await claims.retry_failed(connection)
            recomputing = await begin_for_zones(connection, self._clock.now())
        moved = 0
        if recomputing:
            moved = (await Replanner(self._database, self._shelf).finish(recomputing)).moved
        log.info(
            "the scheduler is awake",
            action="scheduler_awake",
            last_tick=last.business_at.isoformat() if last.business_at else None,
            tried_again=retried,
            instants_moved=moved,
            zone_data=ZONE_DATA,
        )
        self._awake = True

    async def _tell_some(self, now: datetime, since: datetime) -> _Batch:
        """Claim and tell some."""
        claimed: list[str] = []
        try:
            return await self._transact(now, None, claimed, since)
        except _StaleClockReading:
            return _Batch(len(claimed), 0)
        except Exception as error:
            if is_transient(error) or not claimed:
                raise
            log.warning("what is due is told one by one", action="tick_isolates", error=repr(error))
            return _Batch(len(claimed), await self._tell_one_by_one(now, claimed))

    async def _tell_one_by_one(self, now: datetime, milestone_ids: list[str]) -> int:
        told = 0
        broken: dict[str, Exception] = {}
        for milestone_id in milestone_ids:
            try:
                told += (await self._transact(self._clock.now(), milestone_id, [])).told
            except _StaleClockReading:
                continue  # the next look finds it
            except Exception as error:
                if is_transient(error):
                    raise
                broken[milestone_id] = error
        if len(broken) == len(milestone_ids) >= SYSTEMIC_FAILURES:
            raise RuntimeError(f"none of {len(broken)} milestones could be told") from next(iter(broken.values()))
        for milestone_id, reason in broken.items():
            await self._put_aside(milestone_id, reason, now)
        return told

    async def _put_aside(self, milestone_id: str, error: Exception, now: datetime) -> None:
        reason = f"{type(error).__name__}: {error}"[:1000].replace("\0", "")
        async with self._database.transaction() as connection:
            steps = await claims.mark_failed(connection, milestone_id, reason, now)
        FAILED.inc(steps)
        log.error(
            "a reminder could not be told",
            action="reminder_failed",
            milestone=milestone_id,
            steps=steps,
            exc_info=error,
        )

    async def _transact(
        self, now: datetime, only: str | None, claimed: list[str], since: datetime = claims.BEFORE_ALL
    ) -> _Batch:
        async with self._database.transaction() as connection:
            locked, due = (
                await claims.claim_one(connection, now, only)
                if only
                else await claims.claim(connection, now, AT_ONCE, since)
            )
            claimed += locked
            if not due:
                return _Batch(len(locked), 0)
            if self._clock.now() - now > OLDEST_CLOCK_READING:
                raise _StaleClockReading
            rules = await self._shelf.rules(connection)  # as of the claim, so that no older rule plans what follows
            failpoint("scheduler-after-due-select")
            told = await self._tell_these(connection, due, rules, now)
            failpoint("scheduler-before-commit")
        failpoint("scheduler-after-commit")
        self._reader.forget(due)
        self._count(told)
        return _Batch(len(locked), len(told), max(min(one.steps.values()) for one in due))

    async def _tell_these(
        self, connection: Connection, due: list[ClaimedReminder], rules: PlanningRules, now: datetime
    ) -> list[FiredReminder]:
        """Write the events and mark their reminders, in the transaction that holds the claim."""
        texts = await claims.plan_json(connection, self._reader.unread(due))
        tellings, given_up = [], []
        for number, one in enumerate(due):
            telling = self._reader.telling(one, texts, rules, now)
            if telling:
                tellings.append(telling)
            else:
                given_up.append(one)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        await claims.withdraw(connection, given_up)
        seqs = await take_seqs(connection, MILESTONE_DUE.name, [telling.commitment.id for telling in tellings])
        told, records = [], []
        for telling, seq in zip(tellings, seqs, strict=True):
            records.append(due_record(telling, seq, now))
            told.append(FiredReminder(telling.due, telling.occasion))
            if len(told) % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        await claims.record_fired(connection, told, now)
        await append(self._database, connection, records, now)
        return told

    def _count(self, told: list[FiredReminder]) -> None:
        done = self._clock.now()
        for one in told:
            FIRED.labels(one.occasion.phase).inc()
            MERGED.inc(len(one.occasion.merged))
            if not self._clock.settable:
                DUE_TO_OUTBOX.observe(max(done - one.occasion.due_at, timedelta()).total_seconds())
        log.info("reminders were told", action="reminders_told", count=len(told))


def _raise_permanent_first(ends: Sequence[object]) -> None:
    """Raise what is broken for good, else what passes."""
    errors = [end for end in ends if isinstance(end, BaseException)]
    for error in sorted(errors, key=is_transient):
        raise error
