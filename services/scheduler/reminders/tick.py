"""The tick: claims what is due and writes the event about it, in one transaction; any number of schedulers may."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.majors import said_later
from contracts.topics import MILESTONE_DUE, OWN_LADDER_DUE
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.isolation import one_by_one, reason_of
from services.plumbing.logs import log
from services.plumbing.outbox import append, take_seqs, written_before
from services.plumbing.transient_errors import is_transient
from services.plumbing.zones import ZONE_DATA
from services.scheduler.reminders import claims, fired_reminders, plans, tick_log
from services.scheduler.reminders.claims import ClaimedReminder
from services.scheduler.reminders.due_events import PlanReader, due_record
from services.scheduler.reminders.fired_reminders import FiredReminder
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.replanning import Replanner, begin_for_zones
from services.scheduler.reminders.rules.agenda import PlanningRules

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
"""A process that was frozen for longer, between reading the clock and its claim, reads it again."""

YIELD_EVERY = 50
"""Events after which other work of this process has its turn."""

READ_AHEAD = timedelta(seconds=10)
"""What is due so soon is read already."""

READ_AT_ONCE = 2_000
MOST_AHEAD = 20_000
"""Milestones that are read ahead of their time: after one tick, and in all."""


@dataclass(frozen=True)
class _Batch:
    """What one transaction claimed, in milestones, and fired, in events, and when the last of it had been due."""

    claimed: int
    fired: int
    up_to: datetime = claims.BEFORE_ALL


class TickSettings(BaseSettings):
    """How often the scheduler looks for what is due."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    tick_seconds: float = Field(default=4.0, gt=0, le=5)
    """Seconds of real time between two ticks at most: it comes when the next reminder is due, or one was planned that
    is due sooner. Above 5 the promise to tell within 5 seconds could not be kept."""


@dataclass(frozen=True)
class _Pass:
    """One look at what is due: when by either clock, and what came of it."""

    database_now: datetime
    now: datetime
    batch: _Batch


class _StaleClockReading(Exception):
    """The claim is given up, so that what is due is weighed by the clock of now."""


