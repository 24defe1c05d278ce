"""Status updates from the ministries' own topics: the same effect as over HTTP, once for each report.

Each record has one answer: an entry in the history, which `status-changed` tells under its `report_id`, or a refusal on
the ministry's own topic. Only what nobody could mend who sends it goes to the dead letters.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.plumbing.clock import MACHINE_CLOCK, Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight, forget_sight
from services.plumbing.sentences import Sentence
from services.registry.actions.events import ActionContext, report_event_id
from services.registry.actions.rejections import Rejection, answered_already, write_rejections
from services.registry.actions.sent_reports import content_of, says
from services.registry.actions.status_updates import Reported, ReportStatus, UnknownMinistry, record_status_updates
from services.registry.catalogue.contents import Ministry
from services.registry.received_reports import ReceivedReport
from services.registry.rules.errors import RegistryError
from services.registry.store.ministries import find_ministries
from services.registry.store.refused_reports import drop_refused_reports, put_refused_reports
from services.registry.store.status_updates import find_reports

_CHANGED = "report-changed"


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
            new, repeated, changed = await self._sift(connection, received, ministries)
            failpoint("ingest-after-inbox")
            results = await record_status_updates(self._database, connection, [self._reported(one) for one in new])
            refused = [
                (one, result) for one, result in zip(new, results, strict=True) if isinstance(result, RegistryError)
            ]
            for ministry in sorted({one.ministry for one in new}):
                errors = {one.report.report_id: error for one, error in refused if one.ministry == ministry}
                ids = [one.report.report_id for one in new if one.ministry == ministry]
                await _settle(connection, ministry, [id_ for id_ in ids if id_ not in errors], errors, now)
            # What is sent twice at once is refused twice, as it would be one after the other.
            why = {_event_id(one): error for one, error in refused}
            refused += [(one, why[_event_id(one)]) for one in repeated if _event_id(one) in why]
            rejections += changed
            rejections += [_rejection(one, error.kind, str(error), error.pointer or None) for one, error in refused]
            await write_rejections(self._database, connection, rejections, now)

    async def _sift(
        self, connection: Connection, received: Sequence[ReceivedReport], ministries: Mapping[str, Ministry]
    ) -> tuple[list[ReceivedReport], list[ReceivedReport], list[Rejection]]:
        """The reports that arrive for the first time, in their order; what repeats one of them; and what of them is
        refused because its id said something else before.

        What was refused has left no trace here: mended, it may come again under the same id.
        """
        now = self._clock.now()
        first: set[tuple[str, UUID]] = set()
        for ministry in sorted({one.ministry for one in received}):
            ids = [one.report.report_id for one in received if one.ministry == ministry]
            first |= {(ministry, id_) for id_ in await first_sight(connection, f"registry/{ministry}", ids, now)}
        recorded = await find_reports(connection, {_event_id(one) for one in received})
        new: dict[tuple[str, UUID], ReceivedReport] = {}
        repeated: list[ReceivedReport] = []
        changed: list[Rejection] = []
        for one in received:
            key = (one.ministry, one.report.report_id)
            party = ministries[one.ministry].party
            if key in new:
                is_repeat = content_of(_said(new[key]), party) == content_of(_said(one), party)
                repeated += [one] if is_repeat else []
            else:
                known = recorded.get(_event_id(one))
                if known is None and key in first:
                    new[key] = one
                    continue
                # In the history and not in the inbox is what was taken over from the topic after an old backup.
                is_repeat = known is not None and says(_said(one), party, known)
            if not is_repeat:
                text = f"The report {one.report.report_id} was sent before, and said something else"
                changed.append(_rejection(one, _CHANGED, text, "#/report_id"))
        return list(new.values()), repeated, changed

    def _reported(self, one: ReceivedReport) -> Reported:
        context = ActionContext(
            now=self._clock.now(),
            machine_now=MACHINE_CLOCK.now(),
            client=one.ministry,
            ministry=one.ministry,
            correlation_id=one.envelope.correlation_id or str(one.envelope.id),
            traceparent=one.envelope.traceparent,
        )
        return _said(one), context


def _said(one: ReceivedReport) -> ReportStatus:
    return ReportStatus(
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


def _event_id(one: ReceivedReport) -> UUID:
    return report_event_id(one.ministry, one.report.report_id)


def _rejection(one: ReceivedReport, reason: str, detail: str, pointer: str | None) -> Rejection:
    return Rejection(
        one.ministry,
        one.place,
        reason,
        detail,
        pointer,
        one.report.report_id,
        one.report.commitment_id,
        one.envelope.correlation_id or str(one.envelope.id),
        one.envelope.traceparent,
    )


async def _settle(
    connection: Connection,
    ministry: str,
    recorded: Sequence[UUID],
    refused: Mapping[UUID, RegistryError],
    now: datetime,
) -> None:
    """Let refused reports be unseen, as they have had no effect, and keep why, until they are recorded."""
    await forget_sight(connection, f"registry/{ministry}", refused)
    await put_refused_reports(connection, ministry, refused, now)
    await drop_refused_reports(connection, ministry, recorded)
