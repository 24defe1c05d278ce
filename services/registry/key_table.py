"""The table of API keys in this process's memory: read again and again, and what was used is written down."""

import asyncio
import math
import time

from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.logs import log
from services.plumbing.retry import pause_until
from services.plumbing.transient_errors import is_transient
from services.registry.store.api_keys import all_keys, put_uses

SECONDS_BETWEEN_READS = 1.0
"""So long another process of the registry may let in a key that was revoked, however much is written."""
SECONDS_UNCALLED = 4.0
"""So long it may where the wake-up by the event of the revocation was lost."""
SECONDS_BETWEEN_WRITES = 10.0


class KeyTable:
    """Keeps the registry's `ApiKeys` in step with its table."""

    def __init__(self, database: Database, keys: ApiKeys) -> None:
        self._database = database
        self._read_at = -math.inf
        self._awake = asyncio.Event()
        self.keys = keys
        self.keys.silence = self.silence

    def silence(self) -> float:
        """Seconds since the table was last read."""
        return time.monotonic() - self._read_at

    async def read(self) -> None:
        """Know what the table says now."""
        at = time.monotonic()
        async with self._database.connection() as connection:
            found = await all_keys(connection)
        self.keys.learn(found)
        self._read_at = at

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until told to stop, whenever an event may be about keys; uses are written every ten seconds."""
        listener = asyncio.create_task(self._database.listen("outbox", self._awake.set))
        written_at = time.monotonic()
        try:
            while not stopping.is_set():
                self._awake.clear()
                try:
                    await self.read()
                    if time.monotonic() - written_at >= SECONDS_BETWEEN_WRITES:
                        written_at = time.monotonic()
                        await self._write_uses()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("the API keys wait", action="keys_wait", error=str(error))
                await pause_until(SECONDS_BETWEEN_READS, stopping)
                await pause_until(SECONDS_UNCALLED - SECONDS_BETWEEN_READS, stopping, self._awake)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        await self._write_uses()

    async def _write_uses(self) -> None:
        if used := self.keys.take_uses():
            async with self._database.connection() as connection:
                await put_uses(connection, used)
