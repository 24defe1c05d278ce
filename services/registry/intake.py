"""Status updates from the ministries' own topics: the same effect as over HTTP, once for each report."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.envelope import Envelope, from_record
from contracts.events import StatusReported
from contracts.topics import BY_NAME
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight
from services.registry import store
from services.registry.actions.events import Occasion
from services.registry.actions.status_updates import Report, record
from services.registry.rules.errors import Refusal


class ReportChanged(Refusal):
    """The ministry sent another report under the same id."""

    kind = "report-changed"


@dataclass(frozen=True)
class Received:
    """A report, and the ministry by its topic: who produced a record, a consumer can't see."""

    ministry: str
    envelope: Envelope
    report: StatusReported


def says(report: StatusReported) -> tuple[object, ...]:
    """What a report says, without what may differ when it is sent again: its time and the version expected."""
    return report.commitment_id, report.country, report.status, report.note, report.evidence


def read(record: ConsumerRecord[bytes, bytes]) -> Received:
    """Read a record of an ingest topic; raises `UnreadableRecord` for what is no status report."""
    ministry = BY_NAME[record.topic].ministry
    if ministry is None:
        raise ValueError(f"{record.topic} is no ingest topic")
    envelope, report = from_record(StatusReported, record.key, record.headers, record.value)
    return Received(ministry, envelope, report)


class ReportIntake:
    """Records batches of reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def apply(self, batch: Sequence[Received]) -> None:
        """Record the batch in one transaction; raises a `Refusal`, and records nothing, if one can't be."""
        async with self._database.transaction() as connection:
            unheard = await self._unheard(connection, batch)
            failpoint("ingest-after-inbox")
            await record(self._database, connection, [self._to_record(one) for one in unheard])

    async def _unheard(self, connection: Connection, batch: Sequence[Received]) -> list[Received]:
        """The reports that are heard for the first time, in the order in which they came."""
        now = self._clock.now()
        unheard = set()
        for ministry in sorted({one.ministry for one in batch}):
            ids = [one.report.report_id for one in batch if one.ministry == ministry]
            seen_first = await first_sight(connection, f"registry/{ministry}", ids, now)
            unheard |= {(ministry, report_id) for report_id in seen_first}
        news: dict[tuple[str, UUID], Received] = {}
        for one in batch:
            key = (one.ministry, one.report.report_id)
            if key in news:
                repeated = says(news[key].report) == says(one.report)
            elif key in unheard:
                news[key] = one
                continue
            else:
                repeated = says(one.report) == await store.recorded_report(connection, *key)
            if not repeated:
                raise ReportChanged(f"The report {one.report.report_id} was sent before, and said something else")
        return list(news.values())

    def _to_record(self, one: Received) -> tuple[Report, Occasion]:
        report = Report(
            commitment_id=one.report.commitment_id,
            status=one.report.status,
            country=one.report.country,
            note=one.report.note,
            evidence=one.report.evidence,
            expected_version=one.report.expected_version,
            reported_at=one.report.reported_at,
            report_id=one.report.report_id,
        )
        occasion = Occasion(
            now=self._clock.now(),
            client=one.ministry,
            ministry=one.ministry,
            correlation_id=one.envelope.correlation_id or str(one.envelope.id),
            traceparent=one.envelope.traceparent,
        )
        return report, occasion
