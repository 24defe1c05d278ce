"""What is known of deliveries, for those who look: the log, the law of conservation, and how many wait."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.notifier.events.event_types import TOLD_AS
from services.notifier.events.published_event import PublishedEvent
from services.plumbing.database import Database

_TOLD_AS = "".join(f" when '{topic}' then '{name}'" for topic, name in TOLD_AS.items())
_DELIVERY = (
    f"d.id, d.position, d.event_id, case e.topic{_TOLD_AS} else e.topic end as event,"
    " d.subscription_id, s.subscriber, d.commitment_id, d.channel,"
    " s.language, d.state, d.attempts, d.deferrals, d.created_at, d.next_at, d.not_after, d.settled_at, d.reason,"
    " d.last_code, d.rule, d.message"
)


class DeliveryLog:
    """Deliveries and their attempts, read only; `owner` None stands for an operator, who sees all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        owner: str | None,
        event: UUID | None,
        subscription: UUID | None,
        commitment: str | None,
        state: str | None,
        before: int | None,
        limit: int,
    ) -> Sequence[asyncpg.Record]:
        """Deliveries, the newest first, before one of them."""
        conditions: list[str] = []
        values: list[Any] = []
        for column, value in (
            ("s.owner", owner),
            ("d.event_id", event),
            ("d.subscription_id", subscription),
            ("d.state", state),
        ):
            if value is not None:
                values.append(value)
                conditions.append(f"{column} = ${len(values)}")
        if commitment is not None:
            values.append(commitment)
            conditions.append(f"d.event_id in (select id from event where commitment_id = ${len(values)})")
        if before is not None:
            values.append(before)
            conditions.append(f"d.position < ${len(values)}")
        values.append(limit)
        where = f" where {' and '.join(conditions)}" if conditions else ""
        async with self._database.connection() as connection:
            return list(
                await connection.fetch(
                    f"select {_DELIVERY} from delivery d join event e on e.id = d.event_id"
                    f" join subscription s on s.id = d.subscription_id{where}"
                    f" order by d.position desc limit ${len(values)}",
                    *values,
                )
            )

    async def find(self, id_: UUID, owner: str | None) -> tuple[asyncpg.Record, Sequence[asyncpg.Record]] | None:
        """One delivery and its attempts; None where there is none of this owner's."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"select {_DELIVERY} from delivery d join event e on e.id = d.event_id"
                " join subscription s on s.id = d.subscription_id"
                " where d.id = $1 and ($2::text is null or s.owner = $2)",
                id_,
                owner,
            )
            if row is None:
                return None
            attempts = await connection.fetch(
                "select n, started_at, ended_at, outcome, reason, code, latency_ms from delivery_attempt"
                " where delivery_id = $1 order by n",
                id_,
            )
        return row, list(attempts)

    async def event(self, id_: UUID, owner: str | None) -> PublishedEvent | None:
        """One event; None where there is none, or where none of this owner's subscriptions was to be told of it."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "select id, topic, time, value, correlation_id, traceparent from event e where id = $1"
                " and ($2::text is null or exists (select from delivery d join subscription s"
                " on s.id = d.subscription_id where d.event_id = e.id and s.owner = $2))",
                id_,
                owner,
            )
        return None if row is None else PublishedEvent(*row)

    async def receipt(
        self, event: UUID, subscription: UUID, owner: str | None
    ) -> tuple[asyncpg.Record, asyncpg.Record, asyncpg.Record | None] | None:
        """An event, a subscription of this owner's, and what became of the one for the other, if it owed anything.

        None where there is no such event or subscription.
        """
        async with self._database.connection() as connection:
            heard = await connection.fetchrow(
                "select id, topic, time, value, correlation_id, traceparent, received_at from event where id = $1",
                event,
            )
            to = await connection.fetchrow(
                "select id, subscriber, channel, language, zone, events, parties, themes, sections, commitments, level,"
                " ladder is not null and ladder_refused is null as has_ladder,"
                " ladder_refused is not null as is_refused, created_at"
                " from subscription where id = $1 and ($2::text is null or owner = $2)",
                subscription,
                owner,
            )
            if heard is None or to is None:
                return None
            row = await connection.fetchrow(
                "select d.id, d.state, d.attempts, d.deferrals, d.next_at, d.settled_at, d.reason, d.rule, d.behind,"
                " (select true from sending_stop where started_at is null) is not null as is_stopped,"
                " d.message, (select count(*) from delivery o where o.message = coalesce(d.message, d.id)) as others"
                " from delivery d where d.event_id = $1 and d.subscription_id = $2",
                event,
                subscription,
            )
        return heard, to, row

    async def conservation(self) -> tuple[int, int, Sequence[tuple[str, str, int]]]:
        """Events read, deliveries they owed, and how many there are by channel and state, one moment for all three.

        Those that were pruned are counted, too.
        """
        async with self._database.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                events, owed = await connection.fetchrow(  # type: ignore[misc]  # an aggregate always has a row
                    "select sum(n)::bigint, sum(m)::bigint from (select count(*) as n, coalesce(sum(matched), 0) as m"
                    " from event union all select coalesce(sum(rows), 0), coalesce(sum(amount), 0) from pruned"
                    " where name = 'event') e"
                )
                rows = await connection.fetch(
                    "select channel, state, sum(n)::bigint as n from (select channel, state, 1 as n from delivery"
                    " union all select kind, part, rows from pruned where name = 'delivery') d"
                    " group by channel, state order by 1, 2"
                )
        return events, owed, [(row["channel"], row["state"], row["n"]) for row in rows]

    async def depths(self) -> Mapping[str, int]:
        """How many deliveries have not ended, by state; read from the partial indexes."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select 'pending' as state, count(*) as n from delivery where state = 'pending'"
                " union all select 'sending', count(*) from delivery where state = 'sending'"
            )
        return {row["state"]: row["n"] for row in rows}
