"""Anchors and what became known of them, as readers see them."""

from datetime import date, datetime
from typing import Any, Literal

from contracts.vocabulary import Slug, Source, Span, Text, WallTime
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.store.rows import Row, span_from


class AnchorEntry(ResponseModel):
    """An event on which milestones hang."""

    id: Slug
    title: Text
    zone: str
    span: Span
    local_time: WallTime | None
    """When it begins on the wall clocks of its zone."""
    source: Source
    known_on: date
    outcome: Literal["held", "cancelled"] | None
    """What came of it; none while it is ahead, or while nobody has said."""
    successor_id: Slug | None
    """The event that has taken its place."""
    milestones: tuple[Slug, ...]
    """Ids of the milestones that have their date from it."""


class AnchorHistoryEntry(ResponseModel):
    """What became known of an anchor."""

    span: Span
    local_time: WallTime | None
    change: Literal["first", "moved", "more-precise", "unchanged", "cancelled", "held", "succeeded"]
    source: Source
    known_on: date
    recorded_at: datetime
    recorded_by: str


class AnchorRecord(AnchorEntry):
    """An anchor with all that became known of it, the oldest first."""

    news: tuple[AnchorHistoryEntry, ...]


class AnchorList(ResponseModel):
    """All anchors."""

    items: tuple[AnchorEntry, ...]


_ANCHOR = """
    select id, title, zone, edtf, earliest, latest, precision, local_time, source, known_on, outcome, successor_id,
           array(select m.id from milestone m where m.anchor_id = anchor.id order by m.id) as milestones
    from anchor
"""


async def anchor_list(connection: Connection) -> AnchorList:
    """All anchors."""
    rows = await connection.fetch(f"{_ANCHOR} order by id")
    return AnchorList(items=tuple(AnchorEntry(**_anchor(row)) for row in rows))


async def anchor_entry(connection: Connection, anchor_id: str) -> AnchorEntry | None:
    """An anchor as it is now."""
    row = await connection.fetchrow(f"{_ANCHOR} where id = $1", anchor_id)
    return None if row is None else AnchorEntry(**_anchor(row))


async def anchor_record(connection: Connection, anchor_id: str) -> AnchorRecord | None:
    """An anchor with all that became known of it."""
    row = await connection.fetchrow(f"{_ANCHOR} where id = $1", anchor_id)
    if row is None:
        return None
    news = await connection.fetch("select * from anchor_news where anchor_id = $1 order by id", anchor_id)
    return AnchorRecord(
        **_anchor(row),
        news=tuple(
            AnchorHistoryEntry(
                span=span_from(one),
                local_time=one["local_time"],
                change=one["change"],
                source=Source.as_kept(one["source"]),
                known_on=one["known_on"],
                recorded_at=one["recorded_at"],
                recorded_by=one["recorded_by"],
            )
            for one in news
        ),
    )


def _anchor(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "zone": row["zone"],
        "span": span_from(row),
        "local_time": row["local_time"],
        "source": Source.as_kept(row["source"]),
        "known_on": row["known_on"],
        "outcome": row["outcome"],
        "successor_id": row["successor_id"],
        "milestones": tuple(row["milestones"]),
    }
