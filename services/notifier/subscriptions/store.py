"""Subscriptions in PostgreSQL, as their owners and the operators see them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.notifier.subscriptions.auditing import audit_subscription
from services.notifier.subscriptions.destinations import Destinations, fingerprint
from services.notifier.subscriptions.ladder_events import publish_ladder_changes
from services.notifier.subscriptions.own_ladder import is_for_scheduler
from services.notifier.subscriptions.sealed_columns import opened_row, sealed_values
from services.plumbing.audit.entries import Actor
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.database import Connection, Database
from services.plumbing.ids import new_id
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets

_COLUMNS = (
    "id, owner, subscriber, channel, address, destination, language, zone, events, parties, themes, sections,"
    " commitments, ladder, ladder_refused, level, timing, state, reason, created_at, ended_at"
)

Row = Mapping[str, Any]
"""A subscription as it is, its address in the clear."""
Check = Callable[[Row], None]
"""Looks at a subscription before it is changed, and raises where it must not be."""
Beside = Callable[[Connection, Row, Row, datetime], Awaitable[None]]
"""What is done in the transaction of a change, with the subscription before and after it."""
Cancel = Callable[[Database, Connection, UUID, str, datetime], Awaitable[None]]
"""Ends what waits for a subscription which is now in a state."""
Resume = Callable[[Database, Connection, Collection[UUID], datetime], Awaitable[None]]
"""Has what was put off for subscriptions looked at anew, since they want to be told at other times."""


async def nothing_beside(connection: Connection, before: Row, after: Row, now: datetime) -> None:
    """Nothing more is done."""


class AlreadySubscribed(Exception):
    """There is a subscription of this owner's with the same channel, address and filters that has not ended."""


