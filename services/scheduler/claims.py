"""What is due, as the tick claims and marks it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.scheduler.ladder import Step
from services.scheduler.occasions import Occasion


@dataclass(frozen=True)
class Due:
    """What is due of a claimed milestone for one audience; its JSON is still to be read."""

    milestone_id: str
    audience: UUID | None
    schedule_version: int
    commitment_json: str
    milestone_json: str
    correlation_id: str | None
    status: str
    scheduled_at: datetime
    steps: Mapping[str, datetime]
    """The steps that are due, with the instants at which they were; never empty."""
    ids: Mapping[str, int]
    """Their rows."""


_PLAN = """
    p.milestone_id, p.schedule_version, p.commitment_id, p.commitment::text, p.milestone::text, p.correlation_id,
    p.scheduled_at
"""
_HELD = """exists (
    select from hold h where h.milestone_id = p.milestone_id and h.schedule_version > p.schedule_version
)"""
"""Somebody is about to write a newer schedule: what this one says may not be true any more."""

NEXT_DUE = f"""
select {_PLAN}
from reminder r join milestone_plan p using (milestone_id, schedule_version)
where r.state = 'pending' and r.due_at <= $1 and not {_HELD}
order by r.due_at, r.id limit $2 for update of p skip locked
"""
"""The milestones of the reminders that are due at $1, at most $2 rows; one may stand there for several steps."""

IN_ORDER = "set local enable_sort = off"
"""A planner that knows nothing of the table yet would rather sort all that is due, for each batch anew."""


async def claim(connection: Connection, now: datetime, limit: int) -> tuple[list[str], list[Due]]:
    """Lock the milestones of the next reminders in the order in which they are due, but for those somebody else holds.

    At most `limit` reminders are looked at; of the milestones all steps are claimed that are due, since those for one
    audience go into one event. When the first list isn't empty there may be more to claim, even when the second one
    is: another tick was faster.

    The rows come from the partial index and are locked as they come, so that the cost is that of what is claimed,
    however much lies ahead.
    """
    await connection.execute(IN_ORDER)
    return await _claimed(
        connection,
        now,
        await connection.fetch(NEXT_DUE, now, limit),
    )


async def claim_one(connection: Connection, now: datetime, milestone_id: str) -> tuple[list[str], list[Due]]:
    """The same for one milestone."""
    return await _claimed(
        connection,
        now,
        await connection.fetch(
            f"select {_PLAN} from milestone_plan p where p.milestone_id = $1 for update skip locked", milestone_id
        ),
    )


async def _claimed(
    connection: Connection, now: datetime, locked: Sequence[asyncpg.Record]
) -> tuple[list[str], list[Due]]:
    plans = {row["milestone_id"]: row for row in locked}
    if not plans:
        return [], []
    # A statement of its own: it sees what was committed before the locks were ours, fired steps and holds alike.
    rows = await connection.fetch(
        f"""
        select r.id, r.milestone_id, r.audience, r.step, r.due_at, s.overall
        from unnest($1::text[], $2::int[], $3::text[]) as p(milestone_id, schedule_version, commitment_id)
        join reminder r using (milestone_id, schedule_version)
        join commitment_state s using (commitment_id)
        where r.state = 'pending' and r.due_at <= $4 and not {_HELD}
        """,
        list(plans),
        [plan["schedule_version"] for plan in plans.values()],
        [plan["commitment_id"] for plan in plans.values()],
        now,
    )
    together: dict[tuple[str, UUID | None], list[asyncpg.Record]] = {}
    for row in sorted(rows, key=itemgetter("due_at", "id")):
        together.setdefault((row["milestone_id"], row["audience"]), []).append(row)
    return list(plans), [_due(plans[milestone_id], steps) for (milestone_id, _), steps in together.items()]


def _due(plan: asyncpg.Record, steps: Sequence[asyncpg.Record]) -> Due:
    return Due(
        milestone_id=plan["milestone_id"],
        audience=steps[0]["audience"],
        schedule_version=plan["schedule_version"],
        commitment_json=plan["commitment"],
        milestone_json=plan["milestone"],
        correlation_id=plan["correlation_id"],
        status=steps[0]["overall"],
        scheduled_at=plan["scheduled_at"],
        steps={step["step"]: step["due_at"] for step in steps},
        ids={step["step"]: step["id"] for step in steps},
    )


@dataclass(frozen=True)
class Coming:
    """What will be needed when a reminder is due; `place` is where it stands among all."""

    place: tuple[datetime, int]
    texts: tuple[str, str]
    """The commitment and the milestone, as JSON."""


async def coming(connection: Connection, after: tuple[datetime, int], until: datetime, limit: int) -> Sequence[Coming]:
    """The milestones of the reminders that are due next, behind a place and up to an instant; nothing is locked."""
    rows = await connection.fetch(
        """
        select r.due_at, r.id, p.commitment::text, p.milestone::text
        from reminder r join milestone_plan p using (milestone_id, schedule_version)
        where r.state = 'pending' and (r.due_at, r.id) > ($1, $2::bigint) and r.due_at <= $3
        order by r.due_at, r.id limit $4
        """,
        *after,
        until,
        limit,
    )
    return [Coming((row["due_at"], row["id"]), (row["commitment"], row["milestone"])) for row in rows]


@dataclass(frozen=True)
class Told:
    """What an event has told of a claimed milestone."""

    due: Due
    occasion: Occasion
    event_id: UUID


async def record_told(connection: Connection, told: Sequence[Told], now: datetime) -> None:
    """Mark the reminders that are told, and plan those that follow them.

    What was told before is never told again: raises RuntimeError.
    """
    marks = [(t, t.occasion.step, t.occasion.due_at, "fired") for t in told]
    marks += [(t, step, due_at, "merged") for t in told for step, due_at in t.occasion.merged.items()]
    claimed = [(t.due.ids[step.name], state, t.event_id) for t, step, _, state in marks if step.name in t.due.ids]
    # Endless rungs that nobody had planned yet; one may have been withdrawn before the commitment was taken up again.
    caught_up = [mark for mark in marks if mark[1].name not in mark[0].due.ids]
    marked = await connection.fetchval(
        """
        with marked as (
            update reminder r set state = n.state, fired_at = $4, event_id = n.event_id
            from unnest($1::bigint[], $2::text[], $3::uuid[]) as n(id, state, event_id)
            where r.id = n.id and r.state = 'pending' returning r.id
        )
        select count(*) from marked
        """,
        [id_ for id_, *_ in claimed],
        [state for _, state, _ in claimed],
        [event_id for *_, event_id in claimed],
        now,
    )
    if caught_up:
        marked += await _record_caught_up(connection, caught_up, now)
    if marked != len(marks):
        raise RuntimeError(f"{len(marks) - marked} of {len(marks)} steps had been told before")
    follow_ups = [(t, t.occasion.follow_up) for t in told if t.occasion.follow_up]
    if follow_ups:
        await connection.execute(
            """
            insert into reminder as r (milestone_id, schedule_version, step, due_at, state, audience)
            select m, v, p, d, 'pending', a
            from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::uuid[]) as n(m, v, p, d, a)
            on conflict (milestone_id, schedule_version, step, audience)
            do update set state = 'pending', due_at = excluded.due_at where r.state = 'withdrawn'
            """,
            [t.due.milestone_id for t, _ in follow_ups],
            [t.due.schedule_version for t, _ in follow_ups],
            [planned.step.name for _, planned in follow_ups],
            [planned.due_at for _, planned in follow_ups],
            [t.due.audience for t, _ in follow_ups],
        )


async def _record_caught_up(
    connection: Connection, marks: Sequence[tuple[Told, Step, datetime, str]], now: datetime
) -> int:
    rows = await connection.fetch(
        """
        insert into reminder as r (milestone_id, schedule_version, step, due_at, state, fired_at, event_id, audience)
        select m, v, p, d, s, $8, e, a
        from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::uuid[])
             as n(m, v, p, d, s, e, a)
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
        [t.due.audience for t, *_ in marks],
        now,
    )
    return len(rows)


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
        with plan as (
            select milestone_id, schedule_version from milestone_plan p
            where not settled and exists (
                select from reminder r where r.state = 'failed' and r.milestone_id = p.milestone_id
            )
            order by milestone_id for update
        )
        update reminder r set state = 'pending', reason = null, fired_at = null
        from plan where r.state = 'failed'
          and (r.milestone_id, r.schedule_version) = (plan.milestone_id, plan.schedule_version)
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


async def look_at_clock(connection: Connection) -> datetime:
    """The database's own time, to be asked before the clock of business time is read for a tick."""
    asked: datetime = await connection.fetchval("select clock_timestamp()")
    return asked


async def write_tick(connection: Connection, business_at: datetime, looked_at: datetime) -> datetime | None:
    """Say that all that is due up to this instant has been told; gives when the next reminder is due.

    The newest look at the clock counts: a process that was frozen between its look and this word takes nothing back,
    while a clock that was put back is followed, since what is planned from then on may be due before the old instant.
    Nothing is promised beyond a reminder that still waits, because another tick holds it or it is on hold.
    """
    next_due: datetime | None = await connection.fetchval(
        """
        with waiting as (select min(due_at) as first from reminder where state = 'pending'), written as (
            update tick set business_at = least($1, first - interval '1 microsecond'), ticked_at = $2
            from waiting where ticked_at is null or ticked_at <= $2
        )
        select first from waiting
        """,
        business_at,
        looked_at,
    )
    return next_due
