"""Followers: what goes out with a leading row that was claimed, in the claim's own transaction.

A row that stands behind something which is not settled and not in the same message stays: it would overtake that. With
it stay the other rows of its event, or their reader would get that twice. Those that stay make a group of their own,
for the next message, led by one that waits; should the leading row be among them, another one leads what goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.notifier.delivery.columns import columns
from services.notifier.delivery.deliveries import Delivery, DeliveryResult
from services.notifier.delivery.overtaking import TELLING
from services.plumbing.database import Connection

# Nothing older stands before a leading row in its thread: a claim takes it as a head, or not at all.
FOLLOW = f"""
with led as materialized (
    select l.group_id, d.id, d.thread, d.position, d.event_id
    from unnest($1::uuid[], $2::uuid[]) as l(group_id, id) join delivery d on d.id = l.id
),
follower as materialized (
    select d.id, d.thread, d.position, d.event_id, l.id as origin
    from led l join delivery d on d.group_id = l.group_id
    where d.state = 'pending' and not d.leads
    order by d.position for update of d skip locked
),
member as materialized (
    select id, thread, position, event_id, id as origin, true as is_free from led
    union all
    select f.id, f.thread, f.position, f.event_id, f.origin, (
        select true from delivery older
        where older.thread = f.thread and older.position < f.position and older.state in ('pending', 'sending')
              and older.id <> f.origin
              and not exists (select from follower t where t.id = older.id and t.origin = f.origin)
        limit 1
    ) is null
    from follower f
),
placed as materialized (
    select *, bool_and(is_free) over (partition by origin, event_id) as goes from member
),
led_anew as materialized (
    select *, first_value(id) over (
        partition by origin, goes order by case when goes then id <> origin else is_free end, position
    ) as leader
    from placed
),
moved as (
    update delivery d set
        state = case when p.goes then 'sending' else 'pending' end,
        behind = not p.is_free,
        group_id = p.leader,
        leads = p.id = p.leader,
        lease = case when p.goes then $3::uuid end,
        lease_until = case when p.goes then clock_timestamp() + make_interval(secs => $4) end
    from led_anew p
    where d.id = p.id and (d.lease is null or d.lease = $3) and d.settled_at is null
    returning d.id, d.event_id, d.subscription_id, d.commitment_id, d.thread, d.attempts, d.created_at, d.not_after,
              d.position, d.destination, d.deferrals, d.deferred_since, d.rule, d.next_at, p.origin, p.leader, p.goes
)
select c.*, {TELLING} from moved c join event e on e.id = c.event_id where c.goes order by c.position
"""

_REGROUP = """
update delivery d set group_id = r.leader, leads = d.id = r.leader,
                      message = case when r.is_told and d.id <> r.leader then r.leader end
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::boolean[]) as r(id, lease, leader, is_told)
where d.id = r.id and d.lease = r.lease
"""


async def claim_followers(
    connection: Connection, leaders: Sequence[Any], lease: UUID, seconds: float
) -> dict[UUID, list[Any]]:
    """By the ids of the leading rows that were just claimed and have a group: all rows that go, in order.

    `group_id` of a leader is the one that it had before its claim. Of what goes `leader` names the row that leads.
    """
    by_group: dict[UUID, UUID] = {}
    for row in leaders:
        if row["group_id"] is not None:
            by_group.setdefault(row["group_id"], row["id"])
    if not by_group:
        return {}
    members: dict[UUID, list[Any]] = {origin: [] for origin in by_group.values()}
    for row in await connection.fetch(FOLLOW, list(by_group), list(by_group.values()), lease, seconds):
        members[row["origin"]].append(row)
    return members


def one_message(leader: UUID, members: Sequence[Delivery]) -> Delivery:
    """The delivery that leads a message, with the others."""
    (first,) = (member for member in members if member.id == leader)
    others = tuple(member for member in members if member.id != leader)
    return replace(first, others=others, is_grouped=True) if others else first


def of_each_row(results: Iterable[DeliveryResult]) -> list[DeliveryResult]:
    """What is to be recorded of every row: all that went out together have come to the same."""
    found = []
    for result in results:
        leader = result.delivery.id
        if not result.delivery.is_grouped:
            found.append(result)
            continue
        found.append(replace(result, leader=leader))
        found += [replace(result, delivery=other, leader=leader) for other in result.delivery.others]
    return found


async def record_groups(connection: Connection, results: Iterable[DeliveryResult]) -> None:
    """Write down which message each row was told in, and keep together what goes back; before results are recorded."""
    grouped = [
        (result.delivery.id, result.delivery.lease, result.leader, result.is_settled and result.attempt is not None)
        for result in results
        if result.leader is not None
    ]
    if grouped:
        await connection.execute(_REGROUP, *columns(grouped))
