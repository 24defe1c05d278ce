"""How it can stand with a milestone's escalation, and what its log can tell.

States hold days and no instants, so they stay true under other zone data and other waits.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from contracts.events import Acknowledgement


@dataclass(frozen=True)
class Dormant:
    """Its day has not passed, or it is without a last day; `round` counts the rounds that have begun before."""

    round: int = 0


@dataclass(frozen=True)
class Asked:
    """An event whose day has passed: nobody has recorded yet whether it has taken place, and no level is notified."""

    round: int
    since: date
    """The day on which that was asked."""


@dataclass(frozen=True)
class Climbing:
    """Overdue, or an event of which nobody has recorded whether it has taken place; and nobody owns it."""

    round: int
    since: date
    """The day from which the next wait counts: the last day, or the day on which a past date became
    known, or that of the last message."""
    rank: int = 0
    """The level that was notified last in this round; 0 when none was."""
    repeats: int = 0
    """How often that level was notified in this round."""
    unfollowed: Acknowledgement | None = None
    """What this round began with, where it did: an acknowledgement that no evidence followed."""


@dataclass(frozen=True)
class Owned:
    """Somebody is on it."""

    round: int
    acknowledgement: Acknowledgement
    since: date
    """The day from which the window counts: of the first acknowledgement, or of the newest evidence after it."""


@dataclass(frozen=True)
class Settled:
    """Met or withdrawn, for all who are bound."""

    round: int = 0


EscalationState = Dormant | Asked | Climbing | Owned | Settled


@dataclass(frozen=True)
class LevelNotified:
    """A level is notified: rank, round and repeat identify the message, and no other one has the same."""

    round: int
    rank: int
    repeat: int
    due_at: datetime
    late: bool
    days: int
    """Since the milestone's last day."""
    unfollowed: Acknowledgement | None


@dataclass(frozen=True)
class LogNote:
    """Something else that the log of a milestone tells."""

    what: Literal[
        "overdue",
        "asked",
        "unanswered",
        "skipped",
        "taken-over",
        "acknowledged",
        "evidence",
        "re-armed",
        "withdrawn",
        "settled",
        "reopened",
    ]
    round: int
    rank: int | None = None
    """Which level was skipped."""
    acknowledgement: Acknowledgement | None = None
    """The one that is made, that evidence follows, that none followed, or that is taken over."""


LogEntry = LevelNotified | LogNote

Transition = tuple[EscalationState, tuple[LogEntry, ...]]

Stage = Literal["dormant", "asked", "climbing", "owned", "settled"]

STAGES: dict[type[EscalationState], Stage] = {
    Dormant: "dormant",
    Asked: "asked",
    Climbing: "climbing",
    Owned: "owned",
    Settled: "settled",
}
"""What each state is called in the table and over HTTP."""


def acknowledgement_in(state: EscalationState) -> Acknowledgement | None:
    """The one by which a milestone is owned, or after which no evidence came; None where there is none."""
    match state:
        case Climbing():
            return state.unfollowed
        case Owned():
            return state.acknowledgement
        case _:
            return None
