"""Statements over HTTP: read them, import one, and say how its time words are read."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, Field

from contracts.vocabulary import LanguageTag, Slug
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import ResponseModel, StrictRequestModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.import_statement import CopyDiffers, import_built_in
from services.registry.actions.inputs import StatementCopy
from services.registry.actions.reading_policy import change_reading_policy
from services.registry.http.dates import MOVING, RescheduledMilestone, rescheduled
from services.registry.http.parameters import found, id_in_path
from services.registry.http.problems import problem_kind
from services.registry.http.shown import statement_shown
from services.registry.http.write_endpoint import CONDITIONAL, WriteEndpoint, written
from services.registry.views.snapshot import snapshot
from services.registry.views.statements import StatementList, StatementRecord, statement_list, statement_record
from services.registry.wordings import ReadingPolicy


class ImportRequest(StrictRequestModel):
    """Which statement to take in."""

    catalogue: Slug
    copy_found: Annotated[StatementCopy | None, Field(alias="copy")] = None
    """A copy of it that was found elsewhere; other words are refused."""
    chronicle: bool = False
    """Whether what became of it since comes along, as far as the catalogue knows. Then it is history: nobody is told,
    reminded or asked because of dates that have passed; what lies ahead is planned as ever."""


class ImportResult(ResponseModel):
    """What an import did; a second one of the same catalogue does nothing."""

    statement_id: Slug
    commitments: int
    """How many commitments the catalogue has."""
    created: int
    """How many of them are new."""
    scheduled: int
    """How many milestones have a first or another date."""
    statuses: int
    """How many statuses of its chronicle were recorded."""


class NewReadingPolicy(StrictRequestModel):
    """How the time words of a statement are to be read."""

    policy: ReadingPolicy
    language: LanguageTag | None = None
    """The language of its words; the one that it has unless said otherwise."""


class ReadingPolicyChanged(ResponseModel):
    """What another reading policy did."""

    statement_id: Slug
    reading_policy: ReadingPolicy
    rescheduled: tuple[RescheduledMilestone, ...]
    kept: tuple[Slug, ...]
    """Milestones of which the new policy makes no date; they keep the one that they have."""


ImportBody = Annotated[ImportRequest, Body(), strict_body(ImportRequest)]
NewReadingPolicyBody = Annotated[NewReadingPolicy, Body(), strict_body(NewReadingPolicy)]


def read_routes(database: Database) -> APIRouter:
    """What everybody may read of statements."""
    router = APIRouter()

    @router.get("/statements", response_model=StatementList, operation_id="list_statements")
    async def list_statements() -> StatementList:
        """The source documents, with their sections and themes."""
        async with snapshot(database) as connection:
            return await statement_list(connection)

    @router.get(
        "/statements/{statement_id}",
        response_model=StatementRecord,
        responses=problems(404),
        operation_id="read_statement",
    )
    async def read_statement(statement_id: str) -> StatementRecord:
        """A source document with its words."""
        async with snapshot(database) as connection:
            return found(await statement_record(connection, id_in_path(statement_id, "statement")), "statement")

    return router


def write_routes(endpoint: WriteEndpoint, holds: ScheduleHolds | None, no_news_months: int) -> APIRouter:
    """What editors do with statements; a commitment without news for so many months is flagged."""
    router = APIRouter()
    Editor = Annotated[Caller, Depends(endpoint.caller("editor"))]  # noqa: N806  a type, though made here

    @router.post(
        "/statements/import",
        response_model=ImportResult,
        responses=problems(401, 403, 404, *map(problem_kind, (*MOVING, CopyDiffers))),
        operation_id="import_statement",
    )
    async def import_statement(request: Request, order: ImportBody, caller: Editor) -> Response:
        """Take in a statement that comes with the program; a second time only brings edited facts up to date.

        A copy of it from another page may come along. It is noted where its words are the same, and refused otherwise.
        """
        context = endpoint.context(request, caller)
        months = no_news_months if order.chronicle else None
        summary = await import_built_in(endpoint.database, holds, order.catalogue, context, order.copy_found, months)
        result = ImportResult(
            statement_id=summary.statement_id,
            commitments=summary.commitments,
            created=summary.created,
            scheduled=summary.scheduled,
            statuses=summary.statuses,
        )
        return written(result.model_dump(mode="json"), 200, context)

    @router.put(
        "/statements/{statement_id}/reading-policy",
        response_model=ReadingPolicyChanged,
        responses=problems(401, 403, 404, *map(problem_kind, MOVING)),
        openapi_extra=CONDITIONAL,
        operation_id="set_reading_policy",
    )
    async def set_reading_policy(
        request: Request, statement_id: str, new: NewReadingPolicyBody, caller: Editor
    ) -> Response:
        """Say how a statement's time words are to be read; the dates that they give follow."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            known_id = id_in_path(statement_id, "statement")
            result = await change_reading_policy(
                endpoint.database, connection, holds, known_id, new.policy, new.language, context
            )
            return ReadingPolicyChanged(
                statement_id=statement_id,
                reading_policy=new.policy,
                rescheduled=rescheduled(result.rescheduled),
                kept=result.kept,
            )

        return await endpoint.once(request, caller, 200, act, statement_shown(statement_id))

    return router
