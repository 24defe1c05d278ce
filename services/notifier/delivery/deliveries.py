"""What a delivery is on its way: claimed for sending, tried, and its result to be recorded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.filters import Filters
from services.notifier.channels import FOR_PEOPLE
from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Deferred,
    Delivered,
    FailureReason,
    Refused,
    Unknown,
)
from services.notifier.delivery.retry_policy import MOST_ATTEMPTS, next_after_deferral, next_attempt
from services.notifier.timing.first_allowed import Opening, Timing
from services.notifier.timing.rhythm import LONGEST_LATE

if TYPE_CHECKING:
    from services.notifier.delivery.trial import Trial


@dataclass(frozen=True, slots=True)
class Recipient:
    """The subscription that a delivery goes to.

    `address` and `secret` are secrets: never logged, never in an error or on a topic.
    """

    id: UUID
    subscriber: str
    channel: str
    address: str
    secret: str | None
    language: str
    zone: str
    filters: Filters
    state: str
    ladder_refused: bool = False
    """Whether its own ladder is not planned, so that the usual reminders come."""
    timing: Timing | None = None
    """When it wants to be told; None for at once, at any time."""

    def __repr__(self) -> str:
        return f"Recipient({self.id}, {self.channel})"


@dataclass(frozen=True, slots=True)
class Slot:
    """When a delivery to a paced destination may start: `at`, monotonic, and no sooner than `gap` after the one before.

    `round` is the destination's as the slot was given; a probe is alone, to see whether the receiver takes anything.
    `fastest` is the least gap that the platform's limit allows, as it was known then; 0 for no limit.
    """

    at: float
    gap: float
    round: int
    is_probe: bool
    fastest: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One event for one subscription, claimed: nobody else sends it while the lease holds.

    Deliveries of one `thread` reach their reader in order. `attempts` counts those that have been recorded, `deferrals`
    how often it was told to wait, since `deferred_since`; `claimed` is monotonic, in seconds. `slot` is there for a
    destination that is sent to at a pace.
    """

    id: UUID
    event_id: UUID
    recipient: Recipient
    commitment_id: str
    thread: UUID
    attempts: int
    created_at: datetime
    not_after: datetime | None
    lease: UUID
    claimed: float
    destination: bytes = b""
    deferrals: int = 0
    deferred_since: datetime | None = None
    slot: Slot | None = None
    collapse_key: str | None = None
    """What its event tells the latest of, within its thread; None where it stays news."""
    is_overtaken: bool = False
    """Whether newer news of the same waits for this reader."""
    before: tuple[UUID, ...] = ()
    """Events that its own has overtaken and that were not told."""
    newer_was_told: bool = False
    """Whether this reader has been told newer news of the same already: it was put off, and that was not."""
    position: int = 0
    """The order in which deliveries were written."""
    rule: str | None = None
    """Which rule decided when it is told; None for at once."""
    due_at: datetime | None = None
    """When it was to be claimed; None for what was taken in hand as it was written."""
    others: "tuple[Delivery, ...]" = ()
    """Those that go out in the same message, to the same address; this one leads them, and they have no others."""
    is_grouped: bool = False
    """Whether it leads a group, or what is left of one."""

    @property
    def members(self) -> "Sequence[Delivery]":
        """All that its message tells, in the order in which they were written."""
        if not self.others:
            return (self,)
        return sorted((self, *self.others), key=lambda delivery: delivery.position)


@dataclass(frozen=True, slots=True)
class Deferral:
    """A delivery may not be told yet. `apart`: what comes about the same commitment must not wait for it.

    `trial` is the one that holds it, with the list by which that was decided.
    """

    opening: Opening
    apart: bool = False
    trial: "Trial | None" = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, how long (milliseconds), and what became of it."""

    started_at: datetime
    ended_at: datetime
    latency_ms: float
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True)
class DeliveryResult:
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
    deferral: Deferral | None = None
    """It may not be told yet: until when it is put off."""
    leader: UUID | None = None
    """The delivery that leads the message in which this one is told; None where it is told by itself."""

    @property
    def is_settled(self) -> bool:
        """Whether the delivery has come to its end."""
        return self.state != "pending"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a process is ready to take in hand: so many deliveries in all, so many of one subscription.

    `limited` names subscriptions that may have less, 0 for none at all; `mail` bounds all e-mail together.
    """

    total: int
    each: int
    mail: int
    limited: dict[UUID, int]


NO_CAPACITY = Capacity(0, 0, 0, {})
NOBODY = UUID(int=0)
"""The lease of what nobody has in hand."""

OVERTAKEN = "suppressed", "overtaken"
"""The end of news that could not be told in time: what overtook it says what it was, and every event keeps its row."""


DIGEST_MISSED = "expired", "digest-missed"
"""The end of what a digest had to tell that could not take place for `LONGEST_LATE`."""


