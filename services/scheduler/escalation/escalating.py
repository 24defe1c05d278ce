"""The escalator: tells the next level of what is overdue and not owned, in one transaction with the state.

Any number of schedulers may; each has one beside its tick.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneEscalated
from contracts.topics import MILESTONE_ESCALATED
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.ids import new_id
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, append, take_seqs
from services.plumbing.tracing import traced
from services.plumbing.transient_errors import is_transient
from services.scheduler.escalation import escalations
from services.scheduler.escalation.book import EscalationBook
from services.scheduler.escalation.escalations import EscalationStore, LogLine, MilestoneEscalation
from services.scheduler.escalation.machine import EscalationState, LevelNotified, LogEntry, advanced, next_change_at

ESCALATED = Counter("pledgewire_escalations_total", "Levels told of an overdue milestone that nobody owned", ["level"])
FAILED = Counter("pledgewire_escalations_failed_total", "Escalations put aside since they could not be told")

AT_ONCE = 500
"""Milestones claimed in one transaction."""

SYSTEMIC_FAILURES = 20
"""So many milestones that fail one by one, and none that works: that is our fault, and none of theirs."""


@dataclass(frozen=True)
class _Advance:
    """What time does to a claimed milestone."""

    held: MilestoneEscalation
    state: EscalationState
    entries: tuple[LogEntry, ...]

    @property
    def told(self) -> LevelNotified | None:
        """The message among it; there is one at most."""
        return next((entry for entry in self.entries if isinstance(entry, LevelNotified)), None)


class Escalator:
    """Tells what is to be told, until nothing is."""

    def __init__(self, database: Database, clock: Clock, escalations: EscalationStore) -> None:
        self._database = database
        self._clock = clock
        self._escalations = escalations
        self._awake = False

    async def once(self) -> int:
        """Tell all that is due now; how many events that were.

        Raises what passes (nothing is lost then), and what is broken beyond single milestones. A milestone that alone
        can't be told is put aside, and tried again by the next process.
        """
        if not self._awake:
            await self._catch_up()
        now = self._clock.now()
        told = 0
        while True:
            claimed, count = await self._tell_some(now)
            told += count
            if not claimed:
                return told

    async def beat(self) -> None:
        """Tell all that is due now, at the clockwork's own pace."""
        await self.once()

    async def _catch_up(self) -> None:
        """The waits or the zone data may be others than those of the process before."""
        place: str | None = ""
        reckoned = 0
        while place is not None:
            async with self._database.transaction() as connection:
                place, count = await self._escalations.catch_up(connection, place, AT_ONCE, self._clock.now())
            reckoned += count
        if reckoned:
            log.info("escalations were reckoned anew", action="escalations_reckoned", count=reckoned)
        self._awake = True

    async def _tell_some(self, now: datetime) -> tuple[int, int]:
        claimed: list[str] = []
        try:
            return await self._transact(now, AT_ONCE, None, claimed)
        except Exception as error:
            if is_transient(error) or not claimed:
                raise
            log.warning("escalations are told one by one", action="escalation_isolates", error=repr(error))
            return len(claimed), await self._tell_one_by_one(now, claimed)

    async def _tell_one_by_one(self, now: datetime, milestone_ids: list[str]) -> int:
        told = 0
        broken: dict[str, Exception] = {}
        for milestone_id in milestone_ids:
            try:
                told += (await self._transact(now, 1, milestone_id, []))[1]
            except Exception as error:
                if is_transient(error):
                    raise
                broken[milestone_id] = error
        if len(broken) == len(milestone_ids) >= SYSTEMIC_FAILURES:
            raise RuntimeError(f"none of {len(broken)} milestones could be escalated") from next(iter(broken.values()))
        for milestone_id, why in broken.items():
            reason = f"{type(why).__name__}: {why}"[:1000].replace("\0", "")
            async with self._database.transaction() as connection:
                await escalations.put_aside(connection, milestone_id, reason)
            FAILED.inc()
            log.error(
                "a milestone could not be escalated",
                action="escalation_failed",
                milestone=milestone_id,
                exc_info=why,
            )
        return told

    async def _transact(self, now: datetime, limit: int, only: str | None, claimed: list[str]) -> tuple[int, int]:
        async with self._database.transaction() as connection:
            locked, rows = await escalations.claim_due(connection, now, limit, only)
            claimed += locked
            if not rows:
                return len(locked), 0
            failpoint("escalation-after-claim")
            told = await self._tell(connection, [self._step(row, now) for row in rows], now)
            failpoint("escalation-before-commit")
        failpoint("escalation-after-commit")
        for level in told:
            ESCALATED.labels(level).inc()
        if told:
            log.info("levels were told", action="levels_told", count=len(told))
        return len(locked), len(told)

    def _step(self, row: asyncpg.Record, now: datetime) -> _Advance:
        held = escalations.escalation_from_row(row)
        state, entries = advanced(held.case.state, held.case.deadline, self._escalations.book, now)
        return _Advance(held, state, entries)

    async def _tell(self, connection: Connection, steps: list[_Advance], now: datetime) -> list[str]:
        """Write the states, the log and the events, in the transaction that holds the claim; the levels told."""
        book = self._escalations.book
        telling = [(step, step.told) for step in steps if step.told]
        seqs = await take_seqs(connection, MILESTONE_ESCALATED.name, [step.held.commitment.id for step, _ in telling])
        records = {
            step.held.milestone.id: _record(step, told, seq, book, now)
            for (step, told), seq in zip(telling, seqs, strict=True)
            if told
        }
        cases = {step.held.milestone.id: replace(step.held.case, state=step.state) for step in steps}
        lines = [
            _log_line(step, entry, records[step.held.milestone.id].event_id if entry is step.told else None, book, now)
            for step in steps
            for entry in step.entries
        ]
        await self._escalations.save(connection, cases, lines)
        await append(self._database, connection, records.values(), now)
        return [book.levels[told.rank - 1].level for _, told in telling if told]


def _log_line(step: _Advance, entry: LogEntry, event_id: UUID | None, book: EscalationBook, now: datetime) -> LogLine:
    level = book.levels[entry.rank - 1].level if entry.rank else None
    return LogLine(step.held.milestone.id, step.held.case.version, entry, now, level=level, event_id=event_id)


def _record(step: _Advance, told: LevelNotified, seq: int, book: EscalationBook, now: datetime) -> Outgoing:
    held, level = step.held, book.levels[told.rank - 1]
    not_after = next_change_at(step.state, held.case.deadline, book)
    if not_after is None:
        raise RuntimeError(f"milestone {held.milestone.id} would be silent from now on")
    event = MilestoneEscalated(
        seq=seq,
        commitment=held.commitment,
        milestone=held.milestone,
        schedule_version=held.case.version,
        level=level.level,
        level_title=level.title,
        rank=told.rank,
        round=told.round,
        repeat=told.repeat,
        days=told.days,
        acknowledged=told.unfollowed,
        due_at=told.due_at,
        late=told.late,
        not_after=not_after,
        status=held.status,
    )
    with traced("milestone escalated", None) as traceparent:  # nobody's request: a thread of its own begins here
        envelope = Envelope(new_id(), now, held.commitment.id, held.correlation_id, traceparent)
    record = to_record(event, envelope)
    return Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
