"""Events on which milestones hang: they enter the register, get other dates, are held, called off and succeeded.

Whatever becomes known of one is kept with its source, also where it changes nothing. What it changes for the
milestones that hang on it is said once for each of them.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from contracts.vocabulary import Precision, Source, Span, Text, WallTime
from services.plumbing.database import Connection, Database
from services.plumbing.zones import is_zone
from services.registry import store
from services.registry.actions.events import Occasion
from services.registry.actions.reschedule import Dated, News, Scheduled, dated_now, on_anchor, schedule, time_then
from services.registry.rules.anchor_offset import zone_of
from services.registry.rules.edtf_dates import UNDATED
from services.registry.rules.errors import AlreadyThere, Invalid, Refusal, Unknown
from services.registry.rules.schedule_change import change_of
from services.registry.store import HeldAnchor

Change = Literal["moved", "more-precise", "unchanged"]


class Succeeded(Refusal):
    """Another event has taken its place; what becomes known now is about that one."""

    kind = "anchor-succeeded"


class Off(Refusal):
    """It has been called off already."""

    kind = "anchor-cancelled"


@dataclass(frozen=True)
class Moved:
    """It has another date, or none any more; or the one that it had is confirmed."""

    span: Span
    local_time: WallTime | None
    source: Source
    known_on: date


@dataclass(frozen=True)
class WasHeld:
    """It has taken place: on these days, or on those that the register has for it."""

    span: Span | None
    local_time: WallTime | None
    source: Source
    known_on: date


@dataclass(frozen=True)
class IsOff:
    """It will not take place; another event may take its place."""

    successor_id: str | None
    source: Source
    known_on: date


async def create_anchor(connection: Connection, anchor: HeldAnchor, title: Text, occasion: Occasion) -> None:
    """Enter an event; raises `AlreadyThere` where the id is taken, and `Invalid` for a zone that there isn't."""
    if not is_zone(anchor.zone):
        raise Invalid(f"There is no zone {anchor.zone}", field="zone")
    # The insert would take over a known one's title, so the known are looked for first; the insert settles a race.
    if await store.hold_anchors(connection, [anchor.id]) or not await store.add_anchor(connection, anchor, title):
        raise AlreadyThere(f"There is an anchor {anchor.id} already")
    await store.add_anchor_news(connection, anchor, "first", occasion.client, occasion.now)


async def move_anchor(
    database: Database, connection: Connection, anchor_id: str, news: Moved, occasion: Occasion
) -> tuple[Change, list[Scheduled]]:
    """Give an anchor another date, and with it the milestones that hang on it.

    News that confirm the date are kept among the anchor's, and change nothing else. Another date opens an outcome
    again: what was held meets once more, what was called off is on. Raises `Unknown` and `Succeeded`.
    """
    anchor, _ = await _held(connection, anchor_id)
    change, after = _moved(anchor, news)
    await store.add_anchor_news(connection, after, change, occasion.client, occasion.now)
    if change == "unchanged":
        return change, []
    after = replace(after, outcome=None)
    await store.put_anchor(connection, after)
    return change, await _follow(database, connection, after, occasion)


async def hold_anchor(
    database: Database, connection: Connection, anchor_id: str, news: WasHeld, occasion: Occasion
) -> list[Scheduled]:
    """Record that an event has taken place. The milestones that are this event are told so; others, such as those 90
    days after it, move only where the days are others.

    One that comes again, such as a yearly dialogue, may be held again. Raises `Unknown`, `Succeeded`, and `Invalid`
    where the days aren't known to the day or are still ahead of the news.
    """
    anchor, _ = await _held(connection, anchor_id)
    span = news.span or anchor.span
    if span.precision is not Precision.DAY or span.latest is None:
        raise Invalid("Say on which days it was held", field="edtf")
    if span.latest > news.known_on:
        raise Invalid(f"On {news.known_on} it was not yet known how {span.latest} ended", field="known_on")
    change, after = _moved(anchor, Moved(span, news.local_time, news.source, news.known_on))
    after = replace(after, outcome="held")
    await store.add_anchor_news(connection, after, "held", occasion.client, occasion.now)
    await store.put_anchor(connection, after)
    if change == "unchanged" and anchor.outcome == "held":
        return []
    return await _follow(database, connection, after, occasion)


