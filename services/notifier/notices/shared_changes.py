"""Changes by a link that a whole channel holds, in PostgreSQL: each is told to the channel, and can be put back.

A change is written in the transaction that makes it, so none goes untold.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.sealed_columns import opened_row
from services.plumbing.database import Connection, Database
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets

PUT_BACK = ("language", "zone", "events", "ladder", "level", "timing", "state")
"""What a link may change."""
MOST_ATTEMPTS = 6
_FIRST_PAUSE = timedelta(minutes=1)
_AT_ONCE = 20


class SharedChanges:
    """The changes, and which of them the channel has been told of."""

    def __init__(self, database: Database, secrets: Secrets = IN_THE_CLEAR) -> None:
        self._database = database
        self._secrets = secrets

    async def record(
        self, connection: Connection, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
    ) -> None:
        """Write down what a link has changed, where a channel has to be told of it."""
        differs = [name for name in PUT_BACK if before[name] != after[name]]
        if differs and CHANNELS[after["channel"]].is_shared:
            await connection.execute(
                "insert into shared_change (subscription_id, before, after, at, next_at) values ($1, $2, $3, $4, $4)",
                after["id"],
                {name: before[name] for name in differs},
                {name: after[name] for name in differs},
                now,
            )

    async def claim(self, now: datetime) -> Sequence[Mapping[str, Any]]:
        """Those that the channel is to be told of now, with its address; nobody else gets them before a pause."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "with claimed as (update shared_change set attempts = attempts + 1,"
                " next_at = $1 + $2::interval * (attempts + 1) where id in (select id from shared_change"
                " where state = 'waiting' and next_at <= $1 order by id limit $3 for update skip locked)"
                " returning id, subscription_id, before, after, attempts)"
                " select c.*, s.channel, s.address, s.subscriber, s.language from claimed c"
                " join subscription s on s.id = c.subscription_id order by c.id",
                now,
                _FIRST_PAUSE,
                _AT_ONCE,
            )
            of_subscriptions = [{**row, "id": row["subscription_id"]} for row in rows]
            opened = [opened_row(self._secrets, row)["address"] for row in of_subscriptions]
            return [{**row, "address": address} for row, address in zip(rows, opened, strict=True)]

    async def settle(self, id_: UUID, state: str) -> None:
        """The channel is `told`, or telling it has `failed` for good."""
        async with self._database.connection() as connection:
            await connection.execute("update shared_change set state = $2 where id = $1", id_, state)

    async def hold(self, id_: UUID, until: datetime) -> None:
        """The channel is not to be told before: this attempt counts for none."""
        async with self._database.connection() as connection:
            await connection.execute(
                "update shared_change set attempts = attempts - 1, next_at = $2 where id = $1 and state = 'waiting'",
                id_,
                until,
            )

    async def find(self, id_: UUID) -> asyncpg.Record | None:
        """One change."""
        async with self._database.connection() as connection:
            found: asyncpg.Record | None = await connection.fetchrow("select * from shared_change where id = $1", id_)
            return found

    async def mark_undone(self, connection: Connection, id_: UUID, now: datetime) -> None:
        """It was put back, in the transaction that does so."""
        await connection.execute("update shared_change set undone_at = $2 where id = $1", id_, now)
