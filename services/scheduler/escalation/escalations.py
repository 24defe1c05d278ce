"""The tables of the escalation: how it stands with each milestone, and the log of all that happened.

Whoever changes a row here holds the milestone's row of `milestone_plan`, as for its reminders: the intake has it
locked already, the escalator and whoever acknowledges lock it themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from contracts.events import Acknowledgement, StatusChanged
from contracts.vocabulary import CommitmentBrief, Milestone, Status
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.plumbing.zones import ZONE_DATA
from services.scheduler.escalation import overdue
from services.scheduler.escalation.book import EscalationBook
from services.scheduler.escalation.machine import (
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    LogEntry,
    LogNote,
    Owned,
    Settled,
    next_change_at,
)
from services.scheduler.escalation.overdue import CommitmentEscalations, EscalationCase, case_in
from services.scheduler.reminders.agenda import Agenda, CommitmentEvent

NOT_HELD = """not exists (
    select from hold h where h.milestone_id = e.milestone_id and h.schedule_version > e.schedule_version
)"""
"""SQL over `escalation e`: whether no newer date of the milestone is about to come."""

STATE_COLUMNS = """
    e.milestone_id, e.schedule_version, e.state, e.round, e.since, e.rank, e.told, e.acknowledged::text, e.next_at,
    e.failed
