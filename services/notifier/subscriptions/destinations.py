"""Destinations: where subscriptions of one address meet, without the address.

A destination is a keyed hash (HMAC-SHA-256, RFC 2104) of channel and address: what has to know that two subscriptions
lead to the same place, such as pacing, compares hashes, and whoever reads the table can't try addresses out. The key is
made from the last of the link keys, the one that has been listed the longest, so that a new key in front changes
nothing; when one is retired, the destinations are made anew as the service starts.
"""

import hmac

from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.link_settings import LinkSettings
from services.plumbing.database import Database

_AT_ONCE = 1000


class Destinations:
    """Makes the keyed hashes of addresses."""

    def __init__(self, settings: LinkSettings) -> None:
        secret = settings.link_keys[-1].get_secret_value().encode()
        self._key = hmac.digest(secret, b"destination", "sha256")

    def of(self, channel: str, address: str) -> bytes:
        """The destination of an address: 16 bytes, equal for addresses that mean the same receiver."""
        comparable = CHANNELS[channel].comparable_address(address)
        return hmac.digest(self._key, f"{channel}\0{comparable}".encode(), "sha256")[:16]

    async def refresh(self, database: Database) -> int:
        """Give every subscription that has another destination, or none, its own, and what waits for it too.

        How many there were. Rows are older than destinations, or than the key.
        """
        changed, after = 0, None
        while True:
            async with database.transaction() as connection:
                rows = await connection.fetch(
                    "select id, channel, address, destination from subscription"
                    " where $1::uuid is null or id > $1 order by id limit $2 for no key update",
                    after,
                    _AT_ONCE,
                )
                if not rows:
                    return changed
                after = rows[-1]["id"]
                known = [row for row in rows if row["channel"] in CHANNELS]  # a newer version may have other channels
                wanted = {row["id"]: self.of(row["channel"], row["address"]) for row in known}
                stale = {row["id"]: wanted[row["id"]] for row in known if row["destination"] != wanted[row["id"]]}
                changed += len(stale)
                for table, column in (("subscription", "id"), ("delivery", "subscription_id")):
                    await connection.execute(
                        f"update {table} t set destination = s.destination"
                        f" from unnest($1::uuid[], $2::bytea[]) as s(id, destination) where t.{column} = s.id"
                        + (" and t.state in ('pending', 'sending')" if table == "delivery" else ""),
                        list(stale),
                        list(stale.values()),
                    )
