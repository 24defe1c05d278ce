"""Makes outbox records of events: a new id, the time, and the thread of the work that they come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope, to_record
from contracts.events import CommitmentCreated, ConsistencyFlagged, MilestoneScheduled, StatusChanged
from services.plumbing.ids import new_id
from services.plumbing.outbox import Outgoing
from services.registry.actions.scheduler_holds import Holds

Event = CommitmentCreated | MilestoneScheduled | StatusChanged | ConsistencyFlagged


@dataclass(frozen=True)
class Occasion:
    """When something is done (business time), by whom, and in which thread of work."""

    now: datetime
    client: str
    ministry: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    holds: Holds | None = None
    """Who holds an old date while it moves; nobody where the register stands alone."""


def announcement(event: Event, occasion: Occasion, event_id: UUID | None = None) -> Outgoing:
    """The outbox record of an event; its id is made here, once, unless the caller has made it."""
    event_id = event_id or new_id()
    envelope = Envelope(
        id=event_id,
        time=occasion.now,
        subject=event.commitment.id,
        correlation_id=occasion.correlation_id,
        traceparent=occasion.traceparent,
    )
    record = to_record(event, envelope)
    return Outgoing(event_id, record.topic, record.key, record.headers, record.value)


def announcements(events: Iterable[Event], occasion: Occasion) -> list[Outgoing]:
    """The records of several events of one occasion, in order."""
    return [announcement(event, occasion) for event in events]
