"""What is posted one by one is recorded together: the act of a group of status updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.vocabulary import Slug
from services.plumbing.database import Connection, Database
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.idempotency import Answer
from services.registry.actions.events import ActionContext, sender_of
from services.registry.actions.sent_reports import record_sent_reports
from services.registry.actions.status_updates import ReportStatus
from services.registry.http.parameters import id_in_path
from services.registry.rules.errors import RegistryError
from services.registry.views.status_updates import StatusUpdateEntry, status_updates


@dataclass(frozen=True)
class PostedReport:
    """A report as it was posted, of a commitment that the path names."""

    report: ReportStatus
    context: ActionContext
    is_fresh: bool
    """Whether its id was made up here, since it came without one."""


class StatusUpdateAccepted(ResponseModel):
    """A status update has been recorded; it is on its way to the topic under this event id."""

    event_id: UUID
    report_id: UUID
    """By which `GET /reports/{report_id}` tells what became of it."""
    commitment_id: Slug
    version: int
    update: StatusUpdateEntry


async def record_posted(
    database: Database, connection: Connection, posted: Sequence[PostedReport]
) -> list[Answer | Exception | None]:
    """Record reports in their order, in the caller's transaction: an answer to each, or why it is refused.

    None for one whose id stands before it: it is judged by itself, once it is known what has become of that.
    """
    results: list[Answer | Exception | None] = [None] * len(posted)
    judged: dict[tuple[str, UUID | None], int] = {}
    for n, one in enumerate(posted):
        try:
            id_in_path(one.report.commitment_id, "commitment")
        except RegistryError as refusal:
            results[n] = refusal
            continue
        judged.setdefault((sender_of(one.context.ministry, one.context.client), one.report.report_id), n)
    together = [posted[n] for n in judged.values()]
    if not together:
        return results
    outcomes = await record_sent_reports(
        database,
        connection,
        [(one.report, one.context) for one in together],
        fresh={one.report.report_id for one in together if one.is_fresh and one.report.report_id},
        keeps_refusals=False,
    )
    recorded = [one.event_id for one in outcomes if not isinstance(one, RegistryError)]
    entries = await status_updates(connection, recorded) if recorded else {}
    for n, outcome in zip(judged.values(), outcomes, strict=True):
        if isinstance(outcome, RegistryError):
            results[n] = outcome
        else:
            results[n] = _accepted(posted[n].report, entries[outcome.event_id])
    return results


def _accepted(report: ReportStatus, entry: StatusUpdateEntry) -> Answer:
    if report.report_id is None:
        raise ValueError("a posted report has an id")
    accepted = StatusUpdateAccepted(
        event_id=entry.event_id,
        report_id=report.report_id,
        commitment_id=report.commitment_id,
        version=entry.version,
        update=entry,
    )
    return Answer(201, accepted.model_dump(mode="json"))
