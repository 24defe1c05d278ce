"""What a preview looks at, read at one instant: schedules, reminders, holds and escalations; nothing is locked."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from contracts.vocabulary import Status
from services.plumbing.database import Connection, Database
from services.scheduler.escalation import queries
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.holds.hold import MilestoneHold
from services.scheduler.previews.rules.preview import StoredReminder
from services.scheduler.reminders.rules.agenda import MilestoneSchedule
from services.scheduler.reminders.store import readable_schedule, readable_step


@dataclass(frozen=True)
class MilestoneView:
    """A milestone with all its reminders for one audience, in the order in which they are due."""

    schedule: MilestoneSchedule
    status: Status
    """Of the commitment as a whole."""
    stored: Sequence[StoredReminder]
    hold: MilestoneHold | None
    escalation: MilestoneEscalation | None
    """None while its case has not begun."""


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """All that is read inside is of the same instant."""
    async with database.connection() as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def is_known(connection: Connection, commitment_id: str) -> bool:
    """Whether any event about a commitment has come."""
    found = await connection.fetchval(
        "select true from commitment_state where commitment_id = $1 limit 1", commitment_id
    )
    return bool(found)


async def milestones_of(connection: Connection, commitment_id: str, audience: UUID | None) -> list[MilestoneView]:
    """The milestones of a commitment by their last days, those without one at the end; what can be read of them."""
    plans = await connection.fetch(
        f"select {_PLAN} where p.commitment_id = $1 order by p.milestone->'span'->>'latest' nulls last, p.milestone_id",
        commitment_id,
    )
    return await _views(connection, plans, audience)


async def reminder_with_milestone(
    connection: Connection, reminder_id: int
) -> tuple[StoredReminder, MilestoneView] | None:
    """A reminder, and its milestone as its own readers see it."""
    row = await connection.fetchrow("select milestone_id, audience from reminder where id = $1", reminder_id)
    if row is None:
        return None
    plans = await connection.fetch(f"select {_PLAN} where p.milestone_id = $1", row["milestone_id"])
    for seen in await _views(connection, plans, row["audience"]):
        for stored in seen.stored:
            if stored.id == reminder_id:
                return stored, seen
    return None


async def is_replanning(connection: Connection) -> bool:
    """Whether something is being planned anew: what is pending may not be all by the rules of now yet."""
    found = await connection.fetchval("select exists (select from replanning where finished_at is null)")
    return bool(found)


_PLAN = """
    p.milestone_id, p.schedule_version, p.commitment::text, p.milestone::text, p.scheduled_at, p.settled,
    p.correlation_id, s.overall, h.schedule_version as held_for, h.held_at
    from milestone_plan p
    join commitment_state s using (commitment_id)
    left join hold h on h.milestone_id = p.milestone_id and h.schedule_version > p.schedule_version
"""


async def _views(connection: Connection, plans: Sequence[asyncpg.Record], audience: UUID | None) -> list[MilestoneView]:
    stored = await _stored_reminders(connection, [plan["milestone_id"] for plan in plans], audience)
    return [
        MilestoneView(
            schedule,
            Status.as_kept(plan["overall"]),
            stored[plan["milestone_id"]],
            MilestoneHold(plan["milestone_id"], plan["held_for"], plan["held_at"]) if plan["held_for"] else None,
            await queries.read_escalation(connection, plan["milestone_id"]),
        )
        for plan in plans
        if (schedule := readable_schedule(plan))
    ]


async def _stored_reminders(
    connection: Connection, milestone_ids: Sequence[str], audience: UUID | None
) -> Mapping[str, Sequence[StoredReminder]]:
    rows = await connection.fetch(
        """
        select milestone_id, id, schedule_version, step, audience, due_at, state, fired_at, event_id, reason
        from reminder where milestone_id = any($1::text[]) and audience is not distinct from $2::uuid
        order by due_at, id
        """,
        milestone_ids,
        audience,
    )
    stored: defaultdict[str, list[StoredReminder]] = defaultdict(list)
    for row in rows:
        columns = dict(row)
        milestone_id = columns.pop("milestone_id")
        if step := readable_step(row):
            stored[milestone_id].append(StoredReminder(**columns | {"step": step}))
    return stored