class Tick:
    """Fires the reminders that are due, until none is."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rules_cache: RulesCache | None = None,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._rules_cache = rules_cache or RulesCache()
        self._may_send = may_send
        self._last_pass = time.monotonic()
        self._started = False
        self._next_due: datetime | None = None
        self.is_called = False
        """Whether something was planned that is due sooner than the last tick knew."""
        self._reader = PlanReader()
        self._read_to: tuple[datetime, int] = (datetime.min.replace(tzinfo=UTC), 0)
        TICK_AGE.set_function(lambda: self.age)

    @property
    def age(self) -> float:
        """Seconds, of real time, since a pass that went through; since the start before the first."""
        return time.monotonic() - self._last_pass

    def planned(self, due: Iterable[datetime]) -> None:
        """Reminders were planned, or planned anew, that are due at these instants."""
        first = min(due, default=None)
        if first is not None and (self._next_due is None or first < self._next_due):
            self.is_called = True

    async def once(self) -> int:
        """Fire all that is due now; how many events that were.

        Raises transient errors (nothing is lost then: the next tick finds the same rows), and what is broken beyond
        single milestones. A milestone whose reminders alone can't be fired is put aside as `failed`.
        """
        self.is_called = False
        if not self._started:
            await self._start()
        first = await self._pass()
        fired, passes = first.batch.fired, [first]
        if first.batch.claimed:
            # While one waits for the database the other writes events.
            workers = CONCURRENT_CLAIMS if first.batch.claimed > AT_ONCE // 2 else 1
            ends = await asyncio.gather(*(self._until_none_is_due() for _ in range(workers)), return_exceptions=True)
            _raise_permanent_first(ends)
            for events, last in ends:  # type: ignore[misc]  # none of them is an error any more
                fired += events
                passes.append(last)
        empty = [one for one in passes if not one.batch.claimed]
        async with self._database.connection() as connection:
            self._next_due = await tick_log.write_tick(
                connection, min(one.now for one in empty), min(one.database_now for one in empty)
            )
        return fired

    async def _until_none_is_due(self) -> tuple[int, _Pass]:
        """Fire until nothing is left; how many events, and the pass from the first reminder on that found nothing."""
        fired, since = 0, claims.BEFORE_ALL
        while True:
            one = await self._pass(since)
            fired += one.batch.fired
            if not one.batch.claimed and since == claims.BEFORE_ALL:
                return fired, one
            since = one.batch.up_to

    async def _pass(self, since: datetime = claims.BEFORE_ALL) -> _Pass:
        """Look once at what is due, and fire some of it."""
        async with self._database.connection() as connection:
            database_now = await tick_log.database_now(connection)
            now = self._clock.now()
            may_be_due = since != claims.BEFORE_ALL or await claims.is_any_due(connection, now)
        batch = await self._fire_some(now, since) if may_be_due else _Batch(0, 0)
        self._last_pass = time.monotonic()
        return _Pass(database_now, now, batch)

    async def beat(self) -> float | None:
        """Tick; seconds of real time until the next reminder is due, None where that isn't known."""
        if not self._may_send():
            self._last_pass = time.monotonic()  # it looks, and finds that nothing is to be sent
            return None
        await self.once()
        if self._clock.settable or self._next_due is None:
            return None
        await self._read_ahead()
        left = (self._next_due - self._clock.now()).total_seconds()
        return left if left > 0 else None

    async def _read_ahead(self) -> None:
        """Read what is due within `READ_AHEAD` and has not been read yet."""
        until = self._clock.now() + READ_AHEAD
        if self._next_due is None or self._next_due > until:
            return
        async with self._database.connection() as connection:
            upcoming = await plans.upcoming_plans(connection, self._read_to, until, READ_AT_ONCE)
        for number in range(0, len(upcoming), YIELD_EVERY):
            some = upcoming[number : number + YIELD_EVERY]
            self._reader.read_ahead(((one.plan, one.json) for one in some), MOST_AHEAD)
            await asyncio.sleep(0)
        if upcoming:
            self._read_to = upcoming[-1].place

    async def _start(self) -> None:
        """Once in a process: what a newer program or newer zone data sees otherwise."""
        async with self._database.transaction() as connection:
            last = await tick_log.last_tick(connection)
            retried = await fired_reminders.retry_failed(connection)
            recomputing = await begin_for_zones(connection, self._clock.now())
        moved = 0
        if recomputing:
            moved = (await Replanner(self._database, self._rules_cache).finish(recomputing)).moved
        log.info(
            "the scheduler is awake",
            action="scheduler_awake",
            last_tick=last.business_at.isoformat() if last.business_at else None,
            tried_again=retried,
            instants_moved=moved,
            zone_data=ZONE_DATA,
        )
        self._started = True

    async def _fire_some(self, now: datetime, since: datetime) -> _Batch:
        """Claim and fire one batch; one by one where the batch can't be."""
        claimed: list[str] = []
        try:
            return await self._transact(now, None, claimed, since)
        except _StaleClockReading:
            return _Batch(len(claimed), 0)
        except Exception as error:
            if is_transient(error) or not claimed:
                raise
            log.warning("reminders are fired one by one", action="tick_isolates", error=repr(error))
        fired, failed = await one_by_one(claimed, self._fire_one, "milestones could be told")
        for milestone_id, reason in failed.items():
            await self._put_aside(milestone_id, reason, now)
        return _Batch(len(claimed), fired)

    async def _fire_one(self, milestone_id: str) -> int:
        try:
            return (await self._transact(self._clock.now(), milestone_id, [])).fired
        except _StaleClockReading:
            return 0  # the next pass finds it

    async def _put_aside(self, milestone_id: str, error: Exception, now: datetime) -> None:
        async with self._database.transaction() as connection:
            steps = await fired_reminders.mark_failed(connection, milestone_id, reason_of(error), now)
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
            # As of the claim, so that no older rule plans what follows.
            rules = await self._rules_cache.rules(connection)
            failpoint("scheduler-after-due-select")
            fired = await self._write(connection, due, rules, now)
            failpoint("scheduler-before-commit")
        failpoint("scheduler-after-commit")
        self._reader.forget(due)
        self._count(fired)
        return _Batch(len(locked), len(fired), max(min(one.steps.values()) for one in due))

    async def _write(
        self, connection: Connection, due: list[ClaimedReminder], rules: PlanningRules, now: datetime
    ) -> list[FiredReminder]:
        """Write the events and mark their reminders, in the transaction that holds the claim."""
        texts = await plans.plan_json(connection, self._reader.unread(due))
        events, given_up = [], []
        for number, claimed in enumerate(due):
            event = self._reader.due_event(claimed, texts, rules, now)
            if event:
                events.append(event)
            else:
                given_up.append(claimed)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        await fired_reminders.withdraw(connection, given_up)
        said = await written_before(connection, [event.id for event in events])
        records = []
        for topic in (MILESTONE_DUE, OWN_LADDER_DUE):
            unsaid = [event for event in events if event.topic is topic and event.id not in said]
            if not unsaid:
                continue
            seqs = await take_seqs(connection, topic.name, [event.commitment.id for event in unsaid])
            for event, seq in zip(unsaid, seqs, strict=True):
                records.append(due_record(event, seq, now))
                if len(records) % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        if said:
            # The database was restored from a backup, and is older than its topic.
            log.warning("reminders had been told before", action="reminders_told_before", count=len(said))
        done = [FiredReminder(event.claimed, event.reminder, event.id) for event in events]
        await fired_reminders.record_fired(connection, done, now)
        fired = [one for one in done if one.event_id not in said]
        await append(self._database, connection, records, now, said_later)
        return fired

    async def retrace(self, connection: Connection, milestone_id: str, at: datetime, said: Collection[UUID]) -> None:
        """Mark what a tick at that instant has told by these events; after an old backup, nothing is written anew.

        What is planned now for a milestone may not be what was planned then; what differs is left to the next tick.
        """
        _, due = await claims.claim_one(connection, at, milestone_id)
        rules = await self._rules_cache.rules(connection)
        reader = PlanReader()
        texts = await plans.plan_json(connection, reader.unread(due))
        events = [event for claimed in due if (event := reader.due_event(claimed, texts, rules, at))]
        told = [FiredReminder(one.claimed, one.reminder, one.id) for one in events if one.id in said]
        await fired_reminders.record_fired(connection, told, at)

    def _count(self, fired: list[FiredReminder]) -> None:
        done = self._clock.now()
        for one in fired:
            FIRED.labels(one.reminder.phase).inc()
            MERGED.inc(len(one.reminder.merged))
            if not self._clock.settable:
                DUE_TO_OUTBOX.observe(max(done - one.reminder.due_at, timedelta()).total_seconds())
        log.info("reminders were told", action="reminders_told", count=len(fired))


def _raise_permanent_first(ends: Sequence[object]) -> None:
    """Raise what is broken for good, else what is transient."""
    errors = [end for end in ends if isinstance(end, BaseException)]
    for error in sorted(errors, key=is_transient):
        raise error
