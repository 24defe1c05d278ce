"""What a ministry is told of a record on its ingest topic that was refused: an event on its topic of refusals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from contracts.envelope import Envelope, to_record
from contracts.events import RejectionReason, StatusRejected
from contracts.majors import said_later
from contracts.topics import rejected_topic
from services.plumbing.audit.entries import Actor
from services.plumbing.audit.refused_attempts import note_refusal
from services.plumbing.database import Connection, Database
from services.plumbing.ids import id_about
from services.plumbing.inbox import first_sight
from services.plumbing.outbox import Outgoing, append, written_before

_KIND = "status-rejected"
_CONSUMER = "registry/refusing"


class RecordPlace(NamedTuple):
    """Where a record lies, by which it is named."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Rejection:
    """A record that was refused, and what is to be mended."""

    ministry: str
    place: RecordPlace
    reason: str
    detail: str
    pointer: str | None = None
    report_id: UUID | None = None
    commitment_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


def rejection_id(place: RecordPlace) -> UUID:
    """The id of the event about the record at this place: a record that is read again is refused once."""
    return id_about(_KIND, *place)


async def answered_already(connection: Connection, places: Collection[RecordPlace]) -> set[RecordPlace]:
    """Which of these records have been refused already."""
    by_id = {rejection_id(place): place for place in places}
    return {by_id[id_] for id_ in await written_before(connection, by_id)}


async def write_rejections(
    database: Database, connection: Connection, rejections: Sequence[Rejection], now: datetime
) -> None:
    """Have the ministries told, by the outbox, in the caller's transaction.

    Two members of the group may hold the same record at once; the second waits here, and says nothing.
    """
    by_id = {rejection_id(one.place): one for one in rejections}
    unsaid = await first_sight(connection, _CONSUMER, by_id, now)
    new = [one for id_, one in by_id.items() if id_ in unsaid]
    await append(database, connection, [_outgoing(one, now) for one in new], now, said_later)
    for one in new:
        subject = f"commitment/{one.commitment_id}" if one.commitment_id else one.place.topic
        await note_refusal(connection, Actor(one.ministry, one.ministry), "status-reported", subject, one.reason, now)


def _outgoing(one: Rejection, now: datetime) -> Outgoing:
    event = StatusRejected(
        ministry=one.ministry,
        report_id=one.report_id,
        commitment_id=one.commitment_id,
        reason=cast(RejectionReason, one.reason),
        detail=one.detail,
        pointer=one.pointer,
        topic=one.place.topic,
        partition=one.place.partition,
        offset=one.place.offset,
        rejected_at=now,
    )
    event_id = rejection_id(one.place)
    envelope = Envelope(event_id, now, one.ministry, one.correlation_id, one.traceparent)
    record = to_record(event, envelope, rejected_topic(one.ministry))
    return Outgoing(event_id, record.topic, record.key, record.headers, record.value)
