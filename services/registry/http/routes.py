"""The interface of record: reading is open, writing needs a key with the role for it.

A handler writes rows and outbox lines, and never to Kafka: the register serves while Kafka is away.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request, Response, Security
from pydantic import BaseModel, StringConstraints

from contracts.vocabulary import Country, Slug, Status
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.app import Check, web_app
from services.plumbing.http.problems import PROBLEM_JSON, Problem
from services.registry.actions import anchors as anchoring
from services.registry.actions import import_statement as importing
from services.registry.actions import initial_date as dating
from services.registry.actions import reschedule as scheduling
from services.registry.actions import scheduler_holds as holding
from services.registry.actions.create_commitment import enter
from services.registry.actions.events import Occasion
from services.registry.actions.import_statement import Copy, import_built_in
from services.registry.actions.scheduler_holds import Holds
from services.registry.actions.status_updates import Report, record
from services.registry.http import anchor_routes, paging, queries, wording_routes
from services.registry.http import idempotency as answers
from services.registry.http.flags import flag_list
from services.registry.http.forms import (
    CommitmentAccepted,
    CommitmentList,
    CommitmentRecord,
    FlagList,
    Imported,
    ImportOrder,
    MilestoneMoved,
    NewCommitment,
    NewDate,
    NewStatusUpdate,
    QueryDay,
    ScheduleVersion,
    StatementList,
    StatementRecord,
    StatusUpdateAccepted,
    from_json,
)
from services.registry.http.paging import LONGEST_PAGE
from services.registry.http.write_endpoint import BEARER, KEYED, Door, found_or_404, id_of, problems, span_said
from services.registry.rules import errors as refusals
from services.registry.rules import status as commitments
from services.registry.rules.consistency import Rule
from services.registry.rules.errors import Refusal

STATUS_OF: Mapping[type[Refusal], int] = {
    refusals.Unknown: 404,
    refusals.Invalid: 422,
    refusals.AlreadyThere: 409,
    commitments.StatusRefused: 422,
    commitments.VersionDiffers: 409,
    scheduling.FollowsAnchor: 409,
    anchoring.Succeeded: 409,
    anchoring.Off: 409,
    importing.OtherWords: 422,
    dating.AmbiguousWording: 422,
    dating.AnchorNeeded: 422,
    holding.SchedulerAway: 503,
    paging.BadCursor: 400,
    answers.KeyInFlight: 409,
    answers.KeyReused: 422,
}

Words = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", min_length=1, max_length=100)]
# A body is read strictly, and as JSON.
NewCommitmentBody = Annotated[NewCommitment, Body(), from_json(NewCommitment)]
NewStatusUpdateBody = Annotated[NewStatusUpdate, Body(), from_json(NewStatusUpdate)]
NewDateBody = Annotated[NewDate, Body(), from_json(NewDate)]
ImportOrderBody = Annotated[ImportOrder, Body(), from_json(ImportOrder)]


def http_app(
    database: Database, clock: Clock, keys: ApiKeys, checks: Mapping[str, Check], holds: Holds | None = None
) -> FastAPI:
    """The whole HTTP interface; nothing is connected by building it.

    `holds` is where an old date is held while it moves; without it the register stands alone.
    """
    app = web_app(
        "registry",
        "Pledgewire registry",
        checks,
        version="1.0.0",
        summary="Commitments, what is due and when, and how it is going.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_exception_handler(Refusal, _refusal)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    door = Door(database, clock, keys, holds)
    app.include_router(_reading(database))
    app.include_router(_writing(door))
    app.include_router(anchor_routes.reading(database))
    app.include_router(anchor_routes.writing(door))
    app.include_router(wording_routes.reading())
    app.include_router(wording_routes.writing(door))
    plain = app.openapi
    app.openapi = lambda: _problems_by_their_type(plain())  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


def _reading(database: Database) -> APIRouter:
    router = APIRouter()

    @router.get("/statements", response_model=StatementList, operation_id="list_statements")
    async def statements() -> StatementList:
        """The source documents, with their sections and themes."""
        async with queries.snapshot(database) as connection:
            return await queries.statement_list(connection)

    @router.get(
        "/statements/{statement_id}",
        response_model=StatementRecord,
        responses=problems(404),
        operation_id="read_statement",
    )
    async def statement(statement_id: str) -> StatementRecord:
        """A source document with its words."""
        async with queries.snapshot(database) as connection:
            return found_or_404(
                await queries.statement_record(connection, id_of(statement_id, "statement")), "statement"
            )

    @router.get(
        "/commitments",
        response_model=CommitmentList,
        responses=problems(400, 422),
        operation_id="list_commitments",
    )
    async def commitment_list(
        country: Annotated[Country | None, Query(description="binds this country")] = None,
        theme: Annotated[Slug | None, Query()] = None,
        section: Annotated[Slug | None, Query()] = None,
        status: Annotated[Status | None, Query(description="the country's own, where one is given")] = None,
        due_from: Annotated[QueryDay | None, Query(description="a milestone's latest day is on or after it")] = None,
        due_to: Annotated[QueryDay | None, Query(description="a milestone's latest day is on or before it")] = None,
        q: Annotated[Words | None, Query(description="words of the quote, title or summary, in any language")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
    ) -> CommitmentList:
        """Commitments in the order of the statements and of their words, page by page."""
        wanted = queries.Filter(country, theme, section, status, due_from, due_to, q)
        async with queries.snapshot(database) as connection:
            return await queries.commitment_list(connection, wanted, limit, cursor)

    @router.get(
        "/commitments/{commitment_id}",
        response_model=CommitmentRecord,
        responses={304: {"description": "It is as you have it"}, **problems(404)},
        operation_id="read_commitment",
    )
    async def commitment(request: Request, commitment_id: str) -> Response:
        """All that is known of a commitment; with an `ETag` for `If-None-Match`."""
        async with queries.snapshot(database) as connection:
            record = found_or_404(
                await queries.commitment_record(connection, id_of(commitment_id, "commitment")), "commitment"
            )
        return _tagged(request, record)

    @router.get(
        "/milestones/{milestone_id}/schedule-version",
        response_model=ScheduleVersion,
        responses=problems(404),
        operation_id="read_schedule_version",
    )
    async def schedule_version(milestone_id: str) -> ScheduleVersion:
        """Which schedule of a milestone holds: reminders of an older one must not fire."""
        async with database.connection() as connection:
            version = await queries.schedule_version(connection, id_of(milestone_id, "milestone"))
        return ScheduleVersion(milestone_id=milestone_id, schedule_version=found_or_404(version, "milestone"))

    @router.get(
        "/consistency", response_model=FlagList, responses=problems(400, 422), operation_id="list_consistency_flags"
    )
    async def consistency(
        rule: Annotated[Rule | None, Query()] = None,
        commitment: Annotated[Slug | None, Query(description="the commitment's id")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
    ) -> FlagList:
        """What does not agree with itself or with the calendar, as the last daily look found it."""
        async with queries.snapshot(database) as connection:
            return await flag_list(connection, rule, commitment, limit, cursor)

    return router


def _writing(door: Door) -> APIRouter:
    router = APIRouter(dependencies=[Security(BEARER)])
    Editor = Annotated[Caller, Depends(door.role("editor"))]  # noqa: N806  a type, though made here
    Reporter = Annotated[Caller, Depends(door.role("reporter"))]  # noqa: N806
    database = door.database

    @router.post(
        "/statements/import",
        response_model=Imported,
        responses=problems(401, 403, 404, 415, 422, 503),
        operation_id="import_statement",
    )
    async def import_statement(request: Request, order: ImportOrderBody, caller: Editor) -> Imported:
        """Take in a statement that comes with the program; a second time only brings edited facts up to date.

        A copy of it from another page may come along. It is noted where its words are the same, and refused otherwise.
        """
        copy = Copy(order.copy_found.text, order.copy_found.url) if order.copy_found else None
        taken = await import_built_in(database, order.catalogue, door.occasion(request, caller), copy)
        return Imported(
            statement_id=taken.statement_id,
            commitments=taken.commitments,
            created=taken.created,
            scheduled=taken.scheduled,
        )

    @router.post(
        "/commitments",
        status_code=201,
        response_model=CommitmentAccepted,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="create_commitment",
    )
    async def create_commitment(request: Request, new: NewCommitmentBody, caller: Editor) -> Response:
        """Enter a commitment; its quote has to stand in the statement, word for word and once."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            event_id = await enter(database, connection, new, occasion)
            made = found_or_404(await queries.commitment_record(connection, new.id), "commitment")
            return CommitmentAccepted(event_id=event_id, commitment=made)

        return await door.once(request, caller, 201, act)

    @router.post(
        "/commitments/{commitment_id}/status-updates",
        status_code=201,
        response_model=StatusUpdateAccepted,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="report_status",
    )
    async def report_status(
        request: Request,
        commitment_id: str,
        new: NewStatusUpdateBody,
        caller: Reporter,
    ) -> Response:
        """Report how a commitment is going, as a whole or for one country."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            report = Report(
                commitment_id=id_of(commitment_id, "commitment"),
                status=new.status,
                country=new.country,
                note=new.note,
                evidence=new.evidence,
                expected_version=new.expected_version,
                reported_at=occasion.now,
            )
            (made,) = await record(database, connection, [(report, occasion)])
            return StatusUpdateAccepted(
                event_id=made.event_id,
                commitment_id=made.commitment_id,
                version=made.version,
                update=await queries.status_update(connection, made.event_id),
            )

        return await door.once(request, caller, 201, act)

    @router.put(
        "/milestones/{milestone_id}/schedule",
        response_model=MilestoneMoved,
        responses=problems(400, 401, 403, 404, 409, 415, 422, 503),
        openapi_extra=KEYED,
        operation_id="move_milestone",
    )
    async def move_milestone(request: Request, milestone_id: str, new: NewDateBody, caller: Editor) -> Response:
        """Give a milestone another date; one that hangs on an anchor moves with it alone (409)."""

        async def act(connection: Connection, occasion: Occasion) -> BaseModel:
            news = scheduling.News(span_said(new.edtf), new.source, new.known_on, new.local_time)
            moved = await scheduling.move_milestone(
                database, connection, id_of(milestone_id, "milestone"), news, occasion
            )
            return MilestoneMoved(
                change=moved.change if moved else "unchanged",
                milestone=found_or_404(await queries.milestone_entry(connection, milestone_id), "milestone"),
                event_id=moved.event_id if moved else None,
            )

        return await door.once(request, caller, 200, act)

    return router


def _tagged(request: Request, shown: BaseModel) -> Response:
    """The answer with its tag, or 304 to those who have it."""
    body = shown.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def _refusal(_: Request, refusal: Refusal) -> Response:
    title = (type(refusal).__doc__ or "").partition("\n")[0].removesuffix(".")
    headers = {"Retry-After": "1"} if isinstance(refusal, answers.KeyInFlight | holding.SchedulerAway) else {}
    return Problem(STATUS_OF[type(refusal)], refusal.kind, title, str(refusal), headers, **refusal.members).response()


def _problems_by_their_type(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI documents every model as application/json; a problem has a media type of its own."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    response["content"] = {PROBLEM_JSON: content["application/json"]}
    return document
