"""The ladder book and the zone data over HTTP: what holds, another book in its place, and what that changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.problems import Problem, problems
from services.plumbing.zones import ZONE_DATA
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import LONGEST_TEXT, LadderBookError, read_ladder_book
from services.scheduler.reminders import replanning, zone_changes
from services.scheduler.reminders.ladder_forms import LadderBookEntry, LaddersApplied, applied_answer, book_entry
from services.scheduler.reminders.ladder_store import (
    RulesCache,
    current_ladder_book,
    write_ladder_book,
)
from services.scheduler.reminders.replanning import Replanner
from services.scheduler.reminders.zone_routes import ZoneChangeEntry, ZonesEntry

YAML = ("application/yaml", "text/yaml", "text/plain")


def ladder_routes(database: Database, clock: Clock, keys: ApiKeys, shelf: RulesCache) -> APIRouter:
    """The routes `/ladders` and `/zones`; writing needs a key with the role `editor`."""
    router = APIRouter()
    replanner = Replanner(database, shelf)

    @router.get("/ladders", tags=["ladders"], operation_id="read_ladders", responses=problems(503))
    async def ladders() -> LadderBookEntry:
        """The ladder book that holds now."""
        async with database.connection() as connection:
            return book_entry(await current_ladder_book(connection, shelf.shipped))

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
                return applied_answer(known.version, book, None)
            version = await write_ladder_book(connection, book, now, caller.client)
            begun = await replanning.begin(connection, "book", now)
        return applied_answer(version, book, await replanner.finish(begun))

    @router.get("/zones", tags=["zones"], operation_id="read_zones", responses=problems(422, 503))
    async def zones(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> ZonesEntry:
        """Which zone data is reckoned with, and what the last change of it changed."""
        async with database.connection() as connection:
            state = await zone_changes.zone_state(connection, limit)
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
