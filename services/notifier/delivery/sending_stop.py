"""The stop switch: while it is thrown nothing is sent, by no process, until somebody says go on.

It stands in a table, so it outlives every process; each reads it again and again (`StandingOrders`), and sends nothing
while it can't. What waits is counted, and nothing of it is lost: what is stale by the end expires, as ever.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifier.delivery.taking_over import count_unsettled
from services.notifier.delivery.turns import READY
from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.database import Connection

_SUBJECT = "service/notifier"
_OPEN = "select stopped_at, stopped_by, reason from sending_stop where started_at is null"
_STOP = """
insert into sending_stop (stopped_by, reason) values ($1, $2)
on conflict ((started_at is null)) where started_at is null do nothing
returning stopped_at, stopped_by, reason
"""
_START = """
update sending_stop set started_at = clock_timestamp(), started_by = $1, waited = $2 where started_at is null
returning stopped_at, stopped_by, reason
"""
_WAKE = f"select pg_notify(current_schema() || '_{READY}', '')"


@dataclass(frozen=True)
class SendingStop:
    """Since when nothing is sent, by the clock of the database, who said so, and why."""

    since: datetime
    by: str
    reason: str


async def open_stop(connection: Connection) -> SendingStop | None:
    """The stop that holds; None while there is none."""
    row = await connection.fetchrow(_OPEN)
    return stop_from(row) if row else None


async def stop_sending(connection: Connection, by: Actor, reason: str, now: datetime) -> SendingStop:
    """Stop all sending, in the caller's transaction; where it is stopped already, nothing changes."""
    row = await connection.fetchrow(_STOP, by.client, reason)
    if row is None:
        held = await open_stop(connection)
        if held is None:
            raise LookupError("the stop ended just now")
        return held
    await audit(connection, AuditEntry("sending.stopped", _SUBJECT, by, now, None, {"reason": reason}))
    return stop_from(row)


async def start_sending(connection: Connection, by: Actor, now: datetime) -> int | None:
    """Let everything go on, in the caller's transaction: how many deliveries waited; None where nothing was stopped."""
    waited = await count_unsettled(connection)
    row = await connection.fetchrow(_START, by.client, waited)
    if row is None:
        return None
    before = {"reason": row["reason"], "stopped_by": row["stopped_by"], "stopped_at": row["stopped_at"].isoformat()}
    await audit(connection, AuditEntry("sending.started", _SUBJECT, by, now, before, {"waited": waited}))
    await connection.execute(_WAKE)
    return waited


def stop_from(row: Any) -> SendingStop:
    """The stop that a row of `sending_stop` is."""
    return SendingStop(row["stopped_at"], row["stopped_by"], row["reason"])
