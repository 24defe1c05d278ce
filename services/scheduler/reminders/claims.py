"""What is due, as the tick claims it; a row of `reminder` is the truth, APScheduler only ticks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.plumbing.database import Connection
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

_IS_ANY_DUE = "select exists (select from reminder where state = 'pending' and due_at <= $1)"

BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)

IN_ORDER = "set local enable_sort = off"
"""A planner that knows nothing of the table yet would rather sort all that is due, for each batch anew."""

_DUE = f"""
select due.id, due.milestone_id, due.audience, due.step, due.due_at, s.overall
from unnest($1::text[], $2::int[], $3::text[]) as p(milestone_id, schedule_version, commitment_id)
     join commitment_state s using (commitment_id)
     cross join lateral (
         select id, milestone_id, audience, step, due_at from reminder r
         where r.milestone_id = p.milestone_id and r.schedule_version = p.schedule_version
           and r.state || '' = 'pending' and r.due_at <= $4
         offset 0
     ) as due
where not {_IS_HELD}
"""
"""All that is due of milestones that are locked, and so nobody else's. The `offset 0` and the `|| ''` have each
milestone's own rows looked up, and not all that is due gone through for each batch anew."""


async def is_any_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim may find anything, be it held: what is asked while nothing is due."""
    found: bool = await connection.fetchval(_IS_ANY_DUE, now)
    return found


async def claim(
    connection: Connection, now: datetime, limit: int, since: datetime = BEFORE_ALL
) -> tuple[list[str], list[ClaimedReminder]]:
    """Lock the milestones of the next reminders in the order in which they are due, but for those somebody else holds.

    At most `limit` reminders are looked at; of the milestones all steps are claimed that are due, since those for one
    audience go into one event. The transaction has to say what became of each of them, or fail.
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
    plans = {plan["milestone_id"]: plan for plan in locked}
    if not plans:
        return [], []
    # A statement of its own: it sees what was committed before the locks were ours, fired steps and holds alike.
    rows = await connection.fetch(
        _DUE,
        list(plans),
        [plan["schedule_version"] for plan in plans.values()],
        [plan["commitment_id"] for plan in plans.values()],
        now,
    )
    together: dict[tuple[str, UUID | None], list[asyncpg.Record]] = {}
    for row in sorted(rows, key=itemgetter("due_at", "id")):
        together.setdefault((row["milestone_id"], row["audience"]), []).append(row)
    return list(plans), [_claimed_reminder(plans[name], steps) for (name, _), steps in together.items()]


def _claimed_reminder(plan: asyncpg.Record, steps: Sequence[asyncpg.Record]) -> ClaimedReminder:
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
        steps={step["step"]: step["due_at"] for step in steps},
        ids={step["step"]: step["id"] for step in steps},
    )
