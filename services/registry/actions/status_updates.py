"""Status updates into the register: the same over HTTP, over Kafka and from files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from contracts.causes import Cause
from contracts.events import Evidence, Reporter, StatusChanged
from contracts.majors import said_later
from contracts.topics import STATUS_CHANGED
from contracts.vocabulary import MinistryCode, PartyCode, Status
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.outbox import append, take_seqs
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import audit_updates
from services.registry.actions.events import ActionContext, cause_of, outbox_record, report_event_id, sender_of
from services.registry.catalogue.contents import Ministry
from services.registry.rules.errors import RegistryError, ResourceNotFound
from services.registry.rules.report_times import check_reported_at, check_retrieved_on
from services.registry.rules.status import ReportedStatus, check_change, check_version, overall
from services.registry.rules.status_history import StatusWord, last_status, times_of_report
from services.registry.rules.status_party import party_of_report
from services.registry.rules.status_table import Speaker
from services.registry.store.commitments import LockedCommitment, lock_commitments, put_standings
from services.registry.store.ministries import find_ministries
from services.registry.store.status_updates import RecordedUpdate, add_status_updates, last_words


class UnknownMinistry(RegistryError):
    """Nobody has entered the ministry that it comes from."""

    kind = "unknown-ministry"
    title = Sentence("Nobody has entered the ministry that it comes from")


@dataclass(frozen=True)
class ReportStatus:
    """A status update to be made; `report_id` is the sender's own key, where it has one.

    Without `party` it is the reporting ministry's own. Without `reported_at` it is said now; without `occurred_at` it
    is so since it was said.
    """

    commitment_id: str
    status: Status
    party: PartyCode | None = None
    note: str | None = None
    evidence: Evidence | None = None
    expected_version: int | None = None
    occurred_at: datetime | None = None
    reported_at: datetime | None = None
    report_id: UUID | None = None


Reported = tuple[ReportStatus, ActionContext]


async def record_status_updates(
    database: Database, connection: Connection, reports: Sequence[Reported]
) -> list[RecordedUpdate | RegistryError]:
    """Record status updates in the order given, each with its event, inside the caller's transaction.

    One result for each: the entry in the history, or why it is refused; of what is refused nothing is written.
    """
    # Nothing is written before all have been judged, so that a refused one leaves nothing to undo.
    standing = await _Standing.of(connection, reports)
    results: list[RecordedUpdate | RegistryError] = []
    for report, context in reports:
        try:
            results.append(standing.record(report, context))
        except RegistryError as refusal:
            results.append(refusal)
    recorded = [
        (one, context) for one, (_, context) in zip(results, reports, strict=True) if isinstance(one, RecordedUpdate)
    ]
    if recorded:
        await _write(database, connection, standing, recorded)
    return results


async def _write(
    database: Database,
    connection: Connection,
    standing: "_Standing",
    recorded: Sequence[tuple[RecordedUpdate, ActionContext]],
) -> None:
    updates = [update for update, _ in recorded]
    changed = {update.commitment_id: standing.commitments[update.commitment_id] for update in updates}
    await put_standings(connection, changed.values())
    await add_status_updates(connection, updates)
    seqs = await take_seqs(connection, STATUS_CHANGED.name, [update.commitment_id for update in updates])
    causes = _causes(recorded)
    records = [
        outbox_record(
            status_changed(seq, standing.commitments[update.commitment_id], update, causes[update.event_id]),
            context,
            update.event_id,
        )
        for seq, (update, context) in zip(seqs, recorded, strict=True)
    ]
    await append(database, connection, records, recorded[0][1].now, said_later)
    await audit_updates(connection, recorded)


def _causes(recorded: Sequence[tuple[RecordedUpdate, ActionContext]]) -> dict[UUID, Cause]:
    """What sets off each event: its own report, or all that came in one request, which has one context."""
    acts: dict[int, tuple[ActionContext, list[UUID]]] = {}
    for update, context in recorded:
        acts.setdefault(id(context), (context, []))[1].append(update.event_id)
    return {
        id_: cause
        for context, ids in acts.values()
        for cause in [cause_of(context.kind_of("status-report"), ids)]
        for id_ in ids
    }


@dataclass
class _Standing:
    """How the commitments of some reports stand, locked until the transaction ends, and what was said of them last."""

    commitments: dict[str, LockedCommitment]
    ministries: Mapping[MinistryCode, Ministry]
    words: dict[tuple[str, PartyCode], list[StatusWord]] = field(default_factory=dict)
    """Of each party the last word, the last word before each of the reports, and those that have been added."""

    @classmethod
    async def of(cls, connection: Connection, reports: Sequence[Reported]) -> "_Standing":
        commitments = await lock_commitments(connection, {report.commitment_id for report, _ in reports})
        codes = {context.ministry for _, context in reports if context.ministry}
        ministries = await find_ministries(connection, codes) if codes else {}
        standing = cls(commitments, ministries)
        asked: set[tuple[str, PartyCode, datetime | None]] = set()
        for report, context in reports:
            own = ministries[context.ministry].party if context.ministry in ministries else None
            if report.commitment_id in commitments and (party := own or report.party):
                asked |= {(report.commitment_id, party, None), (report.commitment_id, party, report.reported_at)}
        in_order = list(asked)
        for (commitment_id, party, _), word in zip(in_order, await last_words(connection, in_order), strict=True):
            if word is not None:
                standing.words.setdefault((commitment_id, party), []).append(word)
        return standing

    def record(self, report: ReportStatus, context: ActionContext) -> RecordedUpdate:
        """The entry that a report becomes; how things stand takes it in. Raises `RegistryError`."""
        commitment = self.commitments.get(report.commitment_id)
        if commitment is None:
            raise ResourceNotFound(
                Sentence("There is no commitment %(commitment_id)s", commitment_id=report.commitment_id)
            )
        ministry = self.ministries.get(context.ministry) if context.ministry else None
        if context.ministry and ministry is None:
            raise UnknownMinistry(
                Sentence("There is no ministry %(unknown)s in the register", unknown=context.ministry)
            )
        if report.reported_at is not None:
            check_reported_at(report.reported_at, context.latest)
        if report.evidence is not None:
            check_retrieved_on(report.evidence.retrieved_on, context.latest)
        party = party_of_report(
            ministry.party if ministry else None,
            report.party,
            commitment.brief.parties,
            commitment.statement_parties,
        )
        check_version(commitment.version, report.expected_version)
        words = self.words.setdefault((report.commitment_id, party), [])
        newest = max(words, key=lambda word: word.place, default=None)
        occurred_at, reported_at = times_of_report(
            report.occurred_at, report.reported_at, newest.reported_at if newest else None, context.now
        )
        current = newest is None or newest.reported_at <= reported_at
        said_by_then = (word for word in words if word.reported_at <= reported_at)
        previous = commitment.party_statuses[party] if current else last_status(said_by_then)
        speaker = Speaker.MINISTRY if ministry else Speaker.EDITOR
        has_note = bool(report.note and report.note.strip())
        check_change(previous, ReportedStatus(report.status, speaker, has_note, report.evidence is not None))
        statuses = {**commitment.party_statuses, party: report.status} if current else commitment.party_statuses
        after = replace(commitment, party_statuses=statuses, version=commitment.version + 1)
        update = RecordedUpdate(
            event_id=_event_id(report, context),
            commitment_id=report.commitment_id,
            version=after.version,
            party=party,
            previous=previous,
            status=report.status,
            current=current,
            overall=overall(statuses.values()),
            note=report.note,
            evidence=report.evidence,
            reporter=Reporter(
                client=context.client, ministry=context.ministry, ministry_name=ministry.name if ministry else None
            ),
            report_id=report.report_id,
            occurred_at=occurred_at,
            reported_at=reported_at,
            recorded_at=context.now,
        )
        self.commitments[report.commitment_id] = after
        words.append(update.word)
        return update


def _event_id(report: ReportStatus, context: ActionContext) -> UUID:
    """By the sender's own key, where there is one: the same report, heard again, has the same event."""
    if report.report_id:
        return report_event_id(sender_of(context.ministry, context.client), report.report_id)
    return new_id()


def status_changed(seq: int, commitment: LockedCommitment, update: RecordedUpdate, cause: Cause) -> StatusChanged:
    """The event of an entry."""
    return StatusChanged(
        seq=seq,
        cause=cause,
        commitment=commitment.brief,
        party=update.party,
        previous=update.previous,
        status=update.status,
        current=update.current,
        overall=update.overall,
        note=update.note,
        evidence=update.evidence,
        reported_by=update.reporter,
        report_id=update.report_id,
        occurred_at=update.occurred_at,
        reported_at=update.reported_at,
        recorded_at=update.recorded_at,
        version=update.version,
    )
