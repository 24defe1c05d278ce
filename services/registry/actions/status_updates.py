"""A status update's way into the register: the same over HTTP and over Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter, StatusChanged
from contracts.topics import STATUS_CHANGED
from contracts.vocabulary import Country, Status
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.outbox import append, take_seqs
from services.registry import store
from services.registry.actions.events import Occasion, announcement
from services.registry.rules.errors import Unknown
from services.registry.rules.status import Update, check_version, decide
from services.registry.store import HeldCommitment, RecordedUpdate


@dataclass(frozen=True)
class Report:
    """A status update to be made; `report_id` is the sender's own key, where it came over Kafka."""

    commitment_id: str
    status: Status
    country: Country | None
    note: str | None
    evidence: Evidence | None
    expected_version: int | None
    reported_at: datetime
    report_id: UUID | None = None


async def record(
    database: Database, connection: Connection, reports: Sequence[tuple[Report, Occasion]]
) -> list[RecordedUpdate]:
    """Record status updates in the order given, each with its event, inside the caller's transaction.

    Raises a `Refusal` for the first that can't be; then nothing of them may be committed.
    """
    held = await store.hold_commitments(connection, {report.commitment_id for report, _ in reports})
    recorded = []
    for report, occasion in reports:
        commitment = held.get(report.commitment_id)
        if commitment is None:
            raise Unknown(f"There is no commitment {report.commitment_id}")
        held[report.commitment_id], update = await _record_one(database, connection, commitment, report, occasion)
        recorded.append(update)
    return recorded


async def _record_one(
    database: Database, connection: Connection, commitment: HeldCommitment, report: Report, occasion: Occasion
) -> tuple[HeldCommitment, RecordedUpdate]:
    """The commitment as it stands afterwards, and the entry in its history."""
    check_version(commitment.version, report.expected_version)
    outcome = decide(
        commitment.standing, Update(report.status, report.country, report.note, report.evidence is not None)
    )
    update = RecordedUpdate(
        event_id=new_id(),
        commitment_id=commitment.brief.id,
        version=commitment.version + 1,
        country=report.country,
        previous=outcome.previous,
        status=report.status,
        overall=outcome.overall,
        note=report.note,
        evidence=report.evidence,
        reporter=Reporter(client=occasion.client, ministry=occasion.ministry),
        report_id=report.report_id,
        reported_at=report.reported_at,
        recorded_at=occasion.now,
    )
    await store.put_standing(connection, update.commitment_id, outcome.standing, outcome.overall, update.version)
    await store.add_status_update(connection, update)
    (seq,) = await take_seqs(connection, STATUS_CHANGED.name, [update.commitment_id])
    event = _status_changed(seq, commitment, update)
    await append(database, connection, [announcement(event, occasion, update.event_id)], occasion.now)
    return replace(commitment, standing=outcome.standing, version=update.version), update


def _status_changed(seq: int, commitment: HeldCommitment, update: RecordedUpdate) -> StatusChanged:
    return StatusChanged(
        seq=seq,
        commitment=commitment.brief,
        country=update.country,
        previous=update.previous,
        status=update.status,
        overall=update.overall,
        note=update.note,
        evidence=update.evidence,
        reported_by=update.reporter,
        reported_at=update.reported_at,
        version=update.version,
    )
