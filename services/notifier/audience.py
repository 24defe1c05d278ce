"""Who is told of an event: the rule. `store.FAN_OUT` says the same in SQL; a property test holds them together."""

from dataclasses import dataclass

from contracts.events import CommitmentCreated, MilestoneDue, MilestoneScheduled, StatusChanged

Notifiable = CommitmentCreated | MilestoneScheduled | MilestoneDue | StatusChanged


@dataclass(frozen=True, slots=True)
class Filters:
    """What a subscription asks for; an empty set asks for everything, and all of them have to agree."""

    events: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    themes: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    commitments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Traits:
    """What an event is about, as filters see it."""

    event: str
    countries: frozenset[str]
    themes: frozenset[str]
    section: str
    commitment: str


def traits(topic: str, event: Notifiable) -> Traits:
    """What an event is about.

    Its countries are those that it binds or tells of: a milestone's own, the one whose status changed, otherwise
    the commitment's.
    """
    brief = event.commitment
    match event:
        case MilestoneScheduled() | MilestoneDue():
            countries = event.milestone.countries
        case StatusChanged(country=country) if country is not None:
            countries = (country,)
        case _:
            countries = brief.countries
    return Traits(topic, frozenset(map(str, countries)), frozenset(brief.themes), brief.section, brief.id)


def matches(filters: Filters, about: Traits) -> bool:
    """Whether a subscription with these filters is told of an event with these traits."""
    return (
        (not filters.events or about.event in filters.events)
        and (not filters.countries or not filters.countries.isdisjoint(about.countries))
        and (not filters.themes or not filters.themes.isdisjoint(about.themes))
        and (not filters.sections or about.section in filters.sections)
        and (not filters.commitments or about.commitment in filters.commitments)
    )
