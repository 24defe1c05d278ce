"""What the audit log says of subscriptions: addresses and the names of readers only as keyed hashes, secrets never."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.keyed_hash import KeyedHash
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection

_SHOWN = (
    *("owner", "channel", "language", "zone", "events", "parties", "themes", "sections", "commitments"),
    *("ladder", "level", "timing", "state", "reason"),
)


async def audit_subscription(
    connection: Connection,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    by: Actor,
    now: datetime,
    keyed_hash: KeyedHash,
) -> None:
    """Write that a subscription was made, changed or ended; rows are as `SubscriptionStore` reads them."""
    told = subscription_facts(before, keyed_hash) if before else None
    subject = f"subscription/{after['id']}"
    await audit(connection, AuditEntry(action, subject, by, now, told, subscription_facts(after, keyed_hash)))


def subscription_facts(row: Mapping[str, Any], keyed_hash: KeyedHash) -> dict[str, Any]:
    """A subscription as an entry may say it."""
    personal = {name: keyed_hash.of(row[name]) for name in ("subscriber", "address")}
    return {name: row[name] for name in _SHOWN} | personal