def to_send(
    deliveries: Iterable[Delivery], now: datetime, deferral: Callable[[Delivery], Deferral | None] = lambda _: None
) -> tuple[list[Delivery], list[DeliveryResult]]:
    """Of claimed deliveries, each thread in order, those to be sent, and the results of the others.

    Those that must not be sent end; those that may not be yet, by `deferral`, go back without an attempt. What was
    overtaken is named by the next of its thread that tells of the same.
    """
    sent: list[Delivery] = []
    ends: list[DeliveryResult] = []
    untold: dict[tuple[UUID, str | None], tuple[UUID, ...]] = {}
    for delivery in deliveries:
        left: list[Delivery] = []
        for member, end, until in _judged(delivery, now, deferral):
            same = member.thread, member.collapse_key
            before = (*member.before, *untold.pop(same, ()))
            if until:
                ends.append(DeliveryResult(member, "pending", now, next_at=until.opening.at, deferral=until))
                if before:
                    untold[same] = before
                continue
            if end is None:
                left.append(replace(member, before=before) if before else member)
                continue
            ends.append(DeliveryResult(member, end[0], now, reason=end[1]))
            if end == OVERTAKEN:
                untold[same] = (*before, member.event_id)
            elif before:
                untold[same] = before
        sent += _one_message(delivery, left)
    return sent, ends


def _judged(
    delivery: Delivery, now: datetime, deferral: Callable[[Delivery], Deferral | None]
) -> Sequence[tuple[Delivery, tuple[str, str] | None, Deferral | None]]:
    """All that a delivery's message tells, in order: each with the end or the deferral that keeps it out, if any does.

    The newest is judged first: what is overtaken by a later part of the message is told along with that one, so it is
    as good as newest; but only if that one stays in.
    """
    judged: list[tuple[Delivery, tuple[str, str] | None, Deferral | None]] = []
    stays: set[tuple[UUID, str]] = set()
    for one in reversed(delivery.members):
        same = (one.thread, one.collapse_key) if one.collapse_key is not None else None
        is_overtaken = one.is_overtaken and same not in stays
        member = replace(one, others=(), is_grouped=False, is_overtaken=is_overtaken) if delivery.others else one
        end = end_unsent(member, now)
        until = None if end else deferral(member)
        if same is not None and not end and not until:
            stays.add(same)
        judged.append((member, end, until))
    return judged[::-1]


def _one_message(delivery: Delivery, left: Sequence[Delivery]) -> Sequence[Delivery]:
    """What is left of a message: its leader goes on leading where it is still there, and the first one otherwise."""
    if not delivery.others or not left:
        return left
    leader = next((member for member in left if member.id == delivery.id), left[0])
    others = tuple(member for member in left if member is not leader)
    # The slot belongs to the message.
    return (replace(leader, others=others, is_grouped=True, slot=delivery.slot),)


def end_unsent(delivery: Delivery, now: datetime) -> tuple[str, str] | None:
    """The state and the reason with which a delivery ends that must not be sent; None for one that may be.

    Asked at the claim, not only at the fan-out: a subscription may have ended in between.
    """
    state = delivery.recipient.state
    if state == "disabled":
        return "suppressed", "subscription-disabled"
    if state != "active":
        return "cancelled", f"subscription-{state}"
    if delivery.not_after is not None and delivery.not_after <= now:
        return "expired", "not-after-passed"
    if delivery.attempts >= MOST_ATTEMPTS:
        return "failed", "attempts-exhausted"
    was_tried = delivery.attempts > 0 or delivery.deferrals > 0
    if delivery.rule == "digest" and not was_tried and delivery.due_at and delivery.due_at + LONGEST_LATE <= now:
        return DIGEST_MISSED
    if ((delivery.is_overtaken and was_tried) or delivery.newer_was_told) and delivery.recipient.channel in FOR_PEOPLE:
        return OVERTAKEN
    return None


def after_attempt(delivery: Delivery, attempt: Attempt, chance: float) -> DeliveryResult:
    """What follows from an attempt: settled, or again at the time that the table gives; `chance` lies in [0, 1)."""
    outcome, at = attempt.outcome, attempt.ended_at
    match outcome:
        case Delivered() | Accepted():
            return DeliveryResult(delivery, "delivered", at, attempt)
        case Deferred(reason=reason, seconds=asked):
            since = delivery.deferred_since or at
            return _again(delivery, attempt, next_after_deferral(delivery.deferrals + 1, asked, since, at), reason)
        case Refused(reason=reason, gone=gone):
            pass
        case Unknown(reason=reason):
            gone = False
    return _again(delivery, attempt, next_attempt(delivery.attempts + 1, outcome, at, chance), reason, gone=gone)


def _again(
    delivery: Delivery, attempt: Attempt, again: datetime | None, reason: FailureReason, *, gone: bool = False
) -> DeliveryResult:
    if again is None:
        return DeliveryResult(delivery, "failed", attempt.ended_at, attempt, reason=str(reason), ends_subscription=gone)
    if delivery.not_after is not None:
        again = min(again, delivery.not_after)  # then it expires, and is recorded so
    return DeliveryResult(delivery, "pending", attempt.ended_at, attempt, next_at=again, reason=str(reason))
