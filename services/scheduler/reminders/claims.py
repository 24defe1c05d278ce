"""What is due, as the tick claims and marks it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.plumbing.ids import new_id
from services.scheduler.ladders.firing import DueReminder
from services.scheduler.ladders.ladder import Step


class PlanRow(NamedTuple):
    """Where a milestone's plan is written; `written` is another one whenever it was written anew."""

    milestone_id: str
    written: str


class ClaimedReminder(NamedTuple):
    """What is due of a claimed milestone for one audience."""

    plan: PlanRow
    commitment_id: str
    schedule_version: int
    correlation_id: str | None
    audience: UUID | None
    status: str
    scheduled_at: datetime
    event_id: UUID
    """The event that is to tell it."""
    marked_with: UUID
    """The event that its rows name as yet: that of the milestone's first audience."""
    steps: Mapping[str, datetime]
    """The steps that are due, with the instants at which they were; never empty."""
    ids: Mapping[str, int]
    """Their rows."""


_PLAN = "p.milestone_id, p.schedule_version, p.commitment_id, p.correlation_id, p.scheduled_at, p.xmin::text as written"
_IS_HELD = """exists (
    select from hold h where h.milestone_id = p.milestone_id and h.schedule_version > p.schedule_version
)"""
"""Somebody is about to write a newer schedule: what this one says may not be true any more."""

NEXT_DUE = f"""
select {_PLAN}
from reminder r join milestone_plan p using (milestone_id, schedule_version)
where r.state = 'pending' and r.due_at between $3 and $1 and not {_IS_HELD}
order by r.due_at, r.id limit $2 for update of p skip locked
"""
"""The milestones of the reminders due from $3 to $1, at most $2 rows; one may stand there for several steps."""

BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)

IN_ORDER = "set local enable_sort = off"
"""A planner that knows nothing of the table yet would rather sort all that is due, for each batch anew."""

_MARK = f"""
update reminder r set state = 'fired', fired_at = $5, event_id = p.event_id
from unnest($1::text[], $2::int[], $3::text[], $4::uuid[])
         as p(milestone_id, schedule_version, commitment_id, event_id)
     join commitment_state s using (commitment_id)
     cross join lateral (
         select id from reminder r
         where r.milestone_id = p.milestone_id and r.schedule_version = p.schedule_version
           and r.state || '' = 'pending' and r.due_at <= $5
         offset 0
     ) as due
where r.id = due.id and not {_IS_HELD}
returning r.id, r.milestone_id, r.audience, r.step, r.due_at, s.overall
"""
"""All that is due of milestones that are locked. The `offset 0` and the `|| ''` have each milestone's own rows looked
up, and not all that is due gone through for each batch anew."""


async def claim(
    connection: Connection, now: datetime, limit: int, since: datetime = BEFORE_ALL
) -> tuple[list[str], list[ClaimedReminder]]:
    """Lock the milestones of the next reminders in the order in which they are due, but for those somebody else holds.

    At most `limit` reminders are looked at; of the milestones all steps are claimed that are due, since those for one
    audience go into one event. What is claimed is marked as told: the transaction has to write the events, or fail.
    When the first list isn't empty there may be more to claim, even when the second one is: another tick was faster.

    The rows come from the partial index and are locked as they come, so that the cost is that of what is claimed,
    however much lies ahead. What has just been claimed leaves its entries in that index for a while: whoever goes on
    says since when there may be more, and looks from the first once more before believing that there is none.
    """
    await connection.execute(IN_ORDER)
    return await _claim_locked(connection, now, await connection.fetch(NEXT_DUE, now, limit, since))


async def claim_one(
    connection: Connection, now: datetime, milestone_id: str
) -> tuple[list[str], list[ClaimedReminder]]:
    """The same for one milestone."""
    query = f"select {_PLAN} from milestone_plan p where p.milestone_id = $1 for update skip locked"
    return await _claim_locked(connection, now, await connection.fetch(query, milestone_id))


async def _claim_locked(
    connection: Connection, now: datetime, locked: Sequence[asyncpg.Record]
) -> tuple[list[str], list[ClaimedReminder]]:
    plans = {plan["milestone_id"]: (plan, new_id()) for plan in locked}
    if not plans:
        return [], []
    # A statement of its own: it sees what was committed before the locks were ours, fired steps and holds alike.
    rows = await connection.fetch(
        _MARK,
        list(plans),
        [plan["schedule_version"] for plan, _ in plans.values()],
        [plan["commitment_id"] for plan, _ in plans.values()],
        [event_id for _, event_id in plans.values()],
        now,
    )
    together: dict[tuple[str, UUID | None], list[asyncpg.Record]] = {}
    for row in sorted(rows, key=itemgetter("due_at", "id")):
        together.setdefault((row["milestone_id"], row["audience"]), []).append(row)
    due, named = [], set()
    for (milestone_id, _), steps in together.items():
        plan, event_id = plans[milestone_id]
        due.append(_claimed_reminder(plan, event_id, new_id() if milestone_id in named else event_id, steps))
        named.add(milestone_id)
    return list(plans), due


