"""Assessors' views into the register: a second opinion with a history of its own, which changes no status."""

from dataclasses import dataclass
from uuid import UUID

from contracts.events import CommitmentAssessed, Evidence
from contracts.majors import said_later
from contracts.topics import COMMITMENT_ASSESSED
from contracts.vocabulary import Assessment, PartyCode
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.outbox import append, take_seqs
from services.plumbing.sentences import Sentence
from services.registry.actions.auditing import audit_change
from services.registry.actions.events import ActionContext, cause_of, outbox_record
from services.registry.rules.errors import RegistryError, ResourceNotFound, at
from services.registry.rules.parties import check_known
from services.registry.rules.report_times import check_retrieved_on
from services.registry.rules.status_party import PartyNotBound
from services.registry.store.assessments import add_assessment, last_assessment
from services.registry.store.commitments import lock_commitments


class NothingNew(RegistryError):
    """The assessor's view is this one already; say what is new in a note or by evidence."""

    kind = "nothing-new"
    title = Sentence("The assessor's view is this one already; say what is new in a note or by evidence")


@dataclass(frozen=True)
class AssessCommitment:
    """An assessor's view to be recorded; without a party of the commitment as a whole."""

    commitment_id: str
    organisation: str
    assessment: Assessment
    party: PartyCode | None = None
    note: str | None = None
    evidence: Evidence | None = None


async def assess_commitment(
    database: Database, connection: Connection, view: AssessCommitment, context: ActionContext
) -> UUID:
    """Record an assessor's view with its event, in the caller's transaction; the event's id.

    Raises `ResourceNotFound`, `UnknownParty`, `PartyNotBound`, `Invalid` and `NothingNew`.
    """
    commitment = (await lock_commitments(connection, [view.commitment_id])).get(view.commitment_id)
    if commitment is None:
        raise ResourceNotFound(Sentence("There is no commitment %(commitment_id)s", commitment_id=view.commitment_id))
    if view.party is not None:
        check_known(view.party, commitment.statement_parties, "party")
        if view.party not in commitment.brief.parties:
            raise PartyNotBound(Sentence("The commitment does not bind %(party)s", party=view.party), **at("party"))
    if view.evidence is not None:
        check_retrieved_on(view.evidence.retrieved_on, context.latest)
    previous = await last_assessment(connection, view.commitment_id, context.client, view.party)
    if previous == view.assessment and not (view.note or view.evidence):
        raise NothingNew(Sentence("It is %(previous)s already by this assessor", previous=previous), **at("assessment"))
    (seq,) = await take_seqs(connection, COMMITMENT_ASSESSED.name, [view.commitment_id])
    event_id = new_id()
    event = CommitmentAssessed(
        seq=seq,
        cause=cause_of("assessment", [event_id]),
        commitment=commitment.brief,
        assessor=context.client,
        organisation=view.organisation,
        party=view.party,
        previous=previous,
        assessment=view.assessment,
        note=view.note,
        evidence=view.evidence,
        assessed_at=context.now,
        recorded_at=context.now,
    )
    await add_assessment(connection, event_id, event)
    await append(database, connection, [outbox_record(event, context, event_id)], context.now, said_later)
    said = {"party": view.party, "organisation": view.organisation}
    before = said | {"assessment": previous.value} if previous else None
    evidence = view.evidence.model_dump(mode="json") if view.evidence else None
    after = said | {"assessment": view.assessment.value, "note": view.note, "evidence": evidence}
    await audit_change(connection, context, "commitment.assessed", f"commitment/{view.commitment_id}", before, after)
    return event_id
