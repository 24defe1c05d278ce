"""Makes outbox records of events: the id, the time, and the ids that tie them to the request they come from.

An event that its content determines has an id that is derived from it: a statement that is imported once more, a report
that comes once more, after the database was restored from a backup, is recognised by it. What set events off is derived
from the ids of all that belong to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.causes import HISTORY, Cause, CauseKind
from contracts.commitment_state import CommitmentState
from contracts.envelope import Envelope, from_record, to_record
from contracts.events import (
    CommitmentAssessed,
    CommitmentCreated,
    ConsistencyFlagged,
    MilestoneScheduled,
    StatusChanged,
)
from contracts.majors import said_later
from contracts.topics import BY_EVENT, COMMITMENT_CREATED, CONSISTENCY_FLAGGED, MILESTONE_SCHEDULED, STATUS_CHANGED
from contracts.vocabulary import Contract
from services.plumbing.audit.entries import Actor
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.database import Connection, Database
from services.plumbing.ids import id_about, new_id
from services.plumbing.outbox import Outgoing, append, take_seqs, written_before

E = TypeVar("E", bound=Contract)

Event = CommitmentCreated | MilestoneScheduled | StatusChanged | CommitmentAssessed | ConsistencyFlagged

UNSAID = Cause(kind="entry", id=UUID(int=0), count=None)
"""Stands in an event until it is said, as `seq` 1 does: what set it off is known once all events of the act are."""


@dataclass(frozen=True)
class ActionContext:
    """When something is done (business time), by whom, and for which request.

    A dry run is rolled back, so nobody else may be told of it before. `machine_now` is what the machine's
    clock shows: a settable one may stand in the past, while those who send to us look at their own. `latest` is the
    later of the two.
    """

    now: datetime
    client: str
    ministry: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    machine_now: datetime | None = None
    key_id: str | None = None
    """By which of the client's API keys it is known; None where it came another way."""
    keyed_hash: KeyedHash = WITHHELD
    """What the audit log may hold of a personal value."""
    is_dry_run: bool = False
    is_history: bool = False
    """Whether it takes in what happened long ago: its events are said so, and tell nobody."""

    @property
    def actor(self) -> Actor:
        """Who does it, as the audit log says it."""
        return Actor(self.client, self.ministry, self.key_id)

    def kind_of(self, kind: CauseKind) -> CauseKind:
        """What set off the events of an act of this kind."""
        return HISTORY if self.is_history else kind

    @property
    def latest(self) -> datetime:
        return max(self.now, self.machine_now or self.now)


def event_id_of(event: Event) -> UUID:
    """The id of an event: derived from what it is about, but for what may be said again."""
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
        case StatusChanged() | CommitmentAssessed():
            return new_id()


def sender_of(ministry: str | None, client: str) -> str:
    """Within what the ids of reports are unique: all that a ministry sends, else all that a client does."""
    return ministry or f"client/{client}"


def report_event_id(sender: str, report_id: UUID) -> UUID:
    """The id of the event that a sender's report leads to, by the report's own id."""
    return id_about(STATUS_CHANGED.name, sender, str(report_id))


def cause_of(kind: CauseKind, event_ids: Iterable[UUID]) -> Cause:
    """What sets off the events of one act, by their ids: the act that is done once more has the same one."""
    ids = sorted(map(str, event_ids))
    return Cause(kind=kind, id=id_about("cause", kind, *ids), count=len(ids))


def read_outgoing(kind: type[E], one: Outgoing) -> tuple[Envelope, E]:
    """An event of the outbox, with its envelope; raises `UnreadableRecord`."""
    headers = [(name, text.encode()) for name, text in one.headers.items()]
    return from_record(kind, one.key.encode(), headers, one.value)


def outbox_record(event: Event | CommitmentState, context: ActionContext, event_id: UUID) -> Outgoing:
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
    database: Database, connection: Connection, kind: CauseKind, events: Sequence[Event], context: ActionContext
) -> list[UUID]:
    """Write all events of one act into the outbox, with their `seq` and their one cause; their ids, in order.

    In the caller's transaction. One that was said before, which is known after an old backup only, is not said again,
    and belongs to the act all the same.
    """
    if not events:
        return []
    ids = [event_id_of(event) for event in events]
    cause = cause_of(context.kind_of(kind), ids)
    said = await written_before(connection, ids)
    unsaid = [(id_, event) for id_, event in zip(ids, events, strict=True) if id_ not in said]
    for type_ in dict.fromkeys(type(event) for _, event in unsaid):
        of_type = [(id_, event) for id_, event in unsaid if type(event) is type_]
        seqs = await take_seqs(connection, BY_EVENT[type_].name, [event.commitment.id for _, event in of_type])
        records = [
            outbox_record(event.model_copy(update={"seq": seq, "cause": cause}), context, id_)
            for (id_, event), seq in zip(of_type, seqs, strict=True)
        ]
        await append(database, connection, records, context.now, said_later)
    return ids
