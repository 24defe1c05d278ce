"""All that is known when everything has come to rest: the register, the deliveries, what receivers have got."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import asyncpg

from contracts.topics import OWN, ingest_topic
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from tests.soak.kills import Outage
from tests.soak.old_backup import Restore
from tests.soak.poster import MINISTRY, Update
from tests.soak.receivers import Receipt


@dataclass(frozen=True)
class Reader:
    """A subscription: its receiver's name, its channel, and the commitments that it follows (none: all)."""

    id: UUID
    name: str
    channel: str
    commitments: frozenset[str]
    rate: float | None = None
    """Messages a second that its receiver takes."""

    def wants(self, event: "StatusEvent") -> bool:
        """Whether it is to hear of the event."""
        return event.current and (not self.commitments or event.commitment_id in self.commitments)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A status update as the register tells it."""

    id: UUID
    commitment_id: str
    seq: int
    status: str
    current: bool
    """Whether it is news; people are not told of what came late and has its place in the history only."""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery; `outcomes` are those of its attempts, `forgotten` where only their number is kept.

    What had ended before an old backup is taken over with the number of its attempts, and no more.
    """

    id: UUID
    event_id: UUID
    subscription_id: UUID
    state: str
    reason: str | None
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What the invariants look at."""

    updates: Sequence[Update]
    events: Mapping[UUID, StatusEvent]
    statuses: Mapping[str, str]
    readers: Mapping[UUID, Reader]
    deliveries: Mapping[UUID, DeliveryRow]
    receipts: Sequence[Receipt]
    turned_away: Counter[tuple[str, int]]
    strange: Sequence[str]
    outages: Sequence[Outage]
    restore: Restore
    dead_letters: Mapping[str, int]
    still_pending: int
    verify: str
    """What `./pledgewire verify` found wrong; nothing where it is true."""

    @cached_property
    def newest(self) -> Mapping[str, StatusEvent]:
        """Of each commitment the update that holds."""
        in_order = sorted(self.events.values(), key=lambda event: event.seq)
        return {event.commitment_id: event for event in in_order if event.current}


async def events_of(connection: asyncpg.Connection) -> dict[UUID, StatusEvent]:
    """Every status update in the register's outbox."""
    rows = await connection.fetch(
        "select event_id, key, (v ->> 'seq')::int as seq, v ->> 'overall' as status,"
        " (v ->> 'current')::boolean as current from registry.outbox,"
        " lateral (select convert_from(value, 'UTF8')::json as v) j where topic = 'status-changed'"
    )
    return {r["event_id"]: StatusEvent(r["event_id"], r["key"], r["seq"], r["status"], r["current"]) for r in rows}


async def deliveries_of(connection: asyncpg.Connection) -> dict[UUID, DeliveryRow]:
    """Every delivery of a status update."""
    rows = await connection.fetch(
        "select d.id, event_id, subscription_id, state, d.reason, d.attempts,"
        " array(select outcome from notifier.delivery_attempt a where a.delivery_id = d.id order by n) as outcomes"
        " from notifier.delivery d join notifier.event e on e.id = d.event_id where e.topic = 'status-changed'"
    )
    return {
        r["id"]: DeliveryRow(
            r["id"],
            r["event_id"],
            r["subscription_id"],
            r["state"],
            r["reason"],
            (*r["outcomes"], *["forgotten"] * (r["attempts"] - len(r["outcomes"]))),
        )
        for r in rows
    }


async def statuses_of(connection: asyncpg.Connection) -> dict[str, str]:
    """How the commitments stand."""
    return {r["id"]: r["status"] for r in await connection.fetch("select id, status from registry.commitment")}


async def dead_letters(kafka: KafkaSettings) -> dict[str, int]:
    """How many records lie on each dead-letter topic, where there are any."""
    read = [*OWN, ingest_topic(MINISTRY)]
    async with TopicReader(kafka).open(topic.dead for topic in read) as topics:
        bounds = await topics.bounds()
    return {topic: one.end - one.first for (topic, _), one in bounds.items() if one.end > one.first}
