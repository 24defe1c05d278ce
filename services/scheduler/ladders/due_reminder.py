"""What a reminder says when it fires: the phase and the days as they are then, not as they were planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from services.plumbing.zones import day_in
from services.scheduler.ladders.countdown import Countdown
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import PlannedReminder

Phase = Literal["ahead", "today", "overdue", "asked", "review"]

PASSED: frozenset[Phase] = frozenset({"overdue", "asked"})
"""The phases of a milestone whose day is over."""

LATE_AFTER = timedelta(hours=6)
"""A reminder that fires later than this after its time says so."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)

LONGEST_VALID = timedelta(days=7)
"""A message that says "in so many days" is stale after this at the latest, however far the next step is."""


@dataclass(frozen=True)
class DueReminder:
    """What one event says about one milestone: its newest step that is due, and the missed ones that it stands for."""

    step: Step
    due_at: datetime
    merged: Mapping[Step, datetime]
    """Earlier steps that were missed, with the instants at which they were due."""
    phase: Phase
    days: int
    late: bool
    not_after: datetime
    follow_up: PlannedReminder | None
    """The step to be planned next, where that may not have been planned yet."""
    last: bool
    """Whether the day is over and no step follows, but for those that only digests tell."""
    only_in_digests: bool
    """Whether, of people, only those are told who get digests."""


def due_reminder(count: Countdown, due: Mapping[Step, datetime], now: datetime) -> DueReminder:
    """What is to be published at `now`, when these steps (at least one) of a milestone's ladder are due.

    After a long downtime several steps are due at once: the newest is published, the others are merged into it, among
    them the steps of the endless end that would have been planned and would have fired in the meantime.

    Behind the day the step that follows is planned now, where it isn't: an endless one never is before, and a rung may
    be missing where the plan was made by a book that a release before has shipped.

    `not_after` is the instant at which the next step is due, since that one says the same with the right number of
    days, or at which the event begins; and never later than a week from now.
    """
    merged = dict(due)
    step = max(due, key=lambda one: (due[one], one.count))
    following = count.next_after(step)
    if following and following[1] < count.scheduled_at and count.is_endless(following[0]):
        # Of an event that was over when it was planned: what lies before that was never planned, and is not missed.
        following = count.endless_from(count.scheduled_at)
    while following and following[1] <= now and count.is_endless(following[0]):
        # It came due behind the newest planned one, which would have planned it.
        step, merged[following[0]] = following[0], following[1]
        following = count.next_after(step)
    due_at = merged.pop(step)
    phase, days = phase_at(count, now)
    only_in_digests = all(map(count.is_only_in_digests, (step, *merged)))  # what was missed is told to everybody
    ends = [now + min(LONGEST_VALID, _END_OF_TIME - now), following[1] if following else None, count.begins_at]
    return DueReminder(
        step=step,
        due_at=due_at,
        merged=dict(sorted(merged.items(), key=lambda one: one[1])),
        phase=phase,
        days=days,
        late=now - due_at > LATE_AFTER,
        not_after=min(end for end in ends if end and end > now),
        follow_up=PlannedReminder(*following, "pending", count)
        if following and (count.is_endless(following[0]) or (step.direction == "after" and following[1] > now))
        else None,
        last=phase in PASSED and not only_in_digests and (following is None or count.is_only_in_digests(following[0])),
        only_in_digests=only_in_digests,
    )


def phase_at(count: Countdown, now: datetime) -> tuple[Phase, int]:
    """The phase of a milestone at `now`, and how many days it is from its day; 0 for what is reviewed.

    An event whose day is over is asked about, a deadline is overdue.
    """
    if count.kind == "review":
        return "review", 0
    today = day_in(count.zone, now)
    if today < count.opens:
        return "ahead", (count.opens - today).days
    if now >= count.ended_at:
        return "asked" if count.kind == "event" else "overdue", (today - count.closes).days
    return "today", 0
