"""The scheduler's tables: agendas as the intake changes them; what is due is claimed in `claims.py`.

Two locks keep things in order. The intake holds the commitment's row, so that a status and a schedule that come at
once by two members of the group see each other. Whoever changes a milestone's reminders, intake or tick, holds the
milestone's row first: a tick that fires the last rung plans the next one, which a withdrawal must not overlook.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts.commitments import CommitmentBrief, Milestone
from contracts.vocabulary import Status
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.rules.agenda import Agenda, MilestoneSchedule, Reminder, ReminderKey
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus, KnownStatus


async def lock_agendas(connection: Connection, commitment_ids: Iterable[str]) -> dict[str, Agenda]:
    """The agendas of these commitments, made where there are none, and nobody else's until the transaction ends."""
    ids = sorted(set(commitment_ids))
    commitment_statuses = await connection.fetch(
        """
        insert into commitment_state as s (commitment_id, overall, seq, parties)
        select id, 'announced', 0, '{}' from unnest($1::text[]) as id order by id
        on conflict (commitment_id) do update set overall = s.overall
        returning *
        """,
        ids,
    )
    plans = await connection.fetch(
        """
        select milestone_id, commitment_id, schedule_version, commitment::text, milestone::text, scheduled_at, settled,
               correlation_id
        from milestone_plan where commitment_id = any($1::text[]) order by milestone_id for update
        """,
        ids,
    )
    rows = await connection.fetch(
        """
        select r.milestone_id, r.schedule_version, r.step, r.audience, r.due_at, r.state
        from reminder r join milestone_plan p using (milestone_id, schedule_version)
        where p.milestone_id = any($1::text[])
        """,
        [plan["milestone_id"] for plan in plans],
    )
    return _agendas(commitment_statuses, plans, rows)


async def read_agendas(connection: Connection) -> dict[str, Agenda]:
    """The agendas of all commitments as they stand, for who only looks: nothing is locked.

    The three questions see the same in a transaction of isolation `repeatable_read`.
    """
    commitment_statuses = await connection.fetch("select * from commitment_state order by commitment_id")
    plans = await connection.fetch(
        """
        select milestone_id, commitment_id, schedule_version, commitment::text, milestone::text, scheduled_at, settled,
               correlation_id
        from milestone_plan order by milestone_id
        """
    )
    rows = await connection.fetch(
        """
        select r.milestone_id, r.schedule_version, r.step, r.audience, r.due_at, r.state
        from reminder r join milestone_plan p using (milestone_id, schedule_version)
        """
    )
    return _agendas(commitment_statuses, plans, rows)


async def write_agendas(
    connection: Connection, before: Mapping[str, Agenda], after: Mapping[str, Agenda]
) -> list[Reminder]:
    """Write what differs between agendas locked in this transaction; the reminders that were new or changed."""
    statuses = [
        (id_, agenda.commitment_status)
        for id_, agenda in after.items()
        if agenda.commitment_status != before[id_].commitment_status
    ]
    schedules = [
        (id_, schedule)
        for id_, agenda in after.items()
        for name, schedule in agenda.schedules.items()
        if before[id_].schedules.get(name) != schedule
    ]
    reminders = [
        (key, reminder)
        for id_, agenda in after.items()
        for key, reminder in agenda.reminders.items()
        if before[id_].reminders.get(key) != reminder
    ]
    if statuses:
        await _write_statuses(connection, statuses)
    if schedules:
        await _write_schedules(connection, schedules)
    if reminders:
        await _write_reminders(connection, reminders)
    return [reminder for _, reminder in reminders]


async def _write_statuses(connection: Connection, statuses: Sequence[tuple[str, CommitmentStatus]]) -> None:
    await connection.execute(
        """
        update commitment_state s set overall = n.overall, seq = n.seq, parties = n.parties
        from unnest($1::text[], $2::text[], $3::int[], $4::jsonb[])
             as n(commitment_id, overall, seq, parties)
        where s.commitment_id = n.commitment_id
        """,
        [id_ for id_, _ in statuses],
        [status.overall.status for _, status in statuses],
        [status.overall.seq for _, status in statuses],
        [{party: _known_status_json(said) for party, said in status.parties.items()} for _, status in statuses],
    )


async def _write_schedules(connection: Connection, schedules: Sequence[tuple[str, MilestoneSchedule]]) -> None:
    await connection.execute(
        """
        insert into milestone_plan
            (milestone_id, commitment_id, schedule_version, commitment, milestone, scheduled_at, settled,
             correlation_id)
        select * from unnest($1::text[], $2::text[], $3::int[], $4::jsonb[], $5::jsonb[], $6::timestamptz[],
                             $7::boolean[], $8::text[])
        on conflict (milestone_id) do update set
            commitment_id = excluded.commitment_id, schedule_version = excluded.schedule_version,
            commitment = excluded.commitment, milestone = excluded.milestone,
            scheduled_at = excluded.scheduled_at, settled = excluded.settled,
            correlation_id = excluded.correlation_id
        """,
        [schedule.milestone.id for _, schedule in schedules],
        [id_ for id_, _ in schedules],
        [schedule.version for _, schedule in schedules],
        [schedule.commitment.model_dump(mode="json") for _, schedule in schedules],
        [schedule.milestone.model_dump(mode="json") for _, schedule in schedules],
        [schedule.scheduled_at for _, schedule in schedules],
        [schedule.settled for _, schedule in schedules],
        [schedule.correlation_id for _, schedule in schedules],
    )


