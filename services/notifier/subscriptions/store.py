"""The register of subscriptions, and what the log of deliveries tells, in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.notifier.subscriptions.ladder_events import tell_chosen
from services.plumbing.database import Connection, Database

Row = asyncpg.Record

_COLUMNS = (
    "id, owner, subscriber, channel, address, language, zone, events, countries, themes, sections, commitments,"
    " ladder, level, state, reason, created_at, ended_at"
)
_DELIVERY = (
    "d.id, d.event_id, e.topic as event, d.subscription_id, s.subscriber, d.commitment_id, d.channel, s.language,"
    " d.state, d.attempts, d.created_at, d.next_at, d.not_after, d.settled_at, d.reason, d.last_code"
)


class AlreadySubscribed(Exception):
    """There is a subscription with the same channel, address and filters that has not ended."""


class Register:
    """Subscriptions, as their owners and the operators see them; `owner` None sees all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, values: Mapping[str, Any], now: datetime) -> Row:
        """A new, active subscription; raises `AlreadySubscribed`."""
        names = [*values, "created_at"]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        try:
            async with self._database.transaction() as connection:
                row = await _one(
                    connection,
                    f"insert into subscription ({', '.join(names)}) values ({places}) returning {_COLUMNS}",
                    *values.values(),
                    now,
                )
                await tell_chosen(self._database, connection, [(None, dict(row))], now)
                return row
        except asyncpg.UniqueViolationError as error:
            raise AlreadySubscribed from error

    async def find(self, id_: UUID, owner: str | None) -> Row | None:
        """One subscription, or None where there is none of this owner's."""
        async with self._database.connection() as connection:
            return await _one_or_none(
                connection,
                f"select {_COLUMNS} from subscription where id = $1 and ($2::text is null or owner = $2)",
                id_,
                owner,
            )

    async def page(self, owner: str | None, state: str | None, after: UUID | None, limit: int) -> Sequence[Row]:
        """Subscriptions in the order they were made, after one of them."""
        async with self._database.connection() as connection:
            return list(
                await connection.fetch(
                    f"select {_COLUMNS} from subscription where ($1::text is null or owner = $1)"
                    " and ($2::text is null or state = $2) and ($3::uuid is null or id > $3) order by id limit $4",
                    owner,
                    state,
                    after,
                    limit,
                )
            )

    async def change(self, id_: UUID, owner: str | None, values: Mapping[str, Any], now: datetime) -> Row | None:
        """Set columns of a subscription that has not ended; raises `AlreadySubscribed`."""
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 2))
        try:
            async with self._database.transaction() as connection:
                before = await _locked(connection, id_, owner)
                if before is None or before["state"] == "ended":
                    return None
                after = await _one(
                    connection,
                    f"update subscription set {sets} where id = $1 returning {_COLUMNS}",
                    id_,
                    *values.values(),
                )
                await tell_chosen(self._database, connection, [(dict(before), dict(after))], now)
                return after
        except asyncpg.UniqueViolationError as error:
            raise AlreadySubscribed from error

    async def end(self, id_: UUID, owner: str | None, reason: str, now: datetime) -> bool:
        """End a subscription; ending it again changes nothing. Whether there is one.

        What waits for it is cancelled when it is claimed, retries included.
        """
        async with self._database.transaction() as connection:
            before = await _locked(connection, id_, owner)
            if before is None or before["state"] == "ended":
                return before is not None
            after = await _one(
                connection,
                "update subscription set state = 'ended', reason = $2, ended_at = $3 where id = $1"
                f" returning {_COLUMNS}",
                id_,
                reason,
                now,
            )
            await tell_chosen(self._database, connection, [(dict(before), dict(after))], now)
            return True

    async def deliveries(
        self,
        *,
        event: UUID | None,
        subscription: UUID | None,
        commitment: str | None,
        state: str | None,
        before: UUID | None,
        limit: int,
    ) -> Sequence[Row]:
        """Deliveries, the newest first, before one of them."""
        wanted: list[str] = []
        values: list[Any] = []
        for column, value in (("event_id", event), ("subscription_id", subscription), ("state", state)):
            if value is not None:
                values.append(value)
                wanted.append(f"d.{column} = ${len(values)}")
        if commitment is not None:
            values.append(commitment)
            wanted.append(f"d.event_id in (select id from event where commitment_id = ${len(values)})")
        if before is not None:
            values.append(before)
            wanted.append(f"d.id < ${len(values)}")
        values.append(limit)
        condition = f" where {' and '.join(wanted)}" if wanted else ""
        async with self._database.connection() as connection:
            return list(
                await connection.fetch(
                    f"select {_DELIVERY} from delivery d join event e on e.id = d.event_id"
                    f" join subscription s on s.id = d.subscription_id{condition}"
                    f" order by d.id desc limit ${len(values)}",
                    *values,
                )
            )

    async def delivery(self, id_: UUID) -> tuple[Row, Sequence[Row]] | None:
        """One delivery and its attempts."""
        async with self._database.connection() as connection:
            row = await _one_or_none(
                connection,
                f"select {_DELIVERY} from delivery d join event e on e.id = d.event_id"
                " join subscription s on s.id = d.subscription_id where d.id = $1",
                id_,
            )
            if row is None:
                return None
            attempts = await connection.fetch(
                "select n, started_at, ended_at, outcome, reason, code, latency_ms from delivery_attempt"
                " where delivery_id = $1 order by n",
                id_,
            )
        return row, list(attempts)

    async def conservation(self) -> tuple[int, int, Sequence[tuple[str, str, int]]]:
        """Events heard, deliveries they owed, and how many there are by channel and state: one moment for all three."""
        async with self._database.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                heard, owed = await connection.fetchrow(  # type: ignore[misc]  # an aggregate always has a row
                    "select count(*), coalesce(sum(matched), 0)::bigint from event"
                )
                rows = await connection.fetch(
                    "select channel, state, count(*) as n from delivery group by channel, state order by 1, 2"
                )
        return heard, owed, [(row["channel"], row["state"], row["n"]) for row in rows]

    async def depths(self) -> Mapping[str, int]:
        """How many deliveries have not ended, by state; read from the partial indexes."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select 'pending' as state, count(*) as n from delivery where state = 'pending'"
                " union all select 'sending', count(*) from delivery where state = 'sending'"
            )
        return {row["state"]: row["n"] for row in rows}


async def _locked(connection: Connection, id_: UUID, owner: str | None) -> Row | None:
    """A subscription of this owner's, which nobody else changes until the transaction ends."""
    return await _one_or_none(
        connection,
        f"select {_COLUMNS} from subscription where id = $1 and ($2::text is null or owner = $2) for update",
        id_,
        owner,
    )


async def _one(connection: Connection, query: str, *values: Any) -> Row:
    row = await connection.fetchrow(query, *values)
    if row is None:
        raise LookupError("the statement gave no row")
    return row


async def _one_or_none(connection: Connection, query: str, *values: Any) -> Row | None:
    row: Row | None = await connection.fetchrow(query, *values)
    return row
