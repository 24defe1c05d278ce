"""The inbox: an event that was seen before changes nothing.

The key is inserted in the transaction of its effect. Two members of a group may hold the same record at once (any
rebalance does that), so this is a unique index and not a look-up: the second insert waits for the first.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.plumbing.database import Connection

INBOX_V1 = """
create table inbox (
    consumer text not null,
    event_id uuid not null,
    seen_at timestamptz not null,
    primary key (consumer, event_id)
);
"""
"""First version of the inbox's table; a service's first migration runs it in its own schema."""


async def first_sight(connection: Connection, consumer: str, event_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """Record the events as seen, and tell which of them are seen for the first time."""
    rows = await connection.fetch(
        "insert into inbox (consumer, event_id, seen_at)"
        " select $1, e, $3 from (select distinct unnest($2::uuid[]) as e) as ids order by e"
        " on conflict do nothing returning event_id",
        consumer,
        list(event_ids),
        now,
    )
    return {row["event_id"] for row in rows}


async def forget_sight(connection: Connection, consumer: str, event_ids: Iterable[UUID]) -> None:
    """Let events be unseen again: they had no effect, and may come again with one."""
    await connection.execute(
        "delete from inbox where consumer = $1 and event_id = any($2::uuid[])", consumer, list(event_ids)
    )
