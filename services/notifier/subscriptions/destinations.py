"""Destinations: where subscriptions of one address meet, without the address.

A destination is a keyed hash (HMAC-SHA-256, RFC 2104) of channel and address: what has to know that two subscriptions
lead to the same place, such as pacing, compares hashes, and whoever reads the table can't try addresses out. The key is
made from the last of the link keys, the one that has been listed the longest, so that a new key in front changes
nothing; when one is retired, the destinations are made anew as the service starts. What makes two subscriptions the
same (`fingerprint`) is made of the destination for the same reason.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.sealed_columns import opened_address
from services.plumbing.database import Connection, Database
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets, SecretUnreadable

_AT_ONCE = 1000
_FILTERS = ("events", "parties", "themes", "sections", "commitments")
_COLUMNS = f"id, channel, address, destination, fingerprint, level, {', '.join(_FILTERS)}"


class Destinations:
    """Makes the keyed hashes of addresses."""

    def __init__(self, settings: LinkSettings) -> None:
        secret = settings.link_keys[-1].get_secret_value().encode()
        self._key = hmac.digest(secret, b"destination", "sha256")

    def of(self, channel: str, address: str) -> bytes:
        """The destination of an address: 16 bytes, equal for addresses that mean the same receiver."""
        comparable = CHANNELS[channel].comparable_address(address)
        return hmac.digest(self._key, f"{channel}\0{comparable}".encode(), "sha256")[:16]

    async def refresh(self, database: Database, secrets: Secrets = IN_THE_CLEAR) -> int:
        """Give every subscription whose destination or fingerprint is another one, or none, its own, and what waits for
        it too. How many there were: rows are older than either, or than the key.
        """
        changed, after = 0, None
        while True:
            async with database.transaction() as connection:
                rows = await connection.fetch(
                    f"select {_COLUMNS} from subscription"
                    " where ($1::uuid is null or id > $1) order by id limit $2 for no key update",
                    after,
                    _AT_ONCE,
                )
                if not rows:
                    return changed
                after = rows[-1]["id"]
                changed += await self._refresh(connection, rows, secrets)

    async def _refresh(self, connection: Connection, rows: list[asyncpg.Record], secrets: Secrets) -> int:
        wanted: dict[UUID, bytes] = {}
        for row in rows:
            # A newer version may have other channels; of what was forgotten nothing is left to make a hash of.
            if row["channel"] in CHANNELS and row["address"]:
                try:
                    wanted[row["id"]] = self.of(row["channel"], opened_address(secrets, dict(row)))
                except SecretUnreadable:
                    continue
        known = [row for row in rows if row["id"] in wanted]
        stale = {row["id"]: wanted[row["id"]] for row in known if row["destination"] != wanted[row["id"]]}
        for table, column in (("subscription", "id"), ("delivery", "subscription_id")):
            await connection.execute(
                f"update {table} t set destination = s.destination"
                f" from unnest($1::uuid[], $2::bytea[]) as s(id, destination) where t.{column} = s.id"
                + (" and t.state in ('pending', 'sending')" if table == "delivery" else ""),
                list(stale),
                list(stale.values()),
            )
        named = {row["id"]: fingerprint(dict(row), wanted[row["id"]]) for row in known}
        other = {row["id"]: named[row["id"]] for row in known if row["fingerprint"] != named[row["id"]]}
        if other:
            await _put_fingerprints(connection, other)
        return len(stale.keys() | other.keys())


_PUT = (
    "update subscription s set fingerprint = n.fingerprint"
    " from unnest($1::uuid[], $2::bytea[]) as n(id, fingerprint) where s.id = n.id"
)


async def _put_fingerprints(connection: Connection, wanted: Mapping[UUID, bytes]) -> None:
    """Of two that turn out to be the same, since one was made by an older process, one keeps what it has."""
    try:
        async with connection.transaction():
            await connection.execute(_PUT, list(wanted), list(wanted.values()))
    except asyncpg.UniqueViolationError:
        for id_, one in wanted.items():
            try:
                async with connection.transaction():
                    await connection.execute(_PUT, [id_], [one])
            except asyncpg.UniqueViolationError:
                continue


def fingerprint(row: Mapping[str, Any], destination: bytes) -> bytes:
    """Equal for subscriptions that would send the same messages to the same address."""
    parts = [row["channel"], destination.hex(), [sorted(row.get(name, ())) for name in _FILTERS], row.get("level")]
    return hashlib.sha256(json.dumps(parts).encode()).digest()
