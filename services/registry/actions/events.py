"""Makes outbox records of events: the id, the time, and the ids that tie them to the request they come from.

An event that its content determines has an id that is derived from it: a statement that is imported once more, a report
that comes once more, after the database was restored from a backup, is recognised by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.envelope import Envelope, from_record, to_record
from contracts.events import CommitmentCreated, ConsistencyFlagged, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, CONSISTENCY_FLAGGED, MILESTONE_SCHEDULED, STATUS_CHANGED, Topic
from contracts.vocabulary import Contract
from services.plumbing.database import Connection, Database
from services.plumbing.ids import id_about, new_id
from services.plumbing.outbox import Outgoing, append, take_seqs, written_before

E = TypeVar("E", bound=Contract)

Event = CommitmentCreated | MilestoneScheduled | StatusChanged | ConsistencyFlagged


@dataclass(frozen=True)
class ActionContext:
    """When something is done (business time), by whom, and for which request.

    `machine_now` is what the machine's clock shows: a settable one may stand in the past, while those who send to us
    look at their own. `latest` is the later of the two.
    """

    now: datetime
    client: str
    ministry: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    machine_now: datetime | None = None

    @property
    def latest(self) -> datetime:
        return max(self.now, self.machine_now or self.now)


def event_id_of(event: Event) -> UUID:
    """The id of an event: derived from what it is about, but for a status update, which may be made again."""
    match event:
        case CommitmentCreated():
            return id_about(COMMITMENT_CREATED.name, event.commitment.id, event.statement.id, event.quote.text)
        case MilestoneScheduled():
            milestone = event.milestone
            date = milestone.span.model_dump_json()
            version = event.schedule_version
            return id_about(MILESTONE_SCHEDULED.name, milestone.id, version, event.change, date, milestone.local_time)
        case ConsistencyFlagged():
            about = event.milestone.id if event.milestone else event.commitment.id
            since = event.since.isoformat()
            return id_about(CONSISTENCY_FLAGGED.name, event.rule, event.commitment.id, about, event.anchor_id, since)
        case StatusChanged():
            return new_id()


def report_event_id(ministry: str, report_id: UUID) -> UUID:
    """The id of the event that a ministry's report leads to, by the report's own id."""
    return id_about(STATUS_CHANGED.name, ministry, str(report_id))


def read_outgoing(kind: type[E], one: Outgoing) -> tuple[Envelope, E]:
    """An event of the outbox, with its envelope; raises `UnreadableRecord`."""
    headers = [(name, text.encode()) for name, text in one.headers.items()]
    return from_record(kind, one.key.encode(), headers, one.value)


def outbox_record(event: Event, context: ActionContext, event_id: UUID) -> Outgoing:
    """The outbox record of an event."""
    envelope = Envelope(
        id=event_id,
        time=context.now,
        subject=event.commitment.id,
        correlation_id=context.correlation_id,
        traceparent=context.traceparent,
    )
    record = to_record(event, envelope)
    return Outgoing(event_id, record.topic, record.key, record.headers, record.value)


async def say(
    database: Database, connection: Connection, topic: Topic, events: Sequence[Event], context: ActionContext
) -> list[UUID]:
    """Write events of a topic into the outbox, each with its `seq`, in the caller's transaction; their ids, in order.

    One that was said before, which is known after an old backup only, is not said again.
    """
    ids = [event_id_of(event) for event in events]
    said = await written_before(connection, ids)
    unsaid = [(id_, event) for id_, event in zip(ids, events, strict=True) if id_ not in said]
    if unsaid:
        seqs = await take_seqs(connection, topic.name, [event.commitment.id for _, event in unsaid])
        numbered = [
            (id_, event.model_copy(update={"seq": seq})) for (id_, event), seq in zip(unsaid, seqs, strict=True)
        ]
        records = [outbox_record(event, context, id_) for id_, event in numbered]
        await append(database, connection, records, context.now)
    return ids
