"""Receipts: what became of one event for one subscription, and the rule that decided. Pure.

The delivery's row is the receipt; where an event owed a subscription nothing there is no row, and what left the
subscription out is worked out anew from the same rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.filters import Filters
from services.notifier.delivery.trial import TRIAL, UNTIL_GO_LIVE
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import SubscriptionTraits
from services.notifier.subscriptions.matching import left_out_by

ReceiptOutcome = Literal["waiting", "delivered", "failed", "expired", "suppressed", "cancelled", "not-owed"]

BEHIND, SENDING, RETRY, THROTTLED = "order", "sending", "retry", "throttled"
"""Rules by which something waits that are no settings of anybody: what comes before it has not ended, it is on its way,
it is tried again, its receiver has asked to wait."""
STOPPED = "stopped"
"""The rule by which nothing at all is sent."""
NEWER, STATE, OLDER = "newer-subscription", "subscription-state", "older-contract"
"""Why an event owes nothing where no filter says so: the subscription is newer or had ended, or nobody can read it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event for a subscription. `rule`: which rule decided; None for what was told at once.

    `until` is there for what waits, `at` for what has ended. `message` is the delivery in whose message it was told,
    which may be its own; `others` counts what else that message told.
    """

    outcome: ReceiptOutcome
    rule: str | None
    until: datetime | None = None
    at: datetime | None = None
    message: UUID | None = None
    others: int = 0
    reason: str | None = None
    left_out_by: tuple[str, ...] = ()


def receipt_of(row: Mapping[str, Any], now: datetime) -> Receipt:
    """The receipt that a delivery's row is."""
    match row["state"]:
        case "sending":
            return Receipt("waiting", SENDING)
        case "pending":
            return _waiting(row, now)
        case state:
            was_sent = state == "delivered" or row["message"] is not None
            return Receipt(
                state,
                row["reason"] or row["rule"],
                at=row["settled_at"],
                message=(row["message"] or row["id"]) if was_sent else None,
                others=row["others"] if was_sent else 0,
                reason=row["reason"],
            )


def _waiting(row: Mapping[str, Any], now: datetime) -> Receipt:
    if row["next_at"] >= UNTIL_GO_LIVE:
        return Receipt("waiting", TRIAL)
    until = row["next_at"] if row["next_at"] > now else None
    if row["deferrals"] and until:
        return Receipt("waiting", THROTTLED, until, reason=row["reason"])
    if row["attempts"] and until:
        return Receipt("waiting", RETRY, until, reason=row["reason"])
    if row["rule"] and until:
        return Receipt("waiting", row["rule"], until)
    if row.get("is_stopped"):
        return Receipt("waiting", STOPPED)
    return Receipt("waiting", BEHIND if row["behind"] else SENDING, until)


def receipt_of_nothing(subscription: Mapping[str, Any], event: PublishedEvent, received_at: datetime) -> Receipt:
    """Why an event owes a subscription nothing."""
    to = SubscriptionTraits(
        subscription["id"],
        Filters(
            frozenset(subscription["events"]),
            frozenset(subscription["parties"]),
            frozenset(subscription["themes"]),
            frozenset(subscription["sections"]),
            frozenset(subscription["commitments"]),
        ),
        subscription["has_ladder"],
        subscription["level"],
        subscription["is_refused"],
    )
    try:
        missed = left_out_by(to, event.traits)
    except ValueError:
        return Receipt("not-owed", OLDER)
    if subscription["created_at"] > received_at:
        return Receipt("not-owed", NEWER, left_out_by=missed)
    if missed:
        return Receipt("not-owed", missed[0], left_out_by=missed)
    return Receipt("not-owed", STATE)
