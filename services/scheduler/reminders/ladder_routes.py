"""`/ladders`: the ladder book that holds, another one in its place, and what that changed."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from services.plumbing.audit.entries import AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.bounded_yaml import LONGEST_TEXT
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.etags import IF_MATCH, check_if_match
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import Problem, ProblemKind
from services.plumbing.sentences import Sentence, sentence_of
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import LadderBookError, read_ladder_book
from services.scheduler.ladders.book_schema import LADDER_BOOK_SCHEMA
from services.scheduler.reminders import replanning
from services.scheduler.reminders.ladder_forms import LadderBookEntry, LaddersApplied, applied_answer, book_entry
from services.scheduler.reminders.ladder_store import (
    RulesCache,
    current_ladder_book,
    write_ladder_book,
)
from services.scheduler.reminders.replanning import Replanner


def ladder_routes(database: Database, clock: Clock, keys: ApiKeys, rules_cache: RulesCache) -> APIRouter:
    """The routes of the ladder book; writing takes a key with the role `editor`."""
    router = APIRouter()
    replanner = Replanner(database, rules_cache)

    @router.get("/ladders", tags=["ladders"], operation_id="read_ladders")
    async def ladders() -> LadderBookEntry:
        """The ladder book that holds now."""
        async with database.connection() as connection:
            return book_entry(await current_ladder_book(connection, rules_cache.shipped))

    @router.put(
        "/ladders",
        tags=["ladders"],
        operation_id="apply_ladders",
        responses=problems(401, 403, LADDERS_REFUSED),
        openapi_extra=_YAML_BODY,
    )
    async def apply_ladders(request: Request) -> LaddersApplied:
        """Put another ladder book in place of the one that holds, and plan all that is to come by it.

        The answer comes when that is done; should it be cut off, the work goes on all the same. What was sent stays
        sent, and nothing is sent that only the new book puts into the past. The book that holds already changes
        nothing.
        """
        caller = keys.require(request, "editor")
        book = await _book_of(request)
        now = clock.now()
        async with database.transaction() as connection:
            await rules_cache.rules(connection, "alone")
            known = await current_ladder_book(connection, rules_cache.shipped)
            check_if_match(request.headers, book_entry(known))
            if known.book.sha256 == book.sha256:
                return applied_answer(known.version, book, None)
            version = await write_ladder_book(connection, book, now, caller.client)
            before = {"version": known.version, "sha256": known.book.sha256}
            after = {"version": version, "sha256": book.sha256, "text": book.text}
            await audit(connection, AuditEntry("ladders.applied", "ladder-book", caller.actor, now, before, after))
            begun = await replanning.begin(connection, "book", now)
        return applied_answer(version, book, await replanner.finish(begun))

    return router


LADDERS_REFUSED = ProblemKind(422, "ladders-refused", Sentence("This is no ladder book"))

_YAML_BODY: dict[str, Any] = {
    "parameters": [IF_MATCH],
    "requestBody": {
        "required": True,
        "description": f"The ladder book in YAML, at most {LONGEST_TEXT} characters; `GET /ladders` shows how one is"
        " written. What the schema can't say is refused as `ladders-refused`, with line and place.",
        "content": {
            media_type: {"schema": dict(LADDER_BOOK_SCHEMA)} for media_type in ("application/yaml", "text/yaml")
        },
    },
}


async def _book_of(request: Request) -> LadderBook:
    """The book in the body; raises a 422 problem."""
    try:
        # In a thread: the largest takes some tenths of a second, in which others want to be answered.
        return await asyncio.to_thread(read_ladder_book, (await request.body()).decode("utf-8"), "ladders.yaml")
    except UnicodeDecodeError:
        raise Problem(LADDERS_REFUSED, Sentence("The ladder book is not UTF-8")) from None
    except LadderBookError as refused:
        raise Problem(LADDERS_REFUSED, sentence_of(refused), line=refused.line, place=refused.place) from None
