"""What is due, as the tick claims and marks it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.vocabulary import CommitmentBrief, Milestone
from services.plumbing.database import Connection
from services.scheduler.occasions import Occasion


@dataclass(frozen=True)
class Due:
    """A claimed milestone with the steps of one of its ladders that are due; its JSON is still to be read."""

    milestone_id: str
    schedule_version: int
    commitment_json: str
    milestone_json: str
    correlation_id: str | None
    status: str
    scheduled_at: datetime
    audience: UUID | None
    """The subscription whose own ladder it is; None for the book's."""
    steps: Mapping[str, datetime]

    def commitment(self) -> CommitmentBrief:
        """What the event says of its commitment."""
        return CommitmentBrief.model_validate_json(self.commitment_json)

    def milestone(self) -> Milestone:
        """The milestone as last scheduled."""
        return Milestone.model_validate_json(self.milestone_json)


async def claim(
    connection: Connection, now: datetime, limit: int, only: str | None = None
) -> tuple[list[str], list[Due]]:
    """Lock up to `limit` milestones of which something seems due and nobody else has the lock; with what is due.

    Milestones and not reminders, since all steps of one that are due go into one event. When the first list isn't
    empty there may be more to claim, even when the second one is: another tick was faster.
    """
    locked = [
        row["milestone_id"]
        for row in await connection.fetch(
            """
            select p.milestone_id
            from milestone_plan p
            where (p.milestone_id, p.schedule_version) in (
                select milestone_id, schedule_version from reminder where state = 'pending' and due_at <= $1
            ) and ($3::text is null or p.milestone_id = $3)
            limit $2 for update of p skip locked
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
        """
        select p.milestone_id, p.schedule_version, p.commitment::text, p.milestone::text, p.correlation_id, s.overall,
               p.scheduled_at, r.audience,
               array_agg(r.step order by r.due_at) as steps, array_agg(r.due_at order by r.due_at) as due_ats
        from milestone_plan p
        join commitment_state s using (commitment_id)
        join reminder r using (milestone_id, schedule_version)
        where p.milestone_id = any($1::text[]) and r.state = 'pending' and r.due_at <= $2
        group by p.milestone_id, s.overall, r.audience
        order by min(r.due_at), p.milestone_id, r.audience nulls first
        """,
        locked,
        now,
    )
    return locked, [
        Due(
            row["milestone_id"],
            row["schedule_version"],
            row["commitment"],
            row["milestone"],
            row["correlation_id"],
            row["overall"],
            row["scheduled_at"],
            row["audience"],
            dict(zip(row["steps"], row["due_ats"], strict=True)),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Told:
    """What an event has told of a claimed milestone."""

    due: Due
    occasion: Occasion
    event_id: UUID


async def record_told(connection: Connection, told: Sequence[Told], now: datetime) -> None:
    """Mark the reminders that are told, and plan those that follow them.

    What was claimed is pending; an endless rung that is told along with it may have been withdrawn once, before the
    commitment was taken up again. What was told before is never told again: raises RuntimeError.
    """
    marks = [(t, t.occasion.step, t.occasion.due_at, "fired") for t in told]
    marks += [(t, step, due_at, "merged") for t in told for step, due_at in t.occasion.merged.items()]
    marked = await connection.fetch(
        """
        insert into reminder as r (milestone_id, schedule_version, step, audience, due_at, state, fired_at, event_id)
        select m, v, p, a, d, s, $8, e
        from unnest($1::text[], $2::int[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[], $7::uuid[])
             as n(m, v, p, a, d, s, e)
        on conflict (milestone_id, schedule_version, step, audience)
        do update set state = excluded.state, fired_at = excluded.fired_at, event_id = excluded.event_id
        where r.state in ('pending', 'withdrawn')
        returning id
        """,
        [t.due.milestone_id for t, *_ in marks],
        [t.due.schedule_version for t, *_ in marks],
        [step.name for _, step, _, _ in marks],
        [t.due.audience for t, *_ in marks],
        [due_at for _, _, due_at, _ in marks],
        [state for *_, state in marks],
        [t.event_id for t, *_ in marks],
        now,
    )
    if len(marked) != len(marks):
        raise RuntimeError(f"{len(marks) - len(marked)} of {len(marks)} steps had been told before")
    follow_ups = [(t, t.occasion.follow_up) for t in told if t.occasion.follow_up]
    if follow_ups:
        await connection.execute(
            """
            insert into reminder as r (milestone_id, schedule_version, step, audience, due_at, state)
            select m, v, p, a, d, 'pending'
            from unnest($1::text[], $2::int[], $3::text[], $4::uuid[], $5::timestamptz[]) as n(m, v, p, a, d)
            on conflict (milestone_id, schedule_version, step, audience)
            do update set state = 'pending', due_at = excluded.due_at where r.state = 'withdrawn'
            """,
            [t.due.milestone_id for t, _ in follow_ups],
            [t.due.schedule_version for t, _ in follow_ups],
            [planned.step.name for _, planned in follow_ups],
            [t.due.audience for t, _ in follow_ups],
            [planned.due_at for _, planned in follow_ups],
        )


async def withdraw(connection: Connection, given_up: Sequence[Due]) -> None:
    """Let what is due by ladders that their readers no longer have stay untold."""
    if not given_up:
        return
    await connection.execute(
        """
        update reminder r set state = 'withdrawn'
        from unnest($1::text[], $2::uuid[]) as n(milestone_id, audience)
        where r.milestone_id = n.milestone_id and r.audience = n.audience and r.state = 'pending'
        """,
        [due.milestone_id for due in given_up],
        [due.audience for due in given_up],
    )


async def mark_failed(connection: Connection, milestone_id: str, reason: str, now: datetime) -> int:
    """Put aside what is due of a milestone and can't be told; how many steps those are."""
    await connection.execute("select from milestone_plan where milestone_id = $1 for update", milestone_id)
    rows = await connection.fetch(
        "update reminder set state = 'failed', reason = $2, fired_at = $3"
        " where milestone_id = $1 and state = 'pending' and due_at <= $3 returning id",
        milestone_id,
        reason,
        now,
    )
    return len(rows)


async def retry_failed(connection: Connection) -> int:
    """Let what was put aside be tried again, unless its milestone has been moved or settled; how many steps."""
    rows = await connection.fetch(
        """
        update reminder r set state = 'pending', reason = null, fired_at = null
        where r.state = 'failed' and exists (
            select from milestone_plan p
            where p.milestone_id = r.milestone_id and p.schedule_version = r.schedule_version and not p.settled
        )
        returning r.id
        """
    )
    return len(rows)


@dataclass(frozen=True)
class LastTick:
    """The last tick of any scheduler on this database; None before the first."""

    business_at: datetime | None
    zone_data: str


async def last_tick(connection: Connection) -> LastTick:
    """When somebody ticked last."""
    row = await connection.fetchrow("select business_at, zone_data from tick")
    return LastTick(row["business_at"], row["zone_data"]) if row else LastTick(None, "")


async def write_tick(connection: Connection, business_at: datetime) -> None:
    """Say that all that is due up to this instant has been told."""
    await connection.execute("update tick set business_at = $1, ticked_at = clock_timestamp()", business_at)
