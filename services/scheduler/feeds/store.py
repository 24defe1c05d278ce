"""Feeds in PostgreSQL: who has which, what their calendars hold, what their bulletins tell.

Entries and events are written by the intake, in its transaction. What a feed holds is asked in one statement with the
feed itself, as a marker that is another one whenever any of it is another: whoever knows the marker has it all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, MILESTONE_DUE, MILESTONE_SCHEDULED, STATUS_CHANGED
from contracts.vocabulary import CommitmentBrief, Milestone, Source
from services.plumbing.database import Connection, Database
from services.scheduler.feeds.bulletins import MOST_ITEMS, FeedEvent, FeedItem
from services.scheduler.feeds.entries import CalendarEntry, calendar_entry_after
from services.scheduler.feeds.feed import Feed, FeedFormat, Filters
from services.scheduler.reminders.agenda import Agenda
from services.scheduler.reminders.records import ReceivedCommitmentEvent

KEEP_EVENTS_FOR = timedelta(days=400)
"""How long an event stays in bulletins, in business time."""

_FEED = (
    "f.id, f.owner, f.name, f.language, f.zone, f.alarms, f.countries, f.themes, f.sections, f.commitments,"
    " f.created_at, f.last_read_on"
)

# The notifier's rule for subscriptions (`services/notifier/delivery/fan_out.py`); a test holds the two together.
_MATCHES = """
    (f.countries = '{}' or f.countries && x.countries)
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
        where x.everybodys and x.at >= $2 and {_MATCHES}
        order by x.at desc, x.event_id desc limit {MOST_ITEMS}
    ) n
) s
where f.token_sha256 = $1 and f.revoked_at is null
"""

_ENTRIES = f"""
select x.commitment::text, x.milestone::text, x.source::text, x.version, x.turns, x.state, x.created_at, x.changed_at
from feed f join calendar_entry x on {_MATCHES} where f.id = $1
"""

_ITEMS = f"""
select x.event_id, x.topic, x.at, x.body::text from feed f join feed_event x on {_MATCHES}
where f.id = $1 and x.everybodys and x.at >= $2
order by x.at desc, x.event_id desc limit {MOST_ITEMS}
"""


_CommitmentEvent = CommitmentCreated | MilestoneScheduled | StatusChanged


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
    """Feeds as their owners manage them, and as whoever has an address reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, feed: Feed, token_sha256: bytes, most: int) -> None:
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
                "insert into feed (id, token_sha256, owner, name, language, zone, alarms, countries, themes, sections,"
                " commitments, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                feed.id,
                token_sha256,
                feed.owner,
                feed.name,
                feed.language,
                feed.zone,
                feed.alarms,
                *vars(feed.filters).values(),
                feed.created_at,
            )

    async def owned(self, owner: str) -> list[tuple[Feed, date | None]]:
        """An owner's feeds that aren't revoked, the oldest first, each with the day when it was last read."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select {_FEED} from feed f where f.owner = $1 and f.revoked_at is null order by f.created_at, f.id",
                owner,
            )
        return [(_feed(row), row["last_read_on"]) for row in rows]

    async def revoke(self, id_: UUID, owner: str, now: datetime) -> bool:
        """End a feed: from the commit on its address is unknown. False where there is none of this owner's."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "update feed set revoked_at = coalesce(revoked_at, $3) where id = $1 and owner = $2 returning id",
                id_,
                owner,
                now,
            )
        return row is not None

    async def rotate(self, id_: UUID, owner: str, token_sha256: bytes) -> tuple[Feed, date | None] | None:
        """Give a feed another address: the old one is unknown from the commit on. None where it can't be."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "update feed f set token_sha256 = $3 where f.id = $1 and f.owner = $2 and f.revoked_at is null"
                f" returning {_FEED}",
                id_,
                owner,
                token_sha256,
            )
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
        return (known, [_entry(row) for row in rows]) if known else None

    async def bulletins(
        self, kind: FeedFormat, token_sha256: bytes, now: datetime
    ) -> tuple[FeedState, list[FeedItem]] | None:
        """The feed with its newest events, both of one instant."""
        async with self._database.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                known = await _state(connection, kind, token_sha256, now)
                rows = await connection.fetch(_ITEMS, known.feed.id, now - KEEP_EVENTS_FOR) if known else []
        return (known, [_item(row) for row in rows]) if known else None

    async def note_read(self, known: FeedState, now: datetime) -> None:
        """Say that a feed is read, once a day: nobody is to be followed by it."""
        if known.last_read_on is None or known.last_read_on < now.date():
            async with self._database.connection() as connection:
                await connection.execute(
                    "update feed set last_read_on = $2 where id = $1 and (last_read_on is null or last_read_on < $2)",
                    known.feed.id,
                    now.date(),
                )


async def write_feed_changes(
    connection: Connection,
    batch: Sequence[ReceivedCommitmentEvent],
    before: Mapping[str, Agenda],
    after: Mapping[str, Agenda],
    now: datetime,
) -> None:
    """Write what a batch of the intake means for calendars and bulletins, in the transaction that holds its agendas.

    What was heard before is in both already, and changes nothing.
    """
    await _write_events(connection, batch, now)
    await _update_entries(connection, batch, before, after, now)


async def _write_events(connection: Connection, batch: Sequence[ReceivedCommitmentEvent], now: datetime) -> None:
    heard = {one.envelope.id: one for one in batch}
    rows = [
        (id_, min(one.envelope.time, now), one.event)
        for id_, one in heard.items()
        if isinstance(one.event, _CommitmentEvent) and one.envelope.time >= now - KEEP_EVENTS_FOR
    ]
    if not rows:
        return
    await connection.execute(
        """
        insert into feed_event (event_id, topic, at, commitment_id, countries, themes, section, everybodys, body)
        select e, t, a, c, string_to_array(n, ','), string_to_array(h, ','), s, true, b::jsonb
        from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[]) as r(e, t, a, c, n, h, s, b)
        order by e on conflict do nothing
        """,
        [id_ for id_, _, _ in rows],
        [_topic(event) for _, _, event in rows],
        [at for _, at, _ in rows],
        [event.commitment.id for _, _, event in rows],
        [",".join(_countries(event)) for _, _, event in rows],
        [",".join(event.commitment.themes) for _, _, event in rows],
        [event.commitment.section for _, _, event in rows],
        [event.model_dump_json() for _, _, event in rows],
    )


async def _update_entries(
    connection: Connection,
    batch: Sequence[ReceivedCommitmentEvent],
    before: Mapping[str, Agenda],
    after: Mapping[str, Agenda],
    now: datetime,
) -> None:
    concerned = {
        name: (schedule, agenda.standing, id_)
        for id_, agenda in after.items()
        for name, schedule in agenda.schedules.items()
        if schedule != before[id_].schedules.get(name) or agenda.standing != before[id_].standing
    }
    if not concerned:
        return
    known = {
        row["milestone_id"]: _entry(row)
        for row in await connection.fetch(
            "select milestone_id, commitment::text, milestone::text, source::text, version, turns, state, created_at,"
            " changed_at from calendar_entry where milestone_id = any($1::text[])",
            list(concerned),
        )
    }
    sources = {
        (one.event.milestone.id, one.event.schedule_version): one.event.source
        for one in batch
        if isinstance(one.event, MilestoneScheduled)
    }
    times: dict[str, datetime] = {}
    for one in batch:
        if isinstance(one.event, _CommitmentEvent):
            id_, at = one.event.commitment.id, min(one.envelope.time, now)
            times[id_] = max(at, times.get(id_, at))
    changed = []
    for name, (schedule, standing, id_) in concerned.items():
        source = sources.get((name, schedule.version))
        entry = calendar_entry_after(known.get(name), schedule, standing, source, times[id_])
        if entry and entry != known.get(name):
            changed.append((name, id_, entry))
    if changed:
        await _write_entries(connection, changed)


async def _write_entries(connection: Connection, entries: Iterable[tuple[str, str, CalendarEntry]]) -> None:
    rows = sorted(entries, key=lambda row: row[0])
    await connection.execute(
        """
        insert into calendar_entry as c
            (milestone_id, commitment_id, countries, themes, section, version, turns, state, commitment, milestone,
             source, created_at, changed_at, mark)
        select i, o, string_to_array(n, ','), string_to_array(h, ','), s, v, t, z, b::jsonb, m::jsonb, q::jsonb, w, g,
               nextval('calendar_mark')
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[])
             as r(i, o, n, h, s, v, t, z, b, m, q, w, g)
        on conflict (milestone_id) do update set
            commitment_id = excluded.commitment_id, countries = excluded.countries, themes = excluded.themes,
            section = excluded.section, version = excluded.version, turns = excluded.turns, state = excluded.state,
            commitment = excluded.commitment, milestone = excluded.milestone, source = excluded.source,
            changed_at = excluded.changed_at, mark = excluded.mark
        """,
        [name for name, _, _ in rows],
        [id_ for _, id_, _ in rows],
        [",".join(entry.milestone.countries) for *_, entry in rows],
        [",".join(entry.commitment.themes) for *_, entry in rows],
        [entry.commitment.section for *_, entry in rows],
        [entry.version for *_, entry in rows],
        [entry.turns for *_, entry in rows],
        [entry.state for *_, entry in rows],
        [entry.commitment.model_dump_json() for *_, entry in rows],
        [entry.milestone.model_dump_json() for *_, entry in rows],
        [entry.source.model_dump_json() if entry.source else None for *_, entry in rows],
        [entry.created_at for *_, entry in rows],
        [entry.changed_at for *_, entry in rows],
    )


async def collect_reminders(connection: Connection, now: datetime, limit: int) -> int:
    """Take up to `limit` reminders of our own outbox into bulletins; how many there were.

    Ids of an outbox may appear behind higher ones, when a slower transaction commits; so the place moves on only to
    what was written so long ago, by the database's clock, that no transaction of then can be open any more.
    """
    found = await connection.fetchrow(
        """
        with found as materialized (
            select o.id, o.event_id, o.created_at, o.key, convert_from(o.value, 'UTF8')::jsonb as body
            from outbox o
            where o.id > (select outbox_id from feed_place) and o.topic = $3 and o.created_at >= $1
              and not exists (select from feed_event e where e.event_id = o.event_id)
            order by o.id limit $2
        ),
        taken as (
            insert into feed_event (event_id, topic, at, commitment_id, countries, themes, section, everybodys, body)
            select event_id, $3, created_at, key,
                   array(select jsonb_array_elements_text(body -> 'milestone' -> 'countries')),
                   array(select jsonb_array_elements_text(body -> 'commitment' -> 'themes')),
                   body -> 'commitment' ->> 'section', body ->> 'audience' is null, body
            from found on conflict do nothing
        )
        select count(*) as count, max(id) as last from found
        """,
        now - KEEP_EVENTS_FOR,
        limit,
        MILESTONE_DUE.name,
    )
    count = int(found["count"]) if found else 0
    await connection.execute(
        """
        update feed_place set outbox_id = n.id
        from (select max(id) as id from outbox where id > (select outbox_id from feed_place)
              and ($1::bigint is null or id <= $1) and written_at < clock_timestamp() - interval '2 minutes') n
        where n.id > outbox_id
        """,
        found["last"] if found and count == limit else None,
    )
    return count


async def delete_old_events(connection: Connection, now: datetime, limit: int) -> int:
    """Drop up to `limit` events that no bulletin tells any more; how many."""
    status = await connection.execute(
        "delete from feed_event where event_id in (select event_id from feed_event where at < $1 limit $2)",
        now - KEEP_EVENTS_FOR,
        limit,
    )
    return int(status.split()[-1])


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
        Filters(*(tuple(row[name]) for name in ("countries", "themes", "sections", "commitments"))),
        row["created_at"],
    )


def _entry(row: asyncpg.Record) -> CalendarEntry:
    return CalendarEntry(
        CommitmentBrief.model_validate_json(row["commitment"]),
        Milestone.model_validate_json(row["milestone"]),
        row["version"],
        row["turns"],
        row["state"],
        Source.model_validate_json(row["source"]) if row["source"] else None,
        row["created_at"],
        row["changed_at"],
    )


_EVENTS: Mapping[str, type[FeedEvent]] = {
    COMMITMENT_CREATED.name: CommitmentCreated,
    MILESTONE_SCHEDULED.name: MilestoneScheduled,
    STATUS_CHANGED.name: StatusChanged,
    MILESTONE_DUE.name: MilestoneDue,
}


def _item(row: asyncpg.Record) -> FeedItem:
    return FeedItem(row["event_id"], row["at"], _EVENTS[row["topic"]].model_validate_json(row["body"]))


def _topic(event: FeedEvent) -> str:
    return next(topic for topic, kind in _EVENTS.items() if isinstance(event, kind))


def _countries(event: _CommitmentEvent) -> tuple[str, ...]:
    """Those that an event binds or tells of."""
    match event:
        case MilestoneScheduled():
            return event.milestone.countries
        case StatusChanged(country=country) if country is not None:
            return (country,)
        case _:
            return event.commitment.countries
