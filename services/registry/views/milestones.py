"""Milestones and the dates that they have had, as readers see them."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Any, Literal

from contracts.commitments import CommitmentBrief, Milestone, Offset
from contracts.open_lists import OPEN, TOLERANT
from contracts.vocabulary import LanguageTag, PartyCode, Reading, Slug, Source, Span, Text, WallTime
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.store.milestones import SCHEDULED_MILESTONE, milestone_from
from services.registry.store.rows import Row, source_from, span_from
from services.registry.wordings import Wording


class MilestoneEntry(ResponseModel):
    """A milestone as it is scheduled now."""

    id: Slug
    commitment_id: Slug
    wording: str
    title: Text
    span: Span
    reading: Reading
    parties: tuple[PartyCode, ...]
    zone: str
    anchor_id: Slug | None
    offset: Offset | None
    """How far from the anchor; none where it is the anchor itself."""
    local_time: WallTime | None
    review_months: int | None
    wording_language: LanguageTag
    schedule_version: int


class ScheduleEntry(ResponseModel):
    """One of a milestone's dates."""

    version: int
    span: Span
    change: Annotated[Literal["first", "moved", "more-precise", "cancelled", "held"], OPEN]
    source: Source | None
    """None when the statement itself says it."""
    known_on: date | None
    recorded_at: datetime


class MilestoneRecord(MilestoneEntry):
    """A milestone with all the dates that it has had, the oldest first."""

    schedules: tuple[ScheduleEntry, ...]
    read_as: Wording
    """What the statement's reading policy makes of the wording, and why; a date with a source may differ."""


async def milestone_entry(connection: Connection, milestone_id: str) -> MilestoneEntry | None:
    """A milestone as it is scheduled now."""
    row = await connection.fetchrow(f"{SCHEDULED_MILESTONE} where m.id = $1", milestone_id)
    return None if row is None else _milestone(row)


async def schedule_version(connection: Connection, milestone_id: str) -> int | None:
    """Which of a milestone's schedules holds."""
    version: int | None = await connection.fetchval(
        "select schedule_version from milestone where id = $1", milestone_id
    )
    return version


async def milestones_of(connection: Connection, commitment_ids: Collection[str]) -> dict[str, list[MilestoneEntry]]:
    """Milestones by commitment, the next one first and the undated last."""
    rows = await connection.fetch(
        f"{SCHEDULED_MILESTONE} where m.commitment_id = any($1::text[]) order by s.latest nulls last, m.id",
        list(commitment_ids),
    )
    found: dict[str, list[MilestoneEntry]] = {}
    for row in rows:
        found.setdefault(row["commitment_id"], []).append(_milestone(row))
    return found


async def schedules_of(connection: Connection, milestone_ids: Collection[str]) -> dict[str, list[ScheduleEntry]]:
    rows = await connection.fetch(
        "select * from milestone_schedule where milestone_id = any($1::text[]) order by version", list(milestone_ids)
    )
    found: dict[str, list[ScheduleEntry]] = {milestone_id: [] for milestone_id in milestone_ids}
    for row in rows:
        found[row["milestone_id"]].append(
            ScheduleEntry.model_validate(
                {
                    "version": row["version"],
                    "span": span_from(row),
                    "change": row["change"],
                    "source": source_from(row["source"]),
                    "known_on": row["known_on"],
                    "recorded_at": row["recorded_at"],
                },
                context=TOLERANT,
            )
        )
    return found


def _milestone(row: Row) -> MilestoneEntry:
    return MilestoneEntry(
        **fields_of(milestone_from(row)), commitment_id=row["commitment_id"], schedule_version=row["schedule_version"]
    )


def fields_of(model: CommitmentBrief | Milestone | MilestoneEntry) -> dict[str, Any]:
    """A model's fields as they are, to be part of a larger one."""
    return {name: getattr(model, name) for name in type(model).model_fields}
