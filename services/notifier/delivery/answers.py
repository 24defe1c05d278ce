"""What the notifier answers about deliveries: the log, each attempt, and the law of conservation."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from contracts.vocabulary import Channel, Instant, LanguageTag
from services.notifier.delivery.trial import UNTIL_GO_LIVE
from services.plumbing.http.forms import ResponseModel

DeliveryState = Literal["pending", "sending", "delivered", "failed", "expired", "suppressed", "cancelled"]


class DeliveryAnswer(ResponseModel):
    """One event for one subscription, and how it went."""

    id: UUID
    event_id: UUID
    event: str
    subscription_id: UUID
    subscriber: str
    commitment_id: str
    channel: Channel
    language: LanguageTag
    """The one that the subscription asks for now."""
    state: DeliveryState
    attempts: int
    deferrals: int
    """How often the receiver said to wait, which is no attempt; `reason` and `last_code` tell what it said last."""
    created_at: Instant
    next_at: Instant | None
    """When it is tried next, while it is pending; null while a trial holds it."""
    not_after: Instant | None
    settled_at: Instant | None
    reason: str | None
    last_code: int | None
    rule: str | None = None
    """Which rule decided when it is told; null for at once."""
    message: UUID | None = None
    """The delivery in whose message it was told, together with others; null where it had one of its own."""


class AttemptAnswer(ResponseModel):
    """One try."""

    n: int
    started_at: Instant
    ended_at: Instant
    outcome: Literal["delivered", "accepted", "refused", "unknown"]
    reason: str | None
    code: int | None
    latency_ms: float | None


class DeliveryWithAttempts(DeliveryAnswer):
    """A delivery and every attempt that was made."""

    tries: tuple[AttemptAnswer, ...]


class DeliveryPage(ResponseModel):
    """Deliveries, the newest first."""

    items: tuple[DeliveryAnswer, ...]
    next_cursor: str | None


class Conservation(ResponseModel):
    """The law: every event that was read, for every subscription that it matched, has ended or is pending."""

    ok: bool
    events: int
    owed: int
    """Deliveries that the events owed when they were read."""
    settled: int
    pending: int
    by_channel: dict[str, dict[str, int]]


def delivery_answer(row: asyncpg.Record) -> dict[str, Any]:
    """The members of `DeliveryAnswer` from a row."""
    members = {name: value for name, value in row.items() if name != "position"}
    next_at: datetime = members["next_at"]
    is_known = members["state"] == "pending" and next_at < UNTIL_GO_LIVE
    return members | {"next_at": next_at if is_known else None}
