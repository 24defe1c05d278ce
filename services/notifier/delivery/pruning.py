"""Pruning of deliveries with their attempts, and of the events that nobody is told of any more.

Never of what is unsettled, nor of what it still needs: of a thread in which something waits nothing is pruned, since
the next message may tell what was overtaken before it; the leading row of a message stays as long as another row of it.
An event stays as long as one of its deliveries, and as long as its topic, so that a record that is read again is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.plumbing.database import Connection
from services.plumbing.retention.pruner import PruneStep
from services.plumbing.retention.sums import ADD_UP, checksum

# By position, the order in which they were written: where one is met that is too young to be pruned, all behind it are.
# Scalar subqueries, since PostgreSQL may turn `exists` into a walk over all that is unsettled.
_DELIVERIES = f"""
with looked as materialized (
    select id, position, thread, state, settled_at, created_at from delivery
    where position > $1 order by position limit $3
),
old as materialized (
    select id from looked l
    where state not in ('pending', 'sending') and settled_at < $2 and created_at < $2
          and (
              select true from delivery u where u.thread = l.thread and u.state in ('pending', 'sending') limit 1
          ) is null
),
going as materialized (
    select id from old o
    where (select true from delivery f where f.message = o.id and f.id <> o.id
           and (select true from old p where p.id = f.id) is null limit 1) is null
),
gone as materialized (
    delete from delivery d using going g where d.id = g.id and d.state not in ('pending', 'sending')
    returning d.id, d.channel, d.state, d.event_id, d.subscription_id
),
attempts as (delete from delivery_attempt a using gone g where a.delivery_id = g.id),
settled_earlier as (
    delete from settled_before b using gone g where b.event_id = g.event_id and b.subscription_id = g.subscription_id
),
summed as (
    insert into pruned (name, kind, part, rows, checksum)
    select 'delivery', channel, state, count(*), {checksum("id")} from gone group by channel, state
    {ADD_UP}
)
select (select count(*) from gone) as pruned, (select max(position) from looked) as last,
       (select count(*) from looked) as n,
       (select coalesce(bool_or(created_at >= $2), false) from looked) as is_young
"""

_EVENTS = f"""
with looked as materialized (
    select id, topic, received_at from event where id > $1 order by id limit $4
),
going as materialized (
    select l.id from looked l join unnest($2::text[], $3::timestamptz[]) as k(topic, before)
        on k.topic = l.topic and l.received_at < k.before
    where (select true from delivery d where d.event_id = l.id limit 1) is null
),
gone as materialized (delete from event e using going g where e.id = g.id returning e.id, e.topic, e.matched),
summed as (
    insert into pruned (name, kind, rows, amount, checksum)
    select 'event', topic, count(*), sum(matched), {checksum("id")} from gone group by topic
    {ADD_UP}
)
select (select count(*) from gone) as pruned, (select id from looked order by id desc limit 1) as last,
       (select count(*) from looked) as n
"""


@dataclass(frozen=True)
class OldDeliveries:
    """Deliveries that ended longer ago than `kept`, with their attempts."""

    kept: timedelta
    name: str = "delivery"

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """As `Prunable` says."""
        row = await connection.fetchrow(_DELIVERIES, after or 0, now - self.kept, rows)
        return _step(row, rows)


@dataclass(frozen=True)
class OldEvents:
    """Events that were heard longer ago than their topic's time, and of which no delivery is left."""

    kept: Mapping[str, timedelta]
    """By topic; events of others stay."""
    name: str = "event"

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """As `Prunable` says."""
        row = await connection.fetchrow(
            _EVENTS, after or UUID(int=0), list(self.kept), [now - kept for kept in self.kept.values()], rows
        )
        return _step(row, rows)


@dataclass(frozen=True)
class OldRows:
    """Rows of a table that are of no more use once they are so old; nothing is counted of them.

    `condition`: which of them, in SQL, where `$1` is the oldest instant that is kept.
    """

    kept: timedelta
    name: str
    key: str
    condition: str

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """As `Prunable` says."""
        done = await connection.execute(
            f"delete from {self.name} where ({self.key}) in"
            f" (select {self.key} from {self.name} where {self.condition} limit $2)",
            now - self.kept,
            rows,
        )
        pruned = int(done.split()[-1])
        return PruneStep(pruned, True if pruned == rows else None)


def _step(row: Any, rows: int) -> PruneStep:
    is_end = row["n"] < rows or row.get("is_young", False)
    return PruneStep(row["pruned"], None if is_end else row["last"])
