"""Which columns of a subscription are sealed at rest: where it goes, and what signs its posts.

A row that can't be opened still is one: its owner may end it, and an operator see it. Only its address is not known.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.plumbing.logs import log
from services.plumbing.secrets_at_rest import SealedPlace, Secrets, SecretUnreadable

SEALED_COLUMNS = ("address", "secret")
TABLE = "subscription"
UNREADABLE = "unreadable"
"""What stands for an address that can't be opened, wherever it is shown."""


def sealed_values(secrets: Secrets, id_: UUID, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row as they are to be written."""
    sealed = {
        name: secrets.seal(values[name], SealedPlace(TABLE, name, id_))
        for name in SEALED_COLUMNS
        if values.get(name) is not None
    }
    return {**values, **sealed}


def opened_row(secrets: Secrets, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it was read, its address in the clear; `UNREADABLE` for one that can't be opened."""
    opened = dict(row)
    try:
        opened["address"] = opened_address(secrets, row)
    except SecretUnreadable as error:
        log.error(
            "an address can't be opened", action="secret_unreadable", subscription_id=str(row["id"]), error=str(error)
        )
        opened["address"] = UNREADABLE
    return opened


def opened_address(secrets: Secrets, row: Mapping[str, Any]) -> str:
    """The address of a row that has an `id`; raises `SecretUnreadable`."""
    return secrets.open(row["address"], SealedPlace(TABLE, "address", row["id"]))


def opened_secret(secrets: Secrets, row: Mapping[str, Any]) -> str | None:
    """The signing key of a row, None where it has none; raises `SecretUnreadable`."""
    sealed = row["secret"]
    return None if sealed is None else secrets.open(sealed, SealedPlace(TABLE, "secret", row["id"]))
