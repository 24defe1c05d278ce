"""The history of status updates; it is only ever added to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Evidence, Reporter
from contracts.vocabulary import PartyCode, Status
from services.plumbing.database import Connection
from services.registry.rules.status_history import StatusWord
from services.registry.store.rows import Row, as_json, word_from


@dataclass(frozen=True)
class RecordedUpdate:
    """A status update to be written into the history."""

    event_id: UUID
    commitment_id: str
    version: int
    party: PartyCode
    previous: Status
    status: Status
    current: bool
    overall: Status
    note: str | None
    evidence: Evidence | None
    reporter: Reporter
    report_id: UUID | None
    occurred_at: datetime
    reported_at: datetime
    recorded_at: datetime

    @property
    def word(self) -> StatusWord:
        """What it says, as the rules of the history see it."""
        return StatusWord(self.party, self.status, self.occurred_at, self.reported_at, self.recorded_at, self.version)


@dataclass(frozen=True)
class KnownReport:
    """What the history says under a ministry's report."""

    commitment_id: str
    party: PartyCode
    status: str
    note: str | None
    evidence: Evidence | None
    occurred_at: datetime


async def known_reports(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these reports that are in the history, whoever sent them."""
    rows = await connection.fetch("select report_id from status_update where report_id = any($1::uuid[])", list(ids))
    return {row["report_id"] for row in rows}


async def add_status_updates(connection: Connection, updates: Sequence[RecordedUpdate]) -> None:
    """Add entries to the histories of commitments."""
    await connection.execute(
        """
        insert into status_update (event_id, commitment_id, version, party, from_status, to_status, is_current, overall,
                                   note, evidence, client, ministry, report_id, occurred_at, reported_at, recorded_at)
        select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                             $8::text[], $9::text[], $10::jsonb[], $11::text[], $12::text[], $13::uuid[],
                             $14::timestamptz[], $15::timestamptz[], $16::timestamptz[])
        """,
        [one.event_id for one in updates],
        [one.commitment_id for one in updates],
        [one.version for one in updates],
        [one.party for one in updates],
        [one.previous for one in updates],
        [one.status for one in updates],
        [one.current for one in updates],
        [one.overall for one in updates],
        [one.note for one in updates],
        [as_json(one.evidence) for one in updates],
        [one.reporter.client for one in updates],
        [one.reporter.ministry for one in updates],
        [one.report_id for one in updates],
        [one.occurred_at for one in updates],
        [one.reported_at for one in updates],
        [one.recorded_at for one in updates],
    )


async def find_reports(connection: Connection, event_ids: Collection[UUID]) -> dict[UUID, KnownReport]:
    """What the history says under reports, by the ids of their events."""
    rows = await connection.fetch(
        "select event_id, commitment_id, party, to_status, note, evidence, occurred_at from status_update"
        " where event_id = any($1::uuid[])",
        list(event_ids),
    )
    return {
        row["event_id"]: KnownReport(
            row["commitment_id"],
            row["party"],
            row["to_status"],
            row["note"],
            None if row["evidence"] is None else Evidence.as_kept(row["evidence"]),
            row["occurred_at"],
        )
        for row in rows
    }


_WORD = "commitment_id, party, to_status, occurred_at, reported_at, recorded_at, version"


def _word(row: Row) -> StatusWord:
    return StatusWord(
        row["party"],
        word_from(Status, row["to_status"]),
        row["occurred_at"],
        row["reported_at"],
        row["recorded_at"],
        row["version"],
    )


async def last_words(
    connection: Connection, asked: Sequence[tuple[str, PartyCode, datetime | None]]
) -> list[StatusWord | None]:
    """For each commitment and party the last word that was said by a moment, or at all; None where there is none."""
    rows = await connection.fetch(
        f"""
        select n, w.* from unnest($1::text[], $2::text[], $3::timestamptz[])
             with ordinality as a(commitment_id, party, said, n)
        cross join lateral (
            select {_WORD} from status_update u
            where u.commitment_id = a.commitment_id and u.party = a.party
              and (a.said is null or u.reported_at <= a.said)
            order by u.reported_at desc, u.version desc limit 1
        ) as w
        """,
        [commitment_id for commitment_id, _, _ in asked],
        [party for _, party, _ in asked],
        [said for _, _, said in asked],
    )
    found = {row["n"]: _word(row) for row in rows}
    return [found.get(number) for number in range(1, len(asked) + 1)]


async def words_on(connection: Connection, commitment_ids: Collection[str]) -> dict[str, list[StatusWord]]:
    """All that was said of the parties of commitments, by the ids of these."""
    rows = await connection.fetch(
        f"select {_WORD} from status_update where commitment_id = any($1::text[]) order by version",
        list(commitment_ids),
    )
    found: dict[str, list[StatusWord]] = {}
    for row in rows:
        found.setdefault(row["commitment_id"], []).append(_word(row))
    return found


async def history_by_event(connection: Connection, commitment_id: str) -> dict[UUID, StatusWord]:
    """The words of a commitment's history in their order, by the ids of their events."""
    rows = await connection.fetch(
        f"select event_id, {_WORD} from status_update where commitment_id = $1 order by version", commitment_id
    )
    return {row["event_id"]: _word(row) for row in rows}


@dataclass(frozen=True)
class Renumbered:
    """What changes of an update when others are found to have been recorded before it."""

    version: int
    previous: Status
    current: bool
    overall: Status


async def renumber_updates(connection: Connection, updates: Mapping[UUID, Renumbered]) -> None:
    """Give updates other versions, and another status before and overall after: others were accepted before them.

    The history is only ever added to; here what was added while an old backup was in place takes its true place.
    """
    await connection.execute("select set_config('pledgewire.taking_over', 'on', true)")
    # In two steps, since a version may be taken until its update has moved on.
    await connection.execute(
        "update status_update set version = -version where event_id = any($1::uuid[])", list(updates)
    )
    await connection.execute(
        "update status_update u set version = n.version, from_status = n.previous, is_current = n.current,"
        " overall = n.overall"
        " from unnest($1::uuid[], $2::integer[], $3::text[], $4::boolean[], $5::text[])"
        " as n(event_id, version, previous, current, overall) where u.event_id = n.event_id",
        list(updates),
        [one.version for one in updates.values()],
        [one.previous for one in updates.values()],
        [one.current for one in updates.values()],
        [one.overall for one in updates.values()],
    )
    await connection.execute("select set_config('pledgewire.taking_over', 'off', true)")
