"""Takes reminders that were published into feeds, and drops what has grown too old for them.

It reads our own outbox behind the tick instead of writing along with it: a reminder that ten thousand wait behind is
not to wait for a feed that somebody reads within the hour.
"""

import asyncio
import time

from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.logs import log
from services.plumbing.retry import pause_until
from services.plumbing.transient_errors import is_transient
from services.scheduler.feeds import event_store

AT_ONCE = 500
"""Reminders taken in one transaction."""

PAUSE = 2.0
"""Seconds, of real time, between two looks; so feeds take up 250 reminders a second at most."""
PAUSE_IDLE = 5.0
"""The same after a look that found nothing."""
DROPPED_EVERY = 60.0
"""Seconds between two looks for what is too old, while there is nothing to take."""


class ReminderCollector:
    """Any number of schedulers may do it: what one has taken, another finds there."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._dropped_at = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every two seconds, or five while there is nothing, until it is stopped."""
        while not stopping.is_set():
            taken = 0
            try:
                taken = await self.once()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("feeds wait", action="gathering_waits", error=str(error))
            await pause_until(PAUSE if taken else PAUSE_IDLE, stopping)

    async def once(self) -> int:
        """Take some reminders and drop some old events; how many were taken."""
        now = self._clock.now()
        if time.monotonic() - self._dropped_at < DROPPED_EVERY:
            async with self._database.connection() as connection:
                if not await event_store.is_any_to_take(connection):
                    return 0
        self._dropped_at = time.monotonic()
        async with self._database.transaction() as connection:
            taken = await event_store.collect_reminders(connection, now, AT_ONCE)
            await event_store.delete_old_events(connection, now, AT_ONCE)
        return taken
