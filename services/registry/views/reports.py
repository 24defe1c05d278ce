"""What became of a report, for who sent it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.vocabulary import PartyCode, Slug
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel


class RecordedReport(ResponseModel):
    """Where a report stands in the history of its commitment."""

    event_id: UUID
    commitment_id: Slug
    party: PartyCode
    version: int
    """The commitment's version after it."""
    current: bool
    """False where newer news of the same was known already: it is history only."""
    recorded_at: datetime


class ReportOutcome(ResponseModel):
    """What became of a report."""

    report_id: UUID
    state: Literal["recorded", "history", "refused"]
    """`history`: it was recorded, and newer news of the same was known already."""
    recorded: RecordedReport | None
    refused_at: datetime | None
    problem: dict[str, Any] | None
    """Why it was refused, as the problem that it would be over HTTP; pointers lead into the report."""


async def recorded_reports(connection: Connection, event_ids: Collection[UUID]) -> dict[UUID, RecordedReport]:
    """Where reports stand, by the ids of their events."""
    rows = await connection.fetch(
        "select event_id, commitment_id, party, version, is_current as current, recorded_at from status_update"
        " where event_id = any($1::uuid[])",
        list(event_ids),
    )
    return {row["event_id"]: RecordedReport(**dict(row)) for row in rows}
