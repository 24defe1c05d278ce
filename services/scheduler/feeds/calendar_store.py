"""Calendar entries in PostgreSQL, written by the intake in its transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import MilestoneScheduled
from contracts.vocabulary import Source
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.scheduler.feeds.rendering.calendar_entries import CalendarEntry, calendar_entry_after
from services.scheduler.reminders.records import ReceivedCommitmentEvent
from services.scheduler.reminders.rules.agenda import Agenda


async def update_entries(
    connection: Connection,
    batch: Sequence[ReceivedCommitmentEvent],
    before: Mapping[str, Agenda],
    after: Mapping[str, Agenda],
    now: datetime,
) -> None:
    """Write the entries that a batch has made or changed."""
    affected = {
        name: (schedule, agenda.commitment_status, id_)
        for id_, agenda in after.items()
        for name, schedule in agenda.schedules.items()
        if schedule != before[id_].schedules.get(name) or agenda.commitment_status != before[id_].commitment_status
    }
    if not affected:
        return
    rows = await connection.fetch(
        "select milestone_id, commitment::text, milestone::text, source::text, version, turns, state, created_at,"
        " changed_at from calendar_entry where milestone_id = any($1::text[])",
        list(affected),
    )
    known = {row["milestone_id"]: entry for row in rows if (entry := readable_entry(row))}
    sources = {
        (one.event.milestone.id, one.event.schedule_version): one.event.source
        for one in batch
        if isinstance(one.event, MilestoneScheduled)
    }
    times: dict[str, datetime] = {}
    for one in batch:
        id_, at = one.event.commitment.id, min(one.envelope.time, now)
        times[id_] = max(at, times.get(id_, at))
    changed = []
    for name, (schedule, commitment_status, id_) in affected.items():
        source = sources.get((name, schedule.version))
        entry = calendar_entry_after(known.get(name), schedule, commitment_status, source, times[id_])
        if entry and entry != known.get(name):
            changed.append((name, id_, entry))
    if changed:
        await _write_entries(connection, changed)


async def _write_entries(connection: Connection, entries: Iterable[tuple[str, str, CalendarEntry]]) -> None:
    rows = sorted(entries, key=lambda row: row[0])
    await connection.execute(
        """
        insert into calendar_entry as c
            (milestone_id, commitment_id, parties, themes, section, version, turns, state, commitment, milestone,
             source, created_at, changed_at, mark)
        select i, o, string_to_array(n, ','), string_to_array(h, ','), s, v, t, z, b::jsonb, m::jsonb, q::jsonb, w, g,
               nextval('calendar_mark')
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[])
             as r(i, o, n, h, s, v, t, z, b, m, q, w, g)
        on conflict (milestone_id) do update set
            commitment_id = excluded.commitment_id, parties = excluded.parties, themes = excluded.themes,
            section = excluded.section, version = excluded.version, turns = excluded.turns, state = excluded.state,
            commitment = excluded.commitment, milestone = excluded.milestone, source = excluded.source,
            changed_at = excluded.changed_at, mark = excluded.mark
        """,
        [name for name, _, _ in rows],
        [id_ for _, id_, _ in rows],
        [",".join(entry.milestone.parties) for *_, entry in rows],
        [",".join(entry.commitment.themes) for *_, entry in rows],
        [entry.commitment.section for *_, entry in rows],
        [entry.version for *_, entry in rows],
        [entry.turns for *_, entry in rows],
        [entry.state for *_, entry in rows],
        [entry.commitment.model_dump_json() for *_, entry in rows],
        [entry.milestone.model_dump_json() for *_, entry in rows],
        [entry.source.model_dump_json() if entry.source else None for *_, entry in rows],
        [entry.created_at for *_, entry in rows],
        [entry.changed_at for *_, entry in rows],
    )


def readable_entry(row: asyncpg.Record) -> CalendarEntry | None:
    """A row of `calendar_entry` with its JSON as text; None, and a line in the log, for one that can't be read.

    By the next event it is written anew; until then it keeps no event from being heard, and no other from being shown.
    """
    try:
        return _entry_from_row(row)
    except ValueError as error:
        log.error("an entry can't be read", action="entry_left_out", milestone=row["milestone_id"], error=str(error))
        return None


def _entry_from_row(row: asyncpg.Record) -> CalendarEntry:
    return CalendarEntry(
        CommitmentBrief.as_read(row["commitment"]),
        Milestone.as_read(row["milestone"]),
        row["version"],
        row["turns"],
        row["state"],
        Source.as_read(row["source"]) if row["source"] else None,
        row["created_at"],
        row["changed_at"],
    )
