"""What the scheduler hears: commitments, schedules, statuses, and the ladders that subscriptions choose.

One transaction for each batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import ConsumerRecord
from prometheus_client import Counter

from contracts.envelope import Envelope, from_record
from contracts.events import CommitmentCreated, LadderChosen, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, LADDER_CHOSEN, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight
from services.scheduler import store
from services.scheduler.agenda import Heard, heard
from services.scheduler.escalation.book import read_book
from services.scheduler.escalation.escalations import Escalations, News
from services.scheduler.feeds.store import keep_feeds
from services.scheduler.ladders import replanning
from services.scheduler.ladders.choices import chosen
from services.scheduler.ladders.shelf import Shelf, write_choices

GROUP = "scheduler"
TOPICS = (COMMITMENT_CREATED.name, MILESTONE_SCHEDULED.name, STATUS_CHANGED.name, LADDER_CHOSEN.name)

PLANNED = Counter(
    "pledgewire_reminders_planned_total", "Reminders written by the intake, by the state they came to", ["state"]
)


@dataclass(frozen=True)
class Received:
    """An event about a commitment, with what its envelope says of it."""

    envelope: Envelope
    event: Heard


@dataclass(frozen=True)
class ReceivedChoice:
    """A ladder that a subscription has chosen, with what the envelope says of it."""

    envelope: Envelope
    event: LadderChosen


def read(record: ConsumerRecord[bytes, bytes]) -> Received | ReceivedChoice:
    """Read a record as what its topic carries; raises `UnreadableRecord`, or another ValueError."""
    key, headers, value = record.key, record.headers, record.value
    match record.topic:
        case COMMITMENT_CREATED.name:
            return Received(*from_record(CommitmentCreated, key, headers, value))
        case MILESTONE_SCHEDULED.name:
            return Received(*from_record(MilestoneScheduled, key, headers, value))
        case STATUS_CHANGED.name:
            return Received(*from_record(StatusChanged, key, headers, value))
        case LADDER_CHOSEN.name:
            envelope, choice = from_record(LadderChosen, key, headers, value)
            chosen(choice)  # what can't be reckoned is refused here, and never kept
            return ReceivedChoice(envelope, choice)
        case other:
            raise ValueError(f"the scheduler does not read {other}")


class Planner:
    """Brings agendas up to what was heard; an event that was seen before changes nothing."""

    def __init__(
        self, database: Database, clock: Clock, shelf: Shelf | None = None, escalations: Escalations | None = None
    ) -> None:
        """By the rules that are shipped, unless said otherwise."""
        self._database = database
        self._clock = clock
        self._shelf = shelf or Shelf()
        self._escalations = escalations or Escalations(read_book())

    async def apply(self, batch: Sequence[Received | ReceivedChoice]) -> None:
        """All or nothing; raises `UnknownZone` for a milestone that is reckoned in a zone that doesn't exist.

        A ladder that was chosen is only kept here: planning by it goes on behind, commitment by commitment.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            unseen = await first_sight(connection, GROUP, (one.envelope.id for one in batch), now)
            failpoint("intake-after-inbox")
            # The same event may stand in a batch twice.
            news = {one.envelope.id: one for one in batch if one.envelope.id in unseen}.values()
            received = [one for one in news if isinstance(one, Received)]
            choices = [one for one in news if isinstance(one, ReceivedChoice)]
            rules = await self._shelf.rules(connection, "alone" if choices else "shared")
            before = await store.lock_agendas(connection, (one.event.commitment.id for one in received))
            after = dict(before)
            told = []
            for one in received:
                at = min(one.envelope.time, now)  # its sender's clock may be ahead of ours
                id_ = one.event.commitment.id
                after[id_] = heard(after[id_], one.event, at, one.envelope.correlation_id, rules)
                told.append(News(one.event, at, one.envelope.id))
            changed = await store.write_agendas(connection, before, after)
            await self._escalations.follow(connection, before, told)
            await keep_feeds(connection, received, before, after, now)
            await _keep(connection, choices, now)
            failpoint("intake-before-commit")
        for reminder in changed:
            PLANNED.labels(reminder.state).inc()


async def _keep(connection: Connection, choices: Sequence[ReceivedChoice], now: datetime) -> None:
    """Keep the newest choice of each subscription, and have its reminders planned."""
    newest: dict[UUID, ReceivedChoice] = {}
    for one in choices:
        known = newest.get(one.event.subscription_id)
        if known is None or known.event.seq < one.event.seq:
            newest[one.event.subscription_id] = one
    for event in await write_choices(connection, [one.event for one in newest.values()]):
        at = min(newest[event.subscription_id].envelope.time, now)
        await replanning.begin(connection, "choice", at, subscription_id=event.subscription_id)
