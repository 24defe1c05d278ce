"""`GET /escalations` and `GET /milestones/{id}/escalation`: how it stands with what is overdue or unanswered."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from contracts.vocabulary import Slug
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import not_found
from services.plumbing.sentences import Sentence
from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation import log, queries
from services.scheduler.escalation.forms import (
    EscalationEntry,
    EscalationLine,
    EscalationPage,
    EscalationRecord,
    escalation_entry,
)
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.book import EscalationBook

_CURSORS: Cursors[tuple[datetime, str]] = Cursors(tuple[AwareDatetime, Slug])


READERS = ("reporter", "editor", "operator")
"""Roles of those who may answer, or have to know whether somebody does; the names of people are in the log."""


def escalation_routes(database: Database, keys: ApiKeys, book: EscalationBook) -> APIRouter:
    """The routes by which escalations are read. `book` says which levels there are."""
    router = APIRouter(tags=["escalations"], dependencies=[Depends(keys.caller(*READERS))])

    @router.get(
        "/milestones/{milestone_id}/escalation",
        operation_id="read_escalation",
        responses=problems(401, 403, 404),
    )
    async def read_escalation(milestone_id: Slug) -> EscalationRecord:
        """How it stands with a milestone, and all that happened."""
        async with database.transaction() as connection:
            escalation = await queries.read_escalation(connection, milestone_id)
            if escalation is None and not await queries.is_known(connection, milestone_id):
                raise not_found(Sentence("There is no such milestone"))
            rows = await log.read_log(connection, milestone_id)
        if escalation is None:
            raise Unavailable("the escalation of this milestone has not begun yet")
        entry = escalation_entry(escalation, book)
        return EscalationRecord(**vars(entry), log=tuple(EscalationLine(**dict(row)) for row in rows))

    @router.get("/escalations", operation_id="list_escalations", responses=problems(BAD_CURSOR, 401, 403))
    async def list_escalations(
        state: Annotated[
            Literal["climbing", "owned"], Query(description="`climbing`: overdue or unanswered, and nobody owns it.")
        ] = "climbing",
        commitment: Annotated[Slug | None, Query(description="Only those of this commitment.")] = None,
        limit: Annotated[int, Query(ge=1, le=500), WRITTEN_NUMBER] = 100,
        cursor: Cursor = None,
    ) -> EscalationPage:
        """What is escalated or owned, in the order in which time changes it next."""
        async with database.connection() as connection:
            found = await queries.list_escalations(
                connection,
                state=state,
                commitment_id=commitment,
                after=_CURSORS.read(cursor) if cursor is not None else None,
                limit=limit + 1,
            )
        page, next_cursor = _CURSORS.page(found, limit, _place_of)
        items: tuple[EscalationEntry, ...] = tuple(escalation_entry(one, book) for one in page)
        return EscalationPage(items=items, next_cursor=next_cursor)

    return router


def _place_of(escalation: MilestoneEscalation) -> tuple[datetime, str]:
    if escalation.next_at is None:
        raise ValueError(f"milestone {escalation.milestone.id} is listed, and nothing will change it")
    return escalation.next_at, escalation.milestone.id
