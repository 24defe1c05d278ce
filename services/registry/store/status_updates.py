"""The history of status updates; it is only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter
from contracts.vocabulary import Country, Status
from services.plumbing.database import Connection
from services.registry.store.rows import Row, as_json


@dataclass(frozen=True)
class RecordedUpdate:
    """A status update to be written into the history."""

    event_id: UUID
    commitment_id: str
    version: int
    country: Country | None
    previous: Status
    status: Status
    overall: Status
    note: str | None
    evidence: Evidence | None
    reporter: Reporter
    report_id: UUID | None
    reported_at: datetime
    recorded_at: datetime


async def add_status_update(connection: Connection, update: RecordedUpdate) -> None:
    """Add an entry to a commitment's history."""
    await connection.execute(
        """
        insert into status_update (event_id, commitment_id, version, country, from_status, to_status, overall, note,
                                   evidence, client, ministry, report_id, reported_at, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        update.event_id,
        update.commitment_id,
        update.version,
        update.country,
        update.previous,
        update.status,
        update.overall,
        update.note,
        as_json(update.evidence),
        update.reporter.client,
        update.reporter.ministry,
        update.report_id,
        update.reported_at,
        update.recorded_at,
    )


async def find_report(
    connection: Connection, ministry: str, report_id: UUID, event_id: UUID
) -> tuple[object, ...] | None:
    """What the history says under a ministry's report: commitment, country, status, note and evidence.

    `event_id` is that of the report's event: what was taken over from the topic is known by it alone.
    """
    row = await connection.fetchrow(
        "select commitment_id, country, to_status, note, evidence from status_update"
        " where event_id = $3 or (ministry = $1 and report_id = $2)",
        ministry,
        report_id,
        event_id,
    )
    if row is None:
        return None
    evidence = None if row["evidence"] is None else Evidence.model_validate(row["evidence"])
    return row["commitment_id"], row["country"], row["to_status"], row["note"], evidence


async def status_history(connection: Connection, commitment_id: str) -> list[Row]:
    """The updates of a commitment in their order: event id, version, country and status."""
    return list(
        await connection.fetch(
            "select event_id, version, country, to_status from status_update where commitment_id = $1 order by version",
            commitment_id,
        )
    )


async def renumber_updates(connection: Connection, updates: Mapping[UUID, tuple[int, Status, Status]]) -> None:
    """Give updates other versions, and another status before and overall after: others were accepted before them.

    The history is only ever added to; here what was added while an old backup was in place takes its true place.
    """
    await connection.execute("select set_config('pledgewire.taking_over', 'on', true)")
    # In two steps, since a version may be taken until its update has moved on.
    await connection.execute(
        "update status_update set version = -version where event_id = any($1::uuid[])", list(updates)
    )
    await connection.execute(
        "update status_update u set version = n.version, from_status = n.previous, overall = n.overall"
        " from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[]) as n(event_id, version, previous, overall)"
        " where u.event_id = n.event_id",
        list(updates),
        [version for version, _, _ in updates.values()],
        [previous for _, previous, _ in updates.values()],
        [overall for _, _, overall in updates.values()],
    )
    await connection.execute("select set_config('pledgewire.taking_over', 'off', true)")
