"""Status updates over HTTP: ministries and editors report how a commitment is going."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from contracts.entered import EnteredParagraph
from contracts.events import EnteredEvidence
from contracts.vocabulary import Country, Ordinal, Slug, Status
from services.plumbing.database import Connection
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions.events import ActionContext
from services.registry.actions.status_updates import ReportStatus, record_status_updates
from services.registry.http.parameters import id_in_path
from services.registry.http.problems import problem_kind
from services.registry.http.write_endpoint import KEYED, WriteEndpoint
from services.registry.rules.errors import Invalid
from services.registry.rules.status import StatusNotAllowed, VersionConflict
from services.registry.views.status_updates import StatusUpdateEntry, status_update


class NewStatusUpdate(StrictRequestModel):
    """How it goes: for one country, or for the commitment as a whole."""

    status: Status
    country: Country | None = None
    note: EnteredParagraph | None = None
    """Needed to reopen what is met or withdrawn."""
    evidence: EnteredEvidence | None = None
    expected_version: Ordinal | None = None
    """The version that the reporter has read; another one by now is a conflict (409)."""


class StatusUpdateAccepted(ResponseModel):
    """A status update has been recorded; it is on its way to the topic under this event id."""

    event_id: UUID
    commitment_id: Slug
    version: int
    update: StatusUpdateEntry


NewStatusUpdateBody = Annotated[NewStatusUpdate, Body(), strict_body(NewStatusUpdate)]


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What reporters do."""
    router = APIRouter()
    Reporter = Annotated[Caller, Depends(endpoint.caller("reporter"))]  # noqa: N806  a type, though made here

    @router.post(
        "/commitments/{commitment_id}/status-updates",
        status_code=201,
        response_model=StatusUpdateAccepted,
        responses=problems(401, 403, 404, *map(problem_kind, (Invalid, StatusNotAllowed, VersionConflict))),
        openapi_extra=KEYED,
        operation_id="report_status",
    )
    async def report_status(
        request: Request, commitment_id: str, new: NewStatusUpdateBody, caller: Reporter
    ) -> Response:
        """Report how a commitment is going, as a whole or for one country."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            report = ReportStatus(
                commitment_id=id_in_path(commitment_id, "commitment"),
                status=new.status,
                country=new.country,
                note=new.note,
                evidence=new.evidence,
                expected_version=new.expected_version,
                reported_at=context.now,
            )
            (recorded,) = await record_status_updates(endpoint.database, connection, [(report, context)])
            return StatusUpdateAccepted(
                event_id=recorded.event_id,
                commitment_id=recorded.commitment_id,
                version=recorded.version,
                update=await status_update(connection, recorded.event_id),
            )

        return await endpoint.once(request, caller, 201, act)

    return router
