"""Events and deliveries in PostgreSQL: fan-out, claims, results, lost leases, each one statement for many rows.

Leases are compared by the database's clock, since they guard against processes whose clocks may differ; every other
time is business time and comes from the caller. There are no foreign keys on the hot tables: both ends are written
by the one statement that has just read them, and nothing here deletes.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from services.notifier.delivery.deliveries import Delivery, Result, Room, Subscription
from services.notifier.subscriptions.ladder_events import COLUMNS, tell_chosen
from services.notifier.subscriptions.matching import Filters, Notifiable, Traits
from services.notifier.transport.outcomes import Accepted, Delivered, Outcome, Reason, Refused, Unknown
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint

READY = "deliveries"
"""The wake-up that says that deliveries wait which nobody has in hand."""

# `matches` is the rule `is_told` of audience.py; a property test holds the two together. `fresh` inserts what was not
# seen before, and only its events get deliveries: a repeat, even one that another process holds right now, gets none.
FAN_OUT = """
with heard as materialized (
    select id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after, section,
           string_to_array(countries, ',') as countries, string_to_array(themes, ',') as themes, audience, level, place
    from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::bytea[], $6::timestamptz[], $7::text[],
                $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::text[])
         with ordinality as h(id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after,
                              countries, themes, section, audience, level, place)
),
matches as materialized (
    select h.id as event_id, h.place, h.commitment_id, h.not_after, s.id as subscription_id, s.channel
    from heard h join subscription s on s.state = 'active'
        and (s.events = '{}' or h.topic = any(s.events))
        and (s.countries = '{}' or s.countries && h.countries)
        and (s.themes = '{}' or s.themes && h.themes)
        and (s.sections = '{}' or h.section = any(s.sections))
        and (s.commitments = '{}' or h.commitment_id = any(s.commitments))
        and case h.topic
                when 'milestone-due' then coalesce(s.id = h.audience, s.ladder is null)
                when 'milestone-escalated' then s.level = h.level
                when 'consistency-flagged' then s.events <> '{}'
                else true
            end
),
fresh as (
    insert into event (id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after,
                       received_at, matched)
    select h.id, h.topic, h.commitment_id, h.seq, h.value, h.time, h.correlation_id, h.traceparent, h.not_after,
           $15, coalesce(m.n, 0)
    from heard h left join (select event_id, count(*)::integer as n from matches group by event_id) m
        on m.event_id = h.id
    order by h.id
    on conflict do nothing returning id
),
placed as (
    select m.*,
           row_number() over (order by m.place, m.subscription_id) as in_all,
           row_number() over (
               partition by case m.channel when 'email' then null else m.subscription_id end order by m.place
           ) as in_lane,
           case m.channel when 'email' then $18 else coalesce(n.room, $17) end as lane
    from matches m join fresh f on f.id = m.event_id
         left join unnest($19::uuid[], $20::integer[]) as n(subscription_id, room)
             on n.subscription_id = m.subscription_id
),
written as (
    insert into delivery (event_id, subscription_id, commitment_id, channel, state, next_at, not_after, created_at,
                          lease, lease_until)
    select event_id, subscription_id, commitment_id, channel,
           case when taken then 'sending' else 'pending' end, $15, not_after, $15,
           case when taken then $21::uuid end,
           case when taken then clock_timestamp() + make_interval(secs => $22) end
    from (select *, in_all <= $16 and in_lane <= lane as taken from placed order by place, subscription_id) p
    returning id, event_id, subscription_id, commitment_id, attempts, created_at, not_after, state
)
select id, event_id, subscription_id, commitment_id, attempts, created_at, not_after, state from written
"""

CLAIM = """
with due as (
    select id, subscription_id, channel, next_at from delivery
    where state = 'pending' and next_at <= $1
          and subscription_id <> all($5::uuid[]) and (channel <> 'email' or $4 > 0)
    order by next_at, id limit $2 for update skip locked
),
placed as (
    select d.id, row_number() over (
               partition by case d.channel when 'email' then null else d.subscription_id end order by d.next_at, d.id
           ) as in_lane,
           case d.channel when 'email' then $4 else coalesce(n.room, $3) end as lane
    from due d left join unnest($6::uuid[], $7::integer[]) as n(subscription_id, room)
        on n.subscription_id = d.subscription_id
)
update delivery d set state = 'sending', lease = $8, lease_until = clock_timestamp() + make_interval(secs => $9)
from placed p where d.id = p.id and p.in_lane <= p.lane
returning d.id, d.event_id, d.subscription_id, d.commitment_id, d.attempts, d.created_at, d.not_after, d.next_at
"""

SETTLE = """
with result as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                         $7::integer[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::real[])
        as r(id, lease, state, at, next_at, reason, code, started_at, ended_at, outcome, latency_ms)
),
written as (
    update delivery d set state = r.state,
        attempts = d.attempts + case when r.outcome is null then 0 else 1 end,
        next_at = coalesce(r.next_at, d.next_at),
        reason = case when r.outcome is null and r.state = 'pending' then d.reason else r.reason end,
        last_code = case when r.outcome is null then d.last_code else r.code end,
        settled_at = case when r.state <> 'pending' then r.at end,
        lease = null, lease_until = null
    from result r where d.id = r.id and d.lease = r.lease
    returning d.id, d.attempts
),
tried as (
    insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason, code, latency_ms)
    select w.id, w.attempts, r.started_at, r.ended_at, r.outcome, r.reason, r.code, r.latency_ms
    from written w join result r on r.id = w.id where r.outcome is not null
)
select id, attempts from written
"""

SWEEP = """
with lost as (
    select id from delivery where state = 'sending' and lease_until < clock_timestamp()
    order by id limit 500 for update skip locked
),
back as (
    update delivery d set state = 'pending', attempts = d.attempts + 1, next_at = $1, reason = $2, last_code = null,
                          lease = null, lease_until = null
    from lost where d.id = lost.id returning d.id, d.attempts
)
insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason)
select id, attempts, $1, $1, 'unknown', $2 from back
"""

_SUBSCRIPTIONS = """
select id, subscriber, channel, address, secret, language, zone, events, countries, themes, sections, commitments, state
from subscription where id = any($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it came from its topic, read and taken apart for the table."""

    id: UUID
    topic: str
    seq: int
    value: bytes
    time: datetime
    correlation_id: str | None
    traceparent: str | None
    not_after: datetime | None
    about: Traits
    data: Notifiable


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the table keeps it."""

    id: UUID
    topic: str
    value: bytes
    time: datetime
    correlation_id: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What a batch of events became: deliveries that this process has in hand, and how many wait for anybody."""

    claimed: list[Delivery]
    waiting: int


class DeliveryStore:
    """The deliveries of the house, as one process sees them. `lease_seconds`: how long a claim keeps others away."""

    def __init__(self, database: Database, *, lease_seconds: float) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    async def fan_out(self, events: Iterable[Heard], now: datetime, room: Room) -> FannedOut:
        """Write events that are new and one delivery for each active subscription that matches, in one transaction.

        As many deliveries as `room` allows are claimed for this process as they are written, which saves a claim.
        """
        unique = {event.id: event for event in events}
        if not unique:
            return FannedOut([], 0)
        batch = sorted(unique.values(), key=lambda e: (e.time, e.id))
        lease, claimed = uuid4(), time.monotonic()
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                FAN_OUT,
                *_columns(
                    (
                        e.id,
                        e.topic,
                        e.about.commitment,
                        e.seq,
                        e.value,
                        e.time,
                        e.correlation_id,
                        e.traceparent,
                        e.not_after,
                        ",".join(sorted(e.about.countries)),
                        ",".join(sorted(e.about.themes)),
                        e.about.section,
                        e.about.audience,
                        e.about.level,
                    )
                    for e in batch
                ),
                now,
                room.total,
                room.each,
                room.mail,
                list(room.narrow),
                list(room.narrow.values()),
                lease,
                self._lease_seconds,
            )
            mine = [row for row in rows if row["state"] == "sending"]
            waiting = len(rows) - len(mine)
            deliveries = await self._deliveries(connection, mine, lease, claimed)
            if waiting:
                await self._database.notify(connection, READY)
            failpoint("fanout-before-commit")
        failpoint("fanout-after-commit")
        return FannedOut(deliveries, waiting)

    async def claim(self, now: datetime, room: Room) -> list[Delivery]:
        """Take due deliveries in hand, at most as `room` allows, the longest due first."""
        lease, claimed = uuid4(), time.monotonic()
        closed = [id_ for id_, left in room.narrow.items() if left == 0]
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                CLAIM,
                now,
                room.total,
                room.each,
                room.mail,
                closed,
                list(room.narrow),
                list(room.narrow.values()),
                lease,
                self._lease_seconds,
            )
            rows.sort(key=lambda row: (row["next_at"], row["id"]))
            return await self._deliveries(connection, rows, lease, claimed)

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery falls due that is not due yet."""
        async with self._database.connection() as connection:
            due: datetime | None = await connection.fetchval(
                "select min(next_at) from delivery where state = 'pending' and next_at > $1", now
            )
            return due

    async def events(self, ids: Iterable[UUID]) -> list[StoredEvent]:
        """Events by their ids."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id, topic, value, time, correlation_id, traceparent from event where id = any($1::uuid[])",
                list(ids),
            )
        return [StoredEvent(*row) for row in rows]

    async def record(self, connection: Connection, results: Sequence[Result]) -> dict[UUID, int]:
        """Write results in the caller's transaction; tells the attempts of those that were still ours.

        A result whose lease was lost in the meantime changes nothing: whoever has the delivery now records it.
        """
        ordered = sorted(results, key=lambda result: result.delivery.id)  # two processes can't lock crosswise
        rows = await connection.fetch(SETTLE, *_columns(_row(result) for result in ordered))
        gone = {r.delivery.subscription.id: r for r in ordered if r.ends_subscription}
        if gone:
            at = max(r.at for r in gone.values())
            disabled = await connection.fetch(
                "update subscription set state = 'disabled', reason = $2, ended_at = $3"
                " where id = any($1::uuid[]) and state in ('active', 'paused')"
                f" returning old.state as was, {COLUMNS}",
                sorted(gone),
                str(Reason.GONE),
                at,
            )
            changes = [(dict(row) | {"state": row["was"]}, dict(row)) for row in disabled]
            await tell_chosen(self._database, connection, changes, at)
        return {row["id"]: row["attempts"] for row in rows}

    async def sweep(self, now: datetime) -> int:
        """Put back what a process claimed and then died or froze over; how many there were.

        Whether it was sent nobody knows, so each gets an attempt with the outcome `unknown`.
        """
        async with self._database.transaction() as connection:
            done = await connection.execute(SWEEP, now, str(Reason.LEASE))
            count = int(done.rsplit(" ", 1)[-1])
            if count:
                await self._database.notify(connection, READY)
        return count

    async def _deliveries(
        self, connection: Connection, rows: Sequence[Any], lease: UUID, claimed: float
    ) -> list[Delivery]:
        if not rows:
            return []
        found = await connection.fetch(_SUBSCRIPTIONS, list({row["subscription_id"] for row in rows}))
        subscriptions: Mapping[UUID, Subscription] = {row["id"]: subscription_of(row) for row in found}
        return [
            Delivery(id_, event_id, subscriptions[sub], commitment, attempts, created_at, not_after, lease, claimed)
            for id_, event_id, sub, commitment, attempts, created_at, not_after, _ in rows
        ]


def subscription_of(row: Any) -> Subscription:
    """A subscription from its row."""
    return Subscription(
        id=row["id"],
        subscriber=row["subscriber"],
        channel=row["channel"],
        address=row["address"],
        secret=row["secret"],
        language=row["language"],
        zone=row["zone"],
        filters=Filters(
            frozenset(row["events"]),
            frozenset(row["countries"]),
            frozenset(row["themes"]),
            frozenset(row["sections"]),
            frozenset(row["commitments"]),
        ),
        state=row["state"],
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _row(result: Result) -> tuple[Any, ...]:
    attempt = result.attempt
    common = (
        result.delivery.id,
        result.delivery.lease,
        result.state,
        result.at,
        result.next_at,
        result.reason,
    )
    if attempt is None:
        return (*common, None, None, None, None, None)
    kind, code = _kind(attempt.outcome)
    return (*common, code, attempt.started_at, attempt.ended_at, kind, attempt.latency_ms)


def _kind(outcome: Outcome) -> tuple[str, int | None]:
    match outcome:
        case Delivered(code):
            return "delivered", code
        case Accepted(code):
            return "accepted", code
        case Refused(code=code):
            return "refused", code
        case Unknown():
            return "unknown", None
