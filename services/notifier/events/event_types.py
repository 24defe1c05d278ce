"""The table of event types: for each, whom it is meant for, what it is about, and what is said about it.

A new event that people are told of is a topic in the contracts whose card names the notifier as a reader, a row here,
and the function that composes its message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from contracts.causes import HISTORY, Cause
from contracts.commitments import CommitmentBrief
from contracts.events import (
    ConsistencyFlagged,
    MilestoneDue,
    MilestoneEscalated,
    MilestoneScheduled,
    OwnLadderDue,
    StatusChanged,
)
from contracts.topics import (
    COMMITMENT_CREATED,
    CONSISTENCY_FLAGGED,
    MILESTONE_DUE,
    MILESTONE_ESCALATED,
    MILESTONE_SCHEDULED,
    OWN_LADDER_DUE,
    STATUS_CHANGED,
    Topic,
)
from contracts.vocabulary import PartyCode, Text
from services.i18n.words import Words
from services.notifier.events.traits import (
    EVERYBODY,
    ITS_LEVEL,
    NEWS,
    NOBODY,
    OWN_LADDER_OR_USUAL,
    WHO_NAMES_IT,
    Audience,
    EventTraits,
)
from services.notifier.rendering.alert_content import escalated_content, flagged_content
from services.notifier.rendering.commitment_content import created_content, status_content
from services.notifier.rendering.message import EventMessage
from services.notifier.rendering.milestone_content import due_content, scheduled_content


class CommitmentEvent(Protocol):
    """What all events that people are told of have in common."""

    @property
    def seq(self) -> int:
        """Counts the events of its topic about the commitment."""
        ...

    @property
    def cause(self) -> Cause:
        """What set it off."""
        ...

    @property
    def commitment(self) -> CommitmentBrief:
        """The commitment that it is about."""
        ...


E = TypeVar("E", bound=CommitmentEvent)


@dataclass(frozen=True)
class Addressee:
    """Whom an event itself names: one subscription, or a level."""

    subscription: UUID | None = None
    level: str | None = None
    level_title: Text | None = None


_NO_ADDRESSEE = Addressee()


@dataclass(frozen=True)
class EventType(Generic[E]):
    """What the notifier knows of the events of one topic."""

    topic: Topic
    content: Callable[[E, Words, str], EventMessage]
    """The message, in the language of the words; the last argument is the commitment's page."""
    parties: Callable[[E], tuple[PartyCode, ...]] = lambda event: event.commitment.parties
    """Those that it binds or speaks of."""
    audience: Audience = EVERYBODY
    addressee: Callable[[E], Addressee] = lambda _event: _NO_ADDRESSEE
    collapse_key: Callable[[E], str | None] = lambda _event: None
    """What an event tells the latest of: a newer one of its topic and commitment with the same key overtakes it. None
    for an event that stays news."""
    public: Topic | None = None
    """The topic of the event that people and their systems know it as, where its own is an internal one."""

    @property
    def told_as(self) -> Topic:
        """The topic whose name is the event's wherever people meet it: in filters, messages, webhooks and logs."""
        return self.public or self.topic

    def traits(self, event: E) -> EventTraits:
        """What an event of this type is about, as filters see it."""
        brief, to = event.commitment, self.addressee(event)
        return EventTraits(
            self.told_as.name,
            frozenset(map(str, self.parties(event))),
            frozenset(brief.themes),
            brief.section,
            brief.id,
            NOBODY if event.cause.kind == HISTORY else to.subscription,
            to.level,
            to.level_title,
        )


def _of_milestone(event: MilestoneScheduled | MilestoneDue | MilestoneEscalated) -> tuple[PartyCode, ...]:
    return event.milestone.parties


def _of_milestone_or_commitment(event: ConsistencyFlagged) -> tuple[PartyCode, ...]:
    return event.milestone.parties if event.milestone else event.commitment.parties


def _of_status(event: StatusChanged) -> tuple[PartyCode, ...]:
    return (event.party,)


def _whose_ladder(event: OwnLadderDue) -> Addressee:
    return Addressee(event.subscription_id)


def _nobody_of_what_came_late(event: StatusChanged) -> Addressee:
    return Addressee(None if event.current else NOBODY)


def _whose_status(event: StatusChanged) -> str:
    return event.party


def _which_milestone(event: MilestoneScheduled) -> str:
    return event.milestone.id


def _which_level(event: MilestoneEscalated) -> Addressee:
    return Addressee(level=event.level, level_title=event.level_title)


_ROWS: tuple[EventType[Any], ...] = (
    EventType(COMMITMENT_CREATED, created_content, audience=NEWS),
    EventType(MILESTONE_SCHEDULED, scheduled_content, _of_milestone, NEWS, collapse_key=_which_milestone),
    EventType(MILESTONE_DUE, due_content, _of_milestone, OWN_LADDER_OR_USUAL),
    EventType(OWN_LADDER_DUE, due_content, _of_milestone, OWN_LADDER_OR_USUAL, _whose_ladder, public=MILESTONE_DUE),
    EventType(MILESTONE_ESCALATED, escalated_content, _of_milestone, ITS_LEVEL, _which_level),
    EventType(STATUS_CHANGED, status_content, _of_status, NEWS, _nobody_of_what_came_late, _whose_status),
    EventType(CONSISTENCY_FLAGGED, flagged_content, _of_milestone_or_commitment, WHO_NAMES_IT),
)

EVENT_TYPES: Mapping[str, EventType[Any]] = MappingProxyType({row.topic.name: row for row in _ROWS})
"""By the names of their topics; a test holds the keys against the cards of the topics."""

EVENT_NAMES = tuple(dict.fromkeys(row.told_as.name for row in _ROWS))
"""The names of the events that may be asked for."""

TOLD_AS: Mapping[str, str] = MappingProxyType({row.topic.name: row.told_as.name for row in _ROWS if row.public})
"""For events of internal topics the names that people know them by."""
