"""`GET /audit`: a service's audit log, for who has the role auditor."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic_core import from_json

from services.plumbing.audit.entries import ChainedEntry
from services.plumbing.audit.reading import page_of_entries
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.cursors import BAD_CURSOR, Cursor, Cursors
from services.plumbing.http.forms import WRITTEN_NUMBER, QueryInstant, ResponseModel
from services.plumbing.http.problem_documents import problems

AUDITOR = "auditor"

_CURSORS = Cursors[int](int)


class AuditLogEntry(ResponseModel):
    """One change: who, when, what was before and what is after it."""

    position: int
    """Counts from 1 without a gap."""
    at: datetime
    action: str
    subject: str
    """What was changed: its kind, a slash, its id."""
    client: str
    ministry: str | None
    key_id: str | None
    """Which of the client's keys it used, where it used one."""
    before: Any
    after: Any
    hash: str
    """SHA-256 in hex; it covers the hash of the entry before, and so all of them."""


class AuditLogPage(ResponseModel):
    """Some entries, in order."""

    items: tuple[AuditLogEntry, ...]
    next_cursor: str | None


def audit_routes(database: Database, keys: ApiKeys) -> APIRouter:
    """The route by which the log is read."""
    router = APIRouter(tags=["audit"])
    Auditor = Annotated[Caller, Depends(keys.caller(AUDITOR))]  # noqa: N806  a type, bound to this application's keys

    @router.get("/audit", operation_id="read_audit_log", responses=problems(BAD_CURSOR, 401, 403))
    async def read_audit_log(
        _: Auditor,
        subject: Annotated[str | None, Query(max_length=300)] = None,
        who: Annotated[str | None, Query(max_length=200, description="A client, as its key names it.")] = None,
        since: Annotated[QueryInstant | None, Query()] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=500), WRITTEN_NUMBER] = 100,
    ) -> AuditLogPage:
        """Changes in the order of the log. What was written within the last second may not be in it yet."""
        after = _CURSORS.read(cursor) if cursor is not None else 0
        async with database.connection() as connection:
            found = await page_of_entries(
                connection, subject=subject, client=who, since=since, after=after, limit=limit + 1
            )
        page, next_cursor = _CURSORS.page(found, limit, lambda entry: entry.position)
        return AuditLogPage(items=tuple(map(shown, page)), next_cursor=next_cursor)

    return router


def shown(entry: ChainedEntry) -> AuditLogEntry:
    """An entry as it is answered."""
    return AuditLogEntry(
        position=entry.position,
        at=entry.at,
        action=entry.action,
        subject=entry.subject,
        client=entry.client,
        ministry=entry.ministry,
        key_id=entry.key_id,
        before=from_json(entry.before) if entry.before else None,
        after=from_json(entry.after) if entry.after else None,
        hash=entry.hash.hex(),
    )
