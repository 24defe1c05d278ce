"""What the scheduler hears: commitments, schedules and statuses, batch by batch, one transaction for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from prometheus_client import Counter

from contracts.envelope import Envelope, from_record
from contracts.events import CommitmentCreated, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.inbox import first_sight
from services.scheduler import store
from services.scheduler.agenda import Heard, heard
from services.scheduler.escalation_book import read_book
from services.scheduler.escalations import Escalations, News
from services.scheduler.feed_store import keep_feeds

GROUP = "scheduler"
TOPICS = (COMMITMENT_CREATED.name, MILESTONE_SCHEDULED.name, STATUS_CHANGED.name)

PLANNED = Counter(
    "pledgewire_reminders_planned_total", "Reminders written by the intake, by the state they came to", ["state"]
)


@dataclass(frozen=True)
class Received:
    """An event with what its envelope says of it."""

    envelope: Envelope
    event: Heard


def read(record: ConsumerRecord[bytes, bytes]) -> Received:
    """Read a record as what its topic carries; raises `UnreadableRecord`."""
    key, headers, value = record.key, record.headers, record.value
    match record.topic:
        case COMMITMENT_CREATED.name:
            return Received(*from_record(CommitmentCreated, key, headers, value))
        case MILESTONE_SCHEDULED.name:
            return Received(*from_record(MilestoneScheduled, key, headers, value))
        case STATUS_CHANGED.name:
            return Received(*from_record(StatusChanged, key, headers, value))
        case other:
            raise ValueError(f"the scheduler does not read {other}")


class Planner:
    """Brings agendas up to what was heard; an event that was seen before changes nothing."""

    def __init__(self, database: Database, clock: Clock, escalations: Escalations | None = None) -> None:
        """With the escalations to bring up as well: by the levels that are shipped, unless said otherwise."""
        self._database = database
        self._clock = clock
        self._escalations = escalations or Escalations(read_book())

    async def apply(self, batch: Sequence[Received]) -> None:
        """All or nothing; raises `UnknownZone` for a milestone that is reckoned in a zone that doesn't exist."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            unseen = await first_sight(connection, GROUP, (one.envelope.id for one in batch), now)
            failpoint("intake-after-inbox")
            before = await store.lock_agendas(
                connection, (one.event.commitment.id for one in batch if one.envelope.id in unseen)
            )
            after = dict(before)
            news = []
            for one in batch:
                if one.envelope.id in unseen:
                    unseen.remove(one.envelope.id)  # the same event may stand in a batch twice
                    at = min(one.envelope.time, now)  # its sender's clock may be ahead of ours
                    id_ = one.event.commitment.id
                    after[id_] = heard(after[id_], one.event, at, one.envelope.correlation_id)
                    news.append(News(one.event, at, one.envelope.id))
            changed = await store.write_agendas(connection, before, after)
            await self._escalations.follow(connection, before, news)
            await keep_feeds(connection, batch, before, after, now)
            failpoint("intake-before-commit")
        for reminder in changed:
            PLANNED.labels(reminder.state).inc()
