"""The history of status updates; it is only ever added to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter
from contracts.vocabulary import Country, Status
from services.plumbing.database import Connection
from services.registry.store.rows import as_json


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
