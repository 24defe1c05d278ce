"""Events that feeds tell, in PostgreSQL: those of the intake, and the reminders of our own outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, MILESTONE_DUE, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.scheduler.feeds.rendering.syndication import FeedEvent, FeedItem
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import CommitmentEvent

KEEP_EVENTS_FOR = timedelta(days=400)
"""How long an event stays in feeds, in business time."""


async def write_events(connection: Connection, batch: Sequence[ReceivedCommitmentEvent], now: datetime) -> None:
    """Keep the events of a batch that feeds may still show; one that is there already stays as it is."""
    by_id = {one.envelope.id: one for one in batch}
    rows = [
        (id_, min(one.envelope.time, now), one.event)
        for id_, one in by_id.items()
        if one.envelope.time >= now - KEEP_EVENTS_FOR
    ]
    if not rows:
        return
    await connection.execute(
        """
        insert into feed_event (event_id, topic, at, commitment_id, parties, themes, section, body)
        select e, t, a, c, string_to_array(n, ','), string_to_array(h, ','), s, b::jsonb
        from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[]) as r(e, t, a, c, n, h, s, b)
        order by e on conflict do nothing
        """,
        [id_ for id_, _, _ in rows],
        [_topic(event) for _, _, event in rows],
        [at for _, at, _ in rows],
        [event.commitment.id for _, _, event in rows],
        [",".join(_parties(event)) for _, _, event in rows],
        [",".join(event.commitment.themes) for _, _, event in rows],
        [event.commitment.section for _, _, event in rows],
        [event.model_dump_json() for _, _, event in rows],
    )


async def is_any_to_take(connection: Connection) -> bool:
    """Whether anything stands in the outbox behind the place up to which it was taken."""
    return bool(
        await connection.fetchval("select exists (select from outbox where id > (select outbox_id from feed_place))")
    )


async def collect_reminders(connection: Connection, now: datetime, limit: int) -> int:
    """Take up to `limit` reminders of our own outbox into feeds; how many there were.

    Ids of an outbox may appear behind higher ones, when a slower transaction commits; so the place moves on only to
    what was written so long ago, by the database's clock, that no transaction of then can be open any more.
    """
    found = await connection.fetchrow(
        """
        with found as materialized (
            select o.id, o.event_id, o.created_at, o.key, convert_from(o.value, 'UTF8')::jsonb as body
            from outbox o
            where o.id > (select outbox_id from feed_place) and o.topic = $3 and o.created_at >= $1
              and not coalesce((convert_from(o.value, 'UTF8')::jsonb -> 'only_in_digests')::boolean, false)
              and not exists (select from feed_event e where e.event_id = o.event_id)
            order by o.id limit $2
        ),
        taken as (
            insert into feed_event (event_id, topic, at, commitment_id, parties, themes, section, body)
            select event_id, $3, created_at, key,
                   array(select jsonb_array_elements_text(body -> 'milestone' -> 'parties')),
                   array(select jsonb_array_elements_text(body -> 'commitment' -> 'themes')),
                   body -> 'commitment' ->> 'section', body
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
    """Drop up to `limit` events that no feed shows any more; how many."""
    status = await connection.execute(
        "delete from feed_event where event_id in (select event_id from feed_event where at < $1 limit $2)",
        now - KEEP_EVENTS_FOR,
        limit,
    )
    return int(status.split()[-1])


_EVENTS: Mapping[str, type[FeedEvent]] = {
    COMMITMENT_CREATED.name: CommitmentCreated,
    MILESTONE_SCHEDULED.name: MilestoneScheduled,
    STATUS_CHANGED.name: StatusChanged,
    MILESTONE_DUE.name: MilestoneDue,
}


def readable_item(row: asyncpg.Record) -> FeedItem | None:
    """A row of `feed_event` with its body as text; None, and a line in the log, for one that can't be read.

    A later release may tell feeds of more, and one that can't be read is not to keep the others from being shown.
    """
    try:
        return FeedItem(row["event_id"], row["at"], _EVENTS[row["topic"]].as_read(row["body"]))
    except (KeyError, ValueError) as error:
        log.error("an event can't be read", action="item_left_out", event_id=str(row["event_id"]), error=str(error))
        return None


def _topic(event: FeedEvent) -> str:
    return next(topic for topic, kind in _EVENTS.items() if isinstance(event, kind))


def _parties(event: CommitmentEvent) -> tuple[str, ...]:
    """Those that an event binds or tells of."""
    match event:
        case MilestoneScheduled():
            return event.milestone.parties
        case StatusChanged():
            return (event.party,)
        case _:
            return event.commitment.parties
