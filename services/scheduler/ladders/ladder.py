"""Ladders: how long before and after a milestone people are reminded of it, at what time, and by whose working days."""

import re
from dataclasses import dataclass, field
from datetime import time
from functools import cached_property
from typing import Literal

from services.plumbing.sentences import Sentence
from services.scheduler.ladders.business_calendar import BOUND, BusinessCalendar

Direction = Literal["before", "on", "after", "review"]
Unit = Literal["d", "bd", "w", "m"]
"""Days, business days, weeks, months."""

UNITS: dict[Unit, str] = {"d": "days", "bd": "business days", "w": "weeks", "m": "months"}

NINE = time(9)
"""The time of day of a rung that names none, on the wall clocks of its zone."""

MOST_RUNGS = 20
"""In one ladder; its endless end is no rung."""

LONGEST_COUNT = 36_600
"""Days, business days, weeks or months of one step: a hundred years of days. No ladder asks for a step further away,
and none is planned."""

_NAME = re.compile(r"(before|after)-([1-9][0-9]{0,8})(d|bd|w|m)|on-the-day|review-([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True)
class Step:
    """A place on a ladder: so many days, business days, weeks or months before or after the milestone's day, or on it;
    or so many reviews after a milestone without a last day was scheduled.

    Steps have no order of their own ("1 month before" may be 28 days or 31): a milestone's day gives it to them.
    """

    direction: Direction
    count: int = 0
    unit: Unit = "d"

    @property
    def name(self) -> str:
        """As contracts and tables write it: `before-3bd`, `on-the-day`, `after-2w`, `review-1`."""
        match self.direction:
            case "on":
                return "on-the-day"
            case "review":
                return f"review-{self.count}"
            case _:
                return f"{self.direction}-{self.count}{self.unit}"

    @property
    def nominal_days(self) -> int:
        """About how many days it is away from the milestone's day, whatever the calendar says: a month counts 30."""
        match self.unit:
            case "w":
                return self.count * 7
            case "m":
                return self.count * 30
            case "bd":
                return self.count * 7 // 5
            case _:
                return self.count

    @property
    def is_in_reach(self) -> bool:
        """Whether it is at most `LONGEST_COUNT` away."""
        return self.count <= LONGEST_COUNT

    @staticmethod
    def named(name: str) -> "Step":
        """The step of this name, as a ladder asks for it.

        Raises ValueError when it is none, or further away than `LONGEST_COUNT`.
        """
        step = Step.stored(name)
        if not step.is_in_reach:
            raise ValueError(
                Sentence(
                    "%(name)s is further away than %(longest_count)s", name=repr(name), longest_count=LONGEST_COUNT
                )
            )
        return step

    @staticmethod
    def stored(name: str) -> "Step":
        """The step of this name in a table, however far away: a row that was written once has to be readable for ever.

        Raises ValueError when it is none.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(Sentence("%(name)s names no step", name=repr(name)))
        direction, count, unit, review = found.groups()
        if name == "on-the-day":
            return ON_THE_DAY
        return Step("review", int(review)) if review else Step(direction, int(count), unit)  # type: ignore[arg-type]  # as the pattern has it


ON_THE_DAY = Step("on")


@dataclass(frozen=True)
class Rung:
    """A step with the wall time at which it is due, and by whose business days it is counted."""

    step: Step
    at: time = NINE
    business_calendar: BusinessCalendar = BOUND


@dataclass(frozen=True)
class Repeat:
    """The endless end of a ladder: after the last rung, a reminder after every so many days, weeks or months.

    Its steps are the multiples, counted from the milestone's last day: `after-30d`, `after-60d` and so on, from the
    first that lies behind the last rung.
    """

    every: int
    unit: Literal["d", "w", "m"]
    only_in_digests: bool = False
    """Whether, of people, only those are told who get digests."""

    def step(self, number: int) -> Step:
        """The multiple of this number, from 1."""
        return Step("after", self.every * number, self.unit)

    def number(self, step: Step) -> int:
        """Which multiple a step is; 0 for a step that is none."""
        fits = step.direction == "after" and step.unit == self.unit and step.count % self.every == 0
        return step.count // self.every if fits else 0


@dataclass(frozen=True)
class LadderCondition:
    """Which milestones a ladder is for; what is empty asks for nothing, and all that is asked for has to hold."""

    kinds: frozenset[str] = frozenset()
    """`event` (read `on`), `deadline` (read `by` or `during`), `review` (without a last day)."""
    readings: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    """At least one of them is bound by the milestone."""
    anchors: frozenset[str] = frozenset()
    """The milestone hangs on one of them."""

    @property
    def is_empty(self) -> bool:
        """Whether every milestone meets it."""
        return not (self.kinds or self.readings or self.parties or self.anchors)


@dataclass(frozen=True)
class Ladder:
    """Rungs, each step once, and what comes after the last."""

    name: str
    rungs: tuple[Rung, ...]
    repeat: Repeat | None = None
    at: time = NINE
    """The time of day of what has no rung of its own: the endless end, and reviews."""
    when: LadderCondition = field(default_factory=LadderCondition)

    @cached_property
    def by_step(self) -> dict[Step, Rung]:
        """Its rungs by their steps."""
        return {rung.step: rung for rung in self.rungs}
