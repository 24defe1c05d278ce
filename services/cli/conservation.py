"""The laws of conservation over all schemas, which hold at any moment, faults or not; also over what was pruned.

What a service prunes it sums up in its table `pruned` in the same transaction: how many rows, and the sum of their ids.
Where nothing was pruned a law is looked at row by row, otherwise by these sums (`services.plumbing.retention.sums`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from contracts.topics import INTERNAL, OWN, PUBLIC
from services.plumbing.retention.sums import RowSum, checksum, difference

READ_BY_SCHEDULER = [t.name for t in PUBLIC + INTERNAL if "scheduler" in t.readers]
READ_BY_NOTIFIER = [t.name for t in PUBLIC + INTERNAL if "notifier" in t.readers]
COMPACTED = [t.name for t in OWN if t.is_compacted]
"""Of these the outboxes keep what was said last."""
_SCHEMAS = ("registry", "scheduler", "notifier")


def outboxes(columns: str, *schemas: str) -> str:
    """The outboxes of some services as one relation, in SQL."""
    return "(" + " union all ".join(f"select {columns} from {schema}.outbox" for schema in schemas) + ")"


def pruned_rows(*schemas: str) -> str:
    """What some services have pruned as one relation, in SQL."""
    return "(" + " union all ".join(f"select * from {schema}.pruned" for schema in schemas) + ")"


@dataclass(frozen=True)
class InvariantCheck:
    """One thing that must hold, and how far it is from it."""

    name: str
    ok: bool
    found: str


async def conservation(connection: asyncpg.Connection) -> list[InvariantCheck]:
    """Look at all laws."""
    return [
        *await _heard(connection),
        *await _deliveries(connection),
        *await _records(connection),
        *await _reminders(connection),
    ]


async def _sum(connection: asyncpg.Connection, id_: str, rest: str, *values: object) -> RowSum:
    row = await connection.fetchrow(f"select count(*) as n, {checksum(id_)} as sum {rest}", *values)
    return RowSum(row["n"], int(row["sum"])) if row else RowSum()


async def _pruned(
    connection: asyncpg.Connection, schemas: Sequence[str], name: str, kinds: Sequence[str] | None = None
) -> RowSum:
    row = await connection.fetchrow(
        f"select coalesce(sum(rows), 0) as n, coalesce(sum(checksum), 0) as sum from {pruned_rows(*schemas)} p"
        " where name = $1 and ($2::text[] is null or kind = any($2))",
        name,
        kinds,
    )
    return RowSum(int(row["n"]), int(row["sum"])) if row else RowSum()


async def _heard(connection: asyncpg.Connection) -> list[InvariantCheck]:
    said = outboxes("event_id, topic", "registry", "scheduler")
    unheard, invented = difference(
        await _sum(
            connection,
            "event_id",
            f"from {said} o where topic = any($1)"
            " and not exists (select from notifier.event e where e.id = o.event_id)",
            READ_BY_NOTIFIER,
        ),
        await _sum(
            connection,
            "id",
            f"from notifier.event e where not exists (select from {said} o where o.event_id = e.id)",
        ),
        await _pruned(connection, ("registry", "scheduler"), "outbox", READ_BY_NOTIFIER),
        await _pruned(connection, ("notifier",), "event"),
    )
    # These topics are kept for ever, and nothing of them is pruned.
    unplanned = await connection.fetchval(
        f"select count(*) from {outboxes('event_id, topic', 'registry', 'notifier')} o where topic = any($1)"
        " and not exists (select from scheduler.inbox i where i.event_id = o.event_id)",
        READ_BY_SCHEDULER,
    )
    return [
        InvariantCheck("every event has been heard by the notifier", unheard == 0, f"{unheard} not heard"),
        InvariantCheck("every event has been heard by the scheduler", unplanned == 0, f"{unplanned} not heard"),
        InvariantCheck("nothing was heard that was never said", invented == 0, f"{invented} invented"),
    ]


async def _deliveries(connection: asyncpg.Connection) -> list[InvariantCheck]:
    ask = connection.fetchval
    accepted = int(
        await ask(
            "select (select coalesce(sum(matched), 0) from notifier.event)"
            " + (select coalesce(sum(amount), 0) from notifier.pruned where name = 'event')"
        )
    )
    pruned = (await _pruned(connection, ("notifier",), "delivery")).rows
    rows = await ask("select count(*) from notifier.delivery")
    pending = await ask("select count(*) from notifier.delivery where state in ('pending', 'sending')")
    doubled = await ask(
        "select count(*) from (select from notifier.delivery group by event_id, subscription_id"
        " having count(*) > 1) as d"
    )
    # Those that had ended before an old backup, and to which nobody belongs who is in it, have no row any more.
    told = int(
        await ask(
            "select coalesce(sum(json_array_length(convert_from(value, 'UTF8')::json -> 'deliveries')), 0)"
            " + (select coalesce(sum(amount), 0) from notifier.pruned"
            "    where name = 'outbox' and kind = 'delivery-settled')"
            " - (select count(*) from notifier.settled_before b where not exists"
            " (select from notifier.delivery d"
            " where (d.event_id, d.subscription_id) = (b.event_id, b.subscription_id)))"
            " from notifier.outbox where topic = 'delivery-settled'"
        )
    )
    untold = await ask(
        "select count(*) from notifier.delivery d left join notifier.delivery l on l.id = d.message"
        " where d.message is not null and (l.id is null or l.message is not null or l.state <> d.state"
        " or l.destination is distinct from d.destination)"
    )
    unled = await ask(
        "select count(*) from (select from notifier.delivery where state = 'pending' and group_id is not null"
        " group by group_id having count(*) filter (where leads) <> 1) g"
    )
    settled = rows - pending + pruned
    since = f", {pruned} of them pruned" if pruned else ""
    return [
        InvariantCheck(
            "accepted × matching = terminal + pending",
            accepted == rows + pruned,
            f"{accepted} = {settled} + {pending}{since}",
        ),
        InvariantCheck("one delivery for each event and subscription", doubled == 0, f"{doubled} doubled"),
        InvariantCheck(
            "every settled delivery was published as settled",
            settled == told,
            f"{settled} settled, {told} told{since}",
        ),
        InvariantCheck(
            "every message that told several is one that was sent", untold == 0, f"{untold} in none or another"
        ),
        InvariantCheck("every group that waits has one that leads it", unled == 0, f"{unled} without, or with two"),
    ]


async def _records(connection: asyncpg.Connection) -> list[InvariantCheck]:
    gaps = await connection.fetchval(
        "with live as materialized (select topic, key, count(*) as n from"
        f" {outboxes('topic, key', *_SCHEMAS)} o where topic <> all($1) group by topic, key),"
        " pruned as materialized (select kind as topic, part as key, rows as n, through from"
        f" {pruned_rows(*_SCHEMAS)} p where name = 'outbox')"
        " select count(*) from live l full join pruned p using (topic, key) join"
        " (select * from registry.outbox_seq union all select * from scheduler.outbox_seq"
        "  union all select * from notifier.outbox_seq) s using (topic, key)"
        # Of each key the oldest were pruned: as many as the highest number of them says.
        # An answer to a report that could not be read has no number, and no gap.
        " where s.last is distinct from coalesce(l.n, 0) + coalesce(p.n, 0) or p.n <> p.through",
        COMPACTED,
    )
    return [InvariantCheck("seq has no gap on any topic", gaps == 0, f"{gaps} keys with a gap")]


async def _reminders(connection: asyncpg.Connection) -> list[InvariantCheck]:
    fired_twice = await connection.fetchval(
        "select count(*) from (select from scheduler.reminder where state = 'fired'"
        " group by milestone_id, schedule_version, step, audience having count(*) > 1) as d"
    )
    escalated_twice = await connection.fetchval(
        "select count(*) from (select from scheduler.outbox,"
        " lateral (select convert_from(value, 'UTF8')::json as v) j"
        " where topic = 'milestone-escalated' group by v #>> '{milestone,id}', v ->> 'round', v ->> 'rank',"
        " v ->> 'repeat' having count(*) > 1) as d"
    )
    both = (
        "from (select * from scheduler.escalation_log where what = 'told') l full join"
        " (select event_id from scheduler.outbox where topic = 'milestone-escalated') o using (event_id)"
    )
    unlogged, unsaid = difference(
        await _sum(connection, "o.event_id", f"{both} where l.id is null"),
        await _sum(connection, "l.event_id", f"{both} where o.event_id is null"),
        await _pruned(connection, ("scheduler",), "outbox", ["milestone-escalated"]),
        RowSum(),
    )
    return [
        InvariantCheck("no reminder fired twice", fired_twice == 0, f"{fired_twice} twice"),
        InvariantCheck("no level was told twice in a round", escalated_twice == 0, f"{escalated_twice} twice"),
        InvariantCheck(
            "every level that was told is in the log, and nobody else",
            unlogged + unsaid == 0,
            f"{unlogged + unsaid} in one of both only",
        ),
    ]
