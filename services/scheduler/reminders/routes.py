"""The scheduler's HTTP interface: which reminders are to come, and what became of those that were."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import FastAPI, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from contracts.events import Step
from contracts.vocabulary import Country, Day, Instant, Slug, Text
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.app import Check, web_app
from services.plumbing.http.problems import Problem, problems
from services.plumbing.zones import ZONE_DATA
from services.scheduler.holds.routes import hold_routes
from services.scheduler.reminders import store
from services.scheduler.reminders.store import ListedReminder

State = Literal["pending", "fired", "passed", "merged", "withdrawn", "failed"]


def _instant_from_query(value: Any) -> Any:
    # Left alone, pydantic reads "1637193600" as a count of seconds.
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("an instant is written as in RFC 3339, with an offset")
    return value


QueryInstant = Annotated[AwareDatetime, BeforeValidator(_instant_from_query)]


class ReminderEntry(BaseModel):
    """One step of a milestone's ladder."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: int
    commitment_id: Slug
    commitment_title: Text
    milestone_id: Slug
    milestone_title: Text
    countries: tuple[Country, ...]
    """The countries that the milestone binds."""
    earliest: Day | None
    latest: Day | None
    """The milestone's days as last scheduled; of an older `schedule_version` they were others."""
    zone: str
    """IANA zone in whose calendar the days are counted."""
    schedule_version: int
    step: Step
    audience: UUID | None = None
    """The subscription whose own ladder asks for it; null for the book's."""
    due_at: Instant
    state: State
    """`passed`: was due before it was planned, never sent. `merged`: told by a later step's event after a downtime."""
    fired_at: Instant | None
    event_id: UUID | None
    """The `milestone-due` that told it."""
    reason: str | None
    """Why it could not be told, where it `failed`."""


class ReminderPage(BaseModel):
    """Reminders in the order in which they are due."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    items: tuple[ReminderEntry, ...]
    next_cursor: str | None
    """Pass it as `cursor` for what follows; null at the end."""


def build_http(database: Database, checks: Mapping[str, Check], keys: ApiKeys | None = None) -> FastAPI:
    """The application with the scheduler's routes; without keys nobody may write."""
    app = web_app(
        "scheduler",
        "Pledgewire scheduler",
        checks,
        version="1.0.0",
        description="Reminders of what governments have promised: which are to come, which were sent.",
        facts={"zone_data": ZONE_DATA},
        secret_behind=("/feeds/",),
    )
    app.include_router(hold_routes(database, keys or ApiKeys(ApiKeySettings(file=None))))

    @app.get("/reminders", tags=["reminders"], operation_id="list_reminders", responses=problems(400, 422, 503))
    async def reminders(
        commitment: Annotated[Slug | None, Query(description="Only those of this commitment.")] = None,
        state: Annotated[State, Query(description="Upcoming ones are `pending`.")] = "pending",
        subscription: Annotated[
            UUID | None, Query(description="Those of this subscription's own ladder, instead of the book's.")
        ] = None,
        before: Annotated[QueryInstant | None, Query(description="Only those due before this instant.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    ) -> ReminderPage:
        """Reminders in the order in which they are due."""
        async with database.connection() as connection:
            found = await store.list_reminders(
                connection,
                state=state,
                commitment_id=commitment,
                audience=subscription,
                before=before,
                after=_place(cursor) if cursor else None,
                limit=limit + 1,
            )
        page = found[:limit]
        return ReminderPage(
            items=tuple(_entry(one) for one in page),
            next_cursor=_cursor(page[-1]) if len(found) > limit else None,
        )

    return app


def _entry(one: ListedReminder) -> ReminderEntry:
    return ReminderEntry(
        id=one.id,
        commitment_id=one.commitment.id,
        commitment_title=one.commitment.title,
        milestone_id=one.milestone.id,
        milestone_title=one.milestone.title,
        countries=one.milestone.countries,
        earliest=one.milestone.span.earliest,
        latest=one.milestone.span.latest,
        zone=one.milestone.zone,
        schedule_version=one.schedule_version,
        step=one.step,
        audience=one.audience,
        due_at=one.due_at,
        state=one.state,
        fired_at=one.fired_at,
        event_id=one.event_id,
        reason=one.reason,
    )


def _cursor(last: ListedReminder) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.due_at.isoformat(), last.id]).encode()).decode()


def _place(cursor: str) -> tuple[datetime, int]:
    """Where a cursor points; raises a 400 problem for one that is none of ours."""
    try:
        due_at, id_ = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        place = datetime.fromisoformat(due_at), int(id_)
        if place[0].tzinfo is None or not 0 <= place[1] < 2**63:
            raise ValueError("out of range")
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise Problem(400, "bad-cursor", "This cursor is none that was given out here") from error
    return place
