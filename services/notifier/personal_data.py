"""What the notifier holds of one person, by an address: given out, or erased.

What was told to an address stays as a number of deliveries that led nowhere any more: without name, address or anything
made of them, so that what must add up still does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.forgetting import FORGET
from services.notifier.subscriptions.sealed_columns import opened_row
from services.notifier.subscriptions.store import SubscriptionStore
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database
from services.plumbing.secrets_at_rest import Secrets

_SUBSCRIPTIONS = (
    "select id, owner, subscriber, channel, address, language, zone, events, parties, themes, sections, commitments,"
    " ladder, level, timing, state, reason, created_at, ended_at from subscription where destination = any($1)"
    " order by id"
)
_DELIVERIES = """
select d.position, d.id, d.subscription_id, d.event_id, e.topic, d.commitment_id, d.channel, d.state, d.reason,
       d.attempts, d.created_at, d.settled_at
from delivery d left join event e on e.id = d.event_id
where d.subscription_id = any($1) and d.position > $2 order by d.position limit $3
"""
_AT_ONCE = 1000


class PersonalData:
    """What is held of who has an address. `destinations` are those of the notifier, by its link keys."""

    def __init__(
        self, database: Database, destinations: Destinations, store: SubscriptionStore, secrets: Secrets
    ) -> None:
        self._database = database
        self._destinations = destinations
        self._store = store
        self._secrets = secrets

    async def held(self, address: str) -> dict[str, Any]:
        """Everything that is held of an address; signing secrets, which aren't about a person, are left out."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_SUBSCRIPTIONS, self._of(address))
            asked = await connection.fetch(
                "select asked_at, state from link_request where destination = any($1)", self._of(address)
            )
            deliveries = await self._deliveries(connection, [row["id"] for row in rows])
        return {
            "subscriptions": [opened_row(self._secrets, dict(row)) for row in rows],
            "deliveries": deliveries,
            "link_requests": [dict(row) for row in asked],
        }

    async def erase(self, address: str, now: datetime, by: Actor) -> dict[str, int]:
        """End what leads to an address and forget it, its reader's name too; how many rows of what. Again: none.

        Each subscription in a transaction of its own, with an entry in the audit log that doesn't say whose it was.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(_SUBSCRIPTIONS, self._of(address))
        deliveries = 0
        for row in rows:
            await self._store.end(row["id"], None, "erased", now, by)
            deliveries += await self._forget(row["id"], now, by)
        async with self._database.connection() as connection:
            asked = await connection.execute("delete from link_request where destination = any($1)", self._of(address))
        return {"subscriptions": len(rows), "deliveries": deliveries, "link_requests": int(asked.split()[-1])}

    def _of(self, address: str) -> list[bytes]:
        return [self._destinations.of(channel, address) for channel in CHANNELS]

    async def _forget(self, id_: UUID, now: datetime, by: Actor) -> int:
        """The destination goes from deliveries in steps, and last from the subscription: until then it is found."""
        changed = 0
        while True:
            async with self._database.transaction() as connection:
                done = await connection.execute(
                    "update delivery set destination = null where id in (select id from delivery"
                    " where subscription_id = $1 and destination is not null"
                    " and state not in ('pending', 'sending') limit $2)",
                    id_,
                    _AT_ONCE,
                )
                count = int(done.split()[-1])
                changed += count
                if count < _AT_ONCE:
                    # What is on its way at this moment ends as it does, and is named by its hash until it is pruned.
                    await connection.execute(f"update subscription s set {FORGET} where id = $1", id_, True)
                    await audit(connection, AuditEntry("subscription.erased", f"subscription/{id_}", by, now))
                    return changed

    async def _deliveries(self, connection: Connection, ids: Sequence[UUID]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            rows = await connection.fetch(_DELIVERIES, ids, after, _AT_ONCE)
            found += [{name: value for name, value in row.items() if name != "position"} for row in rows]
            if len(rows) < _AT_ONCE:
                return found
            after = rows[-1]["position"]
