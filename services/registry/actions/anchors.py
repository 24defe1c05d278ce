"""Anchors, the events on which milestones hang: they are entered, moved, held, cancelled and succeeded.

Whatever becomes known of one is kept with its source, also where it changes nothing. Each milestone that hangs on it
and is changed by it gets one event.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from contracts.causes import CauseKind
from contracts.vocabulary import Precision, Source, Span, Text, WallTime
from services.plumbing.database import Connection, Database
from services.plumbing.sentences import Sentence
from services.plumbing.zones import is_zone
from services.registry.actions.auditing import anchor_facts, audit_change
from services.registry.actions.events import ActionContext
from services.registry.actions.holds import ScheduleHolds
from services.registry.actions.reschedule import (
    MilestoneToSchedule,
    ScheduledMilestone,
    SourcedDate,
    date_from_anchor,
    local_time_after,
    schedule,
    to_reschedule,
)
from services.registry.rules.anchor_offset import zone_of
from services.registry.rules.edtf_dates import UNDATED
from services.registry.rules.errors import AlreadyExists, Invalid, RegistryError, ResourceNotFound, at
from services.registry.rules.report_times import check_known_on
from services.registry.rules.schedule_change import change_of
from services.registry.store.anchors import AnchorState, add_anchor, add_anchor_news, lock_anchors, put_anchor
from services.registry.store.milestones import attach_to_anchor, lock_milestones, milestones_on_anchor

AnchorChange = Literal["moved", "more-precise", "unchanged"]


class AnchorSucceeded(RegistryError):
    """Another event has taken its place; what becomes known now is about that one."""

    kind = "anchor-succeeded"
    title = Sentence("Another event has taken its place; what becomes known now is about that one")


class AnchorAlreadyCancelled(RegistryError):
    """It has been called off already."""

    kind = "anchor-cancelled"
    title = Sentence("It has been called off already")


@dataclass(frozen=True)
class CreateAnchor:
    """An event on which milestones may hang, as far as its date is known; its zone is where it takes place."""

    id: str
    title: Text
    zone: str
    span: Span
    local_time: WallTime | None
    source: Source
    known_on: date


@dataclass(frozen=True)
class MoveAnchor:
    """It has another date, or none any more; or the one that it had is confirmed."""

    span: Span
    local_time: WallTime | None
    source: Source
    known_on: date


@dataclass(frozen=True)
class RecordAnchorHeld:
    """It has taken place: on these days, or on those that the register has for it."""

    span: Span | None
    local_time: WallTime | None
    source: Source
    known_on: date


@dataclass(frozen=True)
class CancelAnchor:
    """It will not take place; another event may take its place."""

    successor_id: str | None
    source: Source
    known_on: date


async def create_anchor(connection: Connection, new: CreateAnchor, context: ActionContext) -> None:
    """Enter an anchor.

    Raises `AlreadyExists` where the id is taken, and `Invalid` for an unknown zone or a `known_on` that has not come.
    """
    if not is_zone(new.zone):
        raise Invalid(Sentence("There is no zone %(zone)s", zone=new.zone), **at("zone"))
    check_known_on(new.known_on, context.latest)
    anchor = AnchorState(new.id, new.zone, new.span, new.local_time, new.source, new.known_on, None, None)
    # The insert would take over a known one's title, so the known are looked for first; the insert settles a race.
    if await lock_anchors(connection, [anchor.id]) or not await add_anchor(connection, anchor, new.title):
        raise AlreadyExists(Sentence("There is an anchor %(id)s already", id=anchor.id))
    await add_anchor_news(connection, anchor, "first", context.client, context.now)
    await audit_change(connection, context, "anchor.created", f"anchor/{anchor.id}", None, anchor_facts(anchor))


async def move_anchor(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    anchor_id: str,
    move: MoveAnchor,
    context: ActionContext,
) -> tuple[AnchorChange, list[ScheduledMilestone]]:
    """Give an anchor another date, and with it the milestones that hang on it.

    A date that is only confirmed is kept in the anchor's history, and changes nothing else. Another date opens the
    outcome again: what was held meets once more, what was cancelled is on.

    Raises `ResourceNotFound`, `AnchorSucceeded`, and `Invalid` for a `known_on` that has not come.
    """
    check_known_on(move.known_on, context.latest)
    anchor, _ = await _lock(connection, anchor_id)
    change, after = _with_date(anchor, move)
    await add_anchor_news(connection, after, change, context.client, context.now)
    if change != "unchanged":
        after = replace(after, outcome=None)
    await _audit_news(connection, context, change, anchor, after)
    if change == "unchanged":
        return change, []
    await put_anchor(connection, after)
    return change, await _reschedule_followers(database, connection, holds, after, "anchor-move", context)


async def record_anchor_held(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    anchor_id: str,
    report: RecordAnchorHeld,
    context: ActionContext,
) -> list[ScheduledMilestone]:
    """Record that an event has taken place.

    The milestones that are this event get an event with the change `held`; others, such as those 90 days after it,
    move only where the days differ. An event that comes again, such as a yearly dialogue, may be held again. Raises
    `ResourceNotFound`, `AnchorSucceeded`, and `Invalid` where the days aren't known to the day or lie after `known_on`,
    or `known_on` has not come.
    """
    check_known_on(report.known_on, context.latest)
    anchor, _ = await _lock(connection, anchor_id)
    span = report.span or anchor.span
    if span.precision is not Precision.DAY or span.latest is None:
        raise Invalid(Sentence("Say on which days it was held"), **at("edtf"))
    if span.latest > report.known_on:
        raise Invalid(
            Sentence(
                "On %(known_on)s it was not yet known how %(latest)s ended",
                known_on=report.known_on,
                latest=span.latest,
            ),
            **at("known_on"),
        )
    change, after = _with_date(anchor, MoveAnchor(span, report.local_time, report.source, report.known_on))
    after = replace(after, outcome="held")
    await add_anchor_news(connection, after, "held", context.client, context.now)
    await _audit_news(connection, context, "held", anchor, after)
    await put_anchor(connection, after)
    if change == "unchanged" and anchor.outcome == "held":
        return []
    return await _reschedule_followers(database, connection, holds, after, "anchor-held", context)


async def cancel_anchor(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    anchor_id: str,
    cancellation: CancelAnchor,
    context: ActionContext,
) -> list[ScheduledMilestone]:
    """Record that an event will not take place.

    Without a successor its milestones lose their date; with one they hang on that from then on, and have its date.
    Raises `ResourceNotFound`, `AnchorSucceeded`, `AnchorAlreadyCancelled`, and `Invalid` for a successor that can't be.
    """
    check_known_on(cancellation.known_on, context.latest)
    anchor, successor = await _lock(connection, anchor_id, cancellation.successor_id)
    if anchor.outcome == "cancelled" and successor is None:
        raise AnchorAlreadyCancelled(
            Sentence(
                "%(anchor_id)s was called off already, known on %(known_on)s; it may still get a successor",
                anchor_id=anchor_id,
                known_on=anchor.known_on,
            )
        )
    after = replace(
        anchor,
        span=UNDATED,
        local_time=None,
        source=cancellation.source,
        known_on=cancellation.known_on,
        outcome="cancelled",
        successor_id=cancellation.successor_id,
    )
    change = "succeeded" if successor else "cancelled"
    await add_anchor_news(connection, after, change, context.client, context.now)
    await _audit_news(connection, context, change, anchor, after)
    await put_anchor(connection, after)
    dates: list[tuple[MilestoneToSchedule, SourcedDate]] = []
    for locked in await lock_milestones(connection, await milestones_on_anchor(connection, anchor_id)):
        to_schedule, milestone = to_reschedule(locked), locked.milestone
        if successor is None:
            dates.append((to_schedule, date_from_anchor(milestone, after, after.source, after.known_on, "cancelled")))
            continue
        zone = zone_of(milestone.reading, successor.zone, milestone.zone)
        follower = milestone.model_copy(update={"anchor_id": successor.id, "zone": zone})
        await attach_to_anchor(connection, follower)
        date = date_from_anchor(follower, successor, after.source, after.known_on, "moved")
        dates.append((replace(to_schedule, milestone=follower), date))
    return await schedule(database, connection, holds, dates, "anchor-cancelled", context)


async def _audit_news(
    connection: Connection, context: ActionContext, change: str, before: AnchorState, after: AnchorState
) -> None:
    """`change` is as the anchor's history has it: also what changes nothing has its source, and is written."""
    subject = f"anchor/{after.id}"
    await audit_change(connection, context, f"anchor.{change}", subject, anchor_facts(before), anchor_facts(after))


