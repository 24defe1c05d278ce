"""All reminders of one commitment, and how they change with the events about it.

Pure: an agenda and an event give the next agenda; the store writes the difference. So it doesn't matter how events
were batched, and one that comes twice or late changes nothing that is newer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import CommitmentCreated, MilestoneScheduled, StatusChanged
from contracts.filters import matches
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import PlannedReminder, plan
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder, traits_of
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from services.scheduler.reminders.rules.history import is_past_history

ReminderState = Literal["pending", "fired", "passed", "merged", "withdrawn", "failed"]
"""Waits; was published by an event of its own; had passed when it was planned; was published by a later step's event;
is not to fire any more; could not be fired, for a reason that no repeat mends."""

CommitmentEvent = CommitmentCreated | MilestoneScheduled | StatusChanged


class ReminderKey(NamedTuple):
    """What a reminder is known by: it fires at most once for each of these."""

    milestone_id: str
    schedule_version: int
    step: Step
    audience: UUID | None = None
    """The subscription whose own ladder asks for it."""


@dataclass(frozen=True)
class Reminder:
    """When it is due, and what has become of it."""

    due_at: datetime
    state: ReminderState


@dataclass(frozen=True)
class MilestoneSchedule:
    """A milestone as last scheduled."""

    commitment: CommitmentBrief
    milestone: Milestone
    version: int
    scheduled_at: datetime
    settled: bool
    """Whether it has no reminders: the commitment is met or withdrawn, or it came in as history and is over."""
    correlation_id: str | None = None


@dataclass(frozen=True)
class PlanningRules:
    """What is planned by: the ladder book, and the subscriptions with a ladder of their own."""

    book: LadderBook = DEFAULT_BOOK
    subscription_ladders: tuple[SubscriptionLadder, ...] = ()

    @cached_property
    def _by_subscription(self) -> dict[UUID, SubscriptionLadder]:
        return {own_ladder.subscription_id: own_ladder for own_ladder in self.subscription_ladders}

    def ladder_of(self, subscription_id: UUID) -> SubscriptionLadder | None:
        """The ladder that a subscription has of its own, if it has one."""
        return self._by_subscription.get(subscription_id)

    def ladders_for(self, schedule: MilestoneSchedule) -> tuple[SubscriptionLadder | None, ...]:
        """The ladders that a milestone has: None for the book's, which all have, and those of subscriptions."""
        if not self.subscription_ladders:
            return (None,)
        traits = traits_of(schedule.commitment, schedule.milestone)
        return (None, *(one for one in self.subscription_ladders if matches(one.filters, traits)))


SHIPPED_RULES = PlanningRules()
"""The shipped book, and nobody with a ladder of their own."""


@dataclass(frozen=True)
class Agenda:
    """One commitment's standing, schedules (by milestone) and reminders (of the current versions, at least)."""

    commitment_status: CommitmentStatus = field(default_factory=CommitmentStatus)
    schedules: Mapping[str, MilestoneSchedule] = field(default_factory=dict)
    reminders: Mapping[ReminderKey, Reminder] = field(default_factory=dict)


def agenda_after(
    agenda: Agenda,
    event: CommitmentEvent,
    at: datetime,
    correlation_id: str | None = None,
    rules: PlanningRules = SHIPPED_RULES,
) -> Agenda:
    """The agenda after an event that is of the time `at`: what lies before that is never sent.

    It is the event's own time and not that of its arrival: what came due while nobody was there to plan it was
    missed, and is to be fired late. Raises `UnknownZone`.
    """
    match event:
        case CommitmentCreated():
            return _settle(agenda, agenda.commitment_status.after_created(event), at, rules)
        case StatusChanged():
            return _settle(agenda, agenda.commitment_status.after_changed(event), at, rules)
        case MilestoneScheduled():
            return _schedule(agenda, event, at, correlation_id, rules)


def replanned(
    agenda: Agenda,
    at: datetime,
    rules: PlanningRules,
    *,
    only: UUID | None = None,
    into_past: Literal["passed", "pending"] = "passed",
) -> Agenda:
    """The agenda as other rules, or other zone data, have it at `at`; `only` leaves all but one subscription's alone.

    What was fired or failed stays. What is to come is as `plan` gives it now: steps are added, moved, taken up again
    and withdrawn. What was due before and has not fired, since nobody ticked, is still to fire where its step
    does. A step that only the new rules put into the past becomes `into_past`: after other rules it is recorded as
    passed; with other zone data the same reminder is late, and fired.
    """
    reminders = dict(agenda.reminders)
    for schedule in agenda.schedules.values():
        if not schedule.settled:
            reminders |= _replanned(agenda, schedule, at, rules, only, into_past)
    return replace(agenda, reminders=reminders)


def _replanned(
    agenda: Agenda,
    schedule: MilestoneSchedule,
    at: datetime,
    rules: PlanningRules,
    only: UUID | None,
    into_past: Literal["passed", "pending"],
) -> dict[ReminderKey, Reminder]:
    changed: dict[ReminderKey, Reminder] = {}
    waiting = {
        key: r for key, r in _of(agenda, schedule).items() if r.state == "pending" and only in (None, key.audience)
    }
    for own_ladder in rules.ladders_for(schedule):
        if only not in (None, _audience(own_ladder)):
            continue
        for key, planned in _plans(agenda, schedule, at, rules, own_ladder):
            waiting.pop(key, None)
            known = agenda.reminders.get(key)
            if known is None:
                changed[key] = Reminder(planned.due_at, planned.state)
            elif known.state in ("pending", "passed", "withdrawn") and planned.state == "pending":
                changed[key] = Reminder(planned.due_at, "pending")
            elif known.state == "pending" and known.due_at >= at:
                changed[key] = Reminder(planned.due_at, into_past)
        count = countdown(schedule.milestone, rules.book, schedule.scheduled_at, own_ladder)
        for key, known in list(waiting.items()):
            # An endless step that came due is still to fire, and `plan` names the one after it.
            if key.audience == _audience(own_ladder) and known.due_at < at and count.is_endless(key.step):
                del waiting[key]
    return changed | {key: replace(known, state="withdrawn") for key, known in waiting.items()}


