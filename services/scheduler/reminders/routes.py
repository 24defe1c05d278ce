"""`GET /reminders`: which reminders are to come, and what became of those that were."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field

from contracts.events import Step
from contracts.vocabulary import Day, Instant, LanguageTag, PartyCode, Slug, Text
from services.plumbing.database import Database
from services.plumbing.http.api_keys import KEY_OR_NOT, ApiKeys
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER, QueryInstant, ResponseModel
from services.plumbing.http.problem_documents import problems
from services.scheduler.ladders.access import READERS, may_see
from services.scheduler.reminders import store
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.rules.agenda import ReminderState
from services.scheduler.reminders.store import ListedReminder

_CURSORS: Cursors[tuple[datetime, int]] = Cursors(tuple[AwareDatetime, Annotated[int, Field(ge=0, lt=2**63)]])


class ReminderEntry(ResponseModel):
    """One step of a milestone's ladder."""

    id: int
    commitment_id: Slug
    commitment_title: Text
    milestone_id: Slug
    milestone_title: Text
    original_language: LanguageTag
    """Of the statement's own words: in this one the titles are there, whatever others there are."""
    parties: tuple[PartyCode, ...]
    """The parties that the milestone binds."""
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
    state: ReminderState
    """`passed`: was due before it was planned, never sent. `merged`: told by a later step's event after a downtime."""
    fired_at: Instant | None
    event_id: UUID | None
    """The `milestone-due` that told it."""
    reason: str | None
    """Why it could not be told, where it `failed`."""


class ReminderPage(ResponseModel):
    """Reminders in the order in which they are due."""

    items: tuple[ReminderEntry, ...]
    next_cursor: str | None
    """Pass it as `cursor` for what follows; null at the end."""


def reminder_routes(database: Database, keys: ApiKeys, rules_cache: RulesCache) -> APIRouter:
    """The route by which reminders are listed: the book's by anybody, a subscription's own by its owner."""
    router = APIRouter()

    @router.get(
        "/reminders",
        tags=["reminders"],
        operation_id="list_reminders",
        openapi_extra=dict(KEY_OR_NOT),
        responses=problems(BAD_CURSOR, 401, 403),
    )
    async def reminders(
        request: Request,
        commitment: Annotated[Slug | None, Query(description="Only those of this commitment.")] = None,
        state: Annotated[ReminderState, Query(description="Upcoming ones are `pending`.")] = "pending",
        subscription: Annotated[
            UUID | None, Query(description="Those of this subscription's own ladder, instead of the book's.")
        ] = None,
        before: Annotated[QueryInstant | None, Query(description="Only those due before this instant.")] = None,
        limit: Annotated[int, Query(ge=1, le=500), WRITTEN_NUMBER] = 100,
        cursor: Cursor = None,
    ) -> ReminderPage:
        """Reminders in the order in which they are due; a subscription's own take its owner's key, or an operator's."""
        caller = keys.require(request, *READERS) if subscription else None
        async with database.connection() as connection:
            if caller and subscription:
                ladder = (await rules_cache.rules(connection)).ladder_of(subscription)
                if not may_see(ladder, caller.client, caller.roles):
                    return ReminderPage(items=(), next_cursor=None)
            found = await store.list_reminders(
                connection,
                state=state,
                commitment_id=commitment,
                audience=subscription,
                before=before,
                after=_CURSORS.read(cursor) if cursor is not None else None,
                limit=limit + 1,
            )
        page, next_cursor = _CURSORS.page(found, limit, _place_of)
        return ReminderPage(items=tuple(_entry(one) for one in page), next_cursor=next_cursor)

    return router


def _entry(one: ListedReminder) -> ReminderEntry:
    return ReminderEntry(
        id=one.id,
        commitment_id=one.commitment.id,
        commitment_title=one.commitment.title,
        milestone_id=one.milestone.id,
        milestone_title=one.milestone.title,
        original_language=one.commitment.language,
        parties=one.milestone.parties,
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


def _place_of(reminder: ListedReminder) -> tuple[datetime, int]:
    return reminder.due_at, reminder.id
