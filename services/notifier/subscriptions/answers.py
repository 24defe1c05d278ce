"""What the notifier answers about subscriptions, from their rows, and how a secret address is shown."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from contracts.vocabulary import Channel, Instant, LanguageTag
from services.notifier.channels import CHANNELS
from services.notifier.subscriptions.filter_form import FilterForm
from services.notifier.subscriptions.own_ladder import OwnLadder, kept_ladder
from services.notifier.subscriptions.sealed_columns import UNREADABLE
from services.notifier.subscriptions.timing_form import TimingForm, kept_timing
from services.plumbing.http.forms import ResponseModel

SubscriptionState = Literal["active", "paused", "ended", "disabled"]


class SubscriptionAnswer(ResponseModel):
    """A subscription as its owner sees it."""

    id: UUID
    owner: str
    subscriber: str
    channel: Channel
    address: str
    """Enough to recognise it by: the host and the last four characters; empty once it was forgotten."""
    language: LanguageTag
    zone: str
    filters: FilterForm
    ladder: OwnLadder | None
    ladder_refused: str | None
    """Why its own ladder is not planned; until it is changed the usual reminders come."""
    level: str | None
    timing: TimingForm | None
    """When it is told; null for at once, at any time."""
    state: SubscriptionState
    reason: str | None
    created_at: Instant
    ended_at: Instant | None


class CreatedSubscription(SubscriptionAnswer):
    """A subscription that was just made, with the key that signs its posts: it is shown this once."""

    secret: str | None


class SubscriptionSummary(ResponseModel):
    """A subscription as who has the link of a message sees it: neither where it goes nor whose it is."""

    id: UUID
    subscriber: str
    channel: Channel
    is_shared: bool
    """Whether everybody in a channel reads the messages, and has the link."""
    is_for_people: bool
    """Whether somebody reads it; a program is told everything at once."""
    language: LanguageTag
    zone: str
    filters: FilterForm
    ladder: OwnLadder | None
    ladder_refused: str | None
    """Why its own ladder is not planned; until it is changed the usual reminders come."""
    level: str | None
    timing: TimingForm | None
    """When it is told; null for at once, at any time."""
    state: SubscriptionState
    reason: str | None
    """Why it has ended, or why it was disabled."""
    created_at: Instant
    ended_at: Instant | None


class SubscriptionPage(ResponseModel):
    """Subscriptions in the order they were made."""

    items: tuple[SubscriptionAnswer, ...]
    next_cursor: str | None


def filters_of(row: Mapping[str, Any]) -> FilterForm:
    """The filters of a row."""
    return FilterForm.model_validate(
        {name: tuple(row[name]) for name in ("events", "parties", "themes", "sections", "commitments")}
    )


def subscription_answer(row: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `SubscriptionAnswer` from a row."""
    return {
        "id": row["id"],
        "owner": row["owner"],
        "subscriber": row["subscriber"],
        "channel": row["channel"],
        "address": _shown(row["channel"], row["address"]),
        "language": row["language"],
        "zone": row["zone"],
        "filters": filters_of(row),
        "ladder": kept_ladder(row["ladder"]),
        "ladder_refused": row["ladder_refused"],
        "level": row["level"],
        "timing": kept_timing(row["timing"]),
        "state": row["state"],
        "reason": row["reason"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
    }


def _shown(channel: str, address: str) -> str:
    return address if address in ("", UNREADABLE) else CHANNELS[channel].masked_address(address)


def subscription_summary(row: Mapping[str, Any]) -> SubscriptionSummary:
    """The part of a row that is for who has the link of a message."""
    members = subscription_answer(row) | {
        "is_shared": CHANNELS[row["channel"]].is_shared,
        "is_for_people": CHANNELS[row["channel"]].is_for_people,
    }
    return SubscriptionSummary(**{name: members[name] for name in SubscriptionSummary.model_fields})
