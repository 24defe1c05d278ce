"""The rhythm of a reader: at once, or in a digest of each day or week, and when a digest runs.

What arrives belongs to the first run after it: a run takes what came from the run before on, and not what comes at the
very instant at which it runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from services.notifier.timing.quiet_hours import DAY
from services.plumbing.business_days import RegionalCalendar, days_off
from services.plumbing.zones import day_in, instant_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

RhythmKind = Literal["immediate", "daily", "weekly"]

LONGEST_LATE = timedelta(days=7)
"""A run that could not take place is made up for so long after its time; what it had to tell expires then."""
_LONGEST_HOLIDAYS = 30
"""Days in a row after which a run takes place though each of them was a day off."""


@dataclass(frozen=True)
class Rhythm:
    """When digests run: each day, or on one day of the week (0 is Monday), at a time of the reader's wall clock."""

    kind: RhythmKind = "immediate"
    at: time = time(9)
    weekday: int = 0

    @property
    def is_digest(self) -> bool:
        """Whether what arrives waits for a run."""
        return self.kind != "immediate"


def first_run(
    rhythm: Rhythm,
    since: datetime,
    zone: "ZoneInfo",
    calendars: tuple[RegionalCalendar, ...] = (),
    *,
    inclusive: bool = False,
) -> datetime:
    """The first run of a digest after an instant; with `inclusive` the one at that very instant too.

    A run whose day is a day off takes place at the same time of the next day that is none.
    """
    return min(
        run for run in _runs_around(rhythm, since, zone, calendars) if run > since or (inclusive and run == since)
    )


def _runs_around(
    rhythm: Rhythm, since: datetime, zone: "ZoneInfo", calendars: tuple[RegionalCalendar, ...]
) -> Iterator[datetime]:
    """The runs of the days from long enough before an instant to long enough after it."""
    first = day_in(zone, since) - timedelta(days=_LONGEST_HOLIDAYS + 2)
    for n in range(_LONGEST_HOLIDAYS + 2 + 9 + 1):
        day = first + timedelta(days=n)
        if rhythm.kind == "weekly" and day.weekday() != rhythm.weekday:
            continue
        for _ in range(_LONGEST_HOLIDAYS):
            if not days_off(day, calendars) if calendars else True:
                break
            day += DAY
        yield instant_at(day, rhythm.at, zone)
