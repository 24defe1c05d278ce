"""What deliveries are known by, in SQL and in Python alike: their ids, and the threads that keep them in order."""

from uuid import UUID

from services.plumbing.ids import derived_id

_DELIVERIES = UUID("5d0c8f0e-6f5b-8c1e-9a53-2f6a3f0d7b11")

DELIVERY_ID = f"derived_id('{_DELIVERIES}', uuid_send(event_id) || uuid_send(subscription_id))"
"""`delivery_id` in SQL, over rows with an `event_id` and a `subscription_id`."""

THREAD = "derived_id('0b8a8f6e-3d1c-8e27-b4f0-61c1d2a95e73', uuid_send(m.subscription_id) || m.commitment_id::bytea)"
"""The thread of a delivery that is to be written, over `m`: the table's own definition; a test holds the two together.

It is what reaches one subscription about one commitment, and nothing else may take the two for the same. Whatever
belongs to one thread has its subscription in common, and has to be written in turn (`WRITE_IN_TURN`).
"""


def delivery_id(event_id: UUID, subscription_id: UUID) -> UUID:
    """The id of the delivery of an event for a subscription: a repeat, even after an old backup, has the same."""
    return derived_id(_DELIVERIES, event_id.bytes + subscription_id.bytes)
