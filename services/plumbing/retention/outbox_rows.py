"""Pruning of the outbox: records that were published so long ago that their topic has let them go, too.

Rows of a topic that keeps its records for ever stay: where such a topic is lost it is published again from here. Of
each topic and key the highest `seq` that was pruned is known, so that nobody takes a record that turns up again for one
of which this database never knew (`pruned_through`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.plumbing.database import Connection
from services.plumbing.retention.policy import KeptRows
from services.plumbing.retention.pruner import PruneStep
from services.plumbing.retention.sums import ADD_UP, checksum

_MARGIN = 7
"""Days."""

_STEP = f"""
with looked as materialized (
    select id, event_id, topic, key, written_at, published_at from outbox
    where id > $1 and ($5::bigint is null or id <= $5) order by id limit $4
),
going as materialized (
    select l.id, k.counted from looked l join unnest($2::text[], $3::interval[], $6::text[]) as k(topic, kept, counted)
        on case when right(k.topic, 1) = '-' then starts_with(l.topic, k.topic) else l.topic = k.topic end
    where l.published_at < clock_timestamp() - k.kept
),
gone as materialized (
    delete from outbox o using going g where o.id = g.id and o.published_at is not null
    returning o.event_id, o.topic, o.key, g.counted, convert_from(o.value, 'UTF8')::json as said
),
summed as (
    insert into pruned (name, kind, part, rows, amount, through, checksum)
    select 'outbox', topic, key, count(*), coalesce(sum(json_array_length(said -> counted)), 0),
           coalesce(max((said ->> 'seq')::bigint), 0), {checksum("event_id")}
    from gone group by topic, key
    {ADD_UP}
)
select (select count(*) from gone) as pruned, (select max(id) from looked) as last, (select count(*) from looked) as n,
       (select coalesce(bool_or(written_at >= clock_timestamp() - (select min(k) from unnest($3::interval[]) k)), false)
        from looked) as is_young
"""


@dataclass(frozen=True)
class PublishedRows:
    """The published rows of an outbox, by topic.

    `periods`: how long rows of a topic are kept, or of all topics whose names begin so where it ends with a hyphen.
    `counted`: the list in the records of a topic whose length is summed up. `until`: the id up to which others have
    read the outbox, in SQL, where somebody does.
    """

    periods: Mapping[str, timedelta]
    counted: Mapping[str, str]
    until: str | None = None
    name: str = "outbox"

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """As `Prunable` says. Topics keep records by real time, and so does this."""
        if not self.periods:
            return PruneStep(0, None)
        row = await connection.fetchrow(
            _STEP,
            after or 0,
            list(self.periods),
            list(self.periods.values()),
            rows,
            await connection.fetchval(self.until) if self.until else None,
            [self.counted.get(topic) for topic in self.periods],
        )
        if row is None or row["n"] < rows or row["is_young"]:
            return PruneStep(row["pruned"] if row else 0, None)
        return PruneStep(row["pruned"], row["last"])


def outbox_policy(topics: Iterable[tuple[str, timedelta]]) -> list[KeptRows]:
    """How long published rows are kept, by topic; with each topic the time after which no record is left on it."""
    return [
        KeptRows(
            name,
            "records in the outbox, from when they were published",
            days=gone.days + _MARGIN,
            least=gone.days,
            why=f"its topic has records for up to {gone.days} days, and each has to be known",
        )
        for name, gone in topics
    ]


async def pruned_through(connection: Connection, topic: str, keys: Collection[str]) -> dict[str, int]:
    """Up to which `seq` the records of a topic were pruned, by key; keys of which none was are left out."""
    rows = await connection.fetch(
        "select part, through from pruned where name = 'outbox' and kind = $1 and part = any($2::text[])",
        topic,
        list(keys),
    )
    return {row["part"]: row["through"] for row in rows}
