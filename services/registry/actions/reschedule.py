"""Dates into the register: a milestone's first, and another one when it, or the anchor that it hangs on, moves.

Before another date is committed the scheduler holds the old one (`holding.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from contracts.events import MilestoneScheduled
from contracts.topics import MILESTONE_SCHEDULED
from contracts.vocabulary import Milestone, Source, Span, WallTime
from services.plumbing.database import Connection, Database
from services.plumbing.outbox import append, take_seqs
from services.registry import store
from services.registry.actions.events import Occasion, announcements
from services.registry.actions.scheduler_holds import Hold, hold_old_schedules
from services.registry.rules.anchor_offset import OutOfCalendar, hung, local_time_of
from services.registry.rules.errors import Invalid, Refusal, Unknown
from services.registry.rules.schedule_change import Change, change_of
from services.registry.store import HeldAnchor, HeldMilestone


class FollowsAnchor(Refusal):
    """The milestone has its date from an anchor: that is what moves."""

    kind = "follows-anchor"


@dataclass(frozen=True)
class News:
    """A date, who says it, and on which day it became known; the statement itself is no news and has no source."""

    span: Span
    source: Source | None
    known_on: date | None
    local_time: WallTime | None = None
    told_as: Literal["moved", "cancelled", "held"] | None = None
    """What it is to be called, where the dates alone don't say it: the event is off, or another one is in its place."""


@dataclass(frozen=True)
class Dated:
    """A milestone that is to have a date; `previous` and `version` are those that it has now, none and 0 at first."""

    commitment_id: str
    milestone: Milestone
    version: int
    previous: Span | None
    previous_time: WallTime | None = None


@dataclass(frozen=True)
class Scheduled:
    """A milestone that has got another date."""

    milestone: Milestone
    commitment_id: str
    version: int
    change: Change
    event_id: UUID


def dated_now(held: HeldMilestone) -> Dated:
    """A milestone that has a date, to be given another one."""
    was = held.milestone
    return Dated(held.commitment_id, was, held.schedule_version, was.span, was.local_time)


def said_by(milestone: Milestone, anchors: Mapping[str, HeldAnchor]) -> News:
    """The date that a milestone has to begin with: from its anchor, with the anchor's source, or the statement's own.

    Raises `Invalid` where the offset from the anchor leads out of the calendar.
    """
    if milestone.anchor_id is None:
        return News(milestone.span, None, None, milestone.local_time)
    anchor = anchors[milestone.anchor_id]
    return on_anchor(milestone, anchor, anchor.source, anchor.known_on)


def on_anchor(
    milestone: Milestone,
    anchor: HeldAnchor,
    source: Source,
    known_on: date,
    told_as: Literal["moved", "cancelled", "held"] | None = None,
) -> News:
    """The date that a milestone has from its anchor; raises `Invalid` where there is no such day."""
    try:
        span = hung(anchor.span, milestone.offset)
    except OutOfCalendar as error:
        raise Invalid(f"{milestone.id}: {error}", field="offset") from None
    time = local_time_of(milestone.reading, milestone.offset, anchor.local_time)
    return News(span, source, known_on, time, told_as)


async def schedule(
    database: Database, connection: Connection, dates: Sequence[tuple[Dated, News]], occasion: Occasion
) -> list[Scheduled]:
    """Give each milestone (locked by the caller, or new) its date, and say so; one with the same date is left out.

    Raises `SchedulerAway` where an old date can't be held; then nothing may be committed.
    """
    changes = [(d, n, _change(d, n)) for d, n in dates]
    real = [(d, n, change) for d, n, change in changes if change is not None]
    if not real:
        return []
    keys = [d.commitment_id for d, _, _ in real]
    briefs = await store.briefs(connection, set(keys))
    seqs = await take_seqs(connection, MILESTONE_SCHEDULED.name, keys)
    events = [
        MilestoneScheduled(
            seq=seq,
            commitment=briefs[d.commitment_id],
            milestone=d.milestone.model_copy(update={"span": n.span, "local_time": n.local_time}),
            schedule_version=d.version + 1,
            change=change,
            previous=d.previous,
            source=n.source,
        )
        for seq, (d, n, change) in zip(seqs, real, strict=True)
    ]
    outgoing = announcements(events, occasion)
    await append(database, connection, outgoing, occasion.now)
    scheduled = []
    for event, record, (_, n, change) in zip(events, outgoing, real, strict=True):
        await store.add_schedule(
            connection, event.milestone.id, event.schedule_version, n.span, change, n.source, n.known_on,
            record.event_id, occasion.now, n.local_time,
        )  # fmt: skip
        scheduled.append(
            Scheduled(event.milestone, event.commitment.id, event.schedule_version, change, record.event_id)
        )
    moved = [Hold(one.milestone.id, one.version) for one in scheduled if one.version > 1]
    if occasion.holds and moved:
        # Last, so that nothing which may still fail or wait stands between the hold and the commit.
        await hold_old_schedules(connection, occasion.holds, moved)
    return scheduled


def _change(dated: Dated, news: News) -> Change | None:
    change = change_of(dated.previous, news.span, dated.previous_time, news.local_time)
    if news.told_as == "cancelled":
        return "cancelled"
    if news.told_as == "held":
        return change or "held"
    return news.told_as if change and news.told_as else change


async def move_milestone(
    database: Database, connection: Connection, milestone_id: str, news: News, occasion: Occasion
) -> Scheduled | None:
    """Give a milestone that hangs on no anchor another date; None when it is the one that it has."""
    held = await store.hold_milestones(connection, [milestone_id])
    if not held:
        raise Unknown(f"There is no milestone {milestone_id}")
    (found,) = held
    if found.milestone.anchor_id is not None:
        raise FollowsAnchor(
            f"It has its date from the anchor {found.milestone.anchor_id}: move that",
            anchor_id=found.milestone.anchor_id,
        )
    time = time_then(news.span, news.local_time, found.milestone.span, found.milestone.local_time)
    scheduled = await schedule(database, connection, [(dated_now(found), replace(news, local_time=time))], occasion)
    return scheduled[0] if scheduled else None


def time_then(span: Span, said: WallTime | None, was: Span, local_time: WallTime | None) -> WallTime | None:
    """The local time after news of a date: the one that they say, or while the days stay the one that was."""
    return said or (local_time if change_of(was, span) is None else None)
