"""The escalator: notifies the next level of what is overdue or unanswered and not owned, in one transaction with the
state.

Any number of schedulers may; each has one beside its tick.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneEscalated
from contracts.majors import said_later
from contracts.topics import MILESTONE_ESCALATED
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.ids import id_about
from services.plumbing.isolation import one_by_one, reason_of
from services.plumbing.logs import log
from services.plumbing.outbox import Outgoing, append, take_seqs, written_before
from services.plumbing.tracing import traced
from services.plumbing.transient_errors import is_transient
from services.scheduler.escalation import queries, rows
from services.scheduler.escalation.log import LogLine
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.machine import advanced, next_change_at
from services.scheduler.escalation.rules.retracing import retraced
from services.scheduler.escalation.rules.states import EscalationState, LevelNotified, LogEntry
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.reminders.day_causes import day_cause

ESCALATED = Counter(
    "pledgewire_escalations_total", "Levels told of a milestone overdue or unanswered that nobody owned", ["level"]
)
FAILED = Counter("pledgewire_escalations_failed_total", "Escalations put aside since they could not be told")

AT_ONCE = 500
"""Milestones claimed in one transaction."""


@dataclass(frozen=True)
class _Advance:
    """What the time that has passed does to a claimed milestone."""

    escalation: MilestoneEscalation
    state: EscalationState
    entries: tuple[LogEntry, ...]

    @property
    def milestone_id(self) -> str:
        return self.escalation.milestone.id

    @property
    def notified(self) -> LevelNotified | None:
        """The level that is notified by it; one at most."""
        return next((entry for entry in self.entries if isinstance(entry, LevelNotified)), None)


class Escalator:
    """Notifies levels, until none is due."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        escalations: EscalationStore,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._escalations = escalations
        self._may_send = may_send
        self._caught_up = False

    async def once(self) -> int:
        """Notify all levels that are due now; how many events that were.

        Raises transient errors (nothing is lost then), and what is broken beyond single milestones. A milestone that
        alone can't be escalated is put aside, and tried again by the next process.
        """
        if not self._caught_up:
            await self._catch_up()
        now = self._clock.now()
        total = 0
        while True:
            claimed, events = await self._escalate_some(now)
            total += events
            if not claimed:
                return total

    async def beat(self) -> None:
        """Notify all levels that are due now, at the clockwork's own pace."""
        if self._may_send() and (not self._caught_up or await self._is_any_due()):
            await self.once()

    async def _is_any_due(self) -> bool:
        async with self._database.connection() as connection:
            return await queries.is_any_due(connection, self._clock.now())

    async def retrace(self, connection: Connection, event: MilestoneEscalated, event_id: UUID, at: datetime) -> None:
        """Bring a milestone to where it stood after this event of that instant; nothing is written anew.

        What the log knows stays as it is, and what stands under another schedule than the event's.
        """
        await queries.lock_milestone(connection, event.milestone.id)
        escalation = await queries.read_escalation(connection, event.milestone.id)
        if escalation is None or await queries.is_logged(connection, event_id):
            return
        case = escalation.case
        if case.deadline is None or case.version != event.schedule_version:
            return
        told = LevelNotified(
            event.round, event.rank, event.repeat, event.due_at, event.late, event.days, event.acknowledged
        )
        state, entries = retraced(case.state, case.deadline, self._escalations.book, told, at)
        await self._write(connection, [_Advance(escalation, state, entries)], at, [event_id])

    async def _catch_up(self) -> None:
        """The waits or the zone data may be others than those of the process before."""
        place: str | None = ""
        computed = 0
        while place is not None:
            async with self._database.transaction() as connection:
                place, count = await self._escalations.catch_up(connection, place, AT_ONCE, self._clock.now())
            computed += count
        if computed:
            log.info("escalations were computed anew", action="escalations_reckoned", count=computed)
        self._caught_up = True

    async def _escalate_some(self, now: datetime) -> tuple[int, int]:
        """One batch: how many milestones were claimed, and how many events written."""
        claimed: list[str] = []
        try:
            return await self._transact(now, AT_ONCE, None, claimed)
        except Exception as error:
            if is_transient(error) or not claimed:
                raise
            log.warning("milestones are escalated one by one", action="escalation_isolates", error=repr(error))

        async def by_itself(milestone_id: str) -> int:
            return (await self._transact(now, 1, milestone_id, []))[1]

        events, failed = await one_by_one(claimed, by_itself, "milestones could be escalated")
        for milestone_id, reason in failed.items():
            await self._put_aside(milestone_id, reason)
        return len(claimed), events

    async def _put_aside(self, milestone_id: str, error: Exception) -> None:
        async with self._database.transaction() as connection:
            await queries.put_aside(connection, milestone_id, reason_of(error))
        FAILED.inc()
        log.error(
            "a milestone could not be escalated", action="escalation_failed", milestone=milestone_id, exc_info=error
        )

    async def _transact(self, now: datetime, limit: int, only: str | None, claimed: list[str]) -> tuple[int, int]:
        async with self._database.transaction() as connection:
            locked, found = await queries.claim_due(connection, now, limit, only)
            claimed += locked
            if not found:
                return len(locked), 0
            failpoint("escalation-after-claim")
            levels = await self._write(connection, [self._advance(row, now) for row in found], now)
            failpoint("escalation-before-commit")
        failpoint("escalation-after-commit")
        for level in levels:
            ESCALATED.labels(level).inc()
        if levels:
            log.info("levels were notified", action="levels_told", count=len(levels))
        return len(locked), len(levels)

    def _advance(self, row: asyncpg.Record, now: datetime) -> _Advance:
        escalation = rows.escalation_from_row(row)
        state, entries = advanced(escalation.case.state, escalation.case.deadline, self._escalations.book, now)
        return _Advance(escalation, state, entries)

    async def _write(
        self, connection: Connection, advances: list[_Advance], now: datetime, told: Collection[UUID] = ()
    ) -> list[str]:
        """Write the states, the log and the events, in the transaction that holds the claim; the levels notified.

        What was told before, which is known after an old backup only, is not told again.
        """
        book = self._escalations.book
        ids = {one.milestone_id: _event_id(one, one.notified) for one in advances if one.notified}
        said = {*told, *await written_before(connection, ids.values())}
        notifying = [(one, one.notified) for one in advances if one.notified and ids[one.milestone_id] not in said]
        seqs = await take_seqs(
            connection, MILESTONE_ESCALATED.name, [one.escalation.commitment.id for one, _ in notifying]
        )
        records = [
            _record(one, notified, ids[one.milestone_id], seq, book, now)
            for (one, notified), seq in zip(notifying, seqs, strict=True)
        ]
        cases = {one.milestone_id: replace(one.escalation.case, state=one.state) for one in advances}
        lines = [
            _log_line(one, entry, ids[one.milestone_id] if entry is one.notified else None, book, now)
            for one in advances
            for entry in one.entries
        ]
        await self._escalations.save(connection, cases, lines)
        await append(self._database, connection, records, now, said_later)
        return [book.levels[notified.rank - 1].level for _, notified in notifying]