async def _write_reminders(connection: Connection, reminders: Sequence[tuple[ReminderKey, Reminder]]) -> None:
    await connection.execute(
        """
        insert into reminder (milestone_id, schedule_version, step, audience, due_at, state)
        select * from unnest($1::text[], $2::int[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[])
        on conflict (milestone_id, schedule_version, step, audience)
        do update set due_at = excluded.due_at, state = excluded.state
        """,
        [key.milestone_id for key, _ in reminders],
        [key.schedule_version for key, _ in reminders],
        [key.step.name for key, _ in reminders],
        [key.audience for key, _ in reminders],
        [reminder.due_at for _, reminder in reminders],
        [reminder.state for _, reminder in reminders],
    )


@dataclass(frozen=True)
class ListedReminder:
    """A reminder as it is shown, with its milestone as last scheduled."""

    id: int
    commitment: CommitmentBrief
    milestone: Milestone
    schedule_version: int
    step: str
    audience: UUID | None
    due_at: datetime
    state: str
    fired_at: datetime | None
    event_id: UUID | None
    reason: str | None


async def list_reminders(
    connection: Connection,
    *,
    state: str,
    commitment_id: str | None,
    audience: UUID | None,
    before: datetime | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ListedReminder]:
    """Reminders in the order in which they are due (then by id), those behind `after` only.

    Of the book's ladders where `audience` is None, otherwise of that subscription's own.
    """
    rows = await connection.fetch(
        f"""
        select r.id, p.commitment::text, p.milestone::text, r.schedule_version, r.step, r.audience, r.due_at, r.state,
               r.fired_at, r.event_id, r.reason
        from reminder r join milestone_plan p using (milestone_id)
        where r.state = $1 and {"r.state = 'pending'" if state == "pending" else "r.state <> 'pending'"}
          and r.audience is not distinct from $7::uuid
          and ($2::text is null or p.commitment_id = $2)
          and ($3::timestamptz is null or r.due_at < $3)
          and ($4::timestamptz is null or (r.due_at, r.id) > ($4, $5::bigint))
        order by r.due_at, r.id limit $6
        """,
        state,
        commitment_id,
        before,
        after[0] if after else None,
        after[1] if after else None,
        limit,
        audience,
    )
    return [
        ListedReminder(
            **{
                **dict(row),
                "commitment": CommitmentBrief.as_read(row["commitment"]),
                "milestone": Milestone.as_read(row["milestone"]),
            }
        )
        for row in rows
    ]


def _agendas(
    commitment_statuses: Sequence[asyncpg.Record], plans: Sequence[asyncpg.Record], rows: Sequence[asyncpg.Record]
) -> dict[str, Agenda]:
    """Rows of commitments, their milestones, and these milestones' reminders, put together.

    A row that can't be read is left out: it must not keep a later event, which may put it right, from being heard.
    """
    schedules: dict[str, dict[str, MilestoneSchedule]] = {row["commitment_id"]: {} for row in commitment_statuses}
    reminders: dict[str, dict[ReminderKey, Reminder]] = {row["commitment_id"]: {} for row in commitment_statuses}
    owner = {}
    for plan in plans:
        owner[plan["milestone_id"]] = plan["commitment_id"]
        if schedule := readable_schedule(plan):
            schedules[plan["commitment_id"]][plan["milestone_id"]] = schedule
    for row in rows:
        if step := readable_step(row):
            key = ReminderKey(row["milestone_id"], row["schedule_version"], step, row["audience"])
            reminders[owner[key.milestone_id]][key] = Reminder(row["due_at"], row["state"])
    return {
        row["commitment_id"]: Agenda(
            _commitment_status(row), schedules[row["commitment_id"]], reminders[row["commitment_id"]]
        )
        for row in commitment_statuses
    }


def readable_schedule(row: asyncpg.Record) -> MilestoneSchedule | None:
    """A row of `milestone_plan` with its JSON as text; None, and a line in the log, for one that can't be read."""
    try:
        return MilestoneSchedule(
            CommitmentBrief.as_read(row["commitment"]),
            Milestone.as_read(row["milestone"]),
            row["schedule_version"],
            row["scheduled_at"],
            row["settled"],
            row["correlation_id"],
        )
    except ValueError as error:
        log.error("a plan can't be read", action="plan_left_out", milestone=row["milestone_id"], error=str(error))
        return None


def readable_step(row: asyncpg.Record) -> Step | None:
    """The step of a row of `reminder`; None, and a line in the log, where it names none."""
    try:
        return Step.stored(row["step"])
    except ValueError as error:
        log.error("a step can't be read", action="step_left_out", milestone=row["milestone_id"], error=str(error))
        return None


def _commitment_status(row: asyncpg.Record) -> CommitmentStatus:
    return CommitmentStatus(
        KnownStatus(Status.as_kept(row["overall"]), row["seq"]),
        {party: _known_status(said) for party, said in row["parties"].items()},
    )


def _known_status(stored: Mapping[str, Any]) -> KnownStatus:
    return KnownStatus(Status.as_kept(stored["status"]), stored["seq"])


def _known_status_json(said: KnownStatus) -> dict[str, str | int]:
    return {"status": said.status, "seq": said.seq}
