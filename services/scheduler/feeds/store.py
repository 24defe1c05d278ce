"""Feeds in PostgreSQL: who has which, what their calendars hold, which events they show.

Entries and events are written by the intake, in its transaction. What a feed holds is asked in one statement with the
feed itself, as a marker that is another one whenever any of it is another: a reader who knows the marker has it all.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from contracts.filters import Filters
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database
from services.scheduler.feeds.calendar_store import readable_entry
from services.scheduler.feeds.event_store import KEEP_EVENTS_FOR, readable_item
from services.scheduler.feeds.rendering.calendar_entries import CalendarEntry
from services.scheduler.feeds.rendering.feed import FILTERED_BY, Feed, FeedFormat
from services.scheduler.feeds.rendering.syndication import MOST_ITEMS, FeedItem

_FEED = (
    "f.id, f.owner, f.name, f.language, f.zone, f.alarms, f.parties, f.themes, f.sections, f.commitments,"
    " f.created_at, f.last_read_on"
)

# The notifier's rule for subscriptions (`services/notifier/delivery/fan_out.py`); a test holds the two together.
_MATCHES = """
    (f.parties = '{}' or f.parties && x.parties)
    and (f.themes = '{}' or f.themes && x.themes)
    and (f.sections = '{}' or x.section = any(f.sections))
    and (f.commitments = '{}' or x.commitment_id = any(f.commitments))
"""

# The set of marks is the state: every change takes a mark that none had before.
_CALENDAR_STATE = f"""
select {_FEED}, s.marker, s.changed_at
from feed f cross join lateral (
    select md5(string_agg(x.mark::text, ',' order by x.mark)) as marker, max(x.changed_at) as changed_at
    from calendar_entry x where {_MATCHES}
) s
where f.token_sha256 = $1 and f.revoked_at is null
"""

_EVENTS_STATE = f"""
select {_FEED}, s.marker, s.changed_at
from feed f cross join lateral (
    select md5(string_agg(n.event_id::text, ',' order by n.at desc, n.event_id desc)) as marker,
           max(n.at) as changed_at
    from (
        select x.event_id, x.at from feed_event x
        where x.at >= $2 and {_MATCHES}
        order by x.at desc, x.event_id desc limit {MOST_ITEMS}
    ) n
) s
where f.token_sha256 = $1 and f.revoked_at is null
"""

_ENTRIES = f"""
select x.milestone_id, x.commitment::text, x.milestone::text, x.source::text, x.version, x.turns, x.state,
       x.created_at, x.changed_at
