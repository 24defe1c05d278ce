"""Which reminders a milestone gets, and when: nine in the morning, by the milestone's own calendar.

From which day is counted:
- a deadline (`by`, `during`), and an event whose day isn't known, from the last day of the span;
- an event whose days are known (`on`, precision day, such as a summit of 9 and 10 December) up to its first day,
  and from its last day on: while it goes on it is today's, not overdue.

An event that is dated to a season, a year or a decade only gets no reminder 7 days or 1 day before the span's last
day, and none on it: nobody said that it will be then. That the span has ended without it is certain again, so what
comes after is the same for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from contracts.vocabulary import Milestone, Precision, Reading
from services.scheduler.ladder import EVERY, LADDER, Step, following
from services.scheduler.zones import day_in, instant_at, zone_named

NINE = time(9)
"""The hour of reminders, on the wall clocks of the milestone's zone."""

SHORTEST_COARSE_NOTICE = Step(-30)
_COARSE = frozenset({Precision.SEASON, Precision.YEAR, Precision.DECADE})


@dataclass(frozen=True)
class Countdown:
    """The days that a milestone's steps are counted from: up to `opens`, on from `closes`."""

    opens: date
    closes: date
    zone_name: str
    rungs: tuple[Step, ...]
    """Those of the ladder's fixed rungs that this milestone has, from the first to the last; never empty."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """In whose calendar the days are counted."""
        return zone_named(self.zone_name)

    def due_at(self, step: Step) -> datetime | None:
        """When a step is due, in UTC; None where the calendar (years 1 to 9999) ends before."""
        try:
            day = (self.closes if step.days > 0 else self.opens) + timedelta(days=step.days)
            return instant_at(day, NINE, self.zone)
        except OverflowError:
            return None

    def next_after(self, step: Step) -> Step:
        """The step that this milestone has after another."""
        later = following(step)
        while later < self.rungs[-1] and later not in self.rungs:
            later = following(later)
        return later


def countdown(milestone: Milestone) -> Countdown | None:
    """How to count for this milestone; None when it is undated. Raises `UnknownZone`."""
    span = milestone.span
    if span.earliest is None or span.latest is None or milestone.reading is Reading.UNDATED:
        return None
    zone_named(milestone.zone)
    if milestone.reading is not Reading.ON:
        return Countdown(span.latest, span.latest, milestone.zone, LADDER)
    if span.precision is Precision.DAY:
        return Countdown(span.earliest, span.latest, milestone.zone, LADDER)
    if span.precision in _COARSE:
        rungs = tuple(step for step in LADDER if step <= SHORTEST_COARSE_NOTICE or step.days > 0)
        return Countdown(span.latest, span.latest, milestone.zone, rungs)
    return Countdown(span.latest, span.latest, milestone.zone, LADDER)


@dataclass(frozen=True)
class Planned:
    """A reminder to be: due at an instant, or recorded as passed since it was due before it was planned."""

    step: Step
    due_at: datetime
    state: Literal["pending", "passed"]


def plan(milestone: Milestone, now: datetime, beyond: Step | None = None) -> tuple[Planned, ...]:
    """The reminders of a milestone that was scheduled (or taken up again) at `now`, none when it is undated.

    Steps that were due before `now` are recorded as passed and never sent. Of the endless rungs at the end only the
    next one is planned, once all before it have passed; the one after follows when it has fired. `beyond` is the
    last step that has been told already. Raises `UnknownZone`.
    """
    count = countdown(milestone)
    return tuple(_planned(count, now, beyond)) if count else ()


def _planned(count: Countdown, now: datetime, beyond: Step | None) -> Iterator[Planned]:
    last = count.rungs[-1]
    all_behind = True
    for step in count.rungs:
        due_at = count.due_at(step)
        if due_at is None:
            continue
        yield Planned(step, due_at, "passed" if due_at < now else "pending")
        all_behind = due_at < now
    if all_behind or (beyond and beyond >= last):
        step = _first_repeat(count, now, beyond)
        if due_at := count.due_at(step):
            yield Planned(step, due_at, "pending")


def _first_repeat(count: Countdown, now: datetime, beyond: Step | None) -> Step:
    """The first of the endless rungs that is neither told nor due before `now`; found without climbing them all."""
    told = beyond.days if beyond else 0
    # The rung of today or just before, so at most two looks; not less than the first one.
    gone = max((day_in(count.zone, now) - count.closes).days // EVERY * EVERY, EVERY)
    step = Step(max(gone, told // EVERY * EVERY + EVERY))
    while (due_at := count.due_at(step)) and due_at < now:
        step = following(step)
    return step
