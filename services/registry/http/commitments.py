"""Commitments over HTTP: a list with filters, one with all that is known of it, and a new one."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel

from contracts.vocabulary import PartyCode, Slug, Status
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.content_type import JSON
from services.plumbing.http.cursors import BAD_CURSOR, BadCursor, Cursor, Cursors
from services.plumbing.http.etags import tagged
from services.plumbing.http.forms import WRITTEN_NUMBER, QueryDay, ResponseModel, strict_body
from services.plumbing.http.problem_documents import problems
from services.registry.actions.create_commitment import create_commitment
from services.registry.actions.events import ActionContext
from services.registry.actions.initial_date import AmbiguousWording, AnchorNeeded, LanguageUnread
from services.registry.actions.inputs import NewCommitment
from services.registry.http.parameters import Limit, Moment, SearchWords, found, id_in_path
from services.registry.http.problems import problem_kind
from services.registry.http.write_endpoint import KEYED, WriteEndpoint
from services.registry.rules.due_states import DueStateName
from services.registry.rules.errors import AlreadyExists, Invalid
from services.registry.rules.parties import UnknownParty
from services.registry.rules.status_history import AsOf
from services.registry.views.commitments import (
    CommitmentFilter,
    CommitmentList,
    CommitmentRecord,
    commitment_entries,
    commitment_record,
)
from services.registry.views.due_milestones import commitments_of, due_milestones
from services.registry.views.snapshot import snapshot

CURSORS = Cursors[str](Slug)
"""A page ends with a commitment, which the cursor names."""


class CommitmentAccepted(ResponseModel):
    """A commitment has been entered."""

    event_id: UUID
    commitment: CommitmentRecord


AS_OF = "statuses as they were then: a day (its end, in UTC) or an instant"
KNOWN_AT = "by what the register had taken in by then: a day (its end, in UTC) or an instant"

CREATING = tuple(
    map(problem_kind, (AlreadyExists, Invalid, UnknownParty, AmbiguousWording, AnchorNeeded, LanguageUnread))
)
"""What a new commitment is refused for beyond its form."""

NewCommitmentBody = Annotated[NewCommitment, Body(), strict_body(NewCommitment)]


def read_routes(database: Database, clock: Clock) -> APIRouter:
    """What everybody may read of commitments."""
    router = APIRouter()

    @router.get(
        "/commitments",
        response_model=CommitmentList,
        responses=problems(BAD_CURSOR),
        operation_id="list_commitments",
    )
    async def list_commitments(
        party: Annotated[PartyCode | None, Query(description="binds this party")] = None,
        theme: Annotated[Slug | None, Query()] = None,
        section: Annotated[Slug | None, Query()] = None,
        status: Annotated[Status | None, Query(description="the party's own, where one is given")] = None,
        due_from: Annotated[QueryDay | None, Query(description="a milestone's latest day is on or after it")] = None,
        due_to: Annotated[QueryDay | None, Query(description="a milestone's latest day is on or before it")] = None,
        due: Annotated[
            DueStateName | None, Query(description="has a milestone that `GET /due-milestones` lists with this state")
        ] = None,
        changed_within: Annotated[
            int | None,
            Query(ge=1, le=366, description="another status or date was recorded in the last so many days"),
            WRITTEN_NUMBER,
        ] = None,
        q: Annotated[
            SearchWords | None, Query(description="words of the quote, title or summary, in any language")
        ] = None,
        as_of: Annotated[Moment | None, Query(description=AS_OF)] = None,
        known_at: Annotated[Moment | None, Query(description=KNOWN_AT)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> CommitmentList:
        """Commitments in the order of the statements and of their words, page by page."""
        now = clock.now()
        since = now - timedelta(days=changed_within) if changed_within else None
        after = None if cursor is None else CURSORS.read(cursor)
        async with snapshot(database) as connection:
            ids = commitments_of(await due_milestones(connection, now, due), party) if due else None
            moment = AsOf(as_of, known_at)
            wanted = CommitmentFilter(party, theme, section, status, due_from, due_to, q, moment, ids, since)
            entries = await commitment_entries(connection, wanted, limit + 1, after)
        if entries is None:
            raise BadCursor
        page, next_cursor = CURSORS.page(entries, limit, lambda entry: entry.id)
        return CommitmentList(items=tuple(page), next_cursor=next_cursor)

    @router.get(
        "/commitments/{commitment_id}",
        response_model=CommitmentRecord,
        responses={304: {"description": "It is as you have it"}, **problems(404)},
        operation_id="read_commitment",
    )
    async def read_commitment(
        request: Request,
        commitment_id: str,
        as_of: Annotated[Moment | None, Query(description=AS_OF)] = None,
        known_at: Annotated[Moment | None, Query(description=KNOWN_AT)] = None,
    ) -> Response:
        """All that is known of a commitment; with an `ETag` for `If-None-Match`.

        With `as_of` and `known_at`: what was held to be true of its statuses.
        """
        known_id = id_in_path(commitment_id, "commitment")
        async with snapshot(database) as connection:
            record = found(await commitment_record(connection, known_id, AsOf(as_of, known_at)), "commitment")
        return tagged(request, record.model_dump_json().encode(), JSON)

    return router


def write_routes(endpoint: WriteEndpoint) -> APIRouter:
    """What editors do with commitments."""
    router = APIRouter()
    Editor = Annotated[Caller, Depends(endpoint.caller("editor"))]  # noqa: N806  a type, though made here

    @router.post(
        "/commitments",
        status_code=201,
        response_model=CommitmentAccepted,
        responses=problems(401, 403, 404, *CREATING),
        openapi_extra=KEYED,
        operation_id="create_commitment",
    )
    async def enter_commitment(request: Request, new: NewCommitmentBody, caller: Editor) -> Response:
        """Enter a commitment; its quote has to stand in the statement, word for word and once."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            event_id = await create_commitment(endpoint.database, connection, new, context)
            record = found(await commitment_record(connection, new.id), "commitment")
            return CommitmentAccepted(event_id=event_id, commitment=record)

        return await endpoint.once(request, caller, 201, act)

    return router
