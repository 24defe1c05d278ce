"""A simulation of the tick: which reminders agendas fire by which rules, and how two simulations differ.

Pure, and made of the rules that the tick itself goes by. It assumes that no event comes in, and that a tick comes at
the very instant at which something is due. A virtual clock goes from one such instant to the next, so that the cost is
that of the reminders, however long the period is.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.plumbing.business_days import RegionalCalendar
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.business_calendar import BusinessCalendar
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.due_reminder import Phase, due_reminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.rules.agenda import Agenda, MilestoneSchedule, PlanningRules


class SimulatedReminder(NamedTuple):
    """One event that a simulation writes: at which instant, about what, for whom, and what it says."""

    at: datetime
    """When it is written: when it is due, or at the start of the simulation where that is later."""
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
    """Earlier steps that were missed, and are told by this event too."""
    last: bool
    """Whether the day is over and nothing follows, but for what only digests tell."""
    only_in_digests: bool
    """Whether, of people, only those are told who get digests."""


class MovedReminder(NamedTuple):
    """A reminder that both simulations have, at different instants."""

    before: SimulatedReminder
    after: SimulatedReminder


@dataclass(frozen=True)
class SimulationDifference:
    """What only one of two simulations has, each in the order of time."""

    added: tuple[SimulatedReminder, ...]
    removed: tuple[SimulatedReminder, ...]
    moved: tuple[MovedReminder, ...]
    unchanged: int

    @property
    def is_none(self) -> bool:
        """Whether both have the same."""
        return not (self.added or self.removed or self.moved)


@dataclass(frozen=True)
class CombinedCalendar(BusinessCalendar):
    """The days on which all of these calendars work, whoever is bound."""

    all_of: tuple[RegionalCalendar, ...] = ()

    @property
    def name(self) -> str:
        """Their names, with commas."""
        return ",".join(calendar.name for calendar in self.all_of)

    def calendars(self, bound: Iterable[object]) -> tuple[RegionalCalendar, ...]:
        """Those, for everybody."""
        return self.all_of


def with_calendars(book: LadderBook, calendars: tuple[RegionalCalendar, ...]) -> LadderBook:
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
    """All that is fired from `start` on and before `end`, in this order; what was due before `start`, then.

    The agendas are taken as they stand: to simulate other rules, have them `replanned` by these rules first.
    Raises `UnknownZone`.
    """
    return tuple(simulated_reminders(agendas, rules, start, end))


def simulated_reminders(
    agendas: Iterable[Agenda], rules: PlanningRules, start: datetime, end: datetime
) -> Iterator[SimulatedReminder]:
    """The same, one by one."""
    tracks = [track for agenda in agendas for track in _tracks(agenda, rules)]
    # At one instant the tick goes by milestone, and the book's reminders come before those of own ladders.
    tracks.sort(key=lambda track: (track.schedule.milestone.id, str(track.count.audience or "")))
    heap = [(track.next_due, number) for number, track in enumerate(tracks)]
    heapq.heapify(heap)
    while heap and heap[0][0] < end and start < end:
        due_at, number = heap[0]
        track = tracks[number]
        yield track.fire(max(due_at, start))
        if track.pending:
            heapq.heapreplace(heap, (track.next_due, number))
        else:
            heapq.heappop(heap)


def compare_simulations(
    before: Iterable[SimulatedReminder], after: Iterable[SimulatedReminder]
) -> SimulationDifference:
    """How two simulations differ. A reminder is the same one in both when milestone, version, step and audience are."""
    there = {_identity(reminder): reminder for reminder in before}
    added: list[SimulatedReminder] = []
    moved: list[MovedReminder] = []
    unchanged = 0
    for reminder in after:
        known = there.pop(_identity(reminder), None)
        if known is None:
            added.append(reminder)
        elif known.due_at != reminder.due_at:
            moved.append(MovedReminder(known, reminder))
        else:
            unchanged += 1
    return SimulationDifference(tuple(added), tuple(there.values()), tuple(moved), unchanged)


@dataclass
class _Track:
    """The reminders of one milestone for one audience during a simulation."""

    schedule: MilestoneSchedule
    count: Countdown
    pending: dict[Step, datetime]
    known: set[Step]
    """Steps that have had a reminder from the first, other than a withdrawn one: they are not planned again."""

    @property
    def next_due(self) -> datetime:
        return min(self.pending.values())

    def fire(self, now: datetime) -> SimulatedReminder:
        """Fire what is due, and plan what follows it, as the tick does."""
        due = {step: due_at for step, due_at in self.pending.items() if due_at <= now}
        fired = due_reminder(self.count, due, now)
        for step in due:
            del self.pending[step]
        if fired.follow_up and fired.follow_up.step not in self.known:
            self.pending[fired.follow_up.step] = fired.follow_up.due_at
        return SimulatedReminder(
            now,
            fired.due_at,
            self.schedule.commitment.id,
            self.schedule.milestone.id,
            self.schedule.version,
            fired.step,
            self.count.audience,
            fired.phase,
            fired.days,
            tuple(fired.merged),
            fired.last,
            fired.only_in_digests,
        )


def _tracks(agenda: Agenda, rules: PlanningRules) -> Iterator[_Track]:
    tracks: dict[tuple[str, UUID | None], _Track] = {}
    for key, reminder in agenda.reminders.items():
        schedule = agenda.schedules.get(key.milestone_id)
        if schedule is None or key.schedule_version != schedule.version or reminder.state == "withdrawn":
            continue
        track = tracks.get((key.milestone_id, key.audience))
        if track is None:
            own_ladder = rules.ladder_of(key.audience) if key.audience else None
            if key.audience and (
                own_ladder is None or not own_ladder.asks_for(schedule.commitment, schedule.milestone)
            ):
                continue  # a ladder that its subscription no longer has: the tick withdraws it
            count = countdown(schedule.milestone, rules.book, schedule.scheduled_at, own_ladder)
            track = tracks[key.milestone_id, key.audience] = _Track(schedule, count, {}, set())
        track.known.add(key.step)
        if reminder.state == "pending":
            track.pending[key.step] = reminder.due_at
    return (track for track in tracks.values() if track.pending)


def _identity(reminder: SimulatedReminder) -> tuple[str, int, Step, UUID | None]:
    return reminder.milestone_id, reminder.schedule_version, reminder.step, reminder.audience