from feed f join calendar_entry x on {_MATCHES} where f.id = $1
"""

_ITEMS = f"""
select x.event_id, x.topic, x.at, x.body::text from feed f join feed_event x on {_MATCHES}
where f.id = $1 and x.at >= $2
order by x.at desc, x.event_id desc limit {MOST_ITEMS}
"""


class TooManyFeeds(Exception):
    """An owner has as many feeds as one may have."""


@dataclass(frozen=True)
class FeedState:
    """A feed with the state of what it holds."""

    feed: Feed
    marker: str
    changed_at: datetime
    """When the newest of it happened, in business time."""
    last_read_on: date | None


class FeedStore:
    """Feeds as their owners manage them, and as anybody who has an address reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, feed: Feed, token_sha256: bytes, most: int, by: Actor) -> None:
        """Keep a new feed; raises `TooManyFeeds` when its owner has `most` that aren't revoked."""
        async with self._database.transaction() as connection:
            # Two at once would each see the other's place free.
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self._database.schema} feed {feed.owner}"
            )
            held = await connection.fetchval(
                "select count(*) from feed where owner = $1 and revoked_at is null", feed.owner
            )
            if held >= most:
                raise TooManyFeeds
            await connection.execute(
                "insert into feed (id, token_sha256, owner, name, language, zone, alarms, parties, themes, sections,"
                " commitments, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                feed.id,
                token_sha256,
                feed.owner,
                feed.name,
                feed.language,
                feed.zone,
                feed.alarms,
                *(sorted(getattr(feed.filters, name)) for name in FILTERED_BY),
                feed.created_at,
            )
            filters = {name: sorted(map(str, getattr(feed.filters, name))) for name in FILTERED_BY}
            facts = {"owner": feed.owner, "language": feed.language, "zone": feed.zone, **filters}
            await audit(connection, AuditEntry("feed.created", f"feed/{feed.id}", by, feed.created_at, None, facts))

    async def owned(self, owner: str) -> list[tuple[Feed, date | None]]:
        """An owner's feeds that aren't revoked, the oldest first, each with the day when it was last read."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select {_FEED} from feed f where f.owner = $1 and f.revoked_at is null order by f.created_at, f.id",
                owner,
            )
        return [(_feed(row), row["last_read_on"]) for row in rows]

    async def revoke(self, id_: UUID, by: Actor, now: datetime) -> bool:
        """End a feed: from the commit on its address is unknown. False where its client has none such."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "update feed set revoked_at = coalesce(revoked_at, $3) where id = $1 and owner = $2"
                " returning old.revoked_at as was",
                id_,
                by.client,
                now,
            )
            if row and row["was"] is None:
                await audit(connection, AuditEntry("feed.revoked", f"feed/{id_}", by, now))
        return row is not None

    async def rotate(self, id_: UUID, by: Actor, token_sha256: bytes, now: datetime) -> tuple[Feed, date | None] | None:
        """Give a feed another address: the old one is unknown from the commit on. None where it can't be."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "update feed f set token_sha256 = $3 where f.id = $1 and f.owner = $2 and f.revoked_at is null"
                f" returning {_FEED}",
                id_,
                by.client,
                token_sha256,
            )
            if row:
                await audit(connection, AuditEntry("feed.rotated", f"feed/{id_}", by, now))
        return (_feed(row), row["last_read_on"]) if row else None

    async def state(self, kind: FeedFormat, token_sha256: bytes, now: datetime) -> FeedState | None:
        """The feed behind an address, with the state of what it holds at `now`; None for an address that is none."""
        async with self._database.connection() as connection:
            return await _state(connection, kind, token_sha256, now)

    async def calendar(self, token_sha256: bytes, now: datetime) -> tuple[FeedState, list[CalendarEntry]] | None:
        """The feed with the entries of its calendar, both of one instant."""
        async with self._database.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                known = await _state(connection, "calendar.ics", token_sha256, now)
                rows = await connection.fetch(_ENTRIES, known.feed.id) if known else []
        return (known, [entry for row in rows if (entry := readable_entry(row))]) if known else None

    async def items(
        self, kind: FeedFormat, token_sha256: bytes, now: datetime
    ) -> tuple[FeedState, list[FeedItem]] | None:
        """The feed with its newest events, both of one instant."""
        async with self._database.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                known = await _state(connection, kind, token_sha256, now)
                rows = await connection.fetch(_ITEMS, known.feed.id, now - KEEP_EVENTS_FOR) if known else []
        return (known, [item for row in rows if (item := readable_item(row))]) if known else None

    async def note_read(self, known: FeedState, now: datetime) -> None:
        """Say that a feed is read, once a day: nobody is to be followed by it."""
        if known.last_read_on is None or known.last_read_on < now.date():
            async with self._database.connection() as connection:
                await connection.execute(
                    "update feed set last_read_on = $2 where id = $1 and (last_read_on is null or last_read_on < $2)",
                    known.feed.id,
                    now.date(),
                )


async def _state(connection: Connection, kind: FeedFormat, token_sha256: bytes, now: datetime) -> FeedState | None:
    if kind == "calendar.ics":
        row = await connection.fetchrow(_CALENDAR_STATE, token_sha256)
    else:
        row = await connection.fetchrow(_EVENTS_STATE, token_sha256, now - KEEP_EVENTS_FOR)
    if row is None:
        return None
    changed_at = max(filter(None, (row["created_at"], row["changed_at"])))
    return FeedState(_feed(row), row["marker"] or "", changed_at, row["last_read_on"])


def _feed(row: asyncpg.Record) -> Feed:
    return Feed(
        row["id"],
        row["owner"],
        row["name"],
        row["language"],
        row["zone"],
        tuple(row["alarms"]),
        Filters(**{name: frozenset(row[name]) for name in FILTERED_BY}),
        row["created_at"],
    )
