"""What the notifier's tests on a real PostgreSQL share: subscriptions, events, and a notifier's insides."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from contracts.envelope import from_record
from contracts.events import LadderChosen, StatusChanged
from contracts.filters import Filters
from services.notifier.delivery.cancellation import cancel_waiting
from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import IncomingEvent
from services.notifier.delivery.resuming import resume_deferred
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import EventTraits
from services.notifier.notices.undo_routes import undo_tokens
from services.notifier.rendering.page_links import PageLinks
from services.notifier.subscriptions.acknowledgement_links import AcknowledgementTokens
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import page_tokens
from services.notifier.subscriptions.signing_keys import new_secret
from services.notifier.subscriptions.store import SubscriptionStore
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from tests.contracts.golden_records import PATHS, wire

LINK_SETTINGS = LinkSettings(public_url="https://notices.example", link_keys=(SecretStr("k" * 40),))  # type: ignore[call-arg]
TOKENS = page_tokens(LINK_SETTINGS)
ACKNOWLEDGEMENT_TOKENS = AcknowledgementTokens(LINK_SETTINGS)
UNDO_TOKENS = undo_tokens(LINK_SETTINGS)
PAGES = PageLinks("https://portal.example", TOKENS.token)
DESTINATIONS = Destinations(LINK_SETTINGS)
NOW = datetime(2023, 7, 24, 15, 30, tzinfo=UTC)
NO_CAPACITY = Capacity(0, 0, 0, {})
NOBODY = UUID(int=0)
MUCH_CAPACITY = Capacity(10_000, 10_000, 10_000, {})
_, STATUS_CHANGED = next(wire(p) for p in PATHS if p.name.startswith("status-changed")).read()
assert isinstance(STATUS_CHANGED, StatusChanged)


def database_at(url: str) -> Database:
    return Database(DatabaseSettings(DATABASE_URL=SecretStr(url)), "notifier")  # type: ignore[call-arg]


def incoming(
    commitment: str = "coal", seq: int = 1, *, at: datetime = NOW, not_after: datetime | None = None
) -> IncomingEvent:
    """A status change of a commitment, as the intake reads it."""
    brief = STATUS_CHANGED.commitment.model_copy(update={"id": commitment})
    data = STATUS_CHANGED.model_copy(update={"commitment": brief, "seq": seq})
    event = PublishedEvent(new_id(), "status-changed", at, data.model_dump_json().encode()).already_read(data)
    kind = EVENT_TYPES[event.topic]
    return IncomingEvent(event, seq, not_after, kind.traits(data), data.cause, kind.collapse_key(data))


def with_traits(traits: EventTraits) -> IncomingEvent:
    """An event about something else than it says: only its traits count where deliveries are written."""
    made = incoming()
    event = replace(made.event, topic=traits.event).already_read(made.event.data)
    return replace(made, event=event, traits=traits)


LADDER = {"rungs": [{"step": "before-3bd", "at": "09:00"}], "holidays": {"country": "MX", "subdivision": None}}


async def subscribe(
    database: Database,
    address: str = "https://hooks.example.org/x",
    *,
    channel: str = "webhook",
    filters: Filters = Filters(),  # noqa: B008  it is frozen
    state: str = "active",
    language: str = "en",
    ladder: dict[str, Any] | None = None,
    level: str | None = None,
    timing: dict[str, Any] | None = None,
    zone: str = "America/Mexico_City",
) -> UUID:
    """A subscription, straight into the table."""
    async with database.connection() as connection:
        return await connection.fetchval(
            "insert into subscription (owner, subscriber, channel, address, secret, language, events, parties,"
            " themes, sections, commitments, fingerprint, state, created_at, ladder, level, destination, timing, zone)"
            " values ('tester', 'A desk', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
            " $13, $14, $15, $16, $17)"
            " returning id",
            channel,
            address,
            new_secret() if channel == "webhook" else None,
            language,
            *(
                sorted(part)
                for part in (filters.events, filters.parties, filters.themes, filters.sections, filters.commitments)
            ),
            os.urandom(32) + uuid4().bytes,
            state,
            NOW,
            ladder,
            level,
            DESTINATIONS.of(channel, address),
            timing,
            zone,
        )


def subscriptions(database: Database) -> SubscriptionStore:
    return SubscriptionStore(database, DESTINATIONS, cancel_waiting, resume_deferred)


async def states(database: Database) -> dict[str, int]:
    """How many deliveries there are in each state."""
    async with database.connection() as connection:
        rows = await connection.fetch("select state, count(*) as n from delivery group by state")
    return {row["state"]: row["n"] for row in rows}


async def empty(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "truncate event, delivery, delivery_attempt, destination_pace, subscription, outbox, outbox_seq,"
            " digest_run, silence, sending_stop, trial, pruned"
        )


async def published_ladders(database: Database) -> list[LadderChosen]:
    """The events about ladders that stand in the outbox, in order; each is read as the scheduler reads it."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select key, headers, value from outbox where topic = 'ladder-chosen' order by id"
        )
    read = []
    for row in rows:
        headers = [(name, text.encode()) for name, text in row["headers"].items()]
        _, event = from_record(LadderChosen, row["key"].encode(), headers, row["value"])
        assert row["key"] == str(event.subscription_id)
        read.append(event)
    return read
