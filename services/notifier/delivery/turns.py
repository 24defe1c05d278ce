"""Whose turn it is: within a thread a delivery may be claimed only when none that was written before it is unsettled.

The rule is `CLAIM`'s and the fan-out's, and is read from the rows each time. It holds across processes since it can't
become false again: what has ended stays so, and nothing older can turn up later, because those who write deliveries of
one commitment do so one after the other (`WRITE_IN_TURN`), and positions are given out in that turn.

The column `behind` is no part of the rule. It keeps those that wait for their turn out of the index of what is due, so
that a long thread costs no claim anything; `promote` takes the mark off the next ones when those before them have
ended. It may be there without need for a moment, and the sweep looks for such (`PROMOTE_STUCK`).
"""

from collections.abc import Collection
from uuid import UUID

from services.plumbing.database import Database
from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

READY = "deliveries"
"""The wake-up that says that deliveries wait which nobody has in hand."""

WRITE_IN_TURN = """
select pg_advisory_xact_lock(hashtext(current_schema() || ' deliveries'), hashtext(name))
from unnest($1::text[]) as name
"""
"""HeldByTrial until the transaction ends. The names come sorted, or two could wait for each other."""


def is_behind(thread: str, position: str | None) -> str:
    """Whether something older of a thread is unsettled, in SQL; older than anything where there is no position.

    A scalar subquery, since PostgreSQL may turn `exists` into a walk over everything that is unsettled.
    """
    older = f" and older.position < {position}" if position else ""
    return (
        f"(select true from delivery older where older.thread = {thread}{older}"
        " and older.state in ('pending', 'sending') limit 1) is not null"
    )


_PROMOTE = """
promoted as (
    update delivery d set behind = false
    from head h cross join lateral (
        select id from delivery where id = h.id and lease is null and settled_at is null for no key update skip locked
    ) free
    where d.id = free.id
    returning true
),
woken as (select pg_notify({channel}, '') where exists (select from promoted))
select (select count(*) from promoted), (select count(*) from woken)
"""
# Who holds a row is about to claim, settle or promote it, so it is left to them.

PROMOTE = f"""
with waiting as materialized (
    select distinct thread from delivery where thread = any($1::uuid[]) and state = 'pending' and behind
),
head as materialized (
    select first.id from waiting t cross join lateral (
        select id, state, behind from delivery
        where thread = t.thread and state in ('pending', 'sending') order by position limit 1
    ) first
    where first.state = 'pending' and first.behind
),
{_PROMOTE.format(channel="$2")}
"""

PROMOTE_STUCK = f"""
with recursive waiting as (
    (select id, thread, position from delivery where state = 'pending' and behind order by thread, position limit 1)
    union all
    select next.* from waiting w cross join lateral (
        select id, thread, position from delivery where state = 'pending' and behind and thread > w.thread
        order by thread, position limit 1
    ) next
),
head as materialized (select id from waiting w where not ({is_behind("w.thread", "w.position")})),
{_PROMOTE.format(channel="$1")}
"""


async def promote(database: Database, threads: Collection[UUID]) -> None:
    """Let the next of each thread be claimed if it waits for nothing older any more.

    To be called after the commit of what makes it so, a settlement or the writing of what may have missed one: of two
    such transactions neither of which sees the other, the later one sees both here. Raises nothing that passes, since
    what was committed stays so; then the sweep promotes.
    """
    if not threads:
        return
    try:
        await _promoted(database, PROMOTE, sorted(threads))
    except Exception as error:
        if not is_transient(error):
            raise
        log.warning("the sweep will promote", action="promote_waits", error=str(error))


async def promote_stuck(database: Database) -> int:
    """Do the same for every thread, for those who died between the two; how many there were."""
    return await _promoted(database, PROMOTE_STUCK)


async def _promoted(database: Database, statement: str, *values: object) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(statement, *values, database.channel(READY)))
