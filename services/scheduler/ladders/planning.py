"""Which reminders a milestone gets, in which state they begin, and why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from contracts.commitments import Milestone
from services.plumbing.business_days import DayOff
from services.plumbing.zones import Clock, clock_on
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.ladder import Rung, Step
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder

LONGEST_LATE = timedelta(days=7)
"""What a moved date puts further back than this is too old to be sent."""

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Which rungs suit a milestone doesn't depend on when it was scheduled."""

PlanningCause = Literal["ahead", "before-it-was-planned", "put-into-the-past-by-a-move", "asked-when-it-was-planned"]


@dataclass(frozen=True)
class PlanningReason:
    """How a reminder came to its instant and to its state."""

    rung: Rung
    ladder: str
    """The ladder's name in the book; `chosen` for a subscription's own."""
    counted_from: date
    """The milestone's first or last day; in a review the day on which it was scheduled."""
    day: date
    """The day that the step comes to."""
    skipped: tuple[DayOff, ...]
    """Weekends and holidays that a count of business days left out, from `counted_from` on."""
    zone: str
    """On whose clocks the rung's time of day is read."""
    clock: Clock
    """Whether that time is skipped there on that day, or comes twice."""
    jitter: timedelta
    """How long behind that time it is due, so that not all come at once."""
    why: PlanningCause
    """`before-it-was-planned`: it was due before, is recorded as passed and never sent. `put-into-the-past-by-a-move`,
    and `asked-when-it-was-planned` of an event whose day was over: it was too, but is sent once, marked late."""


@dataclass(frozen=True)
class PlannedReminder:
    """A reminder to be: due at an instant, or recorded as passed since it was due before it was planned."""

    step: Step
    due_at: datetime
    state: Literal["pending", "passed"]
    countdown: Countdown = field(compare=False, repr=False)
    why: PlanningCause = "ahead"

    @property
    def reason(self) -> PlanningReason:
        """How it came to this instant and this state."""
        count, rung = self.countdown, self.countdown.rung(self.step)
        counted = count.step_day(self.step)
        return PlanningReason(
            rung=rung,
            ladder=count.ladder.name,
            counted_from=counted.counted_from,
            day=counted.day,
            skipped=counted.skipped,
            zone=count.clock_zone.key,
            clock=clock_on(counted.day, rung.at, count.clock_zone),
            jitter=count.jitter(self.step),
            why=self.why,
        )


@dataclass(frozen=True)
class LeftOutRung:
    """A rung of its ladder that a milestone does not get."""

    rung: Rung
    why: Literal["finer-than-the-date", "no-last-day", "calendar-ends"]
    shortest_notice: int
    """For `finer-than-the-date`: so many days before it a rung would have to be at least; otherwise 0."""


def plan(
    milestone: Milestone,
    at: datetime,
    book: LadderBook = DEFAULT_BOOK,
    *,
    own_ladder: SubscriptionLadder | None = None,
    scheduled_at: datetime | None = None,
    fired: Collection[Step] = (),
    moved: Mapping[Step, datetime] | None = None,
) -> tuple[PlannedReminder, ...]:
    """The reminders of a milestone as they are planned at `at`, in the order in which they are due.

    Steps that were due before `at` are recorded as passed and never sent. Of the endless steps only the next one is
    planned, once all rungs before it have passed; the one after follows when it has fired.

    `choice` is a subscription's own ladder, in place of the book's; `scheduled_at` the instant of the schedule, where
    it is older than the planning; `fired` are the steps of this schedule that have fired. Where the schedule is a
    move, `moved` are the steps that were fired under the one before, with their instants, and the book's rule says
    what becomes of what the new date puts into the past. Raises `UnknownZone`.

    An event whose day is over when it gets its schedule (without `scheduled_at`) is asked about once, by the newest of
    the steps behind its day: nobody has been asked before.
    """
    count = countdown(milestone, book, scheduled_at or at, own_ladder)
    planned = tuple(_planned(count, at, fired))
    if moved is not None:
        return _with_late_step(planned, count, at, moved)
    return planned if scheduled_at else _with_question(planned, count)


def left_out_rungs(
    milestone: Milestone, book: LadderBook = DEFAULT_BOOK, own_ladder: SubscriptionLadder | None = None
) -> tuple[LeftOutRung, ...]:
    """The rungs of its ladder that a milestone does not get, with why. Raises `UnknownZone`."""
    count = countdown(milestone, book, _ANY_TIME, own_ladder)
    return tuple(_left_out(count))


def _left_out(count: Countdown) -> Iterator[LeftOutRung]:
    for rung in count.ladder.rungs:
        if count.kind == "review":
            yield LeftOutRung(rung, "no-last-day", 0)
        elif not count.has(rung.step):
            yield LeftOutRung(rung, "finer-than-the-date", count.shortest_notice)
        elif count.due_at(rung.step) is None:
            yield LeftOutRung(rung, "calendar-ends", 0)


def _planned(count: Countdown, at: datetime, fired: Collection[Step]) -> Iterator[PlannedReminder]:
    all_behind = True
    for rung, due_at in count.rungs:
        all_behind = due_at < at
        yield _passed(rung.step, due_at, count) if all_behind else PlannedReminder(rung.step, due_at, "pending", count)
    endless = [step for step in fired if count.is_endless(step)]
    if all_behind or endless or count.rungs[-1][0].step in fired:
        furthest = max(endless, key=lambda step: step.count, default=None)
        if found := count.endless_from(at, furthest):
            yield PlannedReminder(*found, "pending", count)


def _passed(step: Step, due_at: datetime, count: Countdown) -> PlannedReminder:
    return PlannedReminder(step, due_at, "passed", count, "before-it-was-planned")


def _with_late_step(
    planned: tuple[PlannedReminder, ...], count: Countdown, at: datetime, fired_before: Mapping[Step, datetime]
) -> tuple[PlannedReminder, ...]:
    """The newest of the steps that a moved date puts into the past is sent once, and the others are recorded.

    Not so by the book's rule `record`, when that very reminder was fired before the move, when it lies more than 7 days
    back, and when the last day is over: then what is still to come of the ladder speaks. An event of which the last day
    is over is asked about, however long ago that was.
    """
    newest = _newest_passed(planned)
    if (
        newest is None
        or count.book.moved_into_past == "record"
        or fired_before.get(newest.step) == newest.due_at
        or (not _asks(newest, count) and (at - newest.due_at > LONGEST_LATE or at >= count.ended_at))
    ):
        return planned
    return _sent_late(planned, newest, "put-into-the-past-by-a-move")


def _with_question(planned: tuple[PlannedReminder, ...], count: Countdown) -> tuple[PlannedReminder, ...]:
    """The newest of the steps behind an event's day that had passed when it was planned is sent, as its question."""
    newest = _newest_passed(planned)
    return _sent_late(planned, newest, "asked-when-it-was-planned") if newest and _asks(newest, count) else planned


def _newest_passed(planned: tuple[PlannedReminder, ...]) -> PlannedReminder | None:
    return next((one for one in reversed(planned) if one.state == "passed"), None)


def _asks(reminder: PlannedReminder, count: Countdown) -> bool:
    """Whether it asks if an event has taken place."""
    return count.kind == "event" and reminder.step.direction == "after"


def _sent_late(
    planned: tuple[PlannedReminder, ...], newest: PlannedReminder, why: PlanningCause
) -> tuple[PlannedReminder, ...]:
    late = replace(newest, state="pending", why=why)
    return tuple(late if one is newest else one for one in planned)
