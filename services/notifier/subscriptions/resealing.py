"""Sealing anew what is sealed with another key than the first, or stands in the clear; and looking at what there is.

Done in small steps while services run: they open what any of their keys has sealed. A row is locked for a moment only,
and by one who seals anew at a time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.notifier.subscriptions.sealed_columns import SEALED_COLUMNS, TABLE
from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.secrets_at_rest import SEALED, SealedPlace, Secrets, SecretsSettings, SecretUnreadable

AT_ONCE = 200
"""Rows of one step."""

_KEYS = " union all ".join(
    f"select case when {name} like '{SEALED}%' then split_part({name}, ':', 3) end as key from {TABLE}"
    f" where {name} <> ''"
    for name in SEALED_COLUMNS
)
_BY_KEY = f"select key, count(*) as n from ({_KEYS}) as k group by key"


async def sealed_by_key(connection: Connection) -> dict[str | None, int]:
    """How many texts are sealed with each key, by its id; None for those in the clear."""
    return {row["key"]: row["n"] for row in await connection.fetch(_BY_KEY)}


@dataclass
class Resealed:
    """What one step, or all of them, came to: rows looked at, sealed anew, and those that can't be opened."""

    looked_at: int = 0
    changed: int = 0
    unreadable: int = 0
    last: UUID | None = None
    """The last row that was looked at; None at the end."""


async def reseal_step(connection: Connection, secrets: Secrets, after: UUID | None) -> Resealed:
    """Seal the rows behind one anew, as many as are a step, in the caller's transaction.

    Without keys in `secrets` nothing sealed can be opened; with `secrets` that seal nothing texts are put in the clear.
    """
    rows = await connection.fetch(
        f"select id, {', '.join(SEALED_COLUMNS)} from {TABLE} where $1::uuid is null or id > $1"
        " order by id limit $2 for no key update",
        after,
        AT_ONCE,
    )
    done = Resealed(looked_at=len(rows), last=rows[-1]["id"] if len(rows) == AT_ONCE else None)
    for row in rows:
        try:
            wanted = _resealed(secrets, dict(row))
        except SecretUnreadable as error:
            done.unreadable += 1
            log.error(
                "a secret can't be opened", action="secret_unreadable", subscription_id=str(row["id"]), error=str(error)
            )
            continue
        if wanted:
            done.changed += 1
            sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(wanted, 2))
            await connection.execute(f"update {TABLE} set {sets} where id = $1", row["id"], *wanted.values())
    return done


def _resealed(secrets: Secrets, row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a row that have to be written anew; raises `SecretUnreadable`."""
    wanted = {}
    for name in SEALED_COLUMNS:
        if row[name] is not None and not secrets.is_current(row[name]):
            where = SealedPlace(TABLE, name, row["id"])
            wanted[name] = secrets.seal(secrets.open(row[name], where), where)
    return wanted


class SecretsWatch:
    """Keeps a process's keys those of its settings, and knows whether something is sealed with one that it hasn't."""

    def __init__(self, database: Database, settings: SecretsSettings, secrets: Secrets) -> None:
        self._database = database
        self._settings = settings
        self._secrets = secrets
        self._unknown: dict[str, int] = {}
        self._has_said_clear = False

    async def beat(self) -> None:
        """Read the keys again, and look at what is sealed."""
        try:
            self._secrets.learn(await asyncio.to_thread(self._settings.read))
        except ValueError as error:
            log.error("the keys can't be read again, the known ones hold", action="keys_unread", error=str(error))
        async with self._database.connection() as connection:
            found = await sealed_by_key(connection)
        known = self._secrets.key_ids
        self._unknown = {key: n for key, n in found.items() if key is not None and key not in known}
        if not known and not self._has_said_clear:
            self._has_said_clear = True
            log.warning(
                "addresses and signing secrets stand in the database in the clear: there is no key",
                action="secrets_in_the_clear",
                help="pledgewire secrets new-key FILE, then SECRETS_KEY_FILE",
            )

    async def check(self) -> str | None:
        """For `/readyz`: what can't be opened, as the last look had it."""
        if not self._unknown:
            return None
        told = ", ".join(f"{n} with {key}" for key, n in sorted(self._unknown.items()))
        return f"secrets are sealed with keys that are not known here: {told}; see SECRETS_KEY_FILE"
