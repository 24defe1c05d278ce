"""The log of the escalation: a line for each thing that happened to a milestone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.scheduler.escalation.rules.states import LevelNotified, LogEntry


@dataclass(frozen=True)
class LogLine:
    """A line of the log to be."""

    milestone_id: str
    schedule_version: int
    entry: LogEntry
    at: datetime
    level: str | None = None
    note: str | None = None
    client: str | None = None
    event_id: UUID | None = None
    idem_key: str | None = None
    body_sha256: bytes | None = None
    answer: Any = None


async def read_log(connection: Connection, milestone_id: str) -> list[asyncpg.Record]:
    """All that happened, the oldest first."""
    return list(
        await connection.fetch(
            "select what, at, schedule_version, round, rank, level, repeat, due_at, name, note, client, event_id"
            " from escalation_log where milestone_id = $1 order by id",
            milestone_id,
        )
    )


async def append_log(connection: Connection, lines: Sequence[LogLine]) -> None:
    rows = [_log_values(line) for line in lines]
    await connection.execute(
        """
        insert into escalation_log (milestone_id, schedule_version, what, at, round, rank, level, repeat, due_at, name,
                                    note, client, event_id, idem_key, body_sha256, answer)
        select * from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::int[], $6::int[], $7::text[],
                             $8::int[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::uuid[],
                             $14::text[], $15::bytea[], $16::jsonb[])
        """,
        *([row[i] for row in rows] for i in range(16)),
    )


def _log_values(line: LogLine) -> tuple[Any, ...]:
    entry = line.entry
    notified, noted = (entry, None) if isinstance(entry, LevelNotified) else (None, entry)
    made = noted and noted.acknowledgement
    return (
        line.milestone_id,
        line.schedule_version,
        noted.what if noted else "told",
        line.at,
        entry.round,
        entry.rank,
        line.level,
        notified and notified.repeat,
        notified and notified.due_at,
        made and made.name,
        line.note if noted and noted.what == "evidence" else made and made.note,
        line.client,
        line.event_id,
        line.idem_key,
        line.body_sha256,
        line.answer,
    )
