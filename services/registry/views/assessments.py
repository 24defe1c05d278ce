"""Views of independent assessors, as readers see them: beside the statuses, and never in them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence
from contracts.vocabulary import Assessment, PartyCode
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.status_history import AsOf
from services.registry.store.rows import Row, word_from


class AssessmentEntry(ResponseModel):
    """One view of an independent assessor."""

    event_id: UUID
    assessor: str
    """The client that assesses."""
    organisation: str
    party: PartyCode | None
    """Whom it is of; null for the commitment as a whole."""
    previous: Assessment | None
    """This assessor's view before; null for its first."""
    assessment: Assessment
    note: str | None
    evidence: Evidence | None
    assessed_at: datetime
    recorded_at: datetime
    is_newest: bool
    """Whether it is this assessor's present view."""


async def assessments_of(
    connection: Connection, commitment_ids: Collection[str], moment: AsOf
) -> dict[str, tuple[AssessmentEntry, ...]]:
    """All views of commitments, the oldest first."""
    rows = await connection.fetch(
        "select * from assessment where commitment_id = any($1::text[]) order by commitment_id, recorded_at, number",
        list(commitment_ids),
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        if moment.includes(row["assessed_at"], row["recorded_at"]):
            found.setdefault(row["commitment_id"], []).append(row)
    return {id_: _entries(of_one) for id_, of_one in found.items()}


def _entries(rows: list[Row]) -> tuple[AssessmentEntry, ...]:
    newest = {(row["client"], row["party"]): row["event_id"] for row in rows}
    return tuple(_entry(row, row["event_id"] in newest.values()) for row in rows)


def _entry(row: Row, is_newest: bool) -> AssessmentEntry:
    return AssessmentEntry(
        event_id=row["event_id"],
        assessor=row["client"],
        organisation=row["organisation"],
        party=row["party"],
        previous=None if row["previous"] is None else word_from(Assessment, row["previous"]),
        assessment=word_from(Assessment, row["assessment"]),
        note=row["note"],
        evidence=None if row["evidence"] is None else Evidence.as_kept(row["evidence"]),
        assessed_at=row["assessed_at"],
        recorded_at=row["recorded_at"],
        is_newest=is_newest,
    )
