"""When a scheduler ticked last, and up to which instant all that was due has been fired."""

from dataclasses import dataclass
from datetime import datetime

from services.plumbing.database import Connection


@dataclass(frozen=True)
class LastTick:
    """The last tick of any scheduler on this database; None before the first."""

    business_at: datetime | None
    zone_data: str


async def last_tick(connection: Connection) -> LastTick:
    """When any scheduler ticked last."""
    row = await connection.fetchrow("select business_at, zone_data from tick")
    return LastTick(row["business_at"], row["zone_data"]) if row else LastTick(None, "")


async def database_now(connection: Connection) -> datetime:
    """The database's own time, to be asked before the clock of business time is read for a tick."""
    asked: datetime = await connection.fetchval("select clock_timestamp()")
    return asked


async def write_tick(connection: Connection, business_at: datetime, looked_at: datetime) -> datetime | None:
    """Record that all that is due up to this instant has been fired; gives when the next reminder is due.

    The newest reading of the clock counts: a process that was frozen since its own reading takes nothing back,
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
