"""The tick: claims what is due and writes the event about it, in one transaction; any number of schedulers may."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge, Histogram

from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneDue
from contracts.topics import MILESTONE_DUE
from contracts.vocabulary import CommitmentBrief, Milestone, Status
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.faults import is_passing
from services.plumbing.ids import new_id
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, append, take_seqs
from services.plumbing.tracing import traced
from services.scheduler import claims
from services.scheduler.claims import Due, Told
from services.scheduler.ladder import Step
from services.scheduler.occasions import Occasion, occasion
from services.scheduler.zones import ZONE_DATA

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

SYSTEMIC = 20
"""So many milestones that fail one by one, and none that works: that is our fault, and none of theirs."""


@dataclass(frozen=True)
class _Telling:
    """An event to be: all of it but its `seq`."""

    due: Due
    commitment: CommitmentBrief
    milestone: Milestone
    occasion: Occasion


class Tick:
    """Tells what is due, until nothing is."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._last = time.monotonic()
        self._awake = False
        self._next_due: datetime | None = None
        TICK_AGE.set_function(lambda: self.age)

    @property
    def age(self) -> float:
        """Seconds, of real time, since the last tick that went through; since the start before the first."""
        return time.monotonic() - self._last

    async def once(self) -> int:
        """Tell all that is due now; how many events that were.

        Raises what passes (nothing is lost then: the next tick finds the same rows), and what is broken beyond
        single milestones. A milestone that alone can't be told is put aside as `failed`.
        """
        if not self._awake:
            await self._wake()
        told = 0
        while True:
            async with self._database.connection() as connection:
                looked_at = await claims.look_at_clock(connection)
            now = self._clock.now()
            claimed, events = await self._tell_some(now)
            told += events
            if not claimed:
                break
        async with self._database.connection() as connection:
            self._next_due = await claims.write_tick(connection, now, looked_at)
        self._last = time.monotonic()
        return told

    async def beat(self) -> float | None:
        """Tick; seconds of real time until the next reminder is due, None where that can't be told."""
        await self.once()
        if self._clock.settable or self._next_due is None:
            return None
        left = (self._next_due - self._clock.now()).total_seconds()
        return left if left > 0 else None

    async def _wake(self) -> None:
        """Once in a process: what a newer program or newer zone data sees otherwise."""
        async with self._database.transaction() as connection:
            last = await claims.last_tick(connection)
            retried = await claims.retry_failed(connection)
        moved = await self._recompute() if last.zone_data != ZONE_DATA else 0
        log.info(
            "the scheduler is awake",
            action="scheduler_awake",
            last_tick=last.business_at.isoformat() if last.business_at else None,
            tried_again=retried,
            instants_moved=moved,
            zone_data=ZONE_DATA,
        )
        self._awake = True

    async def _recompute(self) -> int:
        """Instants are only computed from day and zone: with other zone data they are others."""
        moved, place = 0, ""
        while True:
            async with self._database.transaction() as connection:
                following, count = await claims.recompute_due(connection, place, AT_ONCE)
            moved += count
            if following is None:
                break
            place = following
        async with self._database.transaction() as connection:
            await claims.write_zone_data(connection, ZONE_DATA)
        return moved

    async def _tell_some(self, now: datetime) -> tuple[int, int]:
        """Claim and tell some; how many milestones were claimed, and how many events written."""
        claimed: list[str] = []
        try:
            return await self._transact(now, None, claimed)
        except Exception as error:
            if is_passing(error) or not claimed:
                raise
            log.warning("what is due is told one by one", action="tick_isolates", error=repr(error))
            return len(claimed), await self._tell_one_by_one(now, claimed)

    async def _tell_one_by_one(self, now: datetime, milestone_ids: list[str]) -> int:
        told = 0
        broken: dict[str, Exception] = {}
        for milestone_id in milestone_ids:
            try:
                told += (await self._transact(now, milestone_id, []))[1]
            except Exception as error:
                if is_passing(error):
                    raise
                broken[milestone_id] = error
        if len(broken) == len(milestone_ids) >= SYSTEMIC:
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

    async def _transact(self, now: datetime, only: str | None, claimed: list[str]) -> tuple[int, int]:
        async with self._database.transaction() as connection:
            locked, due = (
                await claims.claim_one(connection, now, only) if only else await claims.claim(connection, now, AT_ONCE)
            )
            claimed += locked
            if not due:
                return len(locked), 0
            failpoint("scheduler-after-due-select")
            told = await self._tell_these(connection, due, now)
            failpoint("scheduler-before-commit")
        failpoint("scheduler-after-commit")
        self._count(told)
        return len(locked), len(told)

    async def _tell_these(self, connection: Connection, due: list[Due], now: datetime) -> list[Told]:
        """Write the events and mark their reminders, in the transaction that holds the claim."""
        tellings = [_telling(one, now) for one in due]
        seqs = await take_seqs(connection, MILESTONE_DUE.name, [telling.commitment.id for telling in tellings])
        told, records = [], []
        for telling, seq in zip(tellings, seqs, strict=True):
            record = _record(telling, seq, now)
            records.append(record)
            told.append(Told(telling.due, telling.occasion, record.event_id))
        await claims.record_told(connection, told, now)
        await append(self._database, connection, records, now)
        return told

    def _count(self, told: list[Told]) -> None:
        done = self._clock.now()
        for one in told:
            FIRED.labels(one.occasion.phase).inc()
            MERGED.inc(len(one.occasion.merged))
            if not self._clock.settable:
                DUE_TO_OUTBOX.observe(max(done - one.occasion.due_at, timedelta()).total_seconds())
        log.info("reminders were told", action="reminders_told", count=len(told))


def _telling(due: Due, now: datetime) -> _Telling:
    commitment, milestone = _read_commitment(due.commitment_json), _read_milestone(due.milestone_json)
    steps = {Step.named(name): due_at for name, due_at in due.steps.items()}
    return _Telling(due, commitment, milestone, occasion(milestone, steps, now))


def _read_commitment(stored: str) -> CommitmentBrief:
    return CommitmentBrief.model_validate_json(stored)


def _read_milestone(stored: str) -> Milestone:
    return Milestone.model_validate_json(stored)


def _record(telling: _Telling, seq: int, now: datetime) -> Outgoing:
    due, what = telling.due, telling.occasion
    event = MilestoneDue(
        seq=seq,
        commitment=telling.commitment,
        milestone=telling.milestone,
        schedule_version=due.schedule_version,
        step=what.step.name,
        phase=what.phase,
        days=what.days,
        due_at=what.due_at,
        late=what.late,
        merged_steps=tuple(step.name for step in what.merged),
        not_after=what.not_after,
        status=Status(due.status),
        audience=due.audience,
    )
    with traced("milestone due", None) as traceparent:  # nobody's request: a thread of its own begins here
        envelope = Envelope(new_id(), now, telling.commitment.id, due.correlation_id, traceparent)
    record = to_record(event, envelope)
    return Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