"""


class DatedEvent(NamedTuple):
    """An event as the intake heard it, for the first time; `at` is the time it is of."""

    event: CommitmentEvent
    at: datetime
    event_id: UUID


@dataclass(frozen=True)
class MilestoneEscalation:
    """A milestone whose row is locked, with how it stands."""

    case: EscalationCase
    next_at: datetime | None
    failed: str | None
    commitment: CommitmentBrief
    milestone: Milestone
    status: Status
    correlation_id: str | None


@dataclass(frozen=True)
class LogLine:
    """A line of the log to be."""

    milestone_id: str
    schedule_version: int
    entry: LogEntry
    at: datetime
    level: str | None = None
    note: str | None = None
    client: str | None = None
    event_id: UUID | None = None
    idem_key: str | None = None
    body_sha256: bytes | None = None
    answer: Any = None


class EscalationStore:
    """Reads and writes them, reckoning with one book."""

    def __init__(self, book: EscalationBook) -> None:
        self.book = book
        self.reckoned_with = f"{ZONE_DATA} {book.digest}"

    async def follow(self, connection: Connection, before: Mapping[str, Agenda], news: Iterable[DatedEvent]) -> None:
        """Bring the escalations of these commitments, locked in this transaction, up to what was heard."""
        watches = await self._watches(connection, before)
        known = {name: case for watch in watches.values() for name, case in watch.cases.items()}
        lines: list[LogLine] = []
        for event, at, event_id in news:
            watch, entries = overdue.escalations_after(watches[event.commitment.id], event, at)
            watches[event.commitment.id] = watch
            lines += [_log_line(name, watch.cases[name], entry, at, event, event_id) for name, entry in entries]
        changed = {
            name: case for watch in watches.values() for name, case in watch.cases.items() if known.get(name) != case
        }
        await self.save(connection, changed, lines)

    async def _watches(self, connection: Connection, before: Mapping[str, Agenda]) -> dict[str, CommitmentEscalations]:
        names = [name for agenda in before.values() for name in agenda.schedules]
        rows = await connection.fetch(
            f"select {STATE_COLUMNS} from escalation e where milestone_id = any($1::text[])", names
        )
        states = {row["milestone_id"]: state_from_row(row) for row in rows}
        # A milestone that has no row yet is one from before there were escalations: the escalator begins its case.
        return {
            id_: CommitmentEscalations(
                agenda.standing,
                {
                    name: case_in(states[name], schedule.milestone, schedule.version)
                    for name, schedule in agenda.schedules.items()
                    if name in states
                },
            )
            for id_, agenda in before.items()
        }

    async def save(self, connection: Connection, cases: Mapping[str, EscalationCase], lines: Sequence[LogLine]) -> None:
        """Write how these milestones stand now, and add to the log."""
        if cases:
            await self._write(connection, cases)
        if lines:
            await _append_log(connection, lines)

    async def _write(self, connection: Connection, cases: Mapping[str, EscalationCase]) -> None:
        columns = [state_columns(case.state) for case in cases.values()]
        await connection.execute(
            """
            insert into escalation as e (milestone_id, schedule_version, state, round, since, rank, told, acknowledged,
                                         next_at, reckoned_with)
            select n.*, $10 from unnest($1::text[], $2::int[], $3::text[], $4::int[], $5::date[], $6::int[], $7::int[],
                                        $8::jsonb[], $9::timestamptz[]) as n
            on conflict (milestone_id) do update set
                schedule_version = excluded.schedule_version, state = excluded.state, round = excluded.round,
                since = excluded.since, rank = excluded.rank, told = excluded.told,
                acknowledged = excluded.acknowledged, next_at = excluded.next_at,
                reckoned_with = excluded.reckoned_with, failed = null
            """,
            list(cases),
            [case.version for case in cases.values()],
            *([row[i] for row in columns] for i in range(6)),
            [next_change_at(case.state, case.deadline, self.book) for case in cases.values()],
            self.reckoned_with,
        )

    async def catch_up(self, connection: Connection, after: str, limit: int, now: datetime) -> tuple[str | None, int]:
        """Begin the cases that are missing and reckon anew those that rest on other waits or other zone data.

        Of the next milestones by id; what could not be told is tried again. Returns where to go on, None at the end,
        and how many there were. A case that begins here counts from `now`: nobody has been told of it before.
        """
        rows = await connection.fetch(
            f"""
            select p.milestone_id as id, p.schedule_version as version, p.milestone::text, p.settled, {STATE_COLUMNS}
            from milestone_plan p left join escalation e using (milestone_id)
            where p.milestone_id > $1
              and (e.milestone_id is null or e.reckoned_with <> $2 or e.failed is not null)
            order by p.milestone_id limit $3 for update of p
            """,
            after,
            self.reckoned_with,
            limit,
        )
        cases: dict[str, EscalationCase] = {}
        lines: list[LogLine] = []
        for row in rows:
            try:
                milestone = Milestone.model_validate_json(row["milestone"])
                if row["milestone_id"]:
                    state = state_from_row(row)
                    case = case_in(state, milestone, row["version"])
                    next_change_at(state, case.deadline, self.book)
                else:
                    case, entries = overdue.new_case(milestone, row["version"], over=row["settled"], at=now)
                    lines += [_log_line(row["id"], case, entry, now) for entry in entries]
            except ValueError as error:
                log.error("can't be reckoned", action="escalation_left_out", milestone=row["id"], error=str(error))
            else:
                cases[row["id"]] = case
        await self.save(connection, cases, lines)
        return (rows[-1]["id"] if len(rows) == limit else None), len(cases)


def _log_line(
    name: str,
    case: EscalationCase,
    entry: LogEntry,
    at: datetime,
    event: CommitmentEvent | None = None,
    event_id: UUID | None = None,
) -> LogLine:
    """What an event did; for evidence also who brought it."""
    if isinstance(event, StatusChanged) and isinstance(entry, LogNote) and entry.what == "evidence":
        return LogLine(
            name, case.version, entry, at, note=event.note, client=event.reported_by.client, event_id=event_id
        )
    return LogLine(name, case.version, entry, at, event_id=event_id)


async def claim_due(
    connection: Connection, now: datetime, limit: int, only: str | None = None
) -> tuple[list[str], list[asyncpg.Record]]:
    """Lock up to `limit` milestones that time may change and nobody else has; with the rows that are due.

    When the first list isn't empty there may be more to claim, even when the second one is: another was faster.
    """
    locked = [
        row["milestone_id"]
        for row in await connection.fetch(
            f"""
            select p.milestone_id from escalation e join milestone_plan p using (milestone_id)
            where e.next_at <= $1 and e.failed is null and {NOT_HELD} and ($3::text is null or e.milestone_id = $3)
            order by e.next_at, e.milestone_id limit $2 for update of p skip locked
            """,
            now,
            limit,
            only,
        )
    ]
    if not locked:
        return [], []
    # A statement of its own: it sees what was committed before the locks were ours.
    rows = await connection.fetch(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.milestone_id = any($1::text[]) and e.next_at <= $2 and e.failed is null and {NOT_HELD}
        order by e.next_at, e.milestone_id
        """,
        locked,
        now,
    )
    return locked, list(rows)


async def lock_milestone(connection: Connection, milestone_id: str) -> bool:
    """Have a milestone to oneself until the transaction ends; False when there is none."""
    found = await connection.fetchval(
        "select true from milestone_plan where milestone_id = $1 for update", milestone_id
    )
    return bool(found)


async def is_known(connection: Connection, milestone_id: str) -> bool:
    """Whether there is such a milestone."""
    found = await connection.fetchval("select true from milestone_plan where milestone_id = $1", milestone_id)
    return bool(found)


