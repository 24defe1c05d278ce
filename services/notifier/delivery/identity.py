"""What deliveries are known by: their ids, in SQL and in Python alike, their threads, which keep order, and groups."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from services.plumbing.ids import derived_id, uuid8

_DELIVERIES = UUID("5d0c8f0e-6f5b-8c1e-9a53-2f6a3f0d7b11")
_THREADS = UUID("0b8a8f6e-3d1c-8e27-b4f0-61c1d2a95e73")
_GROUPS = UUID("7c3f7d52-90a4-8d3b-8b0e-4d1f6c2e8a95")
_TIME, _DIGEST = 6, 10
"""Bytes of an id: those in which a UUIDv7 has its time are the event's own, so that what is written together stands
together in the indexes; by the others it is told from all others."""

DELIVERY_ID_BYTES = f"""
substring(uuid_send(event_id) for {_TIME}) || substring(
    sha256('\\x{_DELIVERIES.hex}'::bytea || uuid_send(event_id) || uuid_send(subscription_id)) for {_DIGEST}
)
"""
"""What `uuid8` makes a `delivery_id` of, in SQL, over rows with an `event_id` and a `subscription_id`."""

THREAD_BYTES = f"""
substring(sha256('\\x{_THREADS.hex}'::bytea || uuid_send(subscription_id) || commitment_id::bytea) for 16)
"""
"""What `uuid8` makes a thread of, in SQL, over rows with a `subscription_id` and a `commitment_id`.

It is what reaches one subscription about one commitment, and nothing else may take the two for the same. Whatever
belongs to one thread has its subscription in common, and has to be written in turn (`WRITE_IN_TURN`).
"""


def thread_apart(subscription: UUID, commitment: str, event: str, parties: Iterable[str]) -> UUID:
    """The thread of what is held back by a filter on events or parties, so that nothing else waits for it.

    Events of one name about the same parties are held back together, and keep their order among themselves.
    """
    about = "\0".join((commitment, event, *parties)).encode()
    return uuid8(hashlib.sha256(_THREADS.bytes + subscription.bytes + b"apart\0" + about).digest()[:16])


def delivery_id(event_id: UUID, subscription_id: UUID) -> UUID:
    """The id of the delivery of an event for a subscription: a repeat, even after an old backup, has the same."""
    digest = hashlib.sha256(_DELIVERIES.bytes + event_id.bytes + subscription_id.bytes).digest()
    return uuid8(event_id.bytes[:_TIME] + digest[:_DIGEST])


def group_id(destination: bytes, language: str, about: UUID) -> UUID:
    """The group of what reaches one address in one language about one thing: a cause, or an event by itself.

    Who asks for two languages at one address reads each by itself.
    """
    return derived_id(_GROUPS, b"\0".join((destination, language.encode(), about.bytes)))
