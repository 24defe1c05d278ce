"""What a soak is going to do, drawn from its seed: pure, so that a seed always means the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

PROCESSES = ("registry", "scheduler", "scheduler-2", "notifier", "notifier-2", "portal")
"""Those of the fleet that are killed."""
POSTGRES, KAFKA = "postgres", "kafka"
_DECK = (*PROCESSES, "registry", "notifier", "notifier-2", POSTGRES, KAFKA)
"""Each is killed before one is killed again; those with more to lose more often."""

RAISE_AT, DUMP_AT, RESTORE_AT = 0.25, 0.35, 0.5
"""Shares of the run."""
RAISED_TOPICS = ("status-changed", "status-reported-mx-sre")
MORE_PARTITIONS = 2

PLAIN_WEBHOOKS = 18
FEW = 4
"""Commitments that a slow receiver follows, of all that are reported on."""
COMMITMENTS = 40
SLACK_RATE = 1.0
"""Messages a second that the Slack-like receiver takes; the notifier knows this limit from its table."""
HIDDEN_RATE = 2.0
"""The same of a webhook of which nobody knows the limit."""


@dataclass(frozen=True)
class Kill:
    """Whom, when, and how long it stays away; seconds from the start of the run."""

    at: float
    name: str
    away: float


@dataclass(frozen=True)
class Spell:
    """From when to when a receiver asks everybody to come again `retry_after` seconds later."""

    begins: float
    ends: float
    retry_after: int


@dataclass(frozen=True)
class Plan:
    """One soak; times in seconds from its start."""

    seed: int
    seconds: float
    rate: float
    kills: tuple[Kill, ...]
    spells: tuple[Spell, ...]
    raised_topic: str
    raise_at: float
    dump_at: float
    restore_at: float


def draw(seed: int, *, seconds: float, rate: float, kill_every: float) -> Plan:
    """The plan of a seed; `rate` is in updates a second."""
    random = Random(seed)
    return Plan(
        seed=seed,
        seconds=seconds,
        rate=rate,
        kills=tuple(_kills(random, seconds, kill_every)),
        spells=tuple(_spells(random, seconds)),
        raised_topic=random.choice(RAISED_TOPICS),
        raise_at=seconds * RAISE_AT,
        dump_at=seconds * DUMP_AT,
        restore_at=seconds * RESTORE_AT,
    )


def _kills(random: Random, seconds: float, every: float) -> Iterator[Kill]:
    deck: list[str] = []
    for number in range(1, int(seconds / every)):
        if not deck:
            deck = random.sample(_DECK, len(_DECK))
        yield Kill(number * every, deck.pop(), random.uniform(0.0, min(2.0, every / 4)))


def _spells(random: Random, seconds: float) -> Iterator[Spell]:
    """Four, all in the first two thirds."""
    for number in range(4):
        begins = seconds * (number + random.random() * 0.5) / 6
        yield Spell(begins, begins + random.uniform(2.0, min(15.0, seconds / 12)), random.choice([1, 1, 2, 3]))
