"""The relay's lease: one row, by the database's clock, and whether its holder has compared the outbox with the topics.

The comparison counts for as long as nobody else had the lease and the row is the one that was written last. In a
database that was restored meanwhile it is another one, so there the holder compares again.
"""

import time
from datetime import MINYEAR, datetime
from uuid import uuid4

from services.plumbing.database import Connection, Database
from services.plumbing.logs import log
from services.plumbing.sending_gate import SendingGate

RENEWED_AFTER = 0.5
"""The share of its length."""
_ASKED_EVERY = 0.25
"""Seconds."""
_HELD_ASKED_EVERY = 1.0
"""Seconds; an operator who lets go is not to wait longer."""

_HELD = """
(select detected_at from recovery where released_at is null) as held_since,
(select held from recovery where released_at is null) as held
"""

_HOLD = f"""
update outbox_lease set holder = $1, until = clock_timestamp() + make_interval(secs => $2),
    compared = compared and holder is not distinct from $1 and until is not distinct from $3
where holder = $1 or until < clock_timestamp()
returning old.until as was, until, compared, {_HELD},
    exists (select from outbox where published_at is null) as waits
"""


class Lease:
    """Who publishes a schema's outbox; `seconds` is how long a holder that died or froze keeps others away."""

    def __init__(self, database: Database, seconds: float, gate: SendingGate) -> None:
        self.holder = uuid4()
        self.compared = False
        """Whether the outbox was compared with the topics under this lease."""
        self.nothing_waits = False
        """Whether the last `hold` has asked the database, and found nothing to publish beside."""
        self._database = database
        self._seconds = seconds
        self._gate = gate
        self._until: datetime | None = None
        self._renew_at = 0.0
        self._seen_until: datetime | None = None

    async def hold(self) -> bool:
        """Take it or keep it; whether it is ours. The database is asked after half of its length.

        Whoever has to wait for it asks no more often than `_ASKED_EVERY`, though every event that is written wakes it.
        """
        self.nothing_waits = False
        if time.monotonic() < self._renew_at:
            return self._until is not None
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_HOLD, self.holder, self._seconds, self._until)
            if row is None:
                await self._look(connection)
                self._until, self.compared = None, False
                self._renew_at = time.monotonic() + _ASKED_EVERY
                return False
        self._see(row["was"])
        self._until, self.compared, self.nothing_waits = row["until"], row["compared"], not row["waits"]
        self._seen_until = self._until
        self._gate.compared = self._gate.compared or self.compared  # also where the answer to `confirm` was lost
        self._gate.heard(row["held_since"], row["held"])
        # By the clock that can't be set.
        often = _HELD_ASKED_EVERY if self._gate.held_since else self._seconds
        self._renew_at = time.monotonic() + min(often, self._seconds * RENEWED_AFTER)
        return True

    async def confirm(self) -> bool:
        """The outbox has been compared; whether the lease is still ours, so that the comparison counts.

        What was published and isn't there any more waits again by now, whatever `hold` has found before.
        """
        self.nothing_waits = False
        async with self._database.connection() as connection:
            self.compared = bool(
                await connection.fetchval(
                    "update outbox_lease set compared = true where holder = $1 and until = $2 returning true",
                    self.holder,
                    self._until,
                )
            )
            row = await connection.fetchrow(f"select {_HELD}")
            if row:
                self._gate.heard(row["held_since"], row["held"])
        self._gate.compared = self._gate.compared or self.compared
        return self.compared

    def doubt(self, *, comparison: bool = False) -> None:
        """Ask the database before the next use; and compare once more, where the comparison is in doubt too."""
        self._renew_at = 0.0
        if comparison:
            self._until, self.compared = None, False

    async def release(self) -> None:
        """Let the next one have it as soon as it asks."""
        try:
            async with self._database.connection() as connection:
                await connection.execute("update outbox_lease set until = '-infinity' where holder = $1", self.holder)
        except Exception as error:
            log.info("the relay's lease will run out by itself", action="lease_not_released", error=str(error))

    async def _look(self, connection: Connection) -> None:
        """Somebody else's holder has compared, if it renews its lease while we look: a restored row stands still."""
        row = await connection.fetchrow(f"select until, compared, {_HELD} from outbox_lease")
        if row is None:
            return
        self._see(row["until"])
        if row["compared"] and self._seen_until not in (None, row["until"]):
            self._gate.compared = True
        if not _is_given_back(row["until"]):
            self._seen_until = row["until"]
        self._gate.heard(row["held_since"], row["held"])

    def _see(self, until: datetime) -> None:
        """A lease ends ever later, or at once when it is given back: an earlier end is that of an older database."""
        if self._seen_until and not _is_given_back(until) and until < self._seen_until:
            log.warning("the database was put back while this runs", action="database_put_back")
            self._gate.compared = False


def _is_given_back(until: datetime) -> bool:
    """`-infinity`, which comes without a zone, so that no other instant can be compared with it."""
    return until.year == MINYEAR
