"""What the scheduler hears: commitments, schedules, statuses, and the ladders that subscriptions choose."""

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from contracts.envelope import Envelope, from_record
from contracts.events import CommitmentCreated, LadderChosen, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, LADDER_CHOSEN, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.scheduler.ladders.own_ladder import chosen
from services.scheduler.reminders.agenda import Heard

TOPICS = (COMMITMENT_CREATED.name, MILESTONE_SCHEDULED.name, STATUS_CHANGED.name, LADDER_CHOSEN.name)


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
