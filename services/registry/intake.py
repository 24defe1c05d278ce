"""Status updates from the ministries' own topics: the same effect as over HTTP, once for each report."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.envelope import Envelope, from_record
from contracts.events import StatusReported
from contracts.topics import BY_NAME
from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight
from services.registry.actions.events import ActionContext, report_event_id
from services.registry.actions.status_updates import ReportStatus, record_status_updates
from services.registry.rules.errors import RegistryError
from services.registry.store.status_updates import find_report


class ReportChanged(RegistryError):
    """The ministry sent another report under the same id."""

    kind = "report-changed"


@dataclass(frozen=True)
class ReceivedReport:
    """A report, and the ministry by its topic: who produced a record, a consumer can't see."""

    ministry: str
    envelope: Envelope
    report: StatusReported


def content_of(report: StatusReported) -> tuple[object, ...]:
    """What a report says, without what may differ when it is sent again: its time and the version expected."""
    return report.commitment_id, report.country, report.status, report.note, report.evidence


def read_report(record: ConsumerRecord[bytes, bytes]) -> ReceivedReport:
    """Read a record of an ingest topic; raises `UnreadableRecord` for what is no status report."""
    ministry = BY_NAME[record.topic].ministry
    if ministry is None:
        raise ValueError(f"{record.topic} is no ingest topic")
    envelope, report = from_record(StatusReported, record.key, record.headers, record.value)
    return ReceivedReport(ministry, envelope, report)


class ReportIntake:
    """Records batches of reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def apply(self, batch: Sequence[ReceivedReport]) -> None:
        """Record the batch in one transaction; raises a `RegistryError`, and records nothing, if one can't be."""
        async with self._database.transaction() as connection:
            new = await self._first_seen(connection, batch)
            failpoint("ingest-after-inbox")
            await record_status_updates(self._database, connection, [self._to_record(one) for one in new])

    async def _first_seen(self, connection: Connection, batch: Sequence[ReceivedReport]) -> list[ReceivedReport]:
        """The reports that arrive for the first time, in the order in which they came."""
        now = self._clock.now()
        first = set()
        for ministry in sorted({one.ministry for one in batch}):
            ids = [one.report.report_id for one in batch if one.ministry == ministry]
            new_ids = await first_sight(connection, f"registry/{ministry}", ids, now)
            first |= {(ministry, report_id) for report_id in new_ids}
        new: dict[tuple[str, UUID], ReceivedReport] = {}
        for one in batch:
            key = (one.ministry, one.report.report_id)
            if key in new:
                repeated = content_of(new[key].report) == content_of(one.report)
            else:
                recorded = await find_report(connection, *key, report_event_id(*key))
                if recorded is None and key in first:
                    new[key] = one
                    continue
                # In the history and not in the inbox is what was taken over from the topic after an old backup.
                repeated = content_of(one.report) == recorded
            if not repeated:
                raise ReportChanged(f"The report {one.report.report_id} was sent before, and said something else")
        return list(new.values())

    def _to_record(self, one: ReceivedReport) -> tuple[ReportStatus, ActionContext]:
        report = ReportStatus(
            commitment_id=one.report.commitment_id,
            status=one.report.status,
            country=one.report.country,
            note=one.report.note,
            evidence=one.report.evidence,
            expected_version=one.report.expected_version,
            reported_at=one.report.reported_at,
            report_id=one.report.report_id,
        )
        context = ActionContext(
            now=self._clock.now(),
            machine_now=MACHINE_CLOCK.now(),
            client=one.ministry,
            ministry=one.ministry,
            correlation_id=one.envelope.correlation_id or str(one.envelope.id),
            traceparent=one.envelope.traceparent,
        )
        return report, context
