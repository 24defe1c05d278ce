"""What was refused to somebody who may come in, noted in the log without letting them flood it.

The same refusal of the same client is counted by the hour, and an entry is written for the first and whenever the count
reaches a power of ten: a thousand refusals in an hour are four entries.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.plumbing.audit.entries import Actor, AuditEntry
from services.plumbing.audit.log import audit
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

KEPT = timedelta(hours=2)
LONGEST_SUBJECT = 200
"""Characters."""

NoteRefusal = Callable[[Actor, str, str, int], Awaitable[None]]
"""Notes that a client was refused something: who, what was tried, on what, and with which status."""

_COUNT = """
insert into audit_refusal as r (client, what, hour) values ($1, $2, date_trunc('hour', clock_timestamp()))
on conflict (client, what, hour) do update set count = r.count + 1 returning count
"""


async def note_refusal(
    connection: Connection, actor: Actor, what: str, subject: str, reason: str, now: datetime
) -> None:
    """Count a refusal in the caller's transaction, and write an entry where that is due."""
    count = await connection.fetchval(_COUNT, actor.client, f"{what} {reason}")
    if count == 1:
        await connection.execute("delete from audit_refusal where hour < clock_timestamp() - $1::interval", KEPT)
    if is_told(count):
        told = {"tried": what, "reason": reason, "times_this_hour": count}
        await audit(connection, AuditEntry("request.refused", subject[:LONGEST_SUBJECT], actor, now, None, told))


def is_told(count: int) -> bool:
    """Whether the so-many-th refusal of an hour gets an entry: the 1st, 10th, 100th … do."""
    return str(count).rstrip("0") == "1"


class RefusedAttempts:
    """Notes refusals by themselves, since what was refused has left nothing else."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, actor: Actor, what: str, subject: str, status: int) -> None:
        """Note one; where the database can't, the refusal stands all the same, and is logged."""
        try:
            async with self._database.transaction() as connection:
                await note_refusal(connection, actor, what, subject, str(status), self._clock.now())
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a refusal could not be noted", action="refusal_not_noted", client=actor.client, tried=what)