async def read_escalation(connection: Connection, milestone_id: str) -> MilestoneEscalation | None:
    """How it stands with a milestone; None when there is none, or its case has not begun yet."""
    row = await connection.fetchrow(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.milestone_id = $1
        """,
        milestone_id,
    )
    return escalation_from_row(row) if row else None


async def list_escalations(
    connection: Connection, *, state: str, commitment_id: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[MilestoneEscalation]:
    """Those that climb, or are owned, by when time changes them next (then by id), behind `after` only."""
    rows = await connection.fetch(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.state = $1 and e.state in ('climbing', 'owned')
          and ($2::text is null or p.commitment_id = $2)
          and ($3::timestamptz is null or (e.next_at, e.milestone_id) > ($3, $4::text))
        order by e.next_at, e.milestone_id limit $5
        """,
        state,
        commitment_id,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [escalation_from_row(row) for row in rows]


async def read_log(connection: Connection, milestone_id: str) -> list[asyncpg.Record]:
    """All that happened, the oldest first."""
    return list(
        await connection.fetch(
            "select what, at, schedule_version, round, rank, level, repeat, due_at, name, note, client, event_id"
            " from escalation_log where milestone_id = $1 order by id",
            milestone_id,
        )
    )


async def acknowledgement_by_key(connection: Connection, client: str, key: str) -> asyncpg.Record | None:
    """What a client's acknowledgement with this key was, and what it was answered."""
    return await connection.fetchrow(
        "select body_sha256, answer from escalation_log where client = $1 and idem_key = $2", client, key
    )


async def put_aside(connection: Connection, milestone_id: str, reason: str) -> None:
    """Leave out what can't be told, until the next process tries again."""
    await connection.execute("select from milestone_plan where milestone_id = $1 for update", milestone_id)
    await connection.execute("update escalation set failed = $2 where milestone_id = $1", milestone_id, reason)


def escalation_from_row(row: asyncpg.Record) -> MilestoneEscalation:
    """A row as it was claimed or read; raises ValueError for one that can't be read."""
    milestone = Milestone.model_validate_json(row["milestone"])
    return MilestoneEscalation(
        case_in(state_from_row(row), milestone, row["schedule_version"]),
        row["next_at"],
        row["failed"],
        CommitmentBrief.model_validate_json(row["commitment"]),
        milestone,
        Status(row["overall"]),
        row["correlation_id"],
    )


async def _append_log(connection: Connection, lines: Sequence[LogLine]) -> None:
    rows = [_log_values(line) for line in lines]
    await connection.execute(
        """
        insert into escalation_log (milestone_id, schedule_version, what, at, round, rank, level, repeat, due_at, name,
                                    note, client, event_id, idem_key, body_sha256, answer)
        select * from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::int[], $6::int[], $7::text[],
                             $8::int[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::uuid[],
                             $14::text[], $15::bytea[], $16::jsonb[])
        """,
        *([row[i] for row in rows] for i in range(16)),
    )


def _log_values(line: LogLine) -> tuple[Any, ...]:
    entry = line.entry
    told, noted = (entry, None) if isinstance(entry, LevelNotified) else (None, entry)
    made = noted and noted.acknowledgement
    return (
        line.milestone_id,
        line.schedule_version,
        noted.what if noted else "told",
        line.at,
        entry.round,
        entry.rank,
        line.level,
        told and told.repeat,
        told and told.due_at,
        made and made.name,
        line.note if noted and noted.what == "evidence" else made and made.note,
        line.client,
        line.event_id,
        line.idem_key,
        line.body_sha256,
        line.answer,
    )


def state_columns(state: EscalationState) -> tuple[Any, ...]:
    """state, round, since, rank, told, acknowledged"""
    match state:
        case Dormant():
            return "dormant", state.round, None, None, None, None
        case Climbing():
            made = state.unfollowed
            return "climbing", state.round, state.since, state.rank, state.told, made and made.model_dump(mode="json")
        case Owned():
            return "owned", state.round, state.since, None, None, state.acknowledgement.model_dump(mode="json")
        case Settled():
            return "settled", state.round, None, None, None, None


def state_from_row(row: asyncpg.Record) -> EscalationState:
    made = Acknowledgement.model_validate_json(row["acknowledged"]) if row["acknowledged"] else None
    match row["state"]:
        case "climbing":
            return Climbing(row["round"], row["since"], row["rank"], row["told"], made)
        case "owned" if made:
            return Owned(row["round"], made, row["since"])
        case "settled":
            return Settled(row["round"])
        case _:
            return Dormant(row["round"])
