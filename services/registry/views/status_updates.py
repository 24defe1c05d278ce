"""The history of a commitment's status, as readers see it."""

from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter
from contracts.vocabulary import Country, Status
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.store.rows import Row


class StatusUpdateEntry(ResponseModel):
    """One entry of a commitment's history."""

    event_id: UUID
    version: int
    """The commitment's version after it."""
    country: Country | None
    previous: Status
    status: Status
    overall: Status
    """The status of the whole after it."""
    note: str | None
    evidence: Evidence | None
    reported_by: Reporter
    reported_at: datetime
    recorded_at: datetime


async def status_update(connection: Connection, event_id: UUID) -> StatusUpdateEntry:
    """One entry of a history."""
    row = await connection.fetchrow("select * from status_update where event_id = $1", event_id)
    if row is None:
        raise LookupError(event_id)
    return _status_update(row)


async def status_updates_of(connection: Connection, commitment_id: str) -> tuple[StatusUpdateEntry, ...]:
    rows = await connection.fetch(
        "select * from status_update where commitment_id = $1 order by version", commitment_id
    )
    return tuple(_status_update(row) for row in rows)


def _status_update(row: Row) -> StatusUpdateEntry:
    return StatusUpdateEntry(
        event_id=row["event_id"],
        version=row["version"],
        country=row["country"],
        previous=row["from_status"],
        status=row["to_status"],
        overall=row["overall"],
        note=row["note"],
        evidence=None if row["evidence"] is None else Evidence.model_validate(row["evidence"]),
        reported_by=Reporter(client=row["client"], ministry=row["ministry"]),
        reported_at=row["reported_at"],
        recorded_at=row["recorded_at"],
    )
