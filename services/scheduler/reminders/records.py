"""What the scheduler reads from Kafka: commitments, schedules, statuses, and the ladders that subscriptions choose."""

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from contracts.envelope import Envelope, from_record
from contracts.events import CommitmentCreated, LadderChosen, MilestoneScheduled, StatusChanged
from contracts.topics import COMMITMENT_CREATED, LADDER_CHOSEN, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.scheduler.ladders.subscription_ladder import subscription_ladder
from services.scheduler.reminders.rules.agenda import CommitmentEvent

TOPICS = (COMMITMENT_CREATED.name, MILESTONE_SCHEDULED.name, STATUS_CHANGED.name, LADDER_CHOSEN.name)


@dataclass(frozen=True)
class ReceivedCommitmentEvent:
    """An event about a commitment, with what its envelope says of it."""

    envelope: Envelope
    event: CommitmentEvent


@dataclass(frozen=True)
class ReceivedLadderChoice:
    """A ladder that a subscription has chosen, with what the envelope says of it."""

    envelope: Envelope
    event: LadderChosen


def read_record(record: ConsumerRecord[bytes, bytes]) -> ReceivedCommitmentEvent | ReceivedLadderChoice:
    """Read a record as what its topic carries; raises `UnreadableRecord`, or another ValueError."""
    key, headers, value = record.key, record.headers, record.value
    match record.topic:
        case COMMITMENT_CREATED.name:
            return ReceivedCommitmentEvent(*from_record(CommitmentCreated, key, headers, value))
        case MILESTONE_SCHEDULED.name:
            return ReceivedCommitmentEvent(*from_record(MilestoneScheduled, key, headers, value))
        case STATUS_CHANGED.name:
            return ReceivedCommitmentEvent(*from_record(StatusChanged, key, headers, value))
        case LADDER_CHOSEN.name:
            envelope, choice = from_record(LadderChosen, key, headers, value)
            subscription_ladder(choice)  # what can't be planned by is refused here, and never stored
            return ReceivedLadderChoice(envelope, choice)
        case other:
            raise ValueError(f"the scheduler does not read {other}")
