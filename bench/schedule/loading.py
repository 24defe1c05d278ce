"""Plans and reminders in bulk, by COPY, in the words of the real catalogue."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import asyncpg

from contracts.commitments import CommitmentBrief, Milestone
from contracts.vocabulary import Precision, Reading, Span
from services.registry.catalogue.loading import load

STEPS = ("before-90d", "before-30d", "before-7d", "before-1d", "on-the-day", "after-1d", "after-7d", "after-30d")
"""What a milestone that lies ahead has pending."""

SCHEDULED_AT = datetime(2021, 11, 18, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """A milestone as the scheduler keeps it."""

    milestone: Milestone
    commitment: CommitmentBrief


def rows(prefix: str, day: date) -> Iterator[Row]:
    """Milestones without end, all due on one day, each of a commitment of its own with a real one's words."""
    catalogue = load()
    briefs = [catalogue.brief(commitment) for commitment in catalogue.commitments]
    known = [milestone for commitment in catalogue.commitments for milestone in commitment.milestones]
    span = Span(edtf=day.isoformat(), earliest=day, latest=day, precision=Precision.DAY)
    number = 0
    while True:
        brief, model = briefs[number % len(briefs)], known[number % len(known)]
        id_ = f"{prefix}-{number}"
        milestone = Milestone(
            id=f"{id_}-m",
            wording=model.wording,
            title=model.title,
            span=span,
            reading=Reading.BY,
            parties=brief.parties,
            zone=model.zone,
        )
        yield Row(milestone, brief.model_copy(update={"id": id_}))
        number += 1


async def copy_due(connection: asyncpg.Connection, prefix: str, count: int, first: datetime, within: timedelta) -> None:
    """So many milestones with one reminder each, due at even distances within a stretch of time."""
    some = list(islice(rows(prefix, first.date() + timedelta(days=7)), count))
    await _copy_plans(connection, some)
    await _copy_reminders(
        connection,
        ((row.milestone.id, "before-7d", first + within * number / count) for number, row in enumerate(some)),
    )


async def copy_ahead(connection: asyncpg.Connection, prefix: str, reminders: int, after: datetime) -> None:
    """So many reminders that lie ahead, spread over twenty years, eight for each milestone."""
    some = list(islice(rows(prefix, after.date() + timedelta(days=365)), -(-reminders // len(STEPS))))
    await _copy_plans(connection, some)
    apart = timedelta(days=365 * 20) / max(reminders, 1)
    ahead = (
        (row.milestone.id, step, after + apart * (number * len(STEPS) + place + 1))
        for number, row in enumerate(some)
        for place, step in enumerate(STEPS)
    )
    await _copy_reminders(connection, islice(ahead, reminders))


async def _copy_plans(connection: asyncpg.Connection, some: list[Row]) -> None:
    await connection.copy_records_to_table(
        "commitment_state",
        records=((row.commitment.id, "announced", 0, "{}") for row in some),
        columns=("commitment_id", "overall", "seq", "parties"),
    )
    await connection.copy_records_to_table(
        "milestone_plan",
        records=(
            (
                row.milestone.id,
                row.commitment.id,
                1,
                json.dumps(row.commitment.model_dump(mode="json")),
                json.dumps(row.milestone.model_dump(mode="json")),
                False,
                SCHEDULED_AT,
            )
            for row in some
        ),
        columns=(
            "milestone_id",
            "commitment_id",
            "schedule_version",
            "commitment",
            "milestone",
            "settled",
            "scheduled_at",
        ),
    )


async def _copy_reminders(connection: asyncpg.Connection, reminders: Iterator[tuple[str, str, datetime]]) -> None:
    await connection.copy_records_to_table(
        "reminder",
        records=((milestone_id, 1, step, due_at, "pending") for milestone_id, step, due_at in reminders),
        columns=("milestone_id", "schedule_version", "step", "due_at", "state"),
    )


def nine(day: date) -> datetime:
    """Nine in the morning of a day, in UTC: when everybody's reminders come at once."""
    return datetime.combine(day, time(9), UTC)
