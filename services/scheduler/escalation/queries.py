"""Questions to the escalation's tables: what is due, how it stands with a milestone, and what was answered before."""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.plumbing.http.idempotency import Answer, KeptAnswer, KeyedRequest
from services.scheduler.escalation.rows import STATE_COLUMNS, MilestoneEscalation, escalation_from_row

NOT_HELD = """not exists (
    select from hold h where h.milestone_id = e.milestone_id and h.schedule_version > e.schedule_version
)"""
"""SQL over `escalation e`: whether no newer date of the milestone is about to come."""


async def is_any_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim may find anything, be it held: what is asked while nothing is due."""
    found: bool = await connection.fetchval(
        "select exists (select from escalation where next_at <= $1 and failed is null)", now
    )
    return found


async def claim_due(
    connection: Connection, now: datetime, limit: int, only: str | None = None
) -> tuple[list[str], list[asyncpg.Record]]:
    """Lock up to `limit` milestones that time may change and nobody else has; with the rows that are due.

    When the first list isn't empty there may be more to claim, even when the second one is: another was faster.
    """
    locked = [
        row["milestone_id"]
        for row in await connection.fetch(
            f"""
            select p.milestone_id from escalation e join milestone_plan p using (milestone_id)
            where e.next_at <= $1 and e.failed is null and {NOT_HELD} and ($3::text is null or e.milestone_id = $3)
            order by e.next_at, e.milestone_id limit $2 for update of p skip locked
            """,
            now,
            limit,
            only,
        )
    ]
    if not locked:
        return [], []
    # A statement of its own: it sees what was committed before the locks were ours.
    rows = await connection.fetch(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.milestone_id = any($1::text[]) and e.next_at <= $2 and e.failed is null and {NOT_HELD}
        order by e.next_at, e.milestone_id
        """,
        locked,
        now,
    )
    return locked, list(rows)


async def lock_milestone(connection: Connection, milestone_id: str) -> bool:
    """Have a milestone to oneself until the transaction ends; False when there is none."""
    found = await connection.fetchval(
        "select true from milestone_plan where milestone_id = $1 for update", milestone_id
    )
    return bool(found)


async def is_known(connection: Connection, milestone_id: str) -> bool:
    """Whether there is such a milestone."""
    found = await connection.fetchval("select true from milestone_plan where milestone_id = $1", milestone_id)
    return bool(found)


async def read_escalation(connection: Connection, milestone_id: str) -> MilestoneEscalation | None:
    """How it stands with a milestone; None when there is none, or its case has not begun yet."""
    row = await connection.fetchrow(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.milestone_id = $1
        """,
        milestone_id,
    )
    return escalation_from_row(row) if row else None


async def list_escalations(
    connection: Connection, *, state: str, commitment_id: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[MilestoneEscalation]:
    """Those that climb, or are owned, by when time changes them next (then by id), behind `after` only."""
    rows = await connection.fetch(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.state = $1 and e.state in ('climbing', 'owned')
          and ($2::text is null or p.commitment_id = $2)
          and ($3::timestamptz is null or (e.next_at, e.milestone_id) > ($3, $4::text))
        order by e.next_at, e.milestone_id limit $5
        """,
        state,
        commitment_id,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [escalation_from_row(row) for row in rows]


async def owned_milestones(
    connection: Connection, *, commitment_id: str | None, after: str, limit: int
) -> list[MilestoneEscalation]:
    """Those that are owned, of a commitment or of all, by their ids, behind `after` only."""
    rows = await connection.fetch(
        f"""
        select {STATE_COLUMNS}, p.commitment::text, p.milestone::text, p.correlation_id, s.overall
        from escalation e join milestone_plan p using (milestone_id) join commitment_state s using (commitment_id)
        where e.state = 'owned' and ($1::text is null or p.commitment_id = $1) and e.milestone_id > $2
        order by e.milestone_id limit $3
        """,
        commitment_id,
        after,
        limit,
    )
    return [escalation_from_row(row) for row in rows]


async def client_of_holder(connection: Connection, milestone_id: str) -> str | None:
    """By whose key the newest acknowledgement of a milestone came."""
    client: str | None = await connection.fetchval(
        "select client from escalation_log where milestone_id = $1 and what = 'acknowledged' order by id desc limit 1",
        milestone_id,
    )
    return client


async def is_logged(connection: Connection, event_id: UUID) -> bool:
    """Whether the log has it that a level has heard by this event."""
    found = await connection.fetchval("select true from escalation_log where what = 'told' and event_id = $1", event_id)
    return bool(found)


async def kept_acknowledgement(connection: Connection, request: KeyedRequest) -> KeptAnswer | None:
    """What was answered to the acknowledgement that this client sent with this key; it is kept with its line."""
    row = await connection.fetchrow(
        "select body_sha256, answer from escalation_log where client = $1 and idem_key = $2",
        request.client,
        request.key,
    )
    return KeptAnswer(row["body_sha256"], Answer(201, row["answer"])) if row else None


async def put_aside(connection: Connection, milestone_id: str, reason: str) -> None:
    """Leave out what can't be escalated, until the next process tries again."""
    await connection.execute("select from milestone_plan where milestone_id = $1 for update", milestone_id)
    await connection.execute("update escalation set failed = $2 where milestone_id = $1", milestone_id, reason)
