"""One milestone under one ladder: from which days its steps are counted, and when each of them is due.

From which day is counted:
- a deadline (`by`, `during`), and an event whose day isn't known, from the last day of the span;
- an event whose days are known (`on`, precision day, such as a summit of 9 and 10 December) up to its first day,
  and from its last day on: while it goes on it is today's;
- a milestone without a last day (read `from`, `recurring`, undated, or open-ended) from the day on which it was
  scheduled: it is looked at again every so many months, has no other rungs, and is never overdue.

A rung that is finer than what is known of an event's date is not planned (`SHORTEST_NOTICE`): nobody may be told
"in 7 days" of an event that is dated to a year, nor "today". That the span has ended without it is certain again, so
what comes after is the same for all. A deadline has its last day by policy, however coarsely it is worded ("by 2030"
ends on 2030-12-31), and keeps all rungs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.commitments import Milestone
from contracts.vocabulary import Precision
from services.plumbing.calendar_arithmetic import add_months
from services.plumbing.zones import day_in, instant_at, zone_named
from services.scheduler.ladders.book import LadderBook, MilestoneKind, kind_of
from services.scheduler.ladders.day_count import StepDay, step_day
from services.scheduler.ladders.deadline_end import day_ends
from services.scheduler.ladders.ladder import Ladder, Rung, Step
from services.scheduler.ladders.planned_as import planned_precision
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SHORTEST_NOTICE: Mapping[Precision, int] = {
    Precision.DAY: 0,
    Precision.MONTH: 7,
    Precision.SEASON: 30,
    Precision.YEAR: 30,
    Precision.DECADE: 30,
}
"""So many days (a month counts 30, five business days 7) before an event is the shortest notice that may be given, by
how finely the event is dated: less than 7 days before it its day has to be known, less than 30 days its month."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Countdown:
    """When the steps of a milestone are due; every instant is in UTC."""

    milestone: Milestone
    ladder: Ladder
    book: LadderBook
    scheduled_at: datetime
    """When the milestone got its present schedule: its reviews are counted from that day."""
    clock_zone: "ZoneInfo"
    """On whose clocks a rung's time of day is read: the milestone's own, or the reader's."""
    audience: UUID | None = None
    """The subscription whose own ladder it is."""

    @cached_property
    def zone(self) -> "ZoneInfo":
        """In whose calendar the milestone's days are counted."""
        return zone_named(self.milestone.zone)

    @cached_property
    def kind(self) -> MilestoneKind:
        """Whether it is an event, a deadline, or has no last day and is reviewed."""
        return kind_of(self.milestone)

    @cached_property
    def precision(self) -> Precision:
        """How finely its date is known."""
        return planned_precision(self.milestone.span)

    @property
    def is_event_of_known_days(self) -> bool:
        """Whether it is an event, and its days are known."""
        return self.kind == "event" and self.precision is Precision.DAY

    @cached_property
    def opens(self) -> date:
        """The day that is counted up to; in a review the one on which the milestone was scheduled."""
        span = self.milestone.span
        if self.kind == "review" or span.earliest is None or span.latest is None:
            return day_in(self.zone, self.scheduled_at)
        return span.earliest if self.is_event_of_known_days else span.latest

    @cached_property
    def closes(self) -> date:
        """The day that is counted on from."""
        latest = self.milestone.span.latest
        return self.opens if self.kind == "review" or latest is None else latest

    @cached_property
    def begins_at(self) -> datetime | None:
        """When an event begins whose day and local time are known."""
        local = self.milestone.local_time
        if local is None or not self.is_event_of_known_days:
            return None
        return _instant(self.opens, time.fromisoformat(local), self.zone)

    @cached_property
    def ended_at(self) -> datetime:
        """When the last day is over: in the milestone's zone, and of a joint deadline in the last capital as well."""
        try:
            joint = self.kind == "deadline" and len(self.milestone.parties) > 1
            return day_ends(self.closes, self.milestone.zone, self.milestone.parties if joint else ())
        except OverflowError:
            return _END_OF_TIME

    @property
    def shortest_notice(self) -> int:
        """Days (a month counts 30) that a rung before the milestone, or on its day, is away from it at least."""
        return SHORTEST_NOTICE.get(self.precision, 0) if self.kind == "event" else 0

    @cached_property
    def rungs(self) -> tuple[tuple[Rung, datetime], ...]:
        """The ladder's rungs that this milestone has, in the order in which they are due."""
        due = [(rung, self.due_at(rung.step)) for rung in self.ladder.rungs if self.has(rung.step)]
        return tuple(sorted(((rung, at) for rung, at in due if at is not None), key=lambda one: one[1]))

    def has(self, step: Step) -> bool:
        """Whether a rung suits the milestone: it has a last day, and its date is known finely enough."""
        if self.kind == "review":
            return False
        return step.direction == "after" or step.nominal_days >= self.shortest_notice

    def rung(self, step: Step) -> Rung:
        """A step as a rung: the ladder's own, or at the ladder's time of day where it has none."""
        return self.ladder.by_step.get(step) or Rung(step, self.ladder.at)

    def step_day(self, step: Step) -> StepDay:
        """The step's day, and how it was come to; raises `OverflowError` where the calendar ends before."""
        if step.direction == "review":
            months = self.milestone.review_months or self.book.review_months
            start = day_in(self.zone, self.scheduled_at)
            return StepDay(add_months(start, step.count * months), start)
        calendars = self.rung(step).business_calendar.calendars(self.milestone.parties) if step.unit == "bd" else ()
        return step_day(step, self.opens, self.closes, calendars)

    def due_at(self, step: Step) -> datetime | None:
        """When a step is due; None where the calendar (years 1 to 9999) ends before."""
        try:
            return instant_at(self.step_day(step).day, self.rung(step).at, self.clock_zone) + self.jitter(step)
        except OverflowError:
            return None

    def jitter(self, step: Step) -> timedelta:
        """Whole seconds inside the book's window: always the same for one milestone, step and reader."""
        window = int(self.book.jitter.total_seconds())
        if not window:
            return timedelta()
        name = f"{self.milestone.id} {step.name} {self.audience or ''}"
        drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        return timedelta(seconds=drawn * window >> 64)

    def is_endless(self, step: Step) -> bool:
        """Whether a step is one of those that follow the last rung without an end."""
        return self._number(step) > 0

    def is_only_in_digests(self, step: Step) -> bool:
        """Whether a step is told, of people, only to those who get digests."""
        repeat = self.ladder.repeat
        return self.kind != "review" and repeat is not None and repeat.only_in_digests and self.is_endless(step)

    def next_after(self, step: Step) -> tuple[Step, datetime] | None:
        """The step that comes after another, and when; None where there is none within reach."""
        number = self._number(step)
        if not number and self.rungs and (due_at := self._instants.get(step) or self.due_at(step)):
            for rung, at in self.rungs:
                if at > due_at:
                    return rung.step, at
        return self._endless(max(number + 1, self._first_number))

    @cached_property
    def _instants(self) -> dict[Step, datetime]:
        return {rung.step: at for rung, at in self.rungs}

    def endless_from(self, at: datetime, fired: Step | None = None) -> tuple[Step, datetime] | None:
        """The first of the endless steps that is neither due before `at` nor one up to `fired`.

        It is found without climbing them all. None where there are none within reach.
        """
        number = max(self._first_number, self._number(fired) + 1 if fired else 0)
        number = max(number, self._number_near(day_in(self.clock_zone, at)) - 1)
        while (found := self._endless(number)) and found[1] < at:
            number += 1
        return found

    def _endless(self, number: int) -> tuple[Step, datetime] | None:
        """An endless step and its instant; None once `LONGEST_COUNT` or the calendar ends: endless is until then."""
        if self.kind == "review":
            step = Step("review", number)
        elif self.ladder.repeat:
            step = self.ladder.repeat.step(number)
        else:
            return None
        return (step, due_at) if step.is_in_reach and (due_at := self.due_at(step)) else None

    def _number(self, step: Step) -> int:
        """Which of the endless steps this is, from 1; 0 for a rung, and for what is none of them, such as a step
        before the last rung that an older book had planned."""
        if self.kind == "review":
            return step.count if step.direction == "review" else 0
        if self.ladder.repeat is None or step in self.ladder.by_step:
            return 0
        number = self.ladder.repeat.number(step)
        return number if number >= self._first_number else 0

    @cached_property
    def _first_number(self) -> int:
        """Of the first endless step that lies, by its day, behind the last rung, or behind the end of the calendar."""
        if not self.rungs or self.ladder.repeat is None:
            return 1
        last = max(self.step_day(rung.step).day for rung, _ in self.rungs)
        number = max(self._number_near(last) - 1, 1)
        while (day := self._day(number)) and day <= last:
            number += 1
        return number

    def _number_near(self, day: date) -> int:
        """Of an endless step that is due about this day; at most one too high."""
        start = self.closes
        months = (day.year - start.year) * 12 + day.month - start.month
        if self.kind == "review":
            return months // (self.milestone.review_months or self.book.review_months)
        repeat = self.ladder.repeat
        if repeat is None:
            return 0
        match repeat.unit:
            case "m":
                return months // repeat.every
            case "w":
                return (day - start).days // (7 * repeat.every)
            case "d":
                return (day - start).days // repeat.every

    def _day(self, number: int) -> date | None:
        """The day of an endless step; None where there are none, or the calendar ends before."""
        try:
            return self.step_day(self.ladder.repeat.step(number)).day if self.ladder.repeat else None
        except OverflowError:
            return None


def countdown(
    milestone: Milestone, book: LadderBook, scheduled_at: datetime, own_ladder: SubscriptionLadder | None = None
) -> Countdown:
    """How to count for a milestone that got its schedule at this instant: by the book, or for a reader's own ladder.

    Raises `UnknownZone`.
    """
    zone = zone_named(milestone.zone)
    if own_ladder is None:
        return Countdown(milestone, book.ladder_for(milestone), book, scheduled_at, zone)
    return Countdown(
        milestone,
        own_ladder.ladder,
        book,
        scheduled_at,
        zone_named(own_ladder.zone),
        audience=own_ladder.subscription_id,
    )


def _instant(day: date, wall: time, zone: "ZoneInfo") -> datetime | None:
    try:
        return instant_at(day, wall, zone)
    except OverflowError:
        return None
