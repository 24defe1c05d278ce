"""What does not agree, over HTTP: the open flags of the daily check."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from contracts.vocabulary import LARGEST, Slug
from services.plumbing.database import Database
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.problem_documents import problems
from services.registry.http.parameters import Limit
from services.registry.rules.consistency import ConsistencyRule
from services.registry.views.consistency import FlagList, open_flags
from services.registry.views.snapshot import snapshot

CURSORS = Cursors[int](Annotated[int, Field(gt=0, le=LARGEST)])
"""A page ends with a flag, whose number the cursor carries; one that has been cleared since is no less a place."""


def read_routes(database: Database) -> APIRouter:
    """What everybody may read of the flags."""
    router = APIRouter()

    @router.get(
        "/consistency", response_model=FlagList, responses=problems(BAD_CURSOR), operation_id="list_consistency_flags"
    )
    async def list_flags(
        rule: Annotated[ConsistencyRule | None, Query()] = None,
        commitment: Annotated[Slug | None, Query(description="the commitment's id")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> FlagList:
        """What does not agree with itself or with the calendar, as the last daily check found it."""
        after = 0 if cursor is None else CURSORS.read(cursor)
        async with snapshot(database) as connection:
            flags = await open_flags(connection, rule, commitment, limit + 1, after)
        page, next_cursor = CURSORS.page(flags, limit, lambda flag: flag[0])
        return FlagList(items=tuple(entry for _, entry in page), next_cursor=next_cursor)

    return router
