"""What is due, as the tick claims and marks it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
from services.plumbing.ids import new_id
from services.scheduler.reminders.plans import PlanRow


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

OLDEST_DUE = f"""
with oldest as (
    select r.id, r.due_at from reminder r join milestone_plan p using (milestone_id, schedule_version)
    where r.state = 'pending' and r.due_at <= $1 and not {_IS_HELD} order by r.due_at, r.id limit 1
)
select (select id from oldest) as oldest,
       (select extract(epoch from $1 - due_at) from oldest) as seconds, null::bigint as n
"""
"""The reminder that has been due for the longest at $1, for `plumbing.waiting`."""

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
    audience go into one event. What is claimed is marked as fired: the transaction has to write the events, or fail.
    When the first list isn't empty there may be more to claim, even when the second one is: another tick was faster.

    The rows come from the partial index and are locked as they come, so that the cost is that of what is claimed,
    however much lies ahead. What has just been claimed leaves its entries in that index for a while: so a caller that
    goes on says since when there may be more, and looks from the first once more before it is done.
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
