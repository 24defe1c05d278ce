"""What the consistency check looks at, and the flags that it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contracts.commitments import Milestone
from contracts.vocabulary import Status
from services.plumbing.database import Connection
from services.plumbing.zones import day_in, zone_named
from services.registry.rules.consistency import (
    REGISTER_ZONE,
    CheckedAnchor,
    CheckedCommitment,
    Inconsistency,
    StatusHistoryEntry,
)
from services.registry.store.commitments import DIFFERING_STATUSES, party_statuses_from
from services.registry.store.milestones import SCHEDULED_MILESTONE, milestone_from
from services.registry.store.rows import SPAN, span_from, word_from

FlagKey = tuple[str, str, date]
"""Rule, subject and first day: what makes two findings the same one."""


@dataclass(frozen=True)
class KnownFlag:
    """A flag that has been raised before, and whether it has been cleared since."""

    id: int
    is_cleared: bool


async def take_day(connection: Connection, day: date) -> bool:
    """Mark a day as checked; whether it was not yet. Whoever comes second waits for the first one's commit."""
    taken: bool | None = await connection.fetchval(
        "update consistency_run set day = $1 where day < $1 returning true", day
    )
    return bool(taken)


async def commitments_to_check(connection: Connection) -> dict[str, CheckedCommitment]:
    """All commitments as the rules see them."""
    milestones: dict[str, list[Milestone]] = {}
    for row in await connection.fetch(f"{SCHEDULED_MILESTONE} order by m.id"):
        milestones.setdefault(row["commitment_id"], []).append(milestone_from(row))
    history: dict[str, list[StatusHistoryEntry]] = {}
    for row in await connection.fetch(
        "select commitment_id, party, to_status, recorded_at from status_update"
        " where is_current order by commitment_id, version"
    ):
        entry = StatusHistoryEntry(row["recorded_at"], row["party"], word_from(Status, row["to_status"]))
        history.setdefault(row["commitment_id"], []).append(entry)
    rows = await connection.fetch(
        f"""
        select c.id, c.parties, c.status, {DIFFERING_STATUSES} as differing, st.made_on,
               (select max(d.recorded_at) from milestone m join milestone_schedule d on d.milestone_id = m.id
                where m.commitment_id = c.id and d.version > 1) as rescheduled_at
        from commitment c join statement st on st.id = c.statement_id order by c.id
        """
    )
    found = {}
    for row in rows:
        entries = history.get(row["id"], [])
        times = [entry.at for entry in entries] + ([row["rescheduled_at"]] if row["rescheduled_at"] else [])
        found[row["id"]] = CheckedCommitment(
            id=row["id"],
            status=word_from(Status, row["status"]),
            party_statuses=party_statuses_from(row),
            milestones=milestones.get(row["id"], []),
            history=entries,
            last_activity=max([row["made_on"], *(day_in(zone_named(REGISTER_ZONE), at) for at in times)]),
        )
    return found


async def anchors_to_check(connection: Connection) -> list[CheckedAnchor]:
    """All anchors as the rules see them."""
    rows = await connection.fetch(f"select id, zone, {SPAN}, outcome from anchor order by id")
    return [CheckedAnchor(row["id"], row["zone"], span_from(row), row["outcome"] is not None) for row in rows]


async def known_flags(connection: Connection) -> dict[FlagKey, KnownFlag]:
    """All flags that were ever raised."""
    rows = await connection.fetch("select id, rule, subject, since, cleared_at from consistency_flag")
    return {
        (row["rule"], row["subject"], row["since"]): KnownFlag(row["id"], row["cleared_at"] is not None) for row in rows
    }


async def clear_flags(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Close flags whose finding no longer holds."""
    await connection.execute("update consistency_flag set cleared_at = $2 where id = any($1)", ids, now)


async def reopen_flags(connection: Connection, ids: Sequence[int]) -> None:
    """Open flags again whose finding has come back."""
    await connection.execute("update consistency_flag set cleared_at = null where id = any($1)", ids)


async def add_flags(
    connection: Connection, found: Sequence[Inconsistency], event_ids: Sequence[UUID | None], now: datetime
) -> None:
    """Write new flags, each with the id of its event; None where there is no event."""
    await connection.executemany(
        "insert into consistency_flag"
        " (rule, subject, since, commitment_id, milestone_id, anchor_id, flagged_at, event_id)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                one.rule,
                one.subject,
                one.since,
                one.commitment_id,
                one.milestone.id if one.milestone else None,
                one.anchor_id,
                now,
                event_id,
            )
            for one, event_id in zip(found, event_ids, strict=True)
        ],
    )
