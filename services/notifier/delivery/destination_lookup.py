"""Whose a destination is, which metrics name by the first digits of its destination: without its address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.plumbing.database import Connection

_MOST = 50
_SUBSCRIPTIONS = """
select id, subscriber, channel, state from subscription
where encode(destination, 'hex') like $1 || '%' order by id limit $2
"""
_LAST_ATTEMPTS = """
select a.started_at, a.outcome, a.reason, a.code from delivery d join delivery_attempt a on a.delivery_id = d.id
where d.subscription_id = any($1::uuid[]) and d.state in ('pending', 'sending', 'failed', 'delivered')
order by a.started_at desc limit 5
"""


@dataclass(frozen=True)
class LeadingSubscription:
    """A subscription that leads to the destination."""

    id: UUID
    subscriber: str
    channel: str
    state: str


@dataclass(frozen=True)
class DestinationAttempt:
    """An attempt there."""

    started_at: datetime
    outcome: str
    reason: str | None
    code: int | None


async def subscriptions_at(connection: Connection, destination: str) -> Sequence[LeadingSubscription]:
    """The subscriptions that lead there, the oldest first; `destination` is the label of the metrics."""
    return [LeadingSubscription(*row) for row in await connection.fetch(_SUBSCRIPTIONS, destination, _MOST)]


async def last_attempts_for(
    connection: Connection, subscriptions: Sequence[LeadingSubscription]
) -> Sequence[DestinationAttempt]:
    """The last five attempts for these subscriptions, the newest first."""
    return [
        DestinationAttempt(*row) for row in await connection.fetch(_LAST_ATTEMPTS, [one.id for one in subscriptions])
    ]
