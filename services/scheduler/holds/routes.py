"""`POST /holds`: the registry says which milestones it is about to move."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.vocabulary import Ordinal, Slug
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence
from services.scheduler.holds.store import take_holds

HOLDER = "holder"
"""The role of whoever may hold milestones: the registry's own key, and nobody else's."""


IN_HAND = ProblemKind(
    503, "milestones-in-hand", Sentence("Some of these milestones are being told right now; try again")
)


class UpcomingSchedule(BaseModel):
    """A milestone, and the schedule version that is about to be written."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    milestone_id: Slug
    schedule_version: Ordinal
    """Reminders of an older version are not sent any more."""


class HoldOrder(BaseModel):
    """What is to be held; a milestone that is named twice is held for the greater version."""

    model_config = ConfigDict(extra="forbid", strict=True)

    milestones: Annotated[list[UpcomingSchedule], Field(min_length=1, max_length=1000)]


def hold_routes(database: Database, keys: ApiKeys) -> APIRouter:
    """The route by which milestones are held."""
    router = APIRouter()

    @router.post(
        "/holds",
        status_code=204,
        tags=["holds"],
        operation_id="hold_milestones",
        dependencies=[Depends(keys.caller(HOLDER))],
        responses=problems(401, 403, IN_HAND),
    )
    async def hold(order: Annotated[HoldOrder, Body()]) -> Response:
        """From the answer on, no reminder of an older schedule of these milestones is sent.

        Take it before the newer schedules are committed. It ends when they have come through Kafka; where they never
        come, it ends some seconds later, when the registry has been asked. 503 when a milestone was in hand all the
        while: nothing is held then.
        """
        versions: dict[str, int] = {}
        for one in order.milestones:
            versions[one.milestone_id] = max(one.schedule_version, versions.get(one.milestone_id, 0))
        try:
            async with database.transaction() as connection:
                await take_holds(connection, versions)
        except asyncpg.LockNotAvailableError as error:
            raise Problem(IN_HAND, headers={"Retry-After": "1"}) from error
        return Response(status_code=204)

    return router
