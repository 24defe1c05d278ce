"""The chain: takes up what was committed, in steps, and publishes how far it reaches.

Entries get their positions and hashes after their commit, so no transaction waits for another one's. Any number of
processes may try; one at a time does, under an advisory lock that ends with its transaction. What a step links is
published with the next head, and until then the log rests on the database alone: so both are seconds apart.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from prometheus_client import Gauge
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.audit.entries import GENESIS, ChainedEntry, entry_hash
from services.plumbing.audit.log import WRITTEN
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.ids import id_about
from services.plumbing.outbox import Outgoing, append, take_seqs, written_before
from services.plumbing.waiting import OldestWaiting

LINKED = Gauge("pledgewire_audit_position", "The newest position of the audit log, as this process last linked it")

LOOK_SECONDS = 5.0
"""Of real time between two looks while this process writes none: others may."""

AT_ONCE = 1000
"""Entries linked in one transaction."""

COLUMNS = "position, at, action, subject, client, ministry, key_id, before, after, previous, hash"

_TAKE = """
with next as (select id from audit_pending order by id limit $1)
delete from audit_pending p using next where p.id = next.id
returning p.id, at, action, subject, client, ministry, key_id, before, after
"""
_PUT = f"""
insert into audit_entry ({COLUMNS})
select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::bytea[], $11::bytea[])
"""
_OLDEST_UNLINKED = """
select (select min(id) from audit_pending) as oldest,
       (select extract(epoch from $1::timestamptz - at) from audit_pending order by id limit 1) as seconds,
       null::bigint as n
"""
_ANY = """
select exists (select from audit_pending) or exists (
    select from audit_head h
    where h.position < (select max(position) from audit_entry)
          and clock_timestamp() - h.published_at >= make_interval(secs => $1)
)
"""
"""Whether there is anything to link, or a head may be due: what is asked while nothing happens."""
_HEAD_IS_DUE = """
select $1 > position and ($1 - position >= $2 or clock_timestamp() - published_at >= make_interval(secs => $3))
from audit_head
"""


class HeadRecord(Protocol):
    """A record in plain types."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def value(self) -> bytes: ...


MakeHead = Callable[[UUID, int, int, bytes, datetime], HeadRecord]
"""The record of a head: its event's id, its `seq`, the position, the hash, and now."""


class AuditSettings(BaseSettings):
    """How often the log is chained and its head published."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_")

    link_seconds: float = Field(default=1.0, gt=0, le=60)
    """Of real time between two looks for entries that are not chained yet, while any are written."""
    head_entries: int = Field(default=1000, ge=1)
    """After so many new entries a head is published."""
    head_seconds: float = Field(default=5.0, ge=0, le=3600)
    """After so many seconds it is too, where there is any new entry."""


def unlinked_entries(database: Database, clock: Clock) -> OldestWaiting:
    """How old the oldest entry is that is not chained yet."""
    return OldestWaiting(database, "audit-entries", _OLDEST_UNLINKED, lambda: [clock.now()])


class AuditChain:
    """Links one service's entries."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: AuditSettings,
        make_head: MakeHead,
        may_link: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_link`: not before the database was compared with its topics, where an old one would go on otherwise."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._make_head = make_head
        self._may_link = may_link
        self._seen = -1

    def is_called(self) -> bool:
        """Whether this process has written entries since the last beat."""
        return WRITTEN.count != self._seen

    async def beat(self) -> float | None:
        """Link what has been committed; the seconds until it is looked again, None where nothing was written."""
        if not self._may_link():
            return None
        is_first, is_called, self._seen = self._seen < 0, self.is_called(), WRITTEN.count
        if is_first or await self._finds_any():
            while await self.once() == AT_ONCE:
                pass
        # What was written may not be committed yet.
        return self._settings.link_seconds if is_called else None

    async def _finds_any(self) -> bool:
        async with self._database.connection() as connection:
            return bool(await connection.fetchval(_ANY, self._settings.head_seconds))

    async def once(self) -> int:
        """Link one batch, and publish a head where one is due; how many were linked. Raises what the database does."""
        async with self._database.transaction() as connection:
            name = f"{self._database.schema} audit"
            if not await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 0))", name):
                return 0
            position, last = await newest(connection)
            taken = sorted(await connection.fetch(_TAKE, AT_ONCE), key=lambda row: row["id"])
            linked = link(self._database.schema, position, last, taken)
            if linked:
                await connection.execute(_PUT, *map(list, zip(*map(_values, linked), strict=True)))
                failpoint("audit-after-link")
                position, last = linked[-1].position, linked[-1].hash
            await self._publish_head(connection, position, last)
        LINKED.set(position)
        return len(linked)

    async def _publish_head(self, connection: Connection, position: int, hash_: bytes) -> None:
        entries, seconds = self._settings.head_entries, self._settings.head_seconds
        if not await connection.fetchval(_HEAD_IS_DUE, position, entries, seconds):
            return
        now, service = self._clock.now(), self._database.schema
        # Derived from what it says: a log that was put back and went on as before says nothing twice.
        event_id = id_about("audit-head", service, position, hash_.hex())
        if not await written_before(connection, [event_id]):
            first = self._make_head(event_id, 1, position, hash_, now)
            (seq,) = await take_seqs(connection, first.topic, [first.key])
            head = self._make_head(event_id, seq, position, hash_, now)
            record = Outgoing(event_id, head.topic, head.key, head.headers, head.value)
            await append(self._database, connection, [record], now)
        await connection.execute("update audit_head set position = $1, published_at = clock_timestamp()", position)


async def newest(connection: Connection) -> tuple[int, bytes]:
    """Position and hash of the newest entry; 0 and the genesis where there is none."""
    row = await connection.fetchrow("select position, hash from audit_entry order by position desc limit 1")
    return (row["position"], row["hash"]) if row else (0, GENESIS)


def link(service: str, position: int, last: bytes, rows: Any) -> list[ChainedEntry]:
    """Rows that are pending, in their order, as they stand behind the entry with this position and hash. Pure."""
    linked = []
    for row in rows:
        position += 1
        entry = ChainedEntry(
            position,
            row["at"],
            row["action"],
            row["subject"],
            row["client"],
            row["ministry"],
            row["key_id"],
            row["before"],
            row["after"],
            last,
            b"",
        )
        entry = replace(entry, hash=entry_hash(service, entry, position=position, previous=last))
        linked.append(entry)
        last = entry.hash
    return linked


def _values(entry: ChainedEntry) -> tuple[Any, ...]:
    return tuple(vars(entry).values())
