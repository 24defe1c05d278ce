"""What has ended is started again, after a pause that grows while it goes on ending."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHORTEST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
STEADY_AFTER = timedelta(minutes=1)
"""What has run for so long ended for a reason of its own, and is started again after the shortest pause."""


def pause_after(failures: int) -> timedelta:
    """How long to wait after so many ends in a row (1 or more): 1, 2, 4, … seconds, 60 at most."""
    doubled: int = 1 << min(failures - 1, 10)
    return min(LONGEST_PAUSE, SHORTEST_PAUSE * doubled)


@dataclass
class RestartPolicy:
    """When each part is started again. It decides by the instants that it is given, and starts nothing itself."""

    _started: dict[str, datetime] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _at: dict[str, datetime] = field(default_factory=dict)

    def started(self, name: str, now: datetime) -> None:
        """It runs since now."""
        self._started[name] = now
        self._at.pop(name, None)

    def ended(self, name: str, now: datetime) -> timedelta | None:
        """It was found to have ended; the pause that begins now, None where it has begun already."""
        if name in self._at:
            return None
        ran_long = now - self._started.get(name, now) >= STEADY_AFTER
        self._failures[name] = 1 if ran_long else self._failures.get(name, 0) + 1
        pause = pause_after(self._failures[name])
        self._at[name] = now + pause
        return pause

    def due(self, now: datetime) -> list[str]:
        """What is to be started again now, in the order in which it ended."""
        return [name for name, at in sorted(self._at.items(), key=lambda one: one[1]) if at <= now]
