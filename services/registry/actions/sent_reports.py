"""Reports that carry an id of their own: each takes effect once, and is answered by itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.vocabulary import MinistryCode
from services.plumbing.database import Connection, Database
from services.plumbing.inbox import first_sight, forget_sight
from services.plumbing.sentences import Sentence
from services.registry.actions.events import report_event_id, sender_of
from services.registry.actions.status_updates import Reported, ReportStatus, record_status_updates
from services.registry.catalogue.contents import Ministry
from services.registry.rules.errors import RegistryError, at
from services.registry.store.ministries import find_ministries
from services.registry.store.refused_reports import drop_refused_reports, put_refused_reports
from services.registry.store.status_updates import KnownReport, RecordedUpdate, find_reports


class ReportChanged(RegistryError):
    """Another report was sent under the same id before."""

    kind = "report-changed"
    title = Sentence("Another report was sent under the same id before")


@dataclass(frozen=True)
class ReportedBefore:
    """A report that was recorded earlier, or stands twice in one request."""

    event_id: UUID


Outcome = RecordedUpdate | ReportedBefore | RegistryError


async def record_sent_reports(
    database: Database,
    connection: Connection,
    reports: Sequence[Reported],
    *,
    fresh: Collection[UUID] = (),
    keeps_refusals: bool = True,
    ministries: Mapping[MinistryCode, Ministry] | None = None,
) -> list[Outcome]:
    """Record reports in the order given, each once for its id, inside the caller's transaction; one outcome for each.

    Of what is refused nothing is written but why, so that it may come again, mended, under the same id; without
    `keeps_refusals` not even that. Ids that are `fresh` were made up here and now, and were never sent before.
    `ministries` are those that send, where they have been found already.
    """
    keys = [_key_of(one) for one in reports]
    sent: dict[str, list[UUID]] = {}
    for sender, id_ in keys:
        if id_ not in fresh:
            sent.setdefault(sender, []).append(id_)
    first = {(sender, id_) for sender, id_ in keys if id_ in fresh}
    for sender, ids in sorted(sent.items()):
        first |= {(sender, id_) for id_ in await first_sight(connection, _inbox(sender), ids, reports[0][1].now)}
    known = {report_event_id(sender, id_) for sender, ids in sent.items() for id_ in ids}
    recorded = await find_reports(connection, known) if known else {}
    if known and ministries is None:
        codes = {context.ministry for _, context in reports if context.ministry}
        ministries = await find_ministries(connection, codes) if codes else {}
    own = {code: ministry.party for code, ministry in (ministries or {}).items()}
    outcomes: list[Outcome | None] = []
    new: dict[tuple[str, UUID], Reported] = {}
    for one, key in zip(reports, keys, strict=True):
        (report, context), event_id = one, report_event_id(*key)
        party = own.get(context.ministry or "")
        if key in new:
            same = content_of(new[key][0], party) == content_of(report, party)
        elif (before := recorded.get(event_id)) is not None:
            same = says(report, party, before)
        elif key in first:
            new[key] = one
            outcomes.append(None)
            continue
        else:
            same = False
        outcomes.append(ReportedBefore(event_id) if same else report_changed(key[1]))
    results = iter(await record_status_updates(database, connection, list(new.values())))
    filled = [next(results) if outcome is None else outcome for outcome in outcomes]
    refused = {
        key: outcome
        for key, before, outcome in zip(keys, outcomes, filled, strict=True)
        if before is None and isinstance(outcome, RegistryError)
    }
    for sender, ids in sorted(sent.items()):
        errors = {id_: error for (of, id_), error in refused.items() if of == sender}
        if errors:
            await forget_sight(connection, _inbox(sender), list(errors))
        if keeps_refusals:
            await put_refused_reports(connection, sender, errors, reports[0][1].now)
        await drop_refused_reports(connection, sender, [id_ for id_ in ids if id_ not in errors])
    # A second one under the id of a refused one says the same, and is refused for the same.
    return [
        refused[key] if isinstance(outcome, ReportedBefore) and key in refused else outcome
        for key, outcome in zip(keys, filled, strict=True)
    ]


def _key_of(one: Reported) -> tuple[str, UUID]:
    """Under what a report takes effect once."""
    report, context = one
    if report.report_id is None:
        raise ValueError("a report that takes effect once has an id")
    return sender_of(context.ministry, context.client), report.report_id


def _inbox(sender: str) -> str:
    return f"registry/{sender}"


def report_changed(report_id: UUID) -> ReportChanged:
    told = Sentence("The report %(report_id)s was sent before, and said something else", report_id=report_id)
    return ReportChanged(told, **at("report_id"))


def content_of(report: ReportStatus, own: str | None) -> tuple[object, ...]:
    """What a report says, without what may differ when it is sent again: when it is sent, and the version expected."""
    evidence = report.evidence and report.evidence.model_dump()
    return (report.commitment_id, report.party or own, report.status, report.note, evidence, report.occurred_at)


def says(report: ReportStatus, own: str | None, known: KnownReport) -> bool:
    """Whether a report says what the history has under its id."""
    evidence = known.evidence and known.evidence.model_dump()
    recorded = (known.commitment_id, known.party, known.status, known.note, evidence)
    return content_of(report, own)[:-1] == recorded and report.occurred_at in (None, known.occurred_at)
