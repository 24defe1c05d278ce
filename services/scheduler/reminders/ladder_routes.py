"""The ladder book and the zone data over HTTP: what holds, another book in its place, and what that changed."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from contracts.events import Step
from contracts.vocabulary import Instant
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.problems import Problem, problems
from services.plumbing.zones import ZONE_DATA
from services.scheduler.ladders.book import LONGEST_TEXT, LadderBook, LadderBookError, read_ladder_book
from services.scheduler.reminders import replanning
from services.scheduler.reminders.ladder_store import (
    AppliedLadderBook,
    RulesCache,
    current_ladder_book,
    write_ladder_book,
)
from services.scheduler.reminders.replanning import Replanner, Replanning

YAML = ("application/yaml", "text/yaml", "text/plain")


class _LadderModel(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)


class RungEntry(_LadderModel):
    """One reminder of a ladder."""

    step: Step
    at: str
    """The time of day, on the wall clocks of the milestone's zone."""
    business_days: str
    """Whose business days are counted: `bound` for those on which all who are bound work, or `CA`, `CA-QC`, `US-TX`."""


class ConditionEntry(_LadderModel):
    """Which milestones a ladder is for; an empty list asks for nothing."""

    kinds: tuple[Literal["event", "deadline", "review"], ...]
    readings: tuple[str, ...]
    countries: tuple[str, ...]
    anchors: tuple[str, ...]


class LadderEntry(_LadderModel):
    """A ladder."""

    name: str
    when: ConditionEntry
    rungs: tuple[RungEntry, ...]
    at: str
    """The time of day of the reminders that follow the last rung, and of reviews."""
    every: str | None
    """How often a reminder follows the last rung, such as `30d`."""


class LadderBookEntry(_LadderModel):
    """The ladder book that holds."""

    version: int
    """Counts the books that were applied; 0 is the shipped one."""
    sha256: str
    applied_at: Instant | None
    applied_by: str | None
    jitter_seconds: int
    """Reminders due at one time of day are spread over so many seconds behind it."""
    review_months: int
    """A milestone without a last day is looked at again every so many months, unless it says otherwise."""
    moved_into_past: Literal["tell", "record"]
    """Whether the newest reminder that a moved date puts into the past is told once, marked late, or only recorded."""
    ladders: tuple[LadderEntry, ...]
    """The first one whose condition a milestone meets is its ladder."""
    text: str
    """The book as it was written, in YAML."""


class LaddersApplied(_LadderModel):
    """A book holds, and all that is to come has been planned by it."""

    version: int
    sha256: str
    milestones: int
    """How many were planned anew."""
    added: int
    """Reminders to come that there were none of."""
    withdrawn: int
    moved: int
    """Reminders that are still to come, at another instant."""
    passed: int
    """Reminders that the new book puts into the past: recorded, and never sent."""


class ZoneChangeEntry(_LadderModel):
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


class ZonesEntry(_LadderModel):
    """Which zone data the scheduler reckons with, and what the last change of it changed."""

    zone_data: str
    """The release of the package `tzdata` in this process."""
    stored: str
    """The release that all stored instants rest on."""
    recomputed_at: Instant | None
    """When they were last computed anew because of another release, in business time."""
    changes: tuple[ZoneChangeEntry, ...]
    """What that changed, the newest first."""


def ladder_routes(database: Database, clock: Clock, keys: ApiKeys, shelf: RulesCache) -> APIRouter:
    """The routes `/ladders` and `/zones`; writing needs a key with the role `editor`."""
    router = APIRouter()
    replanner = Replanner(database, shelf)

    @router.get("/ladders", tags=["ladders"], operation_id="read_ladders", responses=problems(503))
    async def ladders() -> LadderBookEntry:
        """The ladder book that holds now."""
        async with database.connection() as connection:
            return _book_entry(await current_ladder_book(connection, shelf.shipped))

    @router.put(
        "/ladders",
        tags=["ladders"],
        operation_id="apply_ladders",
        responses=problems(401, 403, 413, 415, 422, 503),
        openapi_extra=_YAML_BODY,
    )
    async def apply_ladders(request: Request) -> LaddersApplied:
        """Put another ladder book in place of the one that holds, and plan all that is to come by it.

        The answer comes when that is done; should it be cut off, the work goes on all the same. What was told stays
        told, and nothing is told that only the new book puts into the past. The book that holds already changes
        nothing.
        """
        caller = keys.require(request, "editor")
        book = await _book_of(request)
        now = clock.now()
        async with database.transaction() as connection:
            await shelf.rules(connection, "alone")
            known = await current_ladder_book(connection, shelf.shipped)
            if known.book.sha256 == book.sha256:
                return _applied(known.version, book, None)
            version = await write_ladder_book(connection, book, now, caller.client)
            begun = await replanning.begin(connection, "book", now)
        return _applied(version, book, await replanner.finish(begun))

    @router.get("/zones", tags=["zones"], operation_id="read_zones", responses=problems(422, 503))
    async def zones(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> ZonesEntry:
        """Which zone data is reckoned with, and what the last change of it changed."""
        async with database.connection() as connection:
            state = await replanning.zone_state(connection, limit)
        return ZonesEntry(
            zone_data=ZONE_DATA,
            stored=state.stored,
            recomputed_at=state.recomputed_at,
            changes=tuple(ZoneChangeEntry.model_validate(change) for change in state.changes),
        )

    return router


_YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The ladder book in YAML, at most 64 KiB; `GET /ladders` shows how one is written.",
        "content": {"application/yaml": {"schema": {"type": "string", "maxLength": LONGEST_TEXT}}},
    }
}


async def _book_of(request: Request) -> LadderBook:
    """The book in the body; raises a 415 or 422 problem."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in YAML:
        raise Problem(415, "media-type", "Send the ladder book as application/yaml")
    try:
        return read_ladder_book((await request.body()).decode("utf-8"), "ladders.yaml")
    except UnicodeDecodeError as error:
        raise Problem(422, "ladders-refused", "The ladder book is not UTF-8", str(error)) from None
    except LadderBookError as refused:
        raise Problem(
            422, "ladders-refused", "This is no ladder book", str(refused), line=refused.line, place=refused.place
        ) from None


def _book_entry(applied: AppliedLadderBook) -> LadderBookEntry:
    told: dict[str, Any] = applied.book.as_json()
    at: datetime | None = applied.applied_at
    return LadderBookEntry(
        version=applied.version,
        sha256=applied.book.sha256,
        applied_at=at,
        applied_by=applied.applied_by,
        text=applied.book.text,
        **told,
    )


def _applied(version: int, book: LadderBook, done: Replanning | None) -> LaddersApplied:
    counts = {name: getattr(done, name, 0) for name in ("milestones", "added", "withdrawn", "moved", "passed")}
    return LaddersApplied(version=version, sha256=book.sha256, **counts)
