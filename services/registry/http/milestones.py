"""Milestones over HTTP: which schedule of one holds, and another date for one."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import Caller
from services.plumbing.http.forms import ResponseModel
from services.plumbing.http.problem_documents import problems
from services.registry.actions import reschedule
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.http.dates import MOVING, NewDateBody
from services.registry.http.parameters import found, id_in_path, span_in_body
from services.registry.http.problems import problem_kind
from services.registry.http.shown import ScheduleVersion, schedule_shown
from services.registry.http.write_endpoint import CONDITIONAL, WriteEndpoint
from services.registry.views.milestones import MilestoneEntry, milestone_entry, schedule_version


class MilestoneMoved(ResponseModel):
    """What a new date did."""

    change: Literal["moved", "more-precise", "unchanged"]
    milestone: MilestoneEntry
    event_id: UUID | None


def read_routes(database: Database) -> APIRouter:
    """What the scheduler asks, and everybody may."""
    router = APIRouter()

    @router.get(
        "/milestones/{milestone_id}/schedule-version",
        response_model=ScheduleVersion,
        responses=problems(404),
        operation_id="read_schedule_version",
    )
    async def read_schedule_version(milestone_id: str) -> ScheduleVersion:
        """Which schedule of a milestone holds: reminders of an older one must not fire."""
        async with database.connection() as connection:
            version = await schedule_version(connection, id_in_path(milestone_id, "milestone"))
        return ScheduleVersion(milestone_id=milestone_id, schedule_version=found(version, "milestone"))

    return router


def write_routes(endpoint: WriteEndpoint, holds: ScheduleHolds | None) -> APIRouter:
    """What editors do with milestones."""
    router = APIRouter()
    Editor = Annotated[Caller, Depends(endpoint.caller("editor"))]  # noqa: N806  a type, though made here

    @router.put(
        "/milestones/{milestone_id}/schedule",
        response_model=MilestoneMoved,
        responses=problems(401, 403, 404, *map(problem_kind, (*MOVING, reschedule.FollowsAnchor))),
        openapi_extra=CONDITIONAL,
        operation_id="move_milestone",
    )
    async def move_milestone(request: Request, milestone_id: str, new: NewDateBody, caller: Editor) -> Response:
        """Give a milestone another date; one that hangs on an anchor moves with it alone (409)."""

        async def act(connection: Connection, context: ActionContext) -> BaseModel:
            date = reschedule.SourcedDate(span_in_body(new.edtf), new.source, new.known_on, new.local_time)
            known_id = id_in_path(milestone_id, "milestone")
            moved = await reschedule.move_milestone(endpoint.database, connection, holds, known_id, date, context)
            return MilestoneMoved(
                change=moved.change if moved else "unchanged",
                milestone=found(await milestone_entry(connection, milestone_id), "milestone"),
                event_id=moved.event_id if moved else None,
            )

        return await endpoint.once(request, caller, 200, act, schedule_shown(milestone_id))

    return router
