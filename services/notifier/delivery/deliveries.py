"""What a delivery is on its way: claimed for sending, tried, and its result to be recorded."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.delivery.retry_policy import MOST_ATTEMPTS, next_attempt
from services.notifier.subscriptions.matching import Filters
from services.notifier.transport.outcomes import Accepted, Delivered, Outcome, Refused, Unknown


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants what, and where. `address` and `secret` are secrets: never logged, never in an error or on a topic."""

    id: UUID
    subscriber: str
    channel: str
    address: str
    secret: str | None
    language: str
    zone: str
    filters: Filters
    state: str

    def __repr__(self) -> str:
        return f"Subscription({self.id}, {self.channel})"


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One event for one subscription, claimed: nobody else sends it while the lease holds.

    `attempts` counts those that have been recorded; `claimed` is monotonic, in seconds.
    """

    id: UUID
    event_id: UUID
    subscription: Subscription
    commitment_id: str
    attempts: int
    created_at: datetime
    not_after: datetime | None
    lease: UUID
    claimed: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, how long (milliseconds), and what became of it."""

    started_at: datetime
    ended_at: datetime
    latency_ms: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be recorded of a claimed delivery.

    `state` is `pending` for one that goes back, at `next_at` if that is given, or a terminal state.
    """

    delivery: Delivery
    state: str
    at: datetime
    attempt: Attempt | None = None
    next_at: datetime | None = None
    reason: str | None = None
    ends_subscription: bool = False
    """The address is dead: the subscription is disabled along with this."""

    @property
    def is_settled(self) -> bool:
        """Whether the delivery has come to its end."""
        return self.state != "pending"


@dataclass(frozen=True, slots=True)
class Room:
    """What a process is ready to take: so many deliveries in all, so many of one subscription.

    `narrow` names subscriptions that may have less, 0 for none at all; `mail` bounds all e-mail together.
    """

    total: int
    each: int
    mail: int
    narrow: dict[UUID, int]


def verdict(delivery: Delivery, now: datetime) -> tuple[str, str] | None:
    """The end of a delivery that must not be sent, with its reason: asked at the claim, not only at the fan-out."""
    state = delivery.subscription.state
    if state == "disabled":
        return "suppressed", "subscription-disabled"
    if state != "active":
        return "cancelled", f"subscription-{state}"
    if delivery.not_after is not None and delivery.not_after <= now:
        return "expired", "not-after-passed"
    if delivery.attempts >= MOST_ATTEMPTS:
        return "failed", "attempts-exhausted"
    return None


def after_attempt(delivery: Delivery, attempt: Attempt, chance: float) -> Result:
    """What follows from an attempt: settled, or again at the time that the table gives; `chance` lies in [0, 1)."""
    outcome, at = attempt.outcome, attempt.ended_at
    match outcome:
        case Delivered() | Accepted():
            return Result(delivery, "delivered", at, attempt)
        case Refused(reason=reason, gone=gone):
            pass
        case Unknown(reason=reason):
            gone = False
    again = next_attempt(delivery.attempts + 1, outcome, at, chance)
    if again is None:
        return Result(delivery, "failed", at, attempt, reason=str(reason), ends_subscription=gone)
    if delivery.not_after is not None:
        again = min(again, delivery.not_after)  # then it expires, and is seen to
    return Result(delivery, "pending", at, attempt, next_at=again, reason=str(reason))
