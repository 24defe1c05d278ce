"""The oldest thing that waits to be done: its age, read from its table by every process, whoever does the work.

A figure that is set where the work is done says nothing of work that stands still. This one is read apart from it, and
is unknown (NaN), never 0, once the last reading is too old.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import Gauge

from services.plumbing.database import Database
from services.plumbing.retry import pause_until
from services.plumbing.transient_errors import is_transient

OLDEST = Gauge(
    "pledgewire_oldest_waiting_seconds",
    "Age of the oldest thing that waits to be done, as its table has it, 0 with none; NaN while it is not known",
    ["what"],
)
READ_AT = Gauge("pledgewire_oldest_waiting_read_seconds", "When that was last read, in seconds of Unix time", ["what"])

READ_EVERY = 4.0
"""Seconds between two readings."""
STALE_AFTER = 10.0
"""Seconds after which a reading says nothing any more."""
LONGEST_WAIT = 10.0
"""Seconds for which one and the same thing may be the oldest, before its process counts as not ready."""


class OldestWaiting:
    """Reads what waits in one table.

    `query` gives one row: `oldest`, which tells the oldest thing from others, `seconds`, its age, both null with none,
    and `n`, how many things wait, or null where that is not asked. `arguments` gives the query's, at each reading; the
    same for all queries of a process that have any.
    """

    def __init__(
        self,
        database: Database,
        what: str,
        query: str,
        arguments: Callable[[], Sequence[object]] = tuple,
        *,
        count: Gauge | None = None,
    ) -> None:
        """`what` is one of a fixed set of words, in the plural: a label of the metrics. `count` shows `n`."""
        self.what = what
        self._database = database
        self._query = query
        self._arguments = arguments
        self._seconds = self._count = 0.0
        self._oldest: object = None
        self._read_at = -math.inf
        self._oldest_since = time.monotonic()
        OLDEST.labels(what).set_function(lambda: self._if_known(self._seconds))
        if count is not None:
            count.set_function(lambda: self._if_known(self._count))

    async def read(self) -> None:
        """Read once. What is away is away: the figures are unknown soon, and others say why."""
        await _read([self])

    def _take(self, row: Any) -> None:
        now = time.monotonic()
        if row["oldest"] is None or row["oldest"] != self._oldest:
            self._oldest_since = now
        self._oldest, self._seconds, self._count = row["oldest"], float(row["seconds"] or 0.0), float(row["n"] or 0)
        self._read_at = now
        READ_AT.labels(self.what).set_to_current_time()

    async def check(self) -> str | None:
        """For `/readyz`: whether one and the same thing has been the oldest for too long."""
        waited = time.monotonic() - self._oldest_since
        if self._oldest is None or waited < LONGEST_WAIT:
            return None
        return f"the oldest of the {self.what} that wait has not moved for {waited:.0f} s"

    def _if_known(self, figure: float) -> float:
        return figure if time.monotonic() - self._read_at < STALE_AFTER else math.nan


async def watch_waiting(waiting: Sequence[OldestWaiting], stopping: asyncio.Event) -> None:
    """Read each of them again and again until told to stop; raises what broke a reading for good."""
    while not stopping.is_set():
        await _read(waiting)
        await pause_until(READ_EVERY, stopping)


async def _read(waiting: Sequence[OldestWaiting]) -> None:
    """Read them in one statement, since it is asked all the time."""
    if not waiting:
        return
    parts = (
        f"select {number} as number, oldest::text, seconds::float8, n::bigint from ({one._query}) as q{number}"
        for number, one in enumerate(waiting)
    )
    arguments = next((given for one in waiting if (given := one._arguments())), ())
    try:
        async with waiting[0]._database.connection() as connection:
            rows = await connection.fetch(" union all ".join(parts), *arguments, timeout=5)
    except Exception as error:
        if not is_transient(error):
            raise
        return
    for row in rows:
        waiting[row["number"]]._take(row)
