"""Makes outbox records of events: a new id, the time, and the ids that tie them to the request they come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope, to_record
from contracts.events import CommitmentCreated, ConsistencyFlagged, MilestoneScheduled, StatusChanged
from services.plumbing.ids import new_id
from services.plumbing.outbox import Outgoing

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


def outbox_record(event: Event, context: ActionContext, event_id: UUID | None = None) -> Outgoing:
    """The outbox record of an event; its id is made here, once, unless the caller has made it."""
    event_id = event_id or new_id()
    envelope = Envelope(
        id=event_id,
        time=context.now,
        subject=event.commitment.id,
        correlation_id=context.correlation_id,
        traceparent=context.traceparent,
    )
    record = to_record(event, envelope)
    return Outgoing(event_id, record.topic, record.key, record.headers, record.value)


def outbox_records(events: Iterable[Event], context: ActionContext) -> list[Outgoing]:
    """The records of several events of one action, in order."""
    return [outbox_record(event, context) for event in events]
