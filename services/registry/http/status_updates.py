"""Status updates over HTTP: ministries and editors report how a commitment is going."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from contracts.entered import EnteredParagraph
from contracts.events import EnteredEvidence
from contracts.vocabulary import Instant, Ordinal, PartyCode, Status
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import StrictRequestModel, strict_body
from services.plumbing.http.group_commit import GroupCommit
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import FORBIDDEN, Problem
from services.plumbing.ids import new_id
from services.plumbing.sentences import Sentence
from services.registry.actions.events import ActionContext
from services.registry.actions.sent_reports import ReportChanged
from services.registry.actions.status_updates import ReportStatus, UnknownMinistry
from services.registry.http.posted_reports import PostedReport, StatusUpdateAccepted, record_posted
from services.registry.http.problems import problem_kind
from services.registry.http.shown import commitment_shown
from services.registry.http.write_endpoint import CONDITIONAL, WriteEndpoint
from services.registry.rules.errors import Invalid
from services.registry.rules.parties import UnknownParty
from services.registry.rules.status import EvidenceNeeded, StatusNotAllowed, VersionConflict
from services.registry.rules.status_party import NotYourParty, PartyNotBound


class NewStatusUpdate(StrictRequestModel):
    """How it goes with one party; the status of the commitment as a whole follows from those of all."""

    status: Status
    party: PartyCode | None = None
    """A ministry's is its own, without this too; an editor says which."""
    note: EnteredParagraph | None = None
    """Needed to reopen what is met or withdrawn, and where an editor corrects."""
    evidence: EnteredEvidence | None = None
    """Needed for `met`."""
    expected_version: Ordinal | None = None
    """The version that the reporter has read; another one by now is a conflict (409)."""
    occurred_at: Instant | None = None
    """Since when it is so; without it since it was said."""
    reported_at: Instant | None = None
    """When it was said, where that was before now: then it counts as said before whatever was said since."""
    report_id: UUID | None = None
    """The sender's own id of it: the same report again, whichever way it comes, is recorded once."""


NewStatusUpdateBody = Annotated[NewStatusUpdate, Body(), strict_body(NewStatusUpdate)]


REFUSALS = (
    NotYourParty,
    UnknownMinistry,
    Invalid,
    UnknownParty,
    PartyNotBound,
    StatusNotAllowed,
    EvidenceNeeded,
    VersionConflict,
    ReportChanged,
)
"""What a status update is refused for beyond its form."""


def report_in_body(new: NewStatusUpdate, commitment_id: str, report_id: UUID) -> ReportStatus:
    """What a body reports of a commitment."""
    return ReportStatus(
        commitment_id=commitment_id,
        status=new.status,
        party=new.party,
        note=new.note,
        evidence=new.evidence,
        expected_version=new.expected_version,
        occurred_at=new.occurred_at,
        reported_at=new.reported_at,
        report_id=report_id,
    )


def check_speaks(caller: Caller) -> None:
    """Raise a 403 problem for who speaks for nobody: reporters report for a ministry, editors correct any party."""
    role = "reporter" if caller.ministry else "editor"
    if role not in caller.roles:
        lacking = Sentence("This key has no role `reporter`")
        speechless = Sentence("This key speaks for no ministry, and has no role `editor`")
        raise Problem(FORBIDDEN, title=lacking if caller.ministry else speechless)


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What reporters do."""
    router = APIRouter()
    group = GroupCommit(endpoint.database, partial(record_posted, endpoint.database))
    Reporter = Annotated[Caller, Depends(endpoint.caller("reporter", "editor"))]  # noqa: N806  a type, though made here

    @router.post(
        "/commitments/{commitment_id}/status-updates",
        status_code=201,
        response_model=StatusUpdateAccepted,
        responses=problems(401, 403, 404, *map(problem_kind, REFUSALS)),
        openapi_extra=CONDITIONAL,
        operation_id="report_status",
    )
    async def report_status(
        request: Request, commitment_id: str, new: NewStatusUpdateBody, caller: Reporter
    ) -> Response:
        """Report how it goes with one party of a commitment: a ministry with its own, an editor with any."""
        check_speaks(caller)

        def posted(context: ActionContext) -> PostedReport:
            report_id = new.report_id or new_id()
            return PostedReport(report_in_body(new, commitment_id, report_id), context, is_fresh=not new.report_id)

        shown = commitment_shown(commitment_id)
        return await endpoint.once_in_group(request, caller, group, posted, shown, location="/reports/{report_id}")

    return router
