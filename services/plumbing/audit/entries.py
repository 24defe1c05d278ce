"""What is written to the audit log: who did what, when, what was before, and what is after it. Pure.

Hashes go over canonical JSON. Values are objects, lists, texts, whole numbers, true, false and null, and all names are
ASCII: for these Python's JSON with sorted names and nothing between them is what RFC 8785 (JCS) has.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LARGEST_NUMBER = 2**53 - 1
"""Above it numbers of JSON are no longer exact for everybody (RFC 8785, 3.2.2.3)."""

GENESIS = bytes(32)
"""What the first entry has as the hash of the one before it."""


@dataclass(frozen=True)
class Actor:
    """Who did it: a client by its credentials, the ministry that it speaks for, and which of its keys it used."""

    client: str
    ministry: str | None = None
    key_id: str | None = None


@dataclass(frozen=True)
class AuditEntry:
    """One change. `action` names it, as `status.updated`; `subject` is what was changed: its kind, a slash, its id.

    `before` and `after` hold what differs; None where there is nothing. Personal values stand in them as a
    `KeyedHash` gives them.
    """

    action: str
    subject: str
    actor: Actor
    at: datetime
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ChainedEntry:
    """An entry as the log has it; `before` and `after` are canonical JSON, kept as it was written."""

    position: int
    at: datetime
    action: str
    subject: str
    client: str
    ministry: str | None
    key_id: str | None
    before: str | None
    after: str | None
    previous: bytes
    hash: bytes


def canonical_json(value: Any) -> str:
    """A value as RFC 8785 writes it; raises ValueError or TypeError for what it can't write exactly."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check(value: Any) -> None:
    match value:
        case None | bool():
            return
        case str():
            value.encode()  # raises UnicodeEncodeError, a ValueError, for half a pair of surrogates
        case int():
            if abs(value) > LARGEST_NUMBER:
                raise ValueError(f"{value} is no exact number of JSON")
        case Mapping():
            for name, of_it in value.items():
                if not isinstance(name, str) or not name.isascii():
                    raise TypeError(f"{name!r} is no ASCII name")
                _check(of_it)
        case list() | tuple():
            for one in value:
                _check(one)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form here")


def entry_hash(service: str, entry: ChainedEntry, *, position: int, previous: bytes) -> bytes:
    """The hash of an entry at this position behind the entry with this hash: SHA-256 over canonical JSON."""
    content = {
        "action": entry.action,
        "after": entry.after,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "before": entry.before,
        "client": entry.client,
        "key_id": entry.key_id,
        "ministry": entry.ministry,
        "position": position,
        "previous": previous.hex(),
        "service": service,
        "subject": entry.subject,
    }
    return hashlib.sha256(canonical_json(content).encode()).digest()