class SubscriptionStore:
    """Subscriptions; `owner` None stands for an operator, who sees all of them.

    `cancel` ends what waits for a subscription, `resume` has it looked at anew: in the transaction that each is handed.
    """

    def __init__(
        self,
        database: Database,
        destinations: Destinations,
        cancel: Cancel,
        resume: Resume,
        keyed_hash: KeyedHash = WITHHELD,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._destinations = destinations
        self._cancel = cancel
        self._resume = resume
        self._keyed_hash = keyed_hash

    async def add(self, values: Mapping[str, Any], now: datetime, by: Actor) -> Row:
        """A new, active subscription; raises `AlreadySubscribed`."""
        destination = self._destinations.of(values["channel"], values["address"])
        id_ = new_id()  # before the row is written, since what is sealed in it is bound to it
        row = {
            "id": id_,
            **sealed_values(self._secrets, id_, values),
            "destination": destination,
            "fingerprint": fingerprint(values, destination),
            "created_at": now,
        }
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        try:
            async with self._database.transaction() as connection:
                added = await self._one(
                    connection,
                    f"insert into subscription ({', '.join(row)}) values ({places}) returning {_COLUMNS}",
                    *row.values(),
                )
                await publish_ladder_changes(self._database, connection, [(None, dict(added))], now)
                await self._audit(connection, "subscription.created", None, added, by, now)
                return added
        except asyncpg.UniqueViolationError as error:
            raise AlreadySubscribed from error

    async def find(self, id_: UUID, owner: str | None) -> Row | None:
        """One subscription, or None where there is none of this owner's."""
        async with self._database.connection() as connection:
            return await self._one_or_none(
                connection,
                f"select {_COLUMNS} from subscription where id = $1 and ($2::text is null or owner = $2)",
                id_,
                owner,
            )

    async def page(self, owner: str | None, state: str | None, after: UUID | None, limit: int) -> Sequence[Row]:
        """Subscriptions in the order they were made, after one of them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select {_COLUMNS} from subscription where ($1::text is null or owner = $1)"
                " and ($2::text is null or state = $2) and ($3::uuid is null or id > $3) order by id limit $4",
                owner,
                state,
                after,
                limit,
            )
            return [opened_row(self._secrets, dict(row)) for row in rows]

    async def change(
        self,
        id_: UUID,
        owner: str | None,
        values: Mapping[str, Any],
        now: datetime,
        by: Actor,
        check: Check = lambda row: None,
        *,
        beside: Beside = nothing_beside,
        revives: bool = False,
    ) -> Row | None:
        """Set columns of a subscription that has not ended, or also of one that has where this `revives` it; what had
        been cancelled stays so, and whose address was forgotten stays ended. Raises `AlreadySubscribed`, and what
        `check` raises.
        """
        try:
            async with self._database.transaction() as connection:
                before = await self._locked(connection, id_, owner)
                if before is None or (before["state"] == "ended" and not (revives and before["address"])):
                    return None
                check(before)
                columns = {**values, "fingerprint": self._fingerprint({**before, **values})}
                sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 2))
                after = await self._one(
                    connection,
                    f"update subscription set {sets} where id = $1 returning {_COLUMNS}",
                    id_,
                    *columns.values(),
                )
                if before["ladder_refused"] is not None and is_for_scheduler(dict(before), dict(after)):
                    # It is chosen anew, and nobody has refused that yet.
                    after = await self._one(
                        connection,
                        f"update subscription set ladder_refused = null where id = $1 returning {_COLUMNS}",
                        id_,
                    )
                await publish_ladder_changes(self._database, connection, [(dict(before), dict(after))], now)
                await self._audit(connection, "subscription.changed", before, after, by, now)
                if (before["timing"], before["zone"]) != (after["timing"], after["zone"]):
                    await self._resume(self._database, connection, [id_], now)
                await beside(connection, before, after, now)
                return after
        except asyncpg.UniqueViolationError as error:
            raise AlreadySubscribed from error

    async def end(
        self,
        id_: UUID,
        owner: str | None,
        reason: str,
        now: datetime,
        by: Actor,
        check: Check = lambda row: None,
        *,
        beside: Beside = nothing_beside,
    ) -> bool:
        """End a subscription; ending it again changes nothing. Whether there is one. Raises what `check` raises.

        What waits for it is cancelled at once, retries included; what is on its way ends as it does.
        """
        async with self._database.transaction() as connection:
            before = await self._locked(connection, id_, owner)
            if before is not None:
                check(before)
            if before is None or before["state"] == "ended":
                return before is not None
            after = await self._one(
                connection,
                "update subscription set state = 'ended', reason = $2, ended_at = $3 where id = $1"
                f" returning {_COLUMNS}",
                id_,
                reason,
                now,
            )
            await publish_ladder_changes(self._database, connection, [(dict(before), dict(after))], now)
            await self._audit(connection, "subscription.ended", before, after, by, now)
            await beside(connection, before, after, now)
            await self._cancel(self._database, connection, id_, after["state"], now)
            return True

    def _fingerprint(self, row: Row) -> bytes:
        return fingerprint(row, row["destination"] or self._destinations.of(row["channel"], row["address"]))

    async def _audit(
        self, connection: Connection, action: str, before: Row | None, after: Row, by: Actor, now: datetime
    ) -> None:
        told = dict(before) if before else None
        await audit_subscription(connection, action, told, dict(after), by, now, self._keyed_hash)

    async def _locked(self, connection: Connection, id_: UUID, owner: str | None) -> Row | None:
        """A subscription of this owner's, which nobody else changes until the transaction ends."""
        return await self._one_or_none(
            connection,
            f"select {_COLUMNS} from subscription where id = $1 and ($2::text is null or owner = $2) for update",
            id_,
            owner,
        )

    async def _one(self, connection: Connection, query: str, *values: Any) -> Row:
        row = await self._one_or_none(connection, query, *values)
        if row is None:
            raise LookupError("the statement gave no row")
        return row

    async def _one_or_none(self, connection: Connection, query: str, *values: Any) -> Row | None:
        row = await connection.fetchrow(query, *values)
        return opened_row(self._secrets, dict(row)) if row else None