async def _lock(
    connection: Connection, anchor_id: str, successor_id: str | None = None
) -> tuple[AnchorState, AnchorState | None]:
    """The anchor, locked, and its successor to be, where there is one."""
    found = await lock_anchors(connection, [one for one in (anchor_id, successor_id) if one])
    if anchor_id not in found:
        raise ResourceNotFound(Sentence("There is no anchor %(anchor_id)s", anchor_id=anchor_id))
    anchor = found[anchor_id]
    if anchor.successor_id:
        raise AnchorSucceeded(
            Sentence("%(successor_id)s has taken its place", successor_id=anchor.successor_id),
            successor_id=anchor.successor_id,
        )
    if successor_id is None:
        return anchor, None
    if successor_id not in found:
        raise Invalid(Sentence("There is no anchor %(successor_id)s", successor_id=successor_id), **at("successor_id"))
    if successor_id == anchor_id or found[successor_id].outcome == "cancelled":
        raise Invalid(
            Sentence("%(successor_id)s is called off itself", successor_id=successor_id), **at("successor_id")
        )
    return anchor, found[successor_id]


def _with_date(anchor: AnchorState, move: MoveAnchor) -> tuple[AnchorChange, AnchorState]:
    """What the date is after the one that the anchor has, and the anchor with it; its outcome stays."""
    time = local_time_after(move.span, move.local_time, anchor.span, anchor.local_time)
    after = replace(anchor, span=move.span, local_time=time, source=move.source, known_on=move.known_on)
    match change_of(anchor.span, after.span, anchor.local_time, after.local_time):
        case "moved" | "more-precise" as change:
            return change, after
        case _:
            return "unchanged", after


async def _reschedule_followers(
    database: Database,
    connection: Connection,
    holds: ScheduleHolds | None,
    anchor: AnchorState,
    cause: CauseKind,
    context: ActionContext,
) -> list[ScheduledMilestone]:
    """Give the milestones that hang on an anchor the date that they have from it now."""
    dates = []
    for locked in await lock_milestones(connection, await milestones_on_anchor(connection, anchor.id)):
        change: Literal["held"] | None = "held" if locked.milestone.held else None
        date = date_from_anchor(locked.milestone, anchor, anchor.source, anchor.known_on, change)
        dates.append((to_reschedule(locked), date))
    return await schedule(database, connection, holds, dates, cause, context)
