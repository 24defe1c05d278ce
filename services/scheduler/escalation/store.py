"""The escalations in PostgreSQL, as events, time and acknowledgements change them.

A row is changed only under the lock of the milestone's row of `milestone_plan`, as for its reminders: the intake has
it already, the escalator and the route that acknowledges take it themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from contracts.commitments import Milestone
from contracts.events import StatusChanged
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.plumbing.zones import ZONE_DATA
from services.scheduler.escalation.log import LogLine, append_log
from services.scheduler.escalation.rows import STATE_COLUMNS, state_columns, state_from_row
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.cases import (
    CommitmentEscalations,
    EscalationCase,
    case_in,
    escalations_after,
    new_case,
)
from services.scheduler.escalation.rules.machine import next_change_at
from services.scheduler.escalation.rules.states import (
    LogEntry,
    LogNote,
)
from services.scheduler.reminders.rules.agenda import Agenda, CommitmentEvent


class DatedEvent(NamedTuple):
    """An event that came in for the first time; `at` is its business time."""

    event: CommitmentEvent
    at: datetime
    event_id: UUID


class EscalationStore:
    """Reads and writes escalations, by one book."""

    def __init__(self, book: EscalationBook) -> None:
        self.book = book
        self.computed_with = f"{ZONE_DATA} {book.digest}"

    async def apply_events(
        self, connection: Connection, before: Mapping[str, Agenda], events: Iterable[DatedEvent]
    ) -> None:
        """Bring the escalations of these commitments, locked in this transaction, up to these events."""
        escalations = await self._of_commitments(connection, before)
        known = {name: case for of_commitment in escalations.values() for name, case in of_commitment.cases.items()}
        lines: list[LogLine] = []
        for event, at, event_id in events:
            of_commitment, entries = escalations_after(escalations[event.commitment.id], event, at)
            escalations[event.commitment.id] = of_commitment
            lines += [_log_line(name, of_commitment.cases[name], entry, at, event, event_id) for name, entry in entries]
        changed = {
            name: case
            for of_commitment in escalations.values()
            for name, case in of_commitment.cases.items()
            if known.get(name) != case
        }
        await self.save(connection, changed, lines)

    async def _of_commitments(
        self, connection: Connection, before: Mapping[str, Agenda]
    ) -> dict[str, CommitmentEscalations]:
        names = [name for agenda in before.values() for name in agenda.schedules]
        rows = await connection.fetch(
            f"select {STATE_COLUMNS} from escalation e where milestone_id = any($1::text[])", names
        )
        states = {row["milestone_id"]: state_from_row(row) for row in rows}
        # A milestone that has no row yet is one from before there were escalations: the escalator begins its case.
        return {
            id_: CommitmentEscalations(
                agenda.commitment_status,
                {
                    name: case_in(states[name], schedule.milestone, schedule.version)
                    for name, schedule in agenda.schedules.items()
                    if name in states
                },
            )
            for id_, agenda in before.items()
        }

    async def save(self, connection: Connection, cases: Mapping[str, EscalationCase], lines: Sequence[LogLine]) -> None:
        """Write the states of these milestones, and add to the log."""
        if cases:
            await self._write(connection, cases)
        if lines:
            await append_log(connection, lines)

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
            self.computed_with,
        )

    async def catch_up(self, connection: Connection, after: str, limit: int, now: datetime) -> tuple[str | None, int]:
        """Begin the cases that are missing and compute anew those that rest on other waits or other zone data.

        Of the next milestones by id; what could not be escalated is tried again. Returns where to go on, None at the
        end, and how many there were. A case that begins here counts from `now`: nobody was notified of it before.
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
            self.computed_with,
            limit,
        )
        cases: dict[str, EscalationCase] = {}
        lines: list[LogLine] = []
        for row in rows:
            try:
                milestone = Milestone.as_read(row["milestone"])
                if row["milestone_id"]:
                    state = state_from_row(row)
                    case = case_in(state, milestone, row["version"])
                    next_change_at(state, case.deadline, self.book)
                else:
                    case, entries = new_case(milestone, row["version"], over=row["settled"], at=now)
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
