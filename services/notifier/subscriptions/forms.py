"""What the notifier's HTTP interface takes and gives: the forms, and how a secret address is shown."""

import base64
import binascii
import hashlib
import json
import secrets
import zoneinfo
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.topics import MILESTONE_DUE, MILESTONE_ESCALATED, PUBLIC
from contracts.vocabulary import Channel, Country, Instant, Language, Line, Slug
from services.notifier.subscriptions.own_ladder import Ladder

EventName = Literal[
    "commitment-created",
    "milestone-scheduled",
    "milestone-due",
    "milestone-escalated",
    "status-changed",
    "consistency-flagged",
]
EVENTS = tuple(topic.name for topic in PUBLIC if "notifier" in topic.readers)
State = Literal["active", "paused", "ended", "disabled"]
DeliveryState = Literal["pending", "sending", "delivered", "failed", "expired", "suppressed", "cancelled"]
MOST_TERMS = 100
"""Terms of one filter."""


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("no zone of the IANA time zone database")
    return name


def _once_each(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
"""An IANA zone, as `America/Mexico_City`."""
Countries = Annotated[tuple[Country, ...], Field(max_length=MOST_TERMS), AfterValidator(_once_each)]
Slugs = Annotated[tuple[Slug, ...], Field(max_length=MOST_TERMS), AfterValidator(_once_each)]
Events = Annotated[tuple[EventName, ...], Field(max_length=MOST_TERMS), AfterValidator(_once_each)]


class _Form(BaseModel):
    # Not strict: FastAPI hands over parsed JSON, in which an enum is a string and a tuple a list. No field here is a
    # number or a truth value, so there is nothing else that could be converted.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FilterForm(_Form):
    """What a subscription asks for; an empty list asks for everything, and all lists have to agree.

    `consistency-flagged` has to be named: an empty list of events does not ask for it, since it comes in crowds.
    """

    events: Events = ()
    countries: Countries = ()
    themes: Slugs = ()
    sections: Slugs = ()
    commitments: Slugs = ()


class NewSubscription(_Form):
    """Who wants what, where, and in which language."""

    subscriber: Line
    """A name for people: whom this is for."""
    channel: Channel
    address: Annotated[str, StringConstraints(min_length=3, max_length=2000)]
    """An e-mail address, or the URL to post to. It is a secret: no answer ever shows it whole."""
    secret: Annotated[str, StringConstraints(max_length=128)] | None = None
    """For `webhook`: the signing key `whsec_…` (24 to 64 bytes in base64); one is made where it is missing."""
    language: Language = Language.EN
    zone: Zone = "America/New_York"
    filters: FilterForm = FilterForm()
    ladder: Ladder | None = None
    """Its own ladder: it is reminded at these steps, and no longer at the usual ones."""
    level: Slug | None = None
    """`focal-point`, `director`, `ministers-office` or another level: it is told of what escalates to it."""

    @model_validator(mode="after")
    def _reaches(self) -> Self:
        check_reach(self.filters, self.ladder, self.level)
        return self

    @model_validator(mode="after")
    def _secret_fits(self) -> Self:
        if self.secret is not None:
            if self.channel != "webhook":
                raise ValueError("only a webhook has a secret")
            check_secret(self.secret)
        return self


class ChangedSubscription(_Form):
    """What is to be different; what is left out stays, and null gives up a ladder or a level."""

    language: Language | None = None
    zone: Zone | None = None
    filters: FilterForm | None = None
    ladder: Ladder | None = None
    level: Slug | None = None
    state: Literal["active", "paused"] | None = None
    """`paused` hears nothing until it is `active` again; a subscription that was disabled is revived so, too."""


class SubscriptionAnswer(_Form):
    """A subscription as its owner sees it."""

    id: UUID
    owner: str
    subscriber: str
    channel: Channel
    address: str
    """Enough to recognise it by: the host and the last four characters."""
    language: Language
    zone: str
    filters: FilterForm
    ladder: Ladder | None
    level: str | None
    state: State
    reason: str | None
    created_at: Instant
    ended_at: Instant | None


class MadeSubscription(SubscriptionAnswer):
    """A subscription that was just made, with the key that signs its posts: it is shown this once."""

    secret: str | None


class SubscriptionSummary(_Form):
    """A subscription as anybody may see it, who has the link of a message: neither where it goes nor whose it is."""

    id: UUID
    subscriber: str
    channel: Channel
    language: Language
    zone: str
    filters: FilterForm
    ladder: Ladder | None
    level: str | None
    state: State
    reason: str | None
    """Why it has ended, or why it was disabled."""
    created_at: Instant
    ended_at: Instant | None


class SubscriptionPage(_Form):
    """Subscriptions in the order they were made."""

    items: tuple[SubscriptionAnswer, ...]
    next_cursor: str | None


class DeliveryAnswer(_Form):
    """One event for one subscription, and how it went."""

    id: UUID
    event_id: UUID
    event: str
    subscription_id: UUID
    subscriber: str
    commitment_id: str
    channel: Channel
    language: Language
    """The one that the subscription asks for now."""
    state: DeliveryState
    attempts: int
    created_at: Instant
    next_at: Instant | None
    """When it is tried next, while it is pending."""
    not_after: Instant | None
    settled_at: Instant | None
    reason: str | None
    last_code: int | None


class AttemptAnswer(_Form):
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


class DeliveryPage(_Form):
    """Deliveries, the newest first."""

    items: tuple[DeliveryAnswer, ...]
    next_cursor: str | None


class Conservation(_Form):
    """The law: every event that was heard, for every subscription that it matched, has ended or is pending."""

    ok: bool
    events: int
    owed: int
    """Deliveries that the events owed when they were heard."""
    settled: int
    pending: int
    by_channel: dict[str, dict[str, int]]


def check_secret(secret: str) -> None:
    """Refuse what is no signing key of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64."""
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not secret.startswith("whsec_") or not 24 <= len(raw) <= 64:
        raise ValueError("the secret has to be `whsec_` and 24 to 64 bytes in base64")


def new_secret() -> str:
    """A signing key of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def masked(channel: str, address: str) -> str:
    """An address that people recognise and nobody can use: its host and its last four characters."""
    if channel == "email":
        local, _, host = address.rpartition("@")
        return f"{local[:1]}…@{host}"
    return f"{urlsplit(address).hostname}/…{address[-4:]}"


def check_reach(filters: FilterForm, ladder: Ladder | None, level: str | None) -> None:
    """Refuse a ladder or a level that would never tell anything, since the events it is for are left out."""
    if ladder and filters.events and MILESTONE_DUE.name not in filters.events:
        raise ValueError(f"a ladder is for reminders, and the events asked for leave out {MILESTONE_DUE.name}")
    if level and filters.events and MILESTONE_ESCALATED.name not in filters.events:
        raise ValueError(f"a level is for escalations, and the events asked for leave out {MILESTONE_ESCALATED.name}")


def fingerprint(channel: str, address: str, filters: FilterForm, level: str | None) -> bytes:
    """Equal for subscriptions that would tell the same address the same things."""
    asked = [channel, address.casefold() if channel == "email" else address, filters.model_dump(mode="json")]
    told = json.dumps([*asked, level] if level else asked)
    return hashlib.sha256(told.encode()).digest()


def filters_of(row: asyncpg.Record) -> FilterForm:
    """The filters of a row."""
    return FilterForm.model_validate(
        {name: tuple(row[name]) for name in ("events", "countries", "themes", "sections", "commitments")}
        | {"countries": tuple(Country(code) for code in row["countries"])}
    )


def ladder_of(row: asyncpg.Record) -> Ladder | None:
    """The ladder of a row."""
    return None if row["ladder"] is None else Ladder.model_validate(row["ladder"])


def subscription_answer(row: asyncpg.Record) -> dict[str, Any]:
    """The members of `SubscriptionAnswer` from a row."""
    return {
        "id": row["id"],
        "owner": row["owner"],
        "subscriber": row["subscriber"],
        "channel": row["channel"],
        "address": masked(row["channel"], row["address"]),
        "language": Language(row["language"]),
        "zone": row["zone"],
        "filters": filters_of(row),
        "ladder": ladder_of(row),
        "level": row["level"],
        "state": row["state"],
        "reason": row["reason"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
    }


def subscription_summary(row: asyncpg.Record) -> SubscriptionSummary:
    """The part of a row that is for everybody."""
    members = subscription_answer(row)
    return SubscriptionSummary(**{name: members[name] for name in SubscriptionSummary.model_fields})


def delivery_answer(row: asyncpg.Record) -> dict[str, Any]:
    """The members of `DeliveryAnswer` from a row."""
    members = dict(row)
    next_at: datetime = members["next_at"]
    return members | {"next_at": next_at if members["state"] == "pending" else None}


def write_cursor(id_: UUID) -> str:
    """The cursor for what follows a row."""
    return id_.hex


def read_cursor(cursor: str) -> UUID:
    """The id that a cursor names; raises ValueError for what `write_cursor` did not write."""
    id_ = UUID(hex=cursor)
    if id_.hex != cursor:
        raise ValueError("no cursor of ours")
    return id_
