"""The log as it is read: in pages, by what and who and since when; and whole, to be checked."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.plumbing.audit.chaining import COLUMNS
from services.plumbing.audit.entries import ChainedEntry
from services.plumbing.audit.verifying import LOOK_AHEAD, Head, LogCheck
from services.plumbing.database import Connection

CHECKED_AT_ONCE = 2000
"""Entries read with one statement."""


async def page_of_entries(
    connection: Connection,
    *,
    subject: str | None = None,
    client: str | None = None,
    since: datetime | None = None,
    after: int = 0,
    limit: int,
) -> list[ChainedEntry]:
    """Entries behind a position, in order; of one subject, by one client, and not before an instant, where asked."""
    rows = await connection.fetch(
        f"select {COLUMNS} from audit_entry where position > $1 and ($2::text is null or subject = $2)"
        " and ($3::text is null or client = $3) and ($4::timestamptz is null or at >= $4) order by position limit $5",
        after,
        subject,
        client,
        since,
        limit,
    )
    return [chained_entry(row) for row in rows]


def chained_entry(row: Any) -> ChainedEntry:
    """An entry of its row."""
    return ChainedEntry(**dict(row))


async def check_log(
    connection: Connection, service: str, heads: Sequence[Head], progress: Callable[[int, int], None] = lambda *_: None
) -> LogCheck:
    """Hold a service's log, in the schema of its name, against itself and its published heads.

    `progress` is told how many entries of how many have been read.
    """
    check = LogCheck(service, heads)
    total = await connection.fetchval(f"select count(*) from {service}.audit_entry")
    read, after = 0, 0
    while batch := await _entries_behind(connection, service, after, CHECKED_AT_ONCE):
        for entry in batch:
            if not check.read(entry):
                check.explain(entry, await _entries_behind(connection, service, entry.position, LOOK_AHEAD))
                return check
        read, after = read + len(batch), batch[-1].position
        progress(read, total)
    check.finish()
    return check


async def _entries_behind(connection: Connection, service: str, position: int, limit: int) -> list[ChainedEntry]:
    rows = await connection.fetch(
        f"select {COLUMNS} from {service}.audit_entry where position > $1 order by position limit $2", position, limit
    )
    return [chained_entry(row) for row in rows]
