"""The history of a commitment's status, as readers see it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter
from contracts.vocabulary import PartyCode, Status, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.status_history import AsOf
from services.registry.store.rows import Row, word_from


class StatusUpdateEntry(ResponseModel):
    """One entry of a commitment's history."""

    event_id: UUID
    version: int
    """The commitment's version after it."""
    party: PartyCode
    previous: Status
    """What had been said last of this party before it was said."""
    status: Status
    current: bool
    """Whether it was the newest word on its party when it was recorded; what was said before that and came later is
    history."""
    overall: Status
    """The status of the whole after it."""
    note: str | None
    evidence: Evidence | None
    reported_by: Reporter
    report_id: UUID | None
    """The sender's own key, where it came over Kafka."""
    occurred_at: datetime
    """Since when it is so."""
    reported_at: datetime
    """When it was said."""
    recorded_at: datetime
    """When the register took it in."""


_UPDATE = "select u.*, m.name as ministry_name from status_update u left join ministry m on m.code = u.ministry"


async def status_updates(connection: Connection, event_ids: Collection[UUID]) -> dict[UUID, StatusUpdateEntry]:
    """Entries of histories by the ids of their events."""
    rows = await connection.fetch(f"{_UPDATE} where u.event_id = any($1::uuid[])", list(event_ids))
    return {row["event_id"]: _status_update(row) for row in rows}


async def status_updates_of(connection: Connection, commitment_id: str, moment: AsOf) -> tuple[StatusUpdateEntry, ...]:
    """The history of a commitment, in the order in which the register took it in."""
    rows = await connection.fetch(f"{_UPDATE} where u.commitment_id = $1 order by u.version", commitment_id)
    return tuple(_status_update(row) for row in rows if moment.includes(row["occurred_at"], row["recorded_at"]))


def _status_update(row: Row) -> StatusUpdateEntry:
    return StatusUpdateEntry(
        event_id=row["event_id"],
        version=row["version"],
        party=row["party"],
        previous=word_from(Status, row["from_status"]),
        status=word_from(Status, row["to_status"]),
        current=row["is_current"],
        overall=word_from(Status, row["overall"]),
        note=row["note"],
        evidence=None if row["evidence"] is None else Evidence.as_kept(row["evidence"]),
        reported_by=Reporter(
            client=row["client"],
            ministry=row["ministry"],
            ministry_name=Text.as_kept(row["ministry_name"]) if row["ministry_name"] else None,
        ),
        report_id=row["report_id"],
        occurred_at=row["occurred_at"],
        reported_at=row["reported_at"],
        recorded_at=row["recorded_at"],
    )