async def call_off(
    database: Database, connection: Connection, anchor_id: str, news: IsOff, occasion: Occasion
) -> list[Scheduled]:
    """Record that an event will not take place.

    Without a successor its milestones lose their date; with one they hang on that from then on, and have its date.
    Raises `Unknown`, `Succeeded`, `Off`, and `Invalid` for a successor that can't be.
    """
    anchor, successor = await _held(connection, anchor_id, news.successor_id)
    if anchor.outcome == "cancelled" and successor is None:
        raise Off(f"{anchor_id} was called off already, known on {anchor.known_on}; it may still get a successor")
    after = replace(
        anchor,
        span=UNDATED,
        local_time=None,
        source=news.source,
        known_on=news.known_on,
        outcome="cancelled",
        successor_id=news.successor_id,
    )
    change = "succeeded" if successor else "cancelled"
    await store.add_anchor_news(connection, after, change, occasion.client, occasion.now)
    await store.put_anchor(connection, after)
    dates: list[tuple[Dated, News]] = []
    for held in await store.hold_milestones(connection, await store.followers_of(connection, anchor_id)):
        dated = dated_now(held)
        if successor is None:
            dates.append((dated, on_anchor(held.milestone, after, news.source, news.known_on, "cancelled")))
            continue
        zone = zone_of(held.milestone.reading, successor.zone, held.milestone.zone)
        follower = held.milestone.model_copy(update={"anchor_id": successor.id, "zone": zone})
        await store.rehang(connection, follower)
        dates.append(
            (replace(dated, milestone=follower), on_anchor(follower, successor, news.source, news.known_on, "moved"))
        )
    return await schedule(database, connection, dates, occasion)


async def _held(
    connection: Connection, anchor_id: str, successor_id: str | None = None
) -> tuple[HeldAnchor, HeldAnchor | None]:
    """The anchor, locked, and its successor to be, where there is one."""
    found = await store.hold_anchors(connection, [one for one in (anchor_id, successor_id) if one])
    if anchor_id not in found:
        raise Unknown(f"There is no anchor {anchor_id}")
    anchor = found[anchor_id]
    if anchor.successor_id:
        raise Succeeded(f"{anchor.successor_id} has taken its place", successor_id=anchor.successor_id)
    if successor_id is None:
        return anchor, None
    if successor_id not in found:
        raise Invalid(f"There is no anchor {successor_id}", field="successor_id")
    if successor_id == anchor_id or found[successor_id].outcome == "cancelled":
        raise Invalid(f"{successor_id} is called off itself", field="successor_id")
    return anchor, found[successor_id]


def _moved(anchor: HeldAnchor, news: Moved) -> tuple[Change, HeldAnchor]:
    """What the date is after the one that the anchor has, and the anchor with it; its outcome stays."""
    time = time_then(news.span, news.local_time, anchor.span, anchor.local_time)
    after = replace(anchor, span=news.span, local_time=time, source=news.source, known_on=news.known_on)
    match change_of(anchor.span, after.span, anchor.local_time, after.local_time):
        case "moved" | "more-precise" as change:
            return change, after
        case _:
            return "unchanged", after


async def _follow(
    database: Database, connection: Connection, anchor: HeldAnchor, occasion: Occasion
) -> list[Scheduled]:
    followers = await store.hold_milestones(connection, await store.followers_of(connection, anchor.id))
    dates = [
        (
            dated_now(one),
            on_anchor(one.milestone, anchor, anchor.source, anchor.known_on, "held" if one.milestone.held else None),
        )
        for one in followers
    ]
    return await schedule(database, connection, dates, occasion)
