"""What plans say, read for the reminders that are due or will be soon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.plumbing.database import Connection


class PlanRow(NamedTuple):
    """Where a milestone's plan is written; `written` is another one whenever it was written anew."""

    milestone_id: str
    written: str


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
    """What will be needed when a reminder is due; `place` is its place in the order of all."""

    place: tuple[datetime, int]
    plan: PlanRow
    json: PlanJson


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
