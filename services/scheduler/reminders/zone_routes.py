"""`GET /zones`: which zone data the scheduler computes with, and which instants its last change moved."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from contracts.events import Step
from contracts.vocabulary import Instant
from services.plumbing.database import Database
from services.plumbing.http.api_keys import KEY_OR_NOT, ApiKeys
from services.plumbing.http.forms import WRITTEN_NUMBER
from services.plumbing.http.problem_documents import problems
from services.plumbing.zones import ZONE_DATA
from services.scheduler.ladders.access import OPERATOR
from services.scheduler.reminders import zone_changes
from services.scheduler.reminders.ladder_forms import SchedulerAnswer


class ZoneChangeEntry(SchedulerAnswer):
    """A reminder to come whose instant is another one by newer zone data."""

    milestone_id: str
    step: Step
    audience: UUID | None
    """The subscription whose own ladder asks for it."""
    before: Instant
    after: Instant
    from_release: str
    to_release: str
    at: Instant
    """When it was computed anew, in business time."""


class ZonesEntry(SchedulerAnswer):
    """Which zone data the scheduler computes with, and which instants its last change moved."""

    zone_data: str
    """The release of the package `tzdata` in this process."""
    stored: str
    """The release that all stored instants rest on."""
    recomputed_at: Instant | None
    """When they were last computed anew because of another release, in business time."""
    changes: tuple[ZoneChangeEntry, ...]
    """What that changed, the newest first."""


def zone_routes(database: Database, keys: ApiKeys) -> APIRouter:
    """The route `/zones`; anybody may read, and an operator sees the reminders of subscriptions' own ladders too."""
    router = APIRouter()

    @router.get(
        "/zones",
        tags=["zones"],
        operation_id="read_zones",
        openapi_extra=dict(KEY_OR_NOT),
        responses=problems(401),
    )
    async def zones(request: Request, limit: Annotated[int, Query(ge=1, le=500), WRITTEN_NUMBER] = 100) -> ZonesEntry:
        """Which zone data is computed with, and which instants its last change moved."""
        caller = keys.known(request)
        async with database.connection() as connection:
            state = await zone_changes.zone_state(
                connection, limit, with_own_ladders=caller is not None and OPERATOR in caller.roles
            )
        return ZonesEntry(
            zone_data=ZONE_DATA,
            stored=state.stored,
            recomputed_at=state.recomputed_at,
            changes=tuple(ZoneChangeEntry.model_validate(change) for change in state.changes),
        )

    return router
