"""`POST /milestones/{id}/acknowledgements`: somebody says that they are working on an overdue milestone."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.responses import JSONResponse

from contracts.events import Acknowledgement
from contracts.vocabulary import Slug
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.forms import strict_body
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, keyed_request
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind, not_found
from services.scheduler.escalation.acknowledging import UnknownMilestone, acknowledge
from services.scheduler.escalation.forms import EscalationEntry, NewAcknowledgement, escalation_entry
from services.scheduler.escalation.rules.machine import NothingToOwn
from services.scheduler.escalation.store import EscalationStore

NOTHING_TO_OWN = ProblemKind(409, "nothing-to-own", "There is nothing to own")


def acknowledgement_routes(database: Database, clock: Clock, keys: ApiKeys, escalations: EscalationStore) -> APIRouter:
    """The route by which a milestone is acknowledged; it takes a key with the role `reporter`."""
    router = APIRouter(tags=["escalations"])
    Reporter = Annotated[Caller, Depends(keys.caller("reporter"))]  # noqa: N806  a type

    @router.post(
        "/milestones/{milestone_id}/acknowledgements",
        status_code=201,
        response_model=EscalationEntry,
        responses=problems(401, 403, 404, NOTHING_TO_OWN),
        openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
        operation_id="acknowledge_milestone",
    )
    async def acknowledge_milestone(
        request: Request,
        milestone_id: Slug,
        new: Annotated[NewAcknowledgement, Body(), strict_body(NewAcknowledgement)],
        caller: Reporter,
    ) -> Response:
        """Say that somebody is on it: nobody further is notified, unless no evidence follows."""
        acknowledgement = Acknowledgement(name=new.name, note=new.note, at=clock.now())
        try:
            answer = await acknowledge(
                database,
                escalations,
                milestone_id,
                acknowledgement,
                await keyed_request(request, caller.client),
                lambda escalation: escalation_entry(escalation, escalations.book).model_dump(mode="json"),
            )
        except UnknownMilestone:
            raise not_found("milestone") from None
        except NothingToOwn as refusal:
            raise Problem(NOTHING_TO_OWN, str(refusal)) from None
        return JSONResponse(answer.body, answer.status)

    return router
