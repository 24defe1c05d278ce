"""What is overdue, to be asked about, or due soon, over HTTP: one call for all commitments of a list."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.vocabulary import Slug
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.problem_documents import problems
from services.registry.http.parameters import Limit
from services.registry.rules.due_states import DueStateName
from services.registry.views.due_milestones import DueMilestonePage, DuePlace, due_milestones, place_of
from services.registry.views.snapshot import snapshot

CURSORS: Cursors[tuple[date, str]] = Cursors(tuple[date, Slug])


def read_routes(database: Database, clock: Clock) -> APIRouter:
    """What everybody may read of what is due."""
    router = APIRouter()

    @router.get(
        "/due-milestones",
        response_model=DueMilestonePage,
        responses=problems(BAD_CURSOR),
        operation_id="list_due_milestones",
    )
    async def list_due_milestones(
        state: Annotated[DueStateName | None, Query()] = None,
        commitment: Annotated[Slug | None, Query(description="the commitment's id")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> DueMilestonePage:
        """Milestones that are overdue, events that are asked about, and what is due within thirty days.

        By their last days, in the milestones' own zones. What is met or withdrawn by all whom it binds isn't here.
        """
        after = DuePlace(date.min, "") if cursor is None else DuePlace(*CURSORS.read(cursor))
        async with snapshot(database) as connection:
            found = await due_milestones(connection, clock.now(), state, commitment)
        rest = [one for one in found if place_of(one) > after]
        page, next_cursor = CURSORS.page(rest, limit, place_of)
        return DueMilestonePage(items=tuple(page), next_cursor=next_cursor)

    return router
