"""What newer zone data has changed: the instants that it moved, and on which release the stored ones rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.scheduler.reminders.rules.agenda import Agenda


async def write_zone_changes(
    connection: Connection, before: Mapping[str, Agenda], after: Mapping[str, Agenda], row: asyncpg.Record
) -> None:
    moved = [
        (key.milestone_id, key.step.name, key.audience, known.due_at, agenda.reminders[key].due_at)
        for id_, agenda in after.items()
        for key, known in before[id_].reminders.items()
        if known.state == agenda.reminders[key].state == "pending" and known.due_at != agenda.reminders[key].due_at
    ]
    if moved:
        await connection.execute(
            """
            insert into zone_change (milestone_id, step, audience, before, after, from_release, to_release, at)
            select n.*, $6, $7, $8
            from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[]) as n
            """,
            *(list(column) for column in zip(*moved, strict=True)),
            row["from_release"],
            row["to_release"],
            row["at"],
        )


@dataclass(frozen=True)
class ZoneChange:
    """An instant that newer zone data moved."""

    milestone_id: str
    step: str
    audience: UUID | None
    before: datetime
    after: datetime
    from_release: str
    to_release: str
    at: datetime


@dataclass(frozen=True)
class ZoneState:
    """On which zone data the stored instants rest, since when, and what changed lately, the newest first."""

    stored: str
    recomputed_at: datetime | None
    changes: Sequence[ZoneChange]


async def zone_state(connection: Connection, limit: int, *, with_own_ladders: bool) -> ZoneState:
    """What became of the stored instants with the present zone data; of the book's reminders, or of all."""
    stored = await connection.fetchval("select zone_data from tick")
    at = await connection.fetchval("select max(at) from replanning where cause = 'zones' and finished_at is not null")
    rows = await connection.fetch(
        "select * from zone_change where $2 or audience is null order by id desc limit $1", limit, with_own_ladders
    )
    return ZoneState(stored, at, [ZoneChange(**{k: v for k, v in row.items() if k != "id"}) for row in rows])
