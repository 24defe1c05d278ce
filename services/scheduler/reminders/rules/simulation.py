"""A rehearsal: what agendas tell by which rules, played on a virtual clock; and how two plays differ.

Pure, and made of the rules that the tick itself goes by. Played is what happens when nothing else does: no news is
heard, and a tick comes at the very instant at which something is due. The virtual clock leaps from one such instant to
the next, so that a play costs what it tells, however long the period is.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.business_days import BusinessCalendar, HolidayCalendar
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.due_reminder import Phase, due_reminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.rules.agenda import Agenda, MilestoneSchedule, PlanningRules


class SimulatedReminder(NamedTuple):
    """One event that a play tells: at which instant, of what, to whom, and what it says."""

    at: datetime
    """When it is told: when it is due, or at the start of the play where that is later."""
    due_at: datetime
    commitment_id: str
    milestone_id: str
    schedule_version: int
    step: Step
    audience: UUID | None
    """The subscription whose own ladder asks for it; None for everybody else."""
    phase: Phase
    days: int
    merged: tuple[Step, ...]
    """Earlier steps that are told by this one."""


class MovedReminder(NamedTuple):
    """A telling that both plays have, at different instants."""

    before: SimulatedReminder
    after: SimulatedReminder


@dataclass(frozen=True)
class SimulationDifference:
    """What one play tells and the other doesn't, each in the order in which it is told."""

    added: tuple[SimulatedReminder, ...]
    removed: tuple[SimulatedReminder, ...]
    moved: tuple[MovedReminder, ...]
    unchanged: int

    @property
    def is_none(self) -> bool:
        """Whether both tell the same."""
        return not (self.added or self.removed or self.moved)


@dataclass(frozen=True)
class CombinedCalendar(BusinessCalendar):
    """The days on which all of these calendars work, whoever is bound."""

    all_of: tuple[HolidayCalendar, ...] = ()

    @property
    def name(self) -> str:
        """Their names, with commas."""
        return ",".join(calendar.name for calendar in self.all_of)

    def calendars(self, bound: Iterable[object]) -> tuple[HolidayCalendar, ...]:
        """Those, for everybody."""
        return self.all_of


def with_calendars(book: LadderBook, calendars: tuple[HolidayCalendar, ...]) -> LadderBook:
    """The book with all its business days counted by these calendars, in place of those that its rungs name."""
    week = CombinedCalendar(all_of=calendars)
    return replace(
        book,
        ladders=tuple(
            replace(ladder, rungs=tuple(replace(rung, business_calendar=week) for rung in ladder.rungs))
            for ladder in book.ladders
        ),
    )


def simulate(
    agendas: Iterable[Agenda], rules: PlanningRules, start: datetime, end: datetime
) -> tuple[SimulatedReminder, ...]:
    """All that is told from `start` on and before `end`, in this order; what was due before `start`, then.

    The agendas are taken as they stand: to play other rules, have them `replanned` by these rules first.
    Raises `UnknownZone`.
    """
    return tuple(simulated_reminders(agendas, rules, start, end))


def simulated_reminders(
    agendas: Iterable[Agenda], rules: PlanningRules, start: datetime, end: datetime
) -> Iterator[SimulatedReminder]:
    """The same, one by one as they are played."""
    runs = [run for agenda in agendas for run in _tracks(agenda, rules)]
    # At one instant the tick goes by milestone, and tells everybody before those who have a ladder of their own.
    runs.sort(key=lambda run: (run.schedule.milestone.id, str(run.count.audience or "")))
    heap = [(run.next_due, number) for number, run in enumerate(runs)]
    heapq.heapify(heap)
    while heap and heap[0][0] < end and start < end:
        due_at, number = heap[0]
        run = runs[number]
        yield run.tell(max(due_at, start))
        if run.pending:
            heapq.heapreplace(heap, (run.next_due, number))
        else:
            heapq.heappop(heap)


def compare_simulations(
    before: Iterable[SimulatedReminder], after: Iterable[SimulatedReminder]
) -> SimulationDifference:
    """How two plays differ. A reminder is the same one in both when milestone, version, step and audience are."""
    there = {_identity(telling): telling for telling in before}
    added: list[SimulatedReminder] = []
    moved: list[MovedReminder] = []
    unchanged = 0
    for telling in after:
        known = there.pop(_identity(telling), None)
        if known is None:
            added.append(telling)
        elif known.due_at != telling.due_at:
            moved.append(MovedReminder(known, telling))
        else:
            unchanged += 1
    return SimulationDifference(tuple(added), tuple(there.values()), tuple(moved), unchanged)


@dataclass
class _Track:
    """The reminders of one milestone for one audience while they are played."""

    schedule: MilestoneSchedule
    count: Countdown
    pending: dict[Step, datetime]
    known: set[Step]
    """Steps that have had a reminder from the first, other than a withdrawn one: they are not planned again."""

    @property
    def next_due(self) -> datetime:
        return min(self.pending.values())

    def tell(self, now: datetime) -> SimulatedReminder:
        """Tell what is due, and plan what follows it, as `claims.record_told` does."""
        due = {step: due_at for step, due_at in self.pending.items() if due_at <= now}
        what = due_reminder(self.count, due, now)
        for step in due:
            del self.pending[step]
        if what.follow_up and what.follow_up.step not in self.known:
            self.pending[what.follow_up.step] = what.follow_up.due_at
        return SimulatedReminder(
            now,
            what.due_at,
            self.schedule.commitment.id,
            self.schedule.milestone.id,
            self.schedule.version,
            what.step,
            self.count.audience,
            what.phase,
            what.days,
            tuple(what.merged),
        )


def _tracks(agenda: Agenda, rules: PlanningRules) -> Iterator[_Track]:
    runs: dict[tuple[str, UUID | None], _Track] = {}
    for key, reminder in agenda.reminders.items():
        schedule = agenda.schedules.get(key.milestone_id)
        if schedule is None or key.schedule_version != schedule.version or reminder.state == "withdrawn":
            continue
        run = runs.get((key.milestone_id, key.audience))
        if run is None:
            own_ladder = rules.ladder_of(key.audience) if key.audience else None
            if key.audience and (
                own_ladder is None or not own_ladder.asks_for(schedule.commitment, schedule.milestone)
            ):
                continue  # a ladder that its reader no longer has: the tick withdraws it
            count = countdown(schedule.milestone, rules.book, schedule.scheduled_at, own_ladder)
            run = runs[key.milestone_id, key.audience] = _Track(schedule, count, {}, set())
        run.known.add(key.step)
        if reminder.state == "pending":
            run.pending[key.step] = reminder.due_at
    return (run for run in runs.values() if run.pending)


def _identity(telling: SimulatedReminder) -> tuple[str, int, Step, UUID | None]:
    return telling.milestone_id, telling.schedule_version, telling.step, telling.audience
