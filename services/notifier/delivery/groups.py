"""Groups in the table: rows that were just written are gathered, and a group that waits always has one that leads it.

An open group has an id that is derived from whom and what it is about, so whoever writes more of the same finds it.
Once its leading row was claimed it has that row's id, and nobody joins any more: what is sent again is what was sent
before. Those who gather for one cause do so one after the other, and hold the leading rows that they have found, so
that no claim takes one from under those who join it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.notifier.channels import FOR_PEOPLE
from services.notifier.delivery.columns import columns
from services.notifier.delivery.identity import group_id
from services.notifier.delivery.turns import is_behind
from services.notifier.grouping.gathering import Gathered, GroupPlace, places
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint

WINDOW = "window"
"""The rule that lets a row wait for more of its cause."""

_IN_TURN = """
select pg_advisory_xact_lock(hashtext(current_schema() || ' groups'), hashtext(name)) from unnest($1::text[]) as name
"""
# The names come sorted; and who takes these has those of `WRITE_IN_TURN`, so that nobody waits the other way round.

_OPEN = """
select group_id, next_at from delivery where group_id = any($1::uuid[]) and state = 'pending' and leads
order by position for no key update skip locked
"""

_PLACE = f"""
update delivery d set state = 'pending', lease = null, lease_until = null, group_id = p.group_id, leads = p.leads,
                      next_at = p.next_at, rule = p.rule, behind = {is_behind("d.thread", "d.position")}
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::boolean[])
    as p(id, group_id, next_at, rule, leads)