def _schedule(
    agenda: Agenda, event: MilestoneScheduled, at: datetime, correlation_id: str | None, rules: PlanningRules
) -> Agenda:
    milestone = event.milestone
    known = agenda.schedules.get(milestone.id)
    if known and known.version >= event.schedule_version:
        return agenda
    over = milestone.held or agenda.commitment_status.is_over_for(milestone.parties)
    settled = over or is_past_history(event, at)
    schedule = MilestoneSchedule(event.commitment, milestone, event.schedule_version, at, settled, correlation_id)
    reminders = dict(agenda.reminders) | _withdrawn(agenda, milestone.id)
    for own_ladder in rules.ladders_for(schedule):
        moved = _fired_before(agenda, schedule, own_ladder) if schedule.version > 1 else None
        # Planned even when nothing is to be sent: a zone that doesn't exist is to be found out now.
        planned = plan(milestone, at, rules.book, own_ladder=own_ladder, moved=moved)
        if not settled:
            reminders |= {_key(schedule, one, own_ladder): Reminder(one.due_at, one.state) for one in planned}
    return replace(agenda, schedules={**agenda.schedules, milestone.id: schedule}, reminders=reminders)


def _settle(before: Agenda, status: CommitmentStatus, at: datetime, rules: PlanningRules) -> Agenda:
    """Withdraw what another status has settled, and take up again what it has reopened.

    What was settled because it was history when it came in stays so, whatever is said of it: nothing was over before.
    """
    agenda = replace(before, commitment_status=status)
    schedules, reminders = dict(agenda.schedules), dict(agenda.reminders)
    for name, schedule in agenda.schedules.items():
        held, parties = schedule.milestone.held, schedule.milestone.parties
        settled = held or status.is_over_for(parties)
        was_over = held or before.commitment_status.is_over_for(parties)
        if settled != schedule.settled and (settled or was_over):
            schedules[name] = replace(schedule, settled=settled)
            reminders |= _withdrawn(agenda, name) if settled else dict(_reopened(agenda, schedule, at, rules))
    return replace(agenda, schedules=schedules, reminders=reminders)


def _withdrawn(agenda: Agenda, milestone_id: str) -> dict[ReminderKey, Reminder]:
    return {
        key: replace(reminder, state="withdrawn")
        for key, reminder in agenda.reminders.items()
        if key.milestone_id == milestone_id and reminder.state == "pending"
    }


def _reopened(
    agenda: Agenda, schedule: MilestoneSchedule, at: datetime, rules: PlanningRules
) -> Iterator[tuple[ReminderKey, Reminder]]:
    """What lies ahead, once more; a step that was fired, or had passed, stays so."""
    for own_ladder in rules.ladders_for(schedule):
        for key, planned in _plans(agenda, schedule, at, rules, own_ladder):
            known = agenda.reminders.get(key)
            if known is None or (known.state == "withdrawn" and planned.state == "pending"):
                yield key, Reminder(planned.due_at, planned.state)


def _plans(
    agenda: Agenda,
    schedule: MilestoneSchedule,
    at: datetime,
    rules: PlanningRules,
    own_ladder: SubscriptionLadder | None,
) -> Iterator[tuple[ReminderKey, PlannedReminder]]:
    """A running schedule's plan at `at`, without what has been fired of it."""
    fired = [
        key.step
        for key, reminder in _of(agenda, schedule).items()
        if key.audience == _audience(own_ladder) and reminder.state in ("fired", "merged")
    ]
    for planned in plan(
        schedule.milestone, at, rules.book, own_ladder=own_ladder, scheduled_at=schedule.scheduled_at, fired=fired
    ):
        yield _key(schedule, planned, own_ladder), planned


def _fired_before(
    agenda: Agenda, schedule: MilestoneSchedule, own_ladder: SubscriptionLadder | None
) -> dict[Step, datetime]:
    """What was fired of a milestone under its schedule before this one."""
    return {
        key.step: reminder.due_at
        for key, reminder in agenda.reminders.items()
        if key.milestone_id == schedule.milestone.id
        and key.schedule_version < schedule.version
        and key.audience == _audience(own_ladder)
        and reminder.state in ("fired", "merged")
    }


def _of(agenda: Agenda, schedule: MilestoneSchedule) -> dict[ReminderKey, Reminder]:
    """A schedule's reminders, and none of the schedules before it."""
    of = (schedule.milestone.id, schedule.version)
    return {key: reminder for key, reminder in agenda.reminders.items() if key[:2] == of}


def _key(schedule: MilestoneSchedule, planned: PlannedReminder, own_ladder: SubscriptionLadder | None) -> ReminderKey:
    return ReminderKey(schedule.milestone.id, schedule.version, planned.step, _audience(own_ladder))


def _audience(own_ladder: SubscriptionLadder | None) -> UUID | None:
    return own_ladder.subscription_id if own_ladder else None