def _claimed_reminder(
    plan: asyncpg.Record, marked_with: UUID, event_id: UUID, steps: Sequence[asyncpg.Record]
) -> ClaimedReminder:
    milestone_id, schedule_version, commitment_id, correlation_id, scheduled_at, written = plan
    _, _, audience, _, _, status = steps[0]
    return ClaimedReminder(
        plan=PlanRow(milestone_id, written),
        commitment_id=commitment_id,
        schedule_version=schedule_version,
        correlation_id=correlation_id,
        audience=audience,
        status=status,
        scheduled_at=scheduled_at,
        event_id=event_id,
        marked_with=marked_with,
        steps={step["step"]: step["due_at"] for step in steps},
        ids={step["step"]: step["id"] for step in steps},
    )


PlanJson = tuple[str, str]
"""A commitment and a milestone, as JSON."""


async def plan_json(connection: Connection, plans: Iterable[PlanRow]) -> dict[PlanRow, PlanJson]:
    """What plans say; the milestones are locked, or what is found may be another plan's."""
    wanted = {plan.milestone_id: plan for plan in plans}
    if not wanted:
        return {}
    rows = await connection.fetch(
        "select milestone_id, commitment::text, milestone::text from milestone_plan"
        " where milestone_id = any($1::text[])",
        list(wanted),
    )
    return {wanted[row["milestone_id"]]: (row["commitment"], row["milestone"]) for row in rows}


@dataclass(frozen=True)
class UpcomingPlan:
    """What will be needed when a reminder is due; `place` is where it stands among all."""

    place: tuple[datetime, int]
    plan: PlanRow
    texts: PlanJson


async def upcoming_plans(
    connection: Connection, after: tuple[datetime, int], until: datetime, limit: int
) -> Sequence[UpcomingPlan]:
    """The milestones of the reminders that are due next, behind a place and up to an instant; nothing is locked."""
    rows = await connection.fetch(
        """
        select r.due_at, r.id, p.milestone_id, p.xmin::text as written, p.commitment::text, p.milestone::text
        from reminder r join milestone_plan p using (milestone_id, schedule_version)
        where r.state = 'pending' and (r.due_at, r.id) > ($1, $2::bigint) and r.due_at <= $3
        order by r.due_at, r.id limit $4
        """,
        *after,
        until,
        limit,
    )
    return [
        UpcomingPlan(
            (row["due_at"], row["id"]),
            PlanRow(row["milestone_id"], row["written"]),
            (row["commitment"], row["milestone"]),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class FiredReminder:
    """What an event has told of a claimed milestone."""

    due: ClaimedReminder
    occasion: DueReminder


async def record_fired(connection: Connection, told: Sequence[FiredReminder], now: datetime) -> None:
    """Say which of the claimed reminders were merged into another's event, and plan those that follow them.

    What was told before is never told again: raises RuntimeError.
    """
    fired = [(t, t.occasion.step, t.occasion.due_at, "fired") for t in told]
    merged = [(t, step, due_at, "merged") for t in told for step, due_at in t.occasion.merged.items()]
    changes = [
        (t.due.ids[step.name], state, t.due.event_id)
        for t, step, _, state in [*fired, *merged]
        if step.name in t.due.ids and (state != "fired" or t.due.event_id != t.due.marked_with)
    ]
    if changes:
        await connection.execute(
            "update reminder r set state = n.state, event_id = n.event_id"
            " from unnest($1::bigint[], $2::text[], $3::uuid[]) as n(id, state, event_id) where r.id = n.id",
            [id_ for id_, *_ in changes],
            [state for _, state, _ in changes],
            [event_id for *_, event_id in changes],
        )
    # Endless rungs that nobody had planned yet; one may have been withdrawn before the commitment was taken up again.
    caught_up = [mark for mark in [*fired, *merged] if mark[1].name not in mark[0].due.ids]
    if caught_up and (missing := len(caught_up) - await _record_caught_up(connection, caught_up, now)):
        raise RuntimeError(f"{missing} of {len(caught_up)} steps had been told before")
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
            [t.due.plan.milestone_id for t, _ in follow_ups],
            [t.due.schedule_version for t, _ in follow_ups],
            [planned.step.name for _, planned in follow_ups],
            [planned.due_at for _, planned in follow_ups],
            [t.due.audience for t, _ in follow_ups],
        )


async def _record_caught_up(
    connection: Connection, marks: Sequence[tuple[FiredReminder, Step, datetime, str]], now: datetime
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
        [t.due.plan.milestone_id for t, *_ in marks],
        [t.due.schedule_version for t, *_ in marks],
        [step.name for _, step, _, _ in marks],
        [due_at for _, _, due_at, _ in marks],
        [state for *_, state in marks],
        [t.due.event_id for t, *_ in marks],
        [t.due.audience for t, *_ in marks],
        now,
    )
    return len(rows)


async def withdraw(connection: Connection, given_up: Sequence[ClaimedReminder]) -> None:
    """Let what was claimed by ladders that their readers no longer have, and what was to follow, stay untold."""
    if not given_up:
        return
    await connection.execute(
        """
        update reminder r set state = 'withdrawn', fired_at = null, event_id = null
        where r.id = any($1::bigint[])
           or (r.state = 'pending' and (r.milestone_id, r.audience) in (select * from unnest($2::text[], $3::uuid[])))
        """,
        [id_ for due in given_up for id_ in due.ids.values()],
        [due.plan.milestone_id for due in given_up],
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


async def database_now(connection: Connection) -> datetime:
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
