"""What is to come of a milestone and what has been, on one ladder: as the table has it, and some steps beyond it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.scheduler.escalation import machine
from services.scheduler.escalation.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.machine import Deadline, LevelNotified
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.own_ladder import SubscriptionLadder
from services.scheduler.ladders.planning import PlannedReminder, PlanningCause
from services.scheduler.previews.reasons import InstantReason, instant_reason
from services.scheduler.reminders.agenda import MilestoneSchedule, PlanningRules, ReminderState


@dataclass(frozen=True)
class StoredReminder:
    """A reminder as the table has it."""

    id: int
    schedule_version: int
    step: Step
    audience: UUID | None
    due_at: datetime
    state: ReminderState
    fired_at: datetime | None
    event_id: UUID | None
    reason: str | None


@dataclass(frozen=True)
class PreviewMoment:
    """One instant of a milestone."""

    step: Step
    due_at: datetime
    state: ReminderState | Literal["planned-later"]
    """`planned-later`: one of the endless steps, of which only the next one is ever in the table."""
    schedule_version: int
    because: InstantReason | None
    """None of an older schedule: its date isn't kept here."""
    kept: StoredReminder | None
    """None for what is not in the table yet."""


@dataclass(frozen=True)
class MilestoneHold:
    """A newer schedule is being written: nothing of this one is told."""

    schedule_version: int
    held_at: datetime
    """By the clock of the database."""


def countdown_for(
    rules: PlanningRules, schedule: MilestoneSchedule, choice: SubscriptionLadder | None
) -> Countdown | None:
    """How a milestone counts for a reader; None when the reader's own ladder is not for this milestone.

    Raises `UnknownZone`.
    """
    if choice and not choice.asks_for(schedule.commitment, schedule.milestone):
        return None
    return countdown(schedule.milestone, rules.book, schedule.scheduled_at, choice)


def preview_moments(
    schedule: MilestoneSchedule, kept: Sequence[StoredReminder], count: Countdown | None, now: datetime, more: int
) -> tuple[PreviewMoment, ...]:
    """All instants that the table has of a milestone for one audience, and `more` of the endless ones behind them."""
    known = [stored_moment(schedule, one, count) for one in kept]
    if count and not schedule.settled:
        known += _later_moments(schedule, kept, count, now, more)
    return tuple(sorted(known, key=lambda one: (one.due_at, one.schedule_version)))


def stored_moment(schedule: MilestoneSchedule, kept: StoredReminder, count: Countdown | None) -> PreviewMoment:
    """A reminder of the table, with what its instant comes from as far as that is known."""
    counted = count if kept.schedule_version == schedule.version else None
    why = _planning_cause(schedule, kept)
    return PreviewMoment(
        step=kept.step,
        due_at=kept.due_at,
        state=kept.state,
        schedule_version=kept.schedule_version,
        because=_instant_reason(counted, kept.step, kept.due_at, why) if counted else None,
        kept=kept,
    )


def _planning_cause(schedule: MilestoneSchedule, kept: StoredReminder) -> PlanningCause:
    if kept.state == "passed":
        return "before-it-was-planned"
    if schedule.version > 1 and kept.due_at < schedule.scheduled_at:
        return "put-into-the-past-by-a-move"
    return "ahead"


def _instant_reason(count: Countdown, step: Step, due_at: datetime, why: PlanningCause) -> InstantReason | None:
    try:
        return instant_reason(PlannedReminder(step, due_at, "pending", count, why).reason, count, step)
    except OverflowError:  # planned by other rules, and out of reach by those of now
        return None


def _later_moments(
    schedule: MilestoneSchedule, kept: Sequence[StoredReminder], count: Countdown, now: datetime, more: int
) -> Iterator[PreviewMoment]:
    told = [
        one.step
        for one in kept
        if one.schedule_version == schedule.version
        and one.state in ("pending", "fired", "merged")
        and count.is_endless(one.step)
    ]
    found = count.endless_from(now, max(told, key=lambda step: step.count, default=None))
    for _ in range(more):
        if found is None:
            return
        step, due_at = found
        yield PreviewMoment(
            step, due_at, "planned-later", schedule.version, _instant_reason(count, step, due_at, "ahead"), None
        )
        found = count.next_after(step)


@dataclass(frozen=True)
class UpcomingLevel:
    """A level that will hear, unless somebody acknowledges or evidence follows."""

    level: EscalationLevel
    round: int
    at: datetime


def upcoming_levels(
    state: machine.EscalationState, deadline: Deadline | None, book: EscalationBook
) -> tuple[UpcomingLevel, ...]:
    """Who hears when, if nobody owns the milestone and nothing is heard, up to the highest level and once more."""
    coming: list[UpcomingLevel] = []
    while len(coming) <= len(book.levels) and (at := machine.next_change_at(state, deadline, book)):
        state, entries = machine.advanced(state, deadline, book, at)
        coming += [
            UpcomingLevel(book.levels[told.rank - 1], told.round, at)
            for told in entries
            if isinstance(told, LevelNotified)
        ]
    return tuple(coming)


def overdue_at(state: machine.EscalationState, deadline: Deadline | None) -> datetime | None:
    """When it becomes overdue, or has; None for what never does, or is over."""
    return None if deadline is None or isinstance(state, machine.Settled) else deadline.passes_at
