"""The escalation over HTTP: how it stands with what is overdue, and the word of those who are on it."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, WrapValidator

from contracts.events import Acknowledgement
from contracts.vocabulary import Country, Day, Instant, Line, Paragraph, Slug, Text
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem, problems
from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation import escalations
from services.scheduler.escalation.acknowledging import Asked, KeyReused, UnknownMilestone, acknowledge, digest_of
from services.scheduler.escalation.book import EscalationBook
from services.scheduler.escalation.escalations import EscalationStore, MilestoneEscalation
from services.scheduler.escalation.machine import (
    Climbing,
    Dormant,
    EscalationState,
    NothingToOwn,
    Owned,
    Settled,
    next_level,
)

Stage = Literal["dormant", "climbing", "owned", "settled"]
STAGES: dict[type[EscalationState], Stage] = {
    Dormant: "dormant",
    Climbing: "climbing",
    Owned: "owned",
    Settled: "settled",
}
_NAMED = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Made up by the caller, a new one for each new request. The same request again has the"
            " same answer and no second effect.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}


def _not_blank(name: str) -> str:
    if not name.strip():
        raise ValueError("a name is more than blanks")
    return name


class NewAcknowledgement(BaseModel):
    """Somebody is on it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    name: Annotated[Line, AfterValidator(_not_blank)]
    """Who: a person, or the unit that answers for it."""
    note: Paragraph | None = None


class EscalationEntry(BaseModel):
    """How it stands with a milestone."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    milestone_id: Slug
    milestone_title: Text
    commitment_id: Slug
    commitment_title: Text
    countries: tuple[Country, ...]
    """The countries that the milestone binds."""
    latest: Day | None
    zone: str
    """IANA zone in which the last day ends."""
    schedule_version: int
    state: Stage
    """`dormant`: not overdue. `climbing`: overdue, and nobody owns it. `owned`: acknowledged. `settled`: met or
    withdrawn, for all whom it binds."""
    round: int
    """Which time it is that it climbs from the first level, or how often it has."""
    level: Slug | None
    """Who heard last in this round, while it climbs."""
    next_at: Instant | None
    """When it is overdue, the next level hears, or the window for evidence ends."""
    next_level: Slug | None
    """Who hears then."""
    acknowledged: Acknowledgement | None
    """By whom it is owned; while it climbs, whose word was not followed by evidence."""
    failed: str | None
    """Why nobody could be told, where that is so."""


class EscalationLine(BaseModel):
    """Something that happened."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    what: Literal[
        "overdue", "told", "skipped", "acknowledged", "evidence", "re-armed", "withdrawn", "settled", "reopened"
    ]
    """`told`: a level heard. `skipped`: its turn came and went in a downtime, and a later one heard. `re-armed`: the
    window ended without evidence. `withdrawn`: the date was moved to come."""
    at: Instant
    schedule_version: int
    round: int
    rank: int | None
    level: Slug | None
    repeat: int | None
    due_at: Instant | None
    name: str | None
    """Who acknowledged."""
    note: str | None
    client: str | None
    """By whose key the acknowledgement or the evidence came."""
    event_id: UUID | None
    """The `milestone-escalated` that told it, or the event that was heard."""


class EscalationRecord(EscalationEntry):
    """How it stands with a milestone, and how that came about."""

    log: tuple[EscalationLine, ...]
    """The oldest first."""


class EscalationPage(BaseModel):
    """Escalations in the order in which time changes them next."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    items: tuple[EscalationEntry, ...]
    next_cursor: str | None
    """Pass it as `cursor` for what follows; null at the end."""


def _from_json(value: Any, _: object) -> NewAcknowledgement:
    # FastAPI hands over Python's types, in which a strict model refuses what JSON may well say.
    return NewAcknowledgement.model_validate_json(json.dumps(value))


def escalation_router(database: Database, clock: Clock, keys: ApiKeys, watched: EscalationStore) -> APIRouter:
    """The routes of the escalation; reading is open, acknowledging takes a key with the role `reporter`."""
    router = APIRouter(tags=["escalations"])
    bearer = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")
    Reporter = Annotated[Caller, Depends(_reporter(keys))]  # noqa: N806  a type, though made here

    @router.post(
        "/milestones/{milestone_id}/acknowledgements",
        status_code=201,
        response_model=EscalationEntry,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=_NAMED,
        operation_id="acknowledge_milestone",
        dependencies=[Security(bearer)],
    )
    async def acknowledge_milestone(
        request: Request,
        milestone_id: Slug,
        new: Annotated[NewAcknowledgement, Body(), WrapValidator(_from_json)],
        caller: Reporter,
    ) -> Response:
        """Say that somebody is on it: nobody further hears, unless no evidence follows."""
        made = Acknowledgement(name=new.name, note=new.note, at=clock.now())
        asked = Asked(caller.client, _key(request), digest_of(request.url.path, await request.body()))
        try:
            answer = await acknowledge(
                database,
                watched,
                milestone_id,
                made,
                asked,
                lambda held: _entry(held, watched.book).model_dump(mode="json"),
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
            held = await escalations.read_escalation(connection, milestone_id)
            if held is None and not await escalations.is_known(connection, milestone_id):
                raise _unknown()
            rows = await escalations.read_log(connection, milestone_id)
        if held is None:
            raise Unavailable("the escalation of this milestone has not begun yet")
        entry = _entry(held, watched.book)
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
            found = await escalations.list_escalations(
                connection,
                state=state,
                commitment_id=commitment,
                after=_place(cursor) if cursor else None,
                limit=limit + 1,
            )
        page = found[:limit]
        return EscalationPage(
            items=tuple(_entry(one, watched.book) for one in page),
            next_cursor=_cursor(page[-1]) if len(found) > limit else None,
        )

    return router


def _reporter(keys: ApiKeys) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        caller = keys.require(request, "reporter")
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Problem(415, "media-type", "Send the body as application/json")
        return caller

    return caller


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Problem(400, "idempotency-key", "Send an `Idempotency-Key` of 1 to 255 printable ASCII characters")
    return key


def _unknown() -> Problem:
    return Problem(404, "not-found", "There is no such milestone")


def _entry(held: MilestoneEscalation, book: EscalationBook) -> EscalationEntry:
    state, milestone = held.case.state, held.milestone
    heard = state.rank if isinstance(state, Climbing) else 0
    following = next_level(state, book)
    made = None
    match state:
        case Climbing():
            made = state.unfollowed
        case Owned():
            made = state.acknowledgement
    return EscalationEntry(
        milestone_id=milestone.id,
        milestone_title=milestone.title,
        commitment_id=held.commitment.id,
        commitment_title=held.commitment.title,
        countries=milestone.countries,
        latest=milestone.span.latest,
        zone=milestone.zone,
        schedule_version=held.case.version,
        state=STAGES[type(state)],
        round=state.round,
        level=book.levels[min(heard, len(book.levels)) - 1].level if heard else None,
        next_at=held.next_at,
        next_level=following and following.level,
        acknowledged=made,
        failed=held.failed,
    )


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
