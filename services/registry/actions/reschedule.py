"""Dates into the register: a milestone's first, and another one when it, or the anchor that it hangs on, moves.

Before another date is committed the scheduler holds the old one (`holds.py`).
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from contracts.causes import CauseKind
from contracts.commitments import Milestone
from contracts.events import MilestoneScheduled
from contracts.vocabulary import Source, Span, WallTime
from services.plumbing.audit.entries import AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection, Database
from services.plumbing.sentences import Sentence, sentence_of
from services.registry.actions.auditing import date_facts, milestone_facts
from services.registry.actions.events import UNSAID, ActionContext, Event, say
from services.registry.actions.holds import ScheduleHold, ScheduleHolds, hold_old_schedules
from services.registry.rules.anchor_offset import OutOfCalendar, local_time_of, span_from_anchor
from services.registry.rules.errors import Invalid, RegistryError, ResourceNotFound, at
from services.registry.rules.plannable_dates import check_plannable
from services.registry.rules.report_times import check_known_on
from services.registry.rules.schedule_change import ScheduleChange, change_of
from services.registry.store.anchors import AnchorState
from services.registry.store.commitments import commitment_briefs
from services.registry.store.milestones import LockedMilestone, add_schedule, lock_milestones


class FollowsAnchor(RegistryError):
    """The milestone has its date from an anchor: that is what moves."""

    kind = "follows-anchor"
    title = Sentence("The milestone has its date from an anchor: that is what moves")


@dataclass(frozen=True)
class SourcedDate:
    """A date, who says it, and on which day it became known; the statement's own date has neither."""

    span: Span
    source: Source | None
    known_on: datetime.date | None
    local_time: WallTime | None = None
    change: Literal["moved", "cancelled", "held"] | None = None
    """Which change is published, where the dates alone don't say it: the anchor is off, or another is in its place."""


@dataclass(frozen=True)
class MilestoneToSchedule:
    """A milestone that is to have a date; `previous` and `version` are those that it has now, none and 0 at first."""

    commitment_id: str
    milestone: Milestone
    version: int
    previous: Span | None
    previous_time: WallTime | None = None


@dataclass(frozen=True)
class ScheduledMilestone:
    """A milestone that has got another date."""

    milestone: Milestone
    commitment_id: str
    version: int
    change: ScheduleChange
    event_id: UUID


def to_reschedule(locked: LockedMilestone) -> MilestoneToSchedule:
    """A milestone that has a date, to be given another one."""
    milestone = locked.milestone
    return MilestoneToSchedule(
        locked.commitment_id, milestone, locked.schedule_version, milestone.span, milestone.local_time
    )


def stated_date(milestone: Milestone, anchors: Mapping[str, AnchorState]) -> SourcedDate:
    """The date that a milestone has to begin with: from its anchor, with the anchor's source, or the statement's own.

    Raises `Invalid` where the offset from the anchor leads out of the calendar.
    """
    if milestone.anchor_id is None:
        return SourcedDate(milestone.span, None, None, milestone.local_time)
    anchor = anchors[milestone.anchor_id]
    return date_from_anchor(milestone, anchor, anchor.source, anchor.known_on)


def date_from_anchor(
    milestone: Milestone,
    anchor: AnchorState,
    source: Source,
    known_on: datetime.date,
    change: Literal["moved", "cancelled", "held"] | None = None,
) -> SourcedDate:
    """The date that a milestone has from its anchor; raises `Invalid` where there is no such day."""
    try:
        span = span_from_anchor(anchor.span, milestone.offset)
    except OutOfCalendar as error:
        raise Invalid(
            Sentence("%(id)s: %(error)s", id=milestone.id, error=sentence_of(error)), **at("offset")
        ) from None
    time = local_time_of(milestone.reading, milestone.offset, anchor.local_time)
    return SourcedDate(span, source, known_on, time, change)


