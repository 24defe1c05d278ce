"""The rows of API keys: ids and hashes, whose they are, and when each was last used."""

from collections.abc import Mapping
from datetime import datetime

from services.plumbing.database import Connection
from services.registry.rules.api_keys import KeptKey
from services.registry.store.rows import Row


async def lock_client(connection: Connection, client: str) -> None:
    """Let nobody else change this client's keys until the transaction ends: two may be live, not three."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"api_key {client}")


async def put_key(connection: Connection, key: KeptKey) -> None:
    """Write a key as it is now."""
    await connection.execute(
        """
        insert into api_key (seq, key_id, sha256, client, ministry, roles, created_at, created_by, expires_at,
            revoked_at, revoked_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (key_id) do update set seq = excluded.seq, revoked_at = excluded.revoked_at,
            revoked_by = coalesce(excluded.revoked_by, api_key.revoked_by)
        """,
        key.seq,
        key.key_id,
        key.sha256,
        key.client,
        key.ministry,
        list(key.roles),
        key.created_at,
        key.created_by,
        key.expires_at,
        key.revoked_at,
        key.revoked_by,
    )


async def find_key(connection: Connection, key_id: str) -> KeptKey | None:
    """One key, by its id."""
    row = await connection.fetchrow("select * from api_key where key_id = $1", key_id)
    return None if row is None else _kept(row)


async def keys_of(connection: Connection, client: str) -> list[KeptKey]:
    """All keys that a client ever had, in the order in which they were made."""
    rows = await connection.fetch("select * from api_key where client = $1 order by created_at, key_id", client)
    return [_kept(row) for row in rows]


async def all_keys(connection: Connection) -> list[KeptKey]:
    """All keys that there ever were, by client and in the order in which they were made."""
    rows = await connection.fetch("select * from api_key order by client, created_at, key_id")
    return [_kept(row) for row in rows]


async def put_uses(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Write down when keys were used last, where that is later than what is known."""
    await connection.execute(
        """
        update api_key k set last_used_at = u.at from unnest($1::text[], $2::timestamptz[]) as u(key_id, at)
        where k.key_id = u.key_id and (k.last_used_at is null or k.last_used_at < u.at)
        """,
        list(used),
        list(used.values()),
    )


def _kept(row: Row) -> KeptKey:
    return KeptKey(**{**dict(row), "roles": tuple(row["roles"])})
