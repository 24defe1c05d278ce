"""What is to come of a milestone and what has been, on one ladder: as the table has it, and some steps beyond it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.scheduler.escalation.rules import machine, states
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.rules.deadline import Deadline
from services.scheduler.escalation.rules.states import LevelNotified
from services.scheduler.ladders.countdown import Countdown, countdown
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import PlannedReminder, PlanningCause
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder
from services.scheduler.previews.rules.reasons import InstantReason, instant_reason
from services.scheduler.reminders.rules.agenda import MilestoneSchedule, PlanningRules, ReminderState


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
    instant_reason: InstantReason | None
    """None of an older schedule: its date isn't kept here."""
    stored: StoredReminder | None
    """None for what is not in the table yet."""


def countdown_for(
    rules: PlanningRules, schedule: MilestoneSchedule, own_ladder: SubscriptionLadder | None
) -> Countdown | None:
    """How a milestone counts for a reader; None when the reader's own ladder is not for this milestone.

    Raises `UnknownZone`.
    """
    if own_ladder and not own_ladder.asks_for(schedule.commitment, schedule.milestone):
        return None
    return countdown(schedule.milestone, rules.book, schedule.scheduled_at, own_ladder)


def preview_moments(
    schedule: MilestoneSchedule, stored: Sequence[StoredReminder], count: Countdown | None, now: datetime, more: int
) -> tuple[PreviewMoment, ...]:
    """All instants that the table has of a milestone for one audience, and `more` of the endless ones behind them."""
    known = [stored_moment(schedule, one, count) for one in stored]
    if count and not schedule.settled:
        known += _later_moments(schedule, stored, count, now, more)
    return tuple(sorted(known, key=lambda one: (one.due_at, one.schedule_version)))


def stored_moment(schedule: MilestoneSchedule, stored: StoredReminder, count: Countdown | None) -> PreviewMoment:
    """A reminder of the table, with what its instant comes from as far as that is known."""
    counted = count if stored.schedule_version == schedule.version else None
    why = _planning_cause(schedule, stored)
    return PreviewMoment(
        step=stored.step,
        due_at=stored.due_at,
        state=stored.state,
        schedule_version=stored.schedule_version,
        instant_reason=_instant_reason(counted, stored.step, stored.due_at, why) if counted else None,
        stored=stored,
    )


def _planning_cause(schedule: MilestoneSchedule, stored: StoredReminder) -> PlanningCause:
    if stored.state == "passed":
        return "before-it-was-planned"
    if schedule.version > 1 and stored.due_at < schedule.scheduled_at:
        return "put-into-the-past-by-a-move"
    if stored.due_at < schedule.scheduled_at and schedule.milestone.is_event:
        return "asked-when-it-was-planned"
    return "ahead"


def _instant_reason(count: Countdown, step: Step, due_at: datetime, why: PlanningCause) -> InstantReason | None:
    try:
        return instant_reason(PlannedReminder(step, due_at, "pending", count, why).reason, count, step)
    except OverflowError:  # planned by other rules, and out of reach by those of now
        return None


def _later_moments(
    schedule: MilestoneSchedule, stored: Sequence[StoredReminder], count: Countdown, now: datetime, more: int
) -> Iterator[PreviewMoment]:
    reached = [
        one.step
        for one in stored
        if one.schedule_version == schedule.version
        and one.state in ("pending", "fired", "merged")
        and count.is_endless(one.step)
    ]
    found = count.endless_from(now, max(reached, key=lambda step: step.count, default=None))
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
    """A level that will be notified, unless somebody acknowledges or evidence follows."""

    level: EscalationLevel
    round: int
    at: datetime


def upcoming_levels(
    state: states.EscalationState, deadline: Deadline | None, book: EscalationBook
) -> tuple[UpcomingLevel, ...]:
    """Who is notified when, if nobody owns the milestone and no event comes, up to the highest level and once more."""
    coming: list[UpcomingLevel] = []
    while len(coming) <= len(book.levels) and (at := machine.next_change_at(state, deadline, book)):
        state, entries = machine.advanced(state, deadline, book, at)
        coming += [
            UpcomingLevel(book.levels[entry.rank - 1], entry.round, at)
            for entry in entries
            if isinstance(entry, LevelNotified)
        ]
    return tuple(coming)


def overdue_at(state: states.EscalationState, deadline: Deadline | None) -> datetime | None:
    """When it becomes overdue, or has; None for what never does, as an event, or is over."""
    return None if deadline is None or deadline.is_event else _passes_at(state, deadline)


def asked_at(state: states.EscalationState, deadline: Deadline | None) -> datetime | None:
    """From when on it is asked whether an event has taken place; None for what is none, or is over."""
    return _passes_at(state, deadline) if deadline and deadline.is_event else None


def _passes_at(state: states.EscalationState, deadline: Deadline) -> datetime | None:
    return None if isinstance(state, states.Settled) else deadline.passes_at
