"""Status updates into the register: the same over HTTP and over Kafka."""

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
from services.registry.actions.events import ActionContext, outbox_record, report_event_id
from services.registry.rules.errors import ResourceNotFound
from services.registry.rules.report_times import check_reported_at
from services.registry.rules.status import ReportedStatus, change_status, check_version
from services.registry.store.commitments import LockedCommitment, lock_commitments, put_country_statuses
from services.registry.store.status_updates import RecordedUpdate, add_status_update


@dataclass(frozen=True)
class ReportStatus:
    """A status update to be made; `report_id` is the sender's own key, where it came over Kafka."""

    commitment_id: str
    status: Status
    country: Country | None
    note: str | None
    evidence: Evidence | None
    expected_version: int | None
    reported_at: datetime
    report_id: UUID | None = None


async def record_status_updates(
    database: Database, connection: Connection, reports: Sequence[tuple[ReportStatus, ActionContext]]
) -> list[RecordedUpdate]:
    """Record status updates in the order given, each with its event, inside the caller's transaction.

    Raises a `RegistryError` for the first that can't be; then nothing of them may be committed.
    """
    locked = await lock_commitments(connection, {report.commitment_id for report, _ in reports})
    recorded = []
    for report, context in reports:
        commitment = locked.get(report.commitment_id)
        if commitment is None:
            raise ResourceNotFound(f"There is no commitment {report.commitment_id}")
        locked[report.commitment_id], update = await _record_one(database, connection, commitment, report, context)
        recorded.append(update)
    return recorded


async def _record_one(
    database: Database,
    connection: Connection,
    commitment: LockedCommitment,
    report: ReportStatus,
    context: ActionContext,
) -> tuple[LockedCommitment, RecordedUpdate]:
    """The commitment as it stands afterwards, and the entry in its history."""
    check_reported_at(report.reported_at, context.latest)
    check_version(commitment.version, report.expected_version)
    change = change_status(
        commitment.country_statuses,
        ReportedStatus(report.status, report.country, report.note, report.evidence is not None),
    )
    update = RecordedUpdate(
        event_id=_event_id(report, context),
        commitment_id=commitment.brief.id,
        version=commitment.version + 1,
        country=report.country,
        previous=change.previous,
        status=report.status,
        overall=change.overall,
        note=report.note,
        evidence=report.evidence,
        reporter=Reporter(client=context.client, ministry=context.ministry),
        report_id=report.report_id,
        reported_at=report.reported_at,
        recorded_at=context.now,
    )
    await put_country_statuses(
        connection, update.commitment_id, change.country_statuses, change.overall, update.version
    )
    await add_status_update(connection, update)
    (seq,) = await take_seqs(connection, STATUS_CHANGED.name, [update.commitment_id])
    event = _status_changed(seq, commitment, update)
    await append(database, connection, [outbox_record(event, context, update.event_id)], context.now)
    return replace(commitment, country_statuses=change.country_statuses, version=update.version), update


def _event_id(report: ReportStatus, context: ActionContext) -> UUID:
    """By the ministry's own key, where there is one: the same report, heard again, has the same event."""
    if context.ministry and report.report_id:
        return report_event_id(context.ministry, report.report_id)
    return new_id()


def _status_changed(seq: int, commitment: LockedCommitment, update: RecordedUpdate) -> StatusChanged:
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