async def schedule(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    dates: Sequence[tuple[MilestoneToSchedule, SourcedDate]],
    cause: CauseKind,
    context: ActionContext,
    before: Sequence[Event] = (),
) -> list[ScheduledMilestone]:
    """Give each milestone (locked by the caller, or new) its date, with an event; one with the same date is left out.

    `before` are events of the same act, which are said before those of the dates: all of them have one cause. `holds`
    is who holds the old dates; None where the register stands alone, or where every milestone is new. Raises `Invalid`
    for other days that can't be planned, and `SchedulerUnavailable` where an old date can't be held; then nothing may
    be committed.
    """
    found = [(milestone, date, _change_to(milestone, date)) for milestone, date in dates]
    changes = [(milestone, date, change) for milestone, date, change in found if change is not None]
    if not changes:
        await say(database, connection, cause, before, context)
        return []
    for to_schedule, date, _ in changes:
        if date.span != to_schedule.previous:  # what had its days before the rule may still be held where it is
            milestone = to_schedule.milestone
            place = "offset" if milestone.offset else "edtf"
            check_plannable(date.span, Sentence("The date of %(id)s", id=milestone.id), place)
    keys = [to_schedule.commitment_id for to_schedule, _, _ in changes]
    briefs = await commitment_briefs(connection, set(keys))
    events = [
        MilestoneScheduled(
            seq=1,
            cause=UNSAID,
            commitment=briefs[to_schedule.commitment_id],
            milestone=to_schedule.milestone.model_copy(update={"span": date.span, "local_time": date.local_time}),
            schedule_version=to_schedule.version + 1,
            change=change,
            previous=to_schedule.previous,
            source=date.source,
            known_on=date.known_on,
        )
        for to_schedule, date, change in changes
    ]
    event_ids = await say(database, connection, cause, [*before, *events], context)
    scheduled = []
    for event, event_id, (_, date, change) in zip(events, event_ids[len(before) :], changes, strict=True):
        await add_schedule(
            connection, event.milestone.id, event.schedule_version, date.span, change, date.source, date.known_on,
            event_id, context.now, date.local_time,
        )  # fmt: skip
        scheduled.append(
            ScheduledMilestone(event.milestone, event.commitment.id, event.schedule_version, change, event_id)
        )
    await audit(
        connection,
        *(_audit_entry(to, date, one, context) for (to, date, _), one in zip(changes, scheduled, strict=True)),
    )
    moved = [ScheduleHold(one.milestone.id, one.version) for one in scheduled if one.version > 1]
    if holds and moved and not context.is_dry_run:
        # Last, so that nothing which may still fail or wait stands between the hold and the commit.
        await hold_old_schedules(connection, holds, moved)
    return scheduled


def _audit_entry(
    before: MilestoneToSchedule, date: SourcedDate, now: ScheduledMilestone, context: ActionContext
) -> AuditEntry:
    return AuditEntry(
        "milestone.scheduled",
        f"milestone/{now.milestone.id}",
        context.actor,
        context.now,
        date_facts(before.version, before.previous, before.previous_time),
        milestone_facts(
            now.milestone,
            now.version,
            commitment=now.commitment_id,
            change=now.change,
            source=date.source.model_dump(mode="json") if date.source else None,
            known_on=date.known_on.isoformat() if date.known_on else None,
            event_id=str(now.event_id),
        ),
    )


def _change_to(milestone: MilestoneToSchedule, date: SourcedDate) -> ScheduleChange | None:
    """What the date is after the one that the milestone has; None where it changes nothing."""
    change = change_of(milestone.previous, date.span, milestone.previous_time, date.local_time)
    if date.change == "cancelled":
        return "cancelled"
    if date.change == "held":
        return change or "held"
    return date.change if change and date.change else change


async def move_milestone(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    milestone_id: str,
    date: SourcedDate,
    context: ActionContext,
) -> ScheduledMilestone | None:
    """Give a milestone that hangs on no anchor another date; None when it is the one that it has.

    Raises `ResourceNotFound`, `FollowsAnchor`, and `Invalid` for a `known_on` that has not come.
    """
    if date.known_on is not None:
        check_known_on(date.known_on, context.latest)
    locked = await lock_milestones(connection, [milestone_id])
    if not locked:
        raise ResourceNotFound(Sentence("There is no milestone %(milestone_id)s", milestone_id=milestone_id))
    (found,) = locked
    if found.milestone.anchor_id is not None:
        raise FollowsAnchor(
            Sentence("It has its date from the anchor %(anchor_id)s: move that", anchor_id=found.milestone.anchor_id),
            anchor_id=found.milestone.anchor_id,
        )
    time = local_time_after(date.span, date.local_time, found.milestone.span, found.milestone.local_time)
    dates = [(to_reschedule(found), replace(date, local_time=time))]
    scheduled = await schedule(database, connection, holds, dates, "reschedule", context)
    return scheduled[0] if scheduled else None


def local_time_after(
    span: Span, local_time: WallTime | None, previous: Span, previous_time: WallTime | None
) -> WallTime | None:
    """The local time with a new date: the one given with it, or while the days stay the same the previous one."""
    return local_time or (previous_time if change_of(previous, span) is None else None)
