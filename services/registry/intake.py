"""Status updates from the ministries' own topics: the same effect as over HTTP, once for each report.

Each record has one answer: an entry in the history, which `status-changed` tells under its `report_id`, or a refusal on
the ministry's own topic. Only what nobody could mend who sends it goes to the dead letters.
"""

from collections.abc import Sequence

from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.sentences import Sentence
from services.registry.actions.events import ActionContext
from services.registry.actions.rejections import Rejection, answered_already, write_rejections
from services.registry.actions.sent_reports import record_sent_reports
from services.registry.actions.status_updates import Reported, ReportStatus, UnknownMinistry
from services.registry.received_reports import ReceivedReport
from services.registry.rules.errors import RegistryError
from services.registry.store.ministries import find_ministries


class ReportIntake:
    """Records batches of reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def apply(self, batch: Sequence[ReceivedReport | Rejection]) -> None:
        """Record the batch in one transaction, and what of it is refused.

        Raises `UnknownMinistry`, and records nothing, where nobody has entered the ministry: that is not its sender's
        to mend.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            codes = {one.ministry for one in batch}
            ministries = await find_ministries(connection, codes)
            if unknown := codes - ministries.keys():
                raise UnknownMinistry(
                    Sentence("There is no ministry %(unknown)s in the register", unknown=min(unknown))
                )
            answered = await answered_already(connection, {one.place for one in batch})
            unanswered = {one.place: one for one in batch if one.place not in answered}.values()
            received = [one for one in unanswered if isinstance(one, ReceivedReport)]
            rejections = [one for one in unanswered if isinstance(one, Rejection)]
            outcomes = await record_sent_reports(
                self._database, connection, [self._reported(one) for one in received], ministries=ministries
            )
            failpoint("ingest-after-inbox")
            rejections += [
                _rejection(one, outcome)
                for one, outcome in zip(received, outcomes, strict=True)
                if isinstance(outcome, RegistryError)
            ]
            await write_rejections(self._database, connection, rejections, now)

    def _reported(self, one: ReceivedReport) -> Reported:
        context = ActionContext(
            now=self._clock.now(),
            machine_now=MACHINE_CLOCK.now(),
            client=one.ministry,
            ministry=one.ministry,
            correlation_id=one.envelope.correlation_id or str(one.envelope.id),
            traceparent=one.envelope.traceparent,
        )
        report = ReportStatus(
            commitment_id=one.report.commitment_id,
            status=one.report.status,
            party=one.report.party,
            note=one.report.note,
            evidence=one.report.evidence,
            expected_version=one.report.expected_version,
            occurred_at=one.report.occurred_at,
            reported_at=one.report.reported_at,
            report_id=one.report.report_id,
        )
        return report, context


def _rejection(one: ReceivedReport, error: RegistryError) -> Rejection:
    return Rejection(
        one.ministry,
        one.place,
        error.kind,
        str(error),
        error.pointer or None,
        one.report.report_id,
        one.report.commitment_id,
        one.envelope.correlation_id or str(one.envelope.id),
        one.envelope.traceparent,
    )
