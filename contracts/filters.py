"""What somebody asks for, and the rule whether an event fits it."""

from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Field

from contracts.vocabulary import PartyCode, Slug

MOST_TERMS = 100
"""Terms of one filter."""


def sorted_once(terms: tuple[Any, ...]) -> tuple[Any, ...]:
    """The terms in order, each once: however they were sent, the same set is the same filter."""
    return tuple(sorted(set(terms)))


PartyTerms = Annotated[tuple[PartyCode, ...], Field(max_length=MOST_TERMS), AfterValidator(sorted_once)]
SlugTerms = Annotated[tuple[Slug, ...], Field(max_length=MOST_TERMS), AfterValidator(sorted_once)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a subscription asks for; an empty set asks for everything, and all of them have to agree."""

    events: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    themes: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    commitments: frozenset[str] = frozenset()


class Filterable(Protocol):
    """What filters look at: one event, the parties and themes it is about, and where it belongs."""

    @property
    def event(self) -> str: ...
    @property
    def parties(self) -> frozenset[str]: ...
    @property
    def themes(self) -> frozenset[str]: ...
    @property
    def section(self) -> str: ...
    @property
    def commitment(self) -> str: ...


def matches(filters: Filters, about: Filterable) -> bool:
    """Whether an event with these traits fits what the filters ask for."""
    return (
        (not filters.events or about.event in filters.events)
        and (not filters.parties or not filters.parties.isdisjoint(about.parties))
        and (not filters.themes or not filters.themes.isdisjoint(about.themes))
        and (not filters.sections or about.section in filters.sections)
        and (not filters.commitments or about.commitment in filters.commitments)
    )
