"""Tells how commitments stand, on a compacted topic, whenever that has changed.

What changes marks the commitment in its own transaction. The state is written behind it, by one registry at a time,
which reads what it tells at one moment: so the states of a commitment follow each other as its changes did, many
changes in a row may have one state, and no change is without one, whatever dies when.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable

from contracts.commitment_state import CommitmentState
from contracts.majors import said_later
from contracts.topics import COMMITMENT_STATE
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.plumbing.logs import log
from services.plumbing.outbox import append, take_seqs
from services.plumbing.retry import Backoff, pause_until
from services.plumbing.transient_errors import is_transient
from services.registry.actions.events import ActionContext, outbox_record
from services.registry.store.commitment_states import is_any_due, present_commitments, put_told, take_due, told_hashes

CLIENT = "registry"
"""Who tells."""
WAKE_UP = "states"
"""What the triggers notify."""
BATCH = 100
"""States that are written in one transaction."""
PACE = 0.5
"""Seconds between two looks while things change: what changes again in between is told once."""
PACE_BEHIND = 0.1
"""The same where a look has not seen all."""
POLL = 1.0
"""Seconds after which is looked where the last state of a commitment is not published yet."""
POLL_IDLE = 4.0
"""Seconds after which is looked where a wake-up was lost."""
_LINGERS = 10.0
"""Seconds after the last change for which something may wait for its state to be published."""


class StatePublisher:
    """Writes states into the outbox until told to stop."""

    def __init__(self, database: Database, clock: Clock, may_write: Callable[[], bool] = lambda: True) -> None:
        """`may_write` is false while the register may be an old backup: its numbers may have been used."""
        self._database = database
        self._clock = clock
        self._may_write = may_write
        self._awake = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Write what is due whenever there is something; faults that pass are waited out."""
        listener = asyncio.create_task(self._database.listen(WAKE_UP, self._awake.set))
        backoff = Backoff(longest=10.0)
        called_at = time.monotonic()
        try:
            while not stopping.is_set():
                called_at = time.monotonic() if self._awake.is_set() else called_at
                self._awake.clear()
                try:
                    taken = await self.write_due() if self._may_write() else 0
                    backoff.reset()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("states wait", action="states_wait", error=str(error), seconds=backoff.pause)
                    await backoff.wait(stopping)
                    continue
                is_idle = time.monotonic() - called_at > _LINGERS and self._may_write()
                poll = POLL_IDLE if is_idle else POLL
                pace = poll if not taken else PACE if taken < BATCH else PACE_BEHIND
                await pause_until(pace, stopping, *([] if taken else [self._awake]))
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def write_due(self) -> int:
        """Write the states of what has changed, a batch at most; how many commitments were looked at.

        One whose state is what was told last gets no other. Raises what the database raises.
        """
        now = self._clock.now()
        async with self._database.connection() as connection:
            if not await is_any_due(connection):
                return 0
        async with self._database.transaction() as connection:
            lock = "select pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' states', 0))"
            if not await connection.fetchval(lock):
                return 0  # another registry is at it
            due = await take_due(connection, BATCH)
            if not due:
                return 0
            told = await told_hashes(connection, due)
            found = []
            for present in await present_commitments(connection, due):
                digest = hashlib.sha256(present.model_dump_json().encode()).digest()
                if told.get(present.commitment.id) != digest:
                    found.append((present, digest))
            keys = [present.commitment.id for present, _ in found]
            seqs = await take_seqs(connection, COMMITMENT_STATE.name, keys)
            context = ActionContext(now, CLIENT)
            records = []
            for (present, _), seq in zip(found, seqs, strict=True):
                records.append(outbox_record(CommitmentState(**dict(present), seq=seq), context, new_id()))
                await asyncio.sleep(0)  # others are to be answered meanwhile
            await append(self._database, connection, records, now, said_later)
            await put_told(connection, [(present.commitment.id, digest) for present, digest in found])
        return len(due)
