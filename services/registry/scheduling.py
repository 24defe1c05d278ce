"""Dates into the register: a milestone's first, and another one when it, or the anchor that it hangs on, moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from contracts.events import MilestoneScheduled
from contracts.topics import MILESTONE_SCHEDULED
from contracts.vocabulary import Milestone, Source, Span
from services.plumbing.database import Connection, Database
from services.plumbing.outbox import append, take_seqs
from services.registry import store
from services.registry.announcing import Occasion, announcements
from services.registry.refusals import Refusal, Unknown
from services.registry.schedules import Change, change_of
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


@dataclass(frozen=True)
class Dated:
    """A milestone that is to have a date; `previous` and `version` are those that it has now, none and 0 at first."""

    commitment_id: str
    milestone: Milestone
    version: int
    previous: Span | None


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
    return Dated(held.commitment_id, held.milestone, held.schedule_version, held.milestone.span)


def said_by(milestone: Milestone, anchors: Mapping[str, HeldAnchor]) -> News:
    """The date that a milestone has to begin with: its anchor's, with the anchor's source, or the statement's own."""
    if milestone.anchor_id is None:
        return News(milestone.span, None, None)
    anchor = anchors[milestone.anchor_id]
    return News(anchor.span, anchor.source, anchor.known_on)


async def schedule(
    database: Database, connection: Connection, dates: Sequence[tuple[Dated, News]], occasion: Occasion
) -> list[Scheduled]:
    """Give each milestone (locked by the caller, or new) its date, and say so; one with the same date is left out."""
    changes = [(d, n, change_of(d.previous, n.span)) for d, n in dates]
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
            milestone=d.milestone.model_copy(update={"span": n.span}),
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
            record.event_id, occasion.now,
        )  # fmt: skip
        scheduled.append(
            Scheduled(event.milestone, event.commitment.id, event.schedule_version, change, record.event_id)
        )
    return scheduled


async def move_anchor(
    database: Database,
    connection: Connection,
    anchor_id: str,
    span: Span,
    source: Source,
    known_on: date,
    occasion: Occasion,
) -> tuple[Change | Literal["unchanged"], list[Scheduled]]:
    """Give an anchor another date, and with it the milestones that hang on it.

    News that confirm the date are kept among the anchor's, and change nothing else.
    """
    held = (await store.hold_anchors(connection, [anchor_id])).get(anchor_id)
    if held is None:
        raise Unknown(f"There is no anchor {anchor_id}")
    change = change_of(held.span, span)
    await store.add_anchor_news(
        connection, anchor_id, span, change or "unchanged", source, known_on, occasion.client, occasion.now
    )
    if change is None:
        return "unchanged", []
    await store.move_anchor(connection, anchor_id, span, source, known_on)
    followers = await store.hold_milestones(connection, await store.followers_of(connection, anchor_id))
    news = News(span, source, known_on)
    return change, await schedule(database, connection, [(dated_now(one), news) for one in followers], occasion)


async def move_milestone(
    database: Database,
    connection: Connection,
    milestone_id: str,
    span: Span,
    source: Source,
    known_on: date,
    occasion: Occasion,
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
    scheduled = await schedule(database, connection, [(dated_now(found), News(span, source, known_on))], occasion)
    return scheduled[0] if scheduled else None
