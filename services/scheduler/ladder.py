"""The ladder: how many days before and after a milestone people are reminded of it."""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(r"before-([1-9]\d*)d|on-the-day|after-([1-9]\d*)d", re.ASCII)


@dataclass(frozen=True, order=True)
class Step:
    """A rung of the ladder: so many days before (negative) or after the milestone's day; 0 is on the day."""

    days: int

    @property
    def name(self) -> str:
        """As contracts and tables write it: `before-30d`, `on-the-day`, `after-7d`."""
        if self.days == 0:
            return "on-the-day"
        return f"before-{-self.days}d" if self.days < 0 else f"after-{self.days}d"

    @classmethod
    def named(cls, name: str) -> Self:
        """The step of this name; raises ValueError when it is none."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} names no step")
        before, after = found.groups()
        return cls(-int(before) if before else int(after or 0))


ON_THE_DAY = Step(0)
LADDER = tuple(map(Step, (-90, -30, -7, -1, 0, 1, 7)))
"""The rungs that every milestone has, from the first to the last."""

EVERY = 30
"""Days between the rungs that follow the last of `LADDER`, without an end: after 30, 60, 90 days …"""


def following(step: Step) -> Step:
    """The rung after this one; there always is one."""
    for rung in LADDER:
        if rung > step:
            return rung
    return Step(step.days // EVERY * EVERY + EVERY)
