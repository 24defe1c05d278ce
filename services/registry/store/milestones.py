"""Milestones and their schedules; the schedule with a milestone's own version is the one that holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contracts.commitments import Milestone
from contracts.vocabulary import Source, Span
from services.plumbing.database import Connection
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import AlreadyExists
from services.registry.rules.schedule_change import ScheduleChange
from services.registry.store.rows import SPAN, Row, as_json, source_from, span_from

SCHEDULED_MILESTONE = """
    select m.id, m.commitment_id, m.wording, m.title, m.reading, m.parties, m.zone, m.anchor_id,
           m."offset", m.local_time, m.review_months, m.wording_language, m.schedule_version,
           s.edtf, s.earliest, s.latest, s.precision, s.source,
           (a.outcome = 'held' and m.reading = 'on' and m."offset" is null) is true as held
    from milestone m join milestone_schedule s on s.milestone_id = m.id and s.version = m.schedule_version
    left join anchor a on a.id = m.anchor_id
"""


@dataclass(frozen=True)
class LockedMilestone:
    """A milestone whose row is locked, as it is scheduled now; without a source the date is the statement's own."""

    commitment_id: str
    milestone: Milestone
    schedule_version: int
    source: Source | None


def milestone_from(row: Row) -> Milestone:
    """A milestone of a row of `SCHEDULED_MILESTONE`."""
    facts = {name: row[name] for name in Milestone.model_fields if name != "span"}
    return Milestone.as_kept({**facts, "span": span_from(row)})


async def put_milestone(connection: Connection, commitment_id: str, milestone: Milestone) -> bool:
    """Write a milestone, or bring its facts up to date; whether it is new, and so needs its first schedule.

    Its date and time are not touched. Raises `AlreadyExists` where the id belongs to another commitment.
    """
    new = await connection.fetchval(
        """
        insert into milestone as m (id, commitment_id, wording, title, reading, parties, zone, anchor_id,
                                    "offset", review_months, wording_language, schedule_version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)
        on conflict (id) do update set
            wording = excluded.wording, title = excluded.title, reading = excluded.reading,
            parties = excluded.parties, zone = excluded.zone, anchor_id = excluded.anchor_id,
            "offset" = excluded."offset", review_months = excluded.review_months,
            wording_language = excluded.wording_language
        where m.commitment_id = excluded.commitment_id
        returning xmax = 0
        """,
        milestone.id,
        commitment_id,
        milestone.wording,
        as_json(milestone.title),
        milestone.reading,
        list(milestone.parties),
        milestone.zone,
        milestone.anchor_id,
        as_json(milestone.offset),
        milestone.review_months,
        milestone.wording_language,
    )
    if new is None:
        raise AlreadyExists(Sentence("There is a milestone %(id)s already, of another commitment", id=milestone.id))
    return bool(new)


async def add_schedule(
    connection: Connection,
    milestone_id: str,
    version: int,
    span: Span,
    change: ScheduleChange,
    source: Source | None,
    known_on: date | None,
    event_id: UUID,
    now: datetime,
    local_time: str | None,
) -> None:
    """Give a milestone another date and time; the old dates stay in its history."""
    await connection.execute(
        f"""
        insert into milestone_schedule (milestone_id, version, {SPAN}, change, source, known_on, recorded_at, event_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        milestone_id,
        version,
        span.edtf,
        span.earliest,
        span.latest,
        span.precision,
        change,
        as_json(source),
        known_on,
        now,
        event_id,
    )
    await connection.execute(
        "update milestone set (schedule_version, local_time) = ($2, $3) where id = $1",
        milestone_id,
        version,
        local_time,
    )


async def lock_milestones(connection: Connection, ids: Collection[str]) -> list[LockedMilestone]:
    """Lock scheduled milestones, always in the same order; the unknown are left out."""
    await connection.execute(
        "select from milestone where id = any($1::text[]) order by id for no key update", list(ids)
    )
    rows = await connection.fetch(f"{SCHEDULED_MILESTONE} where m.id = any($1::text[]) order by m.id", list(ids))
    return [
        LockedMilestone(r["commitment_id"], milestone_from(r), r["schedule_version"], source_from(r["source"]))
        for r in rows
    ]


async def milestones_on_anchor(connection: Connection, anchor_id: str) -> list[str]:
    """Ids of the milestones that hang on an anchor."""
    return [r["id"] for r in await connection.fetch("select id from milestone where anchor_id = $1", anchor_id)]


async def milestones_without_anchor(connection: Connection, statement_id: str) -> list[str]:
    """Ids of a statement's milestones that hang on no anchor."""
    rows = await connection.fetch(
        "select m.id from milestone m join commitment c on c.id = m.commitment_id"
        " where c.statement_id = $1 and m.anchor_id is null",
        statement_id,
    )
    return [row["id"] for row in rows]


async def attach_to_anchor(connection: Connection, milestone: Milestone) -> None:
    """Hang a locked milestone on another anchor, in whose calendar it may be counted."""
    await connection.execute(
        "update milestone set (anchor_id, zone) = ($2, $3) where id = $1",
        milestone.id,
        milestone.anchor_id,
        milestone.zone,
    )


async def is_scheduled(connection: Connection, event_id: UUID) -> bool:
    """Whether the schedule of an event is there."""
    return bool(
        await connection.fetchval("select exists (select from milestone_schedule where event_id = $1)", event_id)
    )


async def renumber_schedules(connection: Connection, milestone_id: str, versions: Mapping[UUID, int]) -> None:
    """Give schedules, by the ids of their events, other versions: another date was given before them.

    Schedules are only ever added to; here what was added while an old backup was in place takes its true place.
    """
    if not versions:
        return
    await connection.execute("select set_config('pledgewire.taking_over', 'on', true)")
    # The highest first: nobody stands in its way.
    for event_id, version in sorted(versions.items(), key=lambda one: -one[1]):
        await connection.execute(
            "update milestone_schedule set version = $3 where milestone_id = $1 and event_id = $2",
            milestone_id,
            event_id,
            version,
        )
    await connection.execute("select set_config('pledgewire.taking_over', 'off', true)")


async def newest_version(connection: Connection, milestone_id: str) -> None:
    """Let the schedule with the highest version be the one that holds."""
    await connection.execute(
        "update milestone set schedule_version ="
        " (select max(version) from milestone_schedule where milestone_id = $1) where id = $1",
        milestone_id,
    )
