"""All reminders of one commitment, and how they change with what is heard about it.

Pure: an agenda and an event give the next agenda; the store writes the difference. So it doesn't matter how events
were batched, and what is heard twice or late changes nothing that is newer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from contracts.events import CommitmentCreated, MilestoneScheduled, StatusChanged
from contracts.vocabulary import CommitmentBrief, Milestone
from services.scheduler.ladder import Step
from services.scheduler.planning import plan
from services.scheduler.standing import Standing

State = Literal["pending", "fired", "passed", "merged", "withdrawn", "failed"]
"""Waits; was told by an event of its own; had passed when it was planned; was told by a later step's event; is not to
fire any more; could not be told, for a reason that no repeat mends."""

Heard = CommitmentCreated | MilestoneScheduled | StatusChanged


class Key(NamedTuple):
    """What a reminder is known by: it fires at most once for each of these."""

    milestone_id: str
    schedule_version: int
    step: Step


@dataclass(frozen=True)
class Reminder:
    """When it is due, and what has become of it."""

    due_at: datetime
    state: State


@dataclass(frozen=True)
class Schedule:
    """A milestone as last scheduled."""

    commitment: CommitmentBrief
    milestone: Milestone
    version: int
    settled: bool
    """Whether its reminders were withdrawn since the commitment is met or withdrawn."""
    correlation_id: str | None = None


@dataclass(frozen=True)
class Agenda:
    """One commitment's standing, schedules (by milestone) and reminders (of the current versions, at least)."""

    standing: Standing = field(default_factory=Standing)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    reminders: Mapping[Key, Reminder] = field(default_factory=dict)


def heard(agenda: Agenda, event: Heard, at: datetime, correlation_id: str | None = None) -> Agenda:
    """The agenda after an event that is of the time `at`: what lies before that is never sent.

    It is the event's own time and not that of its arrival: what came due while nobody was there to plan it was
    missed, and is to be told late. Raises `UnknownZone`.
    """
    match event:
        case CommitmentCreated():
            return _settle(replace(agenda, standing=agenda.standing.after_created(event)), at)
        case StatusChanged():
            return _settle(replace(agenda, standing=agenda.standing.after_changed(event)), at)
        case MilestoneScheduled():
            return _schedule(agenda, event, at, correlation_id)


def _schedule(agenda: Agenda, event: MilestoneScheduled, at: datetime, correlation_id: str | None) -> Agenda:
    milestone = event.milestone
    known = agenda.schedules.get(milestone.id)
    if known and known.version >= event.schedule_version:
        return agenda
    settled = agenda.standing.settles(milestone.countries)
    schedule = Schedule(event.commitment, milestone, event.schedule_version, settled, correlation_id)
    reminders = dict(agenda.reminders) | _withdrawn(agenda, milestone.id)
    # Planned even when nothing is to be sent: a zone that doesn't exist is to be found out now.
    planned = plan(milestone, at)
    if not settled:
        reminders |= {Key(milestone.id, event.schedule_version, p.step): Reminder(p.due_at, p.state) for p in planned}
    return replace(agenda, schedules={**agenda.schedules, milestone.id: schedule}, reminders=reminders)


def _settle(agenda: Agenda, at: datetime) -> Agenda:
    """Withdraw what the standing has settled, and take up again what it has reopened."""
    schedules, reminders = dict(agenda.schedules), dict(agenda.reminders)
    for name, schedule in agenda.schedules.items():
        settled = agenda.standing.settles(schedule.milestone.countries)
        if settled != schedule.settled:
            schedules[name] = replace(schedule, settled=settled)
            reminders |= _withdrawn(agenda, name) if settled else dict(_reopened(agenda, schedule, at))
    return replace(agenda, schedules=schedules, reminders=reminders)


def _withdrawn(agenda: Agenda, milestone_id: str) -> dict[Key, Reminder]:
    return {
        key: replace(reminder, state="withdrawn")
        for key, reminder in agenda.reminders.items()
        if key.milestone_id == milestone_id and reminder.state == "pending"
    }


def _reopened(agenda: Agenda, schedule: Schedule, at: datetime) -> Iterator[tuple[Key, Reminder]]:
    """What lies ahead, once more; a step that was told, or had passed, stays so."""
    told = [
        key.step
        for key, reminder in agenda.reminders.items()
        if key[:2] == (schedule.milestone.id, schedule.version) and reminder.state in ("fired", "merged")
    ]
    for planned in plan(schedule.milestone, at, max(told, default=None)):
        key = Key(schedule.milestone.id, schedule.version, planned.step)
        known = agenda.reminders.get(key)
        if known is None or (known.state == "withdrawn" and planned.state == "pending"):
            yield key, Reminder(planned.due_at, planned.state)
