"""Who is told of an event: the rule. `store.FAN_OUT` says the same in SQL; a property test holds them together."""

from dataclasses import dataclass
from uuid import UUID

from contracts.events import (
    CommitmentCreated,
    ConsistencyFlagged,
    MilestoneDue,
    MilestoneEscalated,
    MilestoneScheduled,
    StatusChanged,
)
from contracts.topics import CONSISTENCY_FLAGGED, MILESTONE_DUE, MILESTONE_ESCALATED

Notifiable = (
    CommitmentCreated | MilestoneScheduled | MilestoneDue | MilestoneEscalated | StatusChanged | ConsistencyFlagged
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a subscription asks for; an empty set asks for everything, and all of them have to agree."""

    events: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    themes: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    commitments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """A subscription as the rule sees it. `level` is the one that it is told of escalations at."""

    id: UUID
    filters: Filters
    has_ladder: bool = False
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """What an event is about, as filters see it, and whom it is for where that is said."""

    event: str
    countries: frozenset[str]
    themes: frozenset[str]
    section: str
    commitment: str
    audience: UUID | None = None
    """The subscription whose own ladder asks for a reminder."""
    level: str | None = None
    """The level that an escalation is for."""


def traits(topic: str, event: Notifiable) -> Traits:
    """What an event is about.

    Its countries are those that it binds or tells of: a milestone's own, the one whose status changed, otherwise
    the commitment's.
    """
    brief = event.commitment
    match event:
        case MilestoneScheduled() | MilestoneDue() | MilestoneEscalated():
            countries = event.milestone.countries
        case ConsistencyFlagged(milestone=milestone) if milestone is not None:
            countries = milestone.countries
        case StatusChanged(country=country) if country is not None:
            countries = (country,)
        case _:
            countries = brief.countries
    return Traits(
        topic,
        frozenset(map(str, countries)),
        frozenset(brief.themes),
        brief.section,
        brief.id,
        audience=event.audience if isinstance(event, MilestoneDue) else None,
        level=event.level if isinstance(event, MilestoneEscalated) else None,
    )


def is_told(wish: Wish, about: Traits) -> bool:
    """Whether a subscription is told of an event with these traits: it asks for it, and it is meant for it."""
    return matches(wish.filters, about) and _is_meant(wish, about)


def _is_meant(wish: Wish, about: Traits) -> bool:
    """A reminder by somebody's own ladder is theirs alone, and they get no other; an escalation is its level's.

    What does not agree in the register goes to those who name it: on a bad day there are many of them.
    """
    if about.event == MILESTONE_DUE.name:
        return not wish.has_ladder if about.audience is None else wish.id == about.audience
    if about.event == MILESTONE_ESCALATED.name:
        return wish.level is not None and wish.level == about.level
    return about.event != CONSISTENCY_FLAGGED.name or about.event in wish.filters.events


def matches(filters: Filters, about: Traits) -> bool:
    """Whether an event with these traits fits what the filters ask for."""
    return (
        (not filters.events or about.event in filters.events)
        and (not filters.countries or not filters.countries.isdisjoint(about.countries))
        and (not filters.themes or not filters.themes.isdisjoint(about.themes))
        and (not filters.sections or about.section in filters.sections)
        and (not filters.commitments or about.commitment in filters.commitments)
    )