def _log_line(one: _Advance, entry: LogEntry, event_id: UUID | None, book: EscalationBook, now: datetime) -> LogLine:
    level = book.levels[entry.rank - 1].level if entry.rank else None
    return LogLine(one.milestone_id, one.escalation.case.version, entry, now, level=level, event_id=event_id)


def _event_id(one: _Advance, notified: LevelNotified) -> UUID:
    """Derived from what identifies the message, so that a repeat has the same one."""
    version = one.escalation.case.version
    return id_about(MILESTONE_ESCALATED.name, one.milestone_id, version, notified.round, notified.rank, notified.repeat)


def _record(
    one: _Advance, notified: LevelNotified, event_id: UUID, seq: int, book: EscalationBook, now: datetime
) -> Outgoing:
    escalation, level = one.escalation, book.levels[notified.rank - 1]
    not_after = next_change_at(one.state, escalation.case.deadline, book)
    if not_after is None:
        raise RuntimeError(f"milestone {one.milestone_id} would be silent from now on")
    event = MilestoneEscalated(
        seq=seq,
        cause=day_cause("escalations", escalation.milestone, notified.due_at),
        commitment=escalation.commitment,
        milestone=escalation.milestone,
        schedule_version=escalation.case.version,
        level=level.level,
        level_title=level.title,
        rank=notified.rank,
        round=notified.round,
        repeat=notified.repeat,
        days=notified.days,
        acknowledged=notified.unfollowed,
        due_at=notified.due_at,
        late=notified.late,
        not_after=not_after,
        status=escalation.status,
    )
    with traced("milestone escalated", None) as traceparent:  # nobody's request: a thread of its own begins here
        envelope = Envelope(event_id, now, escalation.commitment.id, escalation.correlation_id, traceparent)
    record = to_record(event, envelope)
    return Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
