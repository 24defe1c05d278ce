"""What is due, as the tick claims and marks it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.vocabulary import CommitmentBrief, Milestone
from services.plumbing.database import Connection
from services.plumbing.logs import log
from services.scheduler.ladder import Step
from services.scheduler.occasions import Occasion
from services.scheduler.planning import Countdown, countdown


@dataclass(frozen=True)
class Due:
    """A claimed milestone with the steps of it that are due; its JSON is still to be read."""

    milestone_id: str
    schedule_version: int
    commitment_json: str
    milestone_json: str
    correlation_id: str | None
    status: str
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
               array_agg(r.step order by r.due_at) as steps, array_agg(r.due_at order by r.due_at) as due_ats
        from milestone_plan p
        join commitment_state s using (commitment_id)
        join reminder r using (milestone_id, schedule_version)
        where p.milestone_id = any($1::text[]) and r.state = 'pending' and r.due_at <= $2
        group by p.milestone_id, s.overall
        order by min(r.due_at), p.milestone_id
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
        insert into reminder as r (milestone_id, schedule_version, step, due_at, state, fired_at, event_id)
        select m, v, p, d, s, $7, e
        from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[]) as n(m, v, p, d, s, e)
        on conflict (milestone_id, schedule_version, step, audience)
        do update set state = excluded.state, fired_at = excluded.fired_at, event_id = excluded.event_id
        where r.state in ('pending', 'withdrawn')
        returning id
        """,
        [t.due.milestone_id for t, *_ in marks],
        [t.due.schedule_version for t, *_ in marks],
        [step.name for _, step, _, _ in marks],
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
            insert into reminder as r (milestone_id, schedule_version, step, due_at, state)
            select m, v, p, d, 'pending'
            from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[]) as n(m, v, p, d)
            on conflict (milestone_id, schedule_version, step, audience)
            do update set state = 'pending' where r.state = 'withdrawn'
            """,
            [t.due.milestone_id for t, _ in follow_ups],
            [t.due.schedule_version for t, _ in follow_ups],
            [planned.step.name for _, planned in follow_ups],
            [planned.due_at for _, planned in follow_ups],
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


async def write_zone_data(connection: Connection, zone_data: str) -> None:
    """Say that all instants rest on this release of the zone data."""
    await connection.execute("update tick set zone_data = $1", zone_data)


async def recompute_due(connection: Connection, after: str, limit: int) -> tuple[str | None, int]:
    """Compute anew when the reminders of the next milestones (by id) that wait for their day are due.

    Returns where to go on, None at the end, and how many instants were others than before.
    """
    plans = await connection.fetch(
        "select milestone_id, schedule_version, milestone::text from milestone_plan"
        " where milestone_id > $1 order by milestone_id limit $2 for update",
        after,
        limit,
    )
    rows = await connection.fetch(
        "select id, milestone_id, step, due_at from reminder"
        " where state = 'pending' and milestone_id = any($1::text[])",
        [plan["milestone_id"] for plan in plans],
    )
    counts = {plan["milestone_id"]: _countdown(plan["milestone_id"], plan["milestone"]) for plan in plans}
    moved = []
    for row in rows:
        count = counts[row["milestone_id"]]
        due_at = count.due_at(Step.named(row["step"])) if count else None
        if due_at and due_at != row["due_at"]:
            moved.append((row["id"], due_at))
    if moved:
        await connection.execute(
            "update reminder r set due_at = n.due_at from unnest($1::bigint[], $2::timestamptz[]) as n(id, due_at)"
            " where r.id = n.id",
            [id_ for id_, _ in moved],
            [due_at for _, due_at in moved],
        )
    return (plans[-1]["milestone_id"] if len(plans) == limit else None), len(moved)


def _countdown(milestone_id: str, milestone_json: str) -> Countdown | None:
    try:
        return countdown(Milestone.model_validate_json(milestone_json))
    except ValueError as error:
        # Its instants stay as they are; should it really be unreadable, then the tick will put it aside.
        log.error("instants can't be computed", action="recompute_left_out", milestone=milestone_id, error=str(error))
        return None
