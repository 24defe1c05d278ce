"""Assessments over HTTP: independent assessors say how they see it, on a scale of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from contracts.entered import EnteredLine, EnteredParagraph
from contracts.events import EnteredEvidence
from contracts.vocabulary import Assessment, PartyCode, Slug
from services.plumbing.database import Connection
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions.assessments import AssessCommitment, NothingNew, assess_commitment
from services.registry.actions.events import ActionContext
from services.registry.http.parameters import id_in_path
from services.registry.http.problems import problem_kind
from services.registry.http.write_endpoint import KEYED, WriteEndpoint
from services.registry.rules.errors import Invalid
from services.registry.rules.parties import UnknownParty
from services.registry.rules.status_history import PRESENT
from services.registry.rules.status_party import PartyNotBound
from services.registry.views.assessments import AssessmentEntry, assessments_of


class NewAssessment(StrictRequestModel):
    """How an assessor sees it: for one party, or for the commitment as a whole."""

    organisation: EnteredLine
    """What the assessor calls itself."""
    assessment: Assessment
    party: PartyCode | None = None
    note: EnteredParagraph | None = None
    evidence: EnteredEvidence | None = None


class AssessmentAccepted(ResponseModel):
    """A view has been recorded; it is on its way to the topic under this event id."""

    event_id: UUID
    commitment_id: Slug
    assessment: AssessmentEntry


NewAssessmentBody = Annotated[NewAssessment, Body(), strict_body(NewAssessment)]


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What assessors do."""
    router = APIRouter()
    Assessor = Annotated[Caller, Depends(endpoint.caller("assessor"))]  # noqa: N806  a type, though made here

    @router.post(
        "/commitments/{commitment_id}/assessments",
        status_code=201,
        response_model=AssessmentAccepted,
        responses=problems(401, 403, 404, *map(problem_kind, (Invalid, UnknownParty, PartyNotBound, NothingNew))),
        openapi_extra=KEYED,
        operation_id="assess_commitment",
    )
    async def assess(request: Request, commitment_id: str, new: NewAssessmentBody, caller: Assessor) -> Response:
        """Say how an independent assessor sees a commitment; it is shown beside the statuses and changes none."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            known_id = id_in_path(commitment_id, "commitment")
            view = AssessCommitment(known_id, new.organisation, new.assessment, new.party, new.note, new.evidence)
            event_id = await assess_commitment(endpoint.database, connection, view, context)
            entries = (await assessments_of(connection, [known_id], PRESENT))[known_id]
            entry = next(one for one in entries if one.event_id == event_id)
            return AssessmentAccepted(event_id=event_id, commitment_id=known_id, assessment=entry)

        return await endpoint.once(request, caller, 201, act)

    return router
