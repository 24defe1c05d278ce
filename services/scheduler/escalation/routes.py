"""The escalation over HTTP: how it stands with what is overdue, and the word of those who are on it."""

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import WrapValidator

from contracts.events import Acknowledgement
from contracts.vocabulary import Slug
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem, problems
from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation import log, queries
from services.scheduler.escalation.acknowledgement_routes import IDEMPOTENCY_KEY_PARAMETER, idempotency_key, reporter
from services.scheduler.escalation.acknowledging import Asked, KeyReused, UnknownMilestone, acknowledge, digest_of
from services.scheduler.escalation.forms import (
    EscalationEntry,
    EscalationLine,
    EscalationPage,
    EscalationRecord,
    NewAcknowledgement,
    acknowledgement_from_json,
    escalation_entry,
)
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.machine import NothingToOwn
from services.scheduler.escalation.store import EscalationStore


def escalation_router(database: Database, clock: Clock, keys: ApiKeys, watched: EscalationStore) -> APIRouter:
    """The routes of the escalation; reading is open, acknowledging takes a key with the role `reporter`."""
    router = APIRouter(tags=["escalations"])
    bearer = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")
    Reporter = Annotated[Caller, Depends(reporter(keys))]  # noqa: N806  a type, though made here

    @router.post(
        "/milestones/{milestone_id}/acknowledgements",
        status_code=201,
        response_model=EscalationEntry,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=IDEMPOTENCY_KEY_PARAMETER,
        operation_id="acknowledge_milestone",
        dependencies=[Security(bearer)],
    )
    async def acknowledge_milestone(
        request: Request,
        milestone_id: Slug,
        new: Annotated[NewAcknowledgement, Body(), WrapValidator(acknowledgement_from_json)],
        caller: Reporter,
    ) -> Response:
        """Say that somebody is on it: nobody further hears, unless no evidence follows."""
        made = Acknowledgement(name=new.name, note=new.note, at=clock.now())
        asked = Asked(caller.client, idempotency_key(request), digest_of(request.url.path, await request.body()))
        try:
            answer = await acknowledge(
                database,
                watched,
                milestone_id,
                made,
                asked,
                lambda held: escalation_entry(held, watched.book).model_dump(mode="json"),
            )
        except UnknownMilestone:
            raise _unknown() from None
        except NothingToOwn as refusal:
            raise Problem(409, "nothing-to-own", "There is nothing to own", str(refusal)) from None
        except KeyReused:
            raise Problem(
                422, "key-reused", "This Idempotency-Key was used for another request; make up a new one"
            ) from None
        return JSONResponse(answer, 201)

    @router.get(
        "/milestones/{milestone_id}/escalation", operation_id="read_escalation", responses=problems(404, 422, 503)
    )
    async def escalation(milestone_id: Slug) -> EscalationRecord:
        """How it stands with a milestone, and all that happened."""
        async with database.transaction() as connection:
            held = await queries.read_escalation(connection, milestone_id)
            if held is None and not await queries.is_known(connection, milestone_id):
                raise _unknown()
            rows = await log.read_log(connection, milestone_id)
        if held is None:
            raise Unavailable("the escalation of this milestone has not begun yet")
        entry = escalation_entry(held, watched.book)
        return EscalationRecord(**vars(entry), log=tuple(EscalationLine(**dict(row)) for row in rows))

    @router.get("/escalations", operation_id="list_escalations", responses=problems(400, 422, 503))
    async def escalation_list(
        state: Annotated[
            Literal["climbing", "owned"], Query(description="`climbing`: overdue, and nobody owns it.")
        ] = "climbing",
        commitment: Annotated[Slug | None, Query(description="Only those of this commitment.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")] = None,
    ) -> EscalationPage:
        """What is overdue, in the order in which time changes it next."""
        async with database.connection() as connection:
            found = await queries.list_escalations(
                connection,
                state=state,
                commitment_id=commitment,
                after=_place(cursor) if cursor else None,
                limit=limit + 1,
            )
        page = found[:limit]
        return EscalationPage(
            items=tuple(escalation_entry(one, watched.book) for one in page),
            next_cursor=_cursor(page[-1]) if len(found) > limit else None,
        )

    return router


def _unknown() -> Problem:
    return Problem(404, "not-found", "There is no such milestone")


def _cursor(last: MilestoneEscalation) -> str:
    at = last.next_at.isoformat() if last.next_at else ""
    return base64.urlsafe_b64encode(json.dumps([at, last.milestone.id]).encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    """Where a cursor points; raises a 400 problem for one that is none of ours."""
    try:
        at, milestone_id = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        place = datetime.fromisoformat(at), str(milestone_id)
        if place[0].tzinfo is None or "\0" in place[1] or not place[1].isascii():
            raise ValueError("out of range")
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise Problem(400, "bad-cursor", "This cursor is none that was given out here") from error
    return place