where d.id = p.id
"""

_LEAD = """
update delivery d set leads = true
from unnest($1::uuid[]) as g(group_id) cross join lateral (
    select id from delivery f where f.group_id = g.group_id and f.state = 'pending'
    order by f.behind, f.position limit 1
) first
where d.id = first.id and d.lease is null and d.settled_at is null and not exists (
    select from delivery l where l.group_id = g.group_id and l.state = 'pending' and l.leads
)
"""

# By hops from group to group, since a digest may have many rows in each. A leader that stands behind something while
# another event of its group does not gives its place to that one: else two groups could wait for each other.
LEAD_STUCK = """
with recursive waiting(group_id) as (
    (select group_id from delivery where state = 'pending' and group_id is not null order by group_id limit 1)
    union all
    select (select group_id from delivery where state = 'pending' and group_id is not null and group_id > w.group_id
            order by group_id limit 1)
    from waiting w where w.group_id is not null
),
ill as materialized (
    select w.group_id, l.id as leader from waiting w left join lateral (
        select id, behind from delivery where group_id = w.group_id and state = 'pending' and leads
        order by behind limit 1
    ) l on true
    where w.group_id is not null and (l.id is null or l.behind)
),
stuck as materialized (
    select i.group_id, i.leader, first.id as first from ill i cross join lateral (
        select id, is_behind from (
            select id, position, behind, bool_or(behind) over (partition by event_id) as is_behind
            from delivery where group_id = i.group_id and state = 'pending'
        ) m
        order by is_behind, not behind, position limit 1
    ) first
    where i.leader is null or not first.is_behind
),
free as materialized (
    select d.id, s.group_id from stuck s join delivery d on d.id in (s.first, s.leader)
    where d.lease is null and d.settled_at is null for no key update of d skip locked
),
moved as (
    update delivery d set leads = d.id = s.first from stuck s join free f on f.group_id = s.group_id
    where d.id = f.id and (select count(*) from free n where n.group_id = s.group_id)
                          = case when s.leader is null then 1 else 2 end
    returning d.leads
)
select count(*) from moved where leads
"""


class Wait(NamedTuple):
    """What an event waits with, and until when if it opens a group."""

    cause: UUID
    until: datetime


async def gather(
    connection: Connection, rows: Sequence[Any], waits: Mapping[UUID, Wait], now: datetime
) -> frozenset[UUID]:
    """Gather rows that were just written, in the transaction that writes them; the ids of all that wait now.

    `waits`: by the ids of events that are not told at once. Of one that is, only rows that lead to one address are
    gathered, so that nobody gets it twice. Where there is neither, this asks the database nothing.
    """
    waiting = [row for row in rows if row["rule"] is not None] if waits else []
    once = {(row["event_id"], row["destination"]) for row in rows}
    if not waiting and len(once) == len(rows):
        return frozenset()
    several = Counter((row["event_id"], row["destination"]) for row in rows) if len(once) < len(rows) else {}
    rest = [row for row in rows if row["rule"] is None and several.get((row["event_id"], row["destination"]), 0) > 1]
    to = await _readers(connection, {row["subscription_id"] for row in (*waiting, *rest)})
    gathered: list[Gathered] = []
    for row in waiting:
        cause, until = waits[row["event_id"]]
        group = group_id(row["destination"], to[row["subscription_id"]], cause)
        gathered.append(Gathered(row["id"], group, until, WINDOW, row["behind"]))
    at_once: defaultdict[UUID, list[Gathered]] = defaultdict(list)
    for row in rest:
        language = to.get(row["subscription_id"])
        if language is not None and row["destination"] is not None:
            group = group_id(row["destination"], language, row["event_id"])
            at_once[group].append(Gathered(row["id"], group, now, None, row["behind"]))
    gathered += [one for members in at_once.values() if len(members) > 1 for one in members]
    if not gathered:
        return frozenset()
    names = {str(waits[row["event_id"]].cause) for row in waiting}
    found = await _in_groups(connection, gathered, names)
    # What was taken in hand and stands behind one of these has to wait with it.
    ids = {place.id for place in found}
    threads = {row["thread"] for row in rows if row["id"] in ids}
    held = [
        row["id"] for row in rows if row["state"] == "sending" and row["thread"] in threads and row["id"] not in ids
    ]
    values = [(place.id, place.group, place.until, place.rule, place.leads) for place in found]
    await connection.execute(_PLACE, *columns([*values, *((id_, None, now, None, True) for id_ in held)]))
    failpoint("fanout-after-gather")
    return frozenset((*ids, *held))


async def place_together(
    connection: Connection,
    rows: Sequence[Gathered],
    names: Collection[str],
    alone: Iterable[tuple[UUID, datetime, str | None]] = (),
) -> None:
    """Place rows that wait in their groups, and others by themselves, each until an instant and by a rule.

    Nobody has them in hand. Whoever places rows in groups of the same `names` does so one after the other.
    """
    found = await _in_groups(connection, rows, names) if rows else []
    values = [(place.id, place.group, place.until, place.rule, place.leads) for place in found]
    await connection.execute(_PLACE, *columns([*values, *((id_, None, at, rule, True) for id_, at, rule in alone)]))


async def _readers(connection: Connection, subscriptions: Collection[UUID]) -> dict[UUID, str]:
    """The languages of those of these subscriptions that people read."""
    rows = await connection.fetch(
        "select id, language from subscription where id = any($1::uuid[]) and channel = any($2::text[])",
        list(subscriptions),
        sorted(FOR_PEOPLE),
    )
    return {row["id"]: row["language"] for row in rows}


async def _in_groups(connection: Connection, rows: Sequence[Gathered], names: Collection[str]) -> list[GroupPlace]:
    if names:
        await connection.execute(_IN_TURN, sorted(names))
    groups = await connection.fetch(_OPEN, list({row.group for row in rows}))
    return places(rows, {row["group_id"]: row["next_at"] for row in groups})


async def lead_anew(connection: Connection, groups: Collection[UUID]) -> None:
    """Give groups that have lost the row that led them another one, in the transaction that ended it."""
    if groups:
        await connection.execute(_LEAD, list(groups))


async def lead_stuck(database: Database) -> int:
    """Do the same for every group that is stuck, for those who died in between; how many there were."""
    async with database.connection() as connection:
        return int(await connection.fetchval(LEAD_STUCK))
