"""Anchors, and what became known of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from contracts.vocabulary import Source, Span, Text
from services.plumbing.database import Connection
from services.registry.store.rows import SPAN, as_json, span_from


@dataclass(frozen=True)
class AnchorState:
    """An anchor whose row is locked, with its present date and what came of it."""

    id: str
    zone: str
    span: Span
    local_time: str | None
    source: Source
    known_on: date
    outcome: Literal["held", "cancelled"] | None
    successor_id: str | None


async def add_anchor(connection: Connection, anchor: AnchorState, title: Text) -> bool:
    """Write a new anchor, or a known one's title; whether it is new. A known one keeps the date that it has now."""
    new = await connection.fetchval(
        f"""
        insert into anchor (id, title, zone, {SPAN}, local_time, source, known_on)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (id) do update set title = excluded.title
        returning xmax = 0
        """,
        anchor.id,
        as_json(title),
        anchor.zone,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        as_json(anchor.source),
        anchor.known_on,
    )
    return bool(new)


async def lock_anchors(connection: Connection, ids: Collection[str]) -> dict[str, AnchorState]:
    """Lock anchors, always in the same order; the unknown are left out."""
    rows = await connection.fetch(
        f"select id, zone, {SPAN}, local_time, source, known_on, outcome, successor_id"
        " from anchor where id = any($1::text[]) order by id for no key update",
        list(ids),
    )
    return {
        r["id"]: AnchorState(
            id=r["id"],
            zone=r["zone"],
            span=span_from(r),
            local_time=r["local_time"],
            source=Source.as_kept(r["source"]),
            known_on=r["known_on"],
            outcome=r["outcome"],
            successor_id=r["successor_id"],
        )
        for r in rows
    }


async def put_anchor(connection: Connection, anchor: AnchorState) -> None:
    """Write how a locked anchor stands now: its date, and what came of it."""
    await connection.execute(
        f"update anchor set ({SPAN}, local_time, source, known_on, outcome, successor_id)"
        " = ($2, $3, $4, $5, $6, $7, $8, $9, $10) where id = $1",
        anchor.id,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        as_json(anchor.source),
        anchor.known_on,
        anchor.outcome,
        anchor.successor_id,
    )


async def add_anchor_news(connection: Connection, anchor: AnchorState, change: str, client: str, now: datetime) -> None:
    """Add to what became known of an anchor, as it stands from then on."""
    await connection.execute(
        f"insert into anchor_news (anchor_id, {SPAN}, local_time, change, source, known_on, recorded_at, recorded_by)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        anchor.id,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        change,
        as_json(anchor.source),
        anchor.known_on,
        now,
        client,
    )
