"""What a reminder says when it fires: the phase and the days as they are then, not as they were planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.vocabulary import Milestone
from services.scheduler.ladder import LADDER, Step, following
from services.scheduler.planning import Countdown, Planned, countdown
from services.scheduler.zones import day_in

Phase = Literal["ahead", "today", "overdue"]

LATE_AFTER = timedelta(hours=6)
"""A reminder that fires later than this after its time says so."""

LONGEST_FRESH = timedelta(days=7)
"""What was said about "so many days" is stale after this at the latest, however far the next step is."""


@dataclass(frozen=True)
class Occasion:
    """One event to be told about one milestone: its newest step that is due, and those that it tells as well."""

    step: Step
    due_at: datetime
    merged: Mapping[Step, datetime]
    """Earlier steps that were missed, with the instants at which they were due."""
    phase: Phase
    days: int
    late: bool
    not_after: datetime
    follow_up: Planned | None
    """The endless rung to be planned next, where the ladder's fixed rungs are behind."""


def occasion(milestone: Milestone, due: Mapping[Step, datetime], now: datetime) -> Occasion:
    """What is to be told at `now`, when these steps (at least one) of a milestone are due.

    After a long downtime several steps are due at once: the newest is told, the others are merged into it. Steps of
    the endless end that would have been planned and would have fired in the meantime are among them.

    `not_after` is the instant at which the next step is due, since that one says the same with the right number of
    days; and never later than a week from now.
    """
    count = countdown(milestone)
    if count is None:
        raise ValueError(f"milestone {milestone.id} is undated: nothing of it can be due")
    all_due = {**due, **_caught_up(count, max(due), now)}
    step = max(all_due)
    due_at = all_due.pop(step)
    phase, days = standing_of(count, now)
    following_step = count.next_after(step)
    next_at = count.due_at(following_step)
    stale_at = now + LONGEST_FRESH
    return Occasion(
        step=step,
        due_at=due_at,
        merged=dict(sorted(all_due.items())),
        phase=phase,
        days=days,
        late=now - due_at > LATE_AFTER,
        not_after=min(next_at, stale_at) if next_at and next_at > now else stale_at,
        follow_up=Planned(following_step, next_at, "pending") if next_at and step >= LADDER[-1] else None,
    )


def standing_of(count: Countdown, now: datetime) -> tuple[Phase, int]:
    """Where a milestone stands on the day that it is in its zone at `now`, and how many days from its day."""
    today = day_in(count.zone, now)
    if today < count.opens:
        return "ahead", (count.opens - today).days
    if today > count.closes:
        return "overdue", (today - count.closes).days
    return "today", 0


def _caught_up(count: Countdown, newest: Step, now: datetime) -> dict[Step, datetime]:
    """The endless rungs that came due behind the newest planned one, which would each have planned the next."""
    found: dict[Step, datetime] = {}
    step = newest
    while step >= LADDER[-1] and (due_at := count.due_at(step := following(step))) and due_at <= now:
        found[step] = due_at
    return found
