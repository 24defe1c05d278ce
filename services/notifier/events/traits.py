"""What matching looks at: the traits of an event and of a subscription, and whom an event is meant for.

A rule stands here twice, as a function and as a condition in SQL; a property test holds the two together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from contracts.filters import Filters
from contracts.vocabulary import Text


@dataclass(frozen=True, slots=True)
class EventTraits:
    """What an event is about, as filters see it, and whom it is for where that is said."""

    event: str
    """The name of its topic."""
    parties: frozenset[str]
    themes: frozenset[str]
    section: str
    commitment: str
    audience: UUID | None = None
    """The subscription whose own ladder asks for a reminder."""
    level: str | None = None
    """The level that an escalation is for."""
    level_title: Text | None = None
    """What people call that level."""


@dataclass(frozen=True, slots=True)
class SubscriptionTraits:
    """A subscription as matching sees it. `level` is the one whose escalations it gets."""

    id: UUID
    filters: Filters
    has_ladder: bool = False
    """Whether it has a ladder of its own that is planned."""
    level: str | None = None
    is_refused: bool = False
    """Whether its own ladder was put aside: then `has_ladder` is false, and an older one of its own does not count."""


@dataclass(frozen=True)
class Audience:
    """Which subscriptions an event is meant for, among those whose filters it fits."""

    includes: Callable[[SubscriptionTraits, EventTraits], bool]
    condition: str
    """The same in SQL, over `s`, the subscription's row, and `i`, the incoming event's traits."""
    name: str = "everybody"
    """What the rule is called where it is said who was left out by it."""


EVERYBODY = Audience(lambda _subscription, _event: True, "true")
OWN_LADDER_OR_USUAL = Audience(
    lambda to, event: not to.has_ladder if event.audience is None else to.id == event.audience and not to.is_refused,
    "case when i.audience is null then s.ladder is null or s.ladder_refused is not null"
    " else s.id = i.audience and s.ladder_refused is null end",
    "own-ladder",
)
"""A reminder by somebody's own ladder is theirs alone, and they get no other.

Whose ladder was put aside gets the usual reminders, and none by an older ladder of theirs."""
ITS_LEVEL = Audience(lambda to, event: to.level is not None and to.level == event.level, "s.level = i.level", "level")
"""An escalation goes to its level."""
NOBODY = UUID(int=0)
"""An audience of none: no subscription has this id. It is that of what was taken in as history, whatever it tells."""
NEWS = Audience(lambda _subscription, event: event.audience is None, "i.audience is null", "history")
"""Everybody, but for what has only its place in a history: that is nothing new to anybody."""
WHO_NAMES_IT = Audience(
    lambda to, event: event.event in to.filters.events and event.audience is None,
    "s.events <> '{}' and i.audience is null",
    "by-name",
)
"""Only who names the event in their filters: on a bad day there are many of them. History goes to nobody here, too."""
