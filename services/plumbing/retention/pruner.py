"""The pruner: walks through tables in small steps, one transaction each, and rests between them.

Steps and rests are those of a service, however many processes it has: whoever comes while it is another's turn, or too
soon after it, leaves the round to that one. Where one stops, by a crash say, the next round begins at the beginning:
what was deleted is gone, and counted in the same transaction.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from prometheus_client import Counter, Gauge

from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.retention.policy import RetentionSettings

PRUNED = Counter("pledgewire_pruned_rows", "Rows that were deleted since they were older than they are kept", ["name"])
ROUND = Gauge("pledgewire_prune_round_seconds", "How long the last round of pruning through all tables took; 0 before")
_BETWEEN_LOOKS = 60.0
_LONGEST_REST = 5.0

# A turn that is to come in more than a minute was written under another clock.
_TURN = """
select true from pruning_turn where until <= clock_timestamp() or until > clock_timestamp() + interval '1 minute'
for update skip locked
"""
_TURN_AT_ONCE = "select true from pruning_turn for update"
_REST = """
update pruning_turn
set until = clock_timestamp() + least((clock_timestamp() - transaction_timestamp()) * $1, make_interval(secs => $2))
returning extract(epoch from until - clock_timestamp())::float8
"""
# What a crash takes back is pruned once more, so nobody has to wait for the disk.
_CHEAPLY = "set local synchronous_commit = off"


@dataclass(frozen=True)
class PruneStep:
    """What one step came to: rows pruned, and where to go on; None at the end of the table."""

    pruned: int
    after: Any


class Prunable(Protocol):
    """A table whose old rows are pruned."""

    @property
    def name(self) -> str:
        """The table, for the metric."""
        ...

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """Look at so many rows behind a place, None for the beginning, and delete those that are older than kept.

        In the caller's transaction, which also gets the sums of what is gone. Never of what is unsettled.
        """
        ...


class Pruner:
    """Prunes the tables of one service, one after the other."""

    def __init__(
        self,
        database: Database,
        tables: Sequence[Prunable],
        settings: RetentionSettings,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is business time, by which deliveries and events are as old as they are."""
        self._database = database
        self._tables = tables
        self._settings = settings
        self._now = now
        self._monotonic = monotonic
        self._place: tuple[int, Any] = (0, None)
        self._began: float | None = None
        self._not_before = float("-inf")
        self._pruned = 0

    @property
    def seconds(self) -> float:
        """Seconds between two looks whether a round is due."""
        return min(_BETWEEN_LOOKS, self._settings.every_seconds)

    async def beat(self) -> float | None:
        """One step, where a round is under way or due; the seconds until the next one, None at the end of a round."""
        started = self._monotonic()
        if self._began is None and started < self._not_before:
            return None
        if self._began is None:
            self._began, self._place, self._pruned = started, (0, None), 0
        return await self._step(_TURN)

    async def round(self) -> int:
        """Go through all tables without a rest; how many rows were pruned."""
        self._began, self._place, self._pruned = self._monotonic(), (0, None), 0
        while await self._step(_TURN_AT_ONCE) is not None:
            pass
        return self._pruned

    async def _step(self, turn: str) -> float | None:
        """One step, if it is our turn; how long the service rests after it, None where the round is over."""
        number, after = self._place
        if number == len(self._tables):
            self._end()
            return None
        table = self._tables[number]
        async with self._database.transaction() as connection:
            if not await connection.fetchval(turn):
                self._end(told=False)  # another process is at it
                return None
            await connection.execute(_CHEAPLY)
            step = await table.step(connection, self._now(), after, self._settings.rows)
            rest = float(await connection.fetchval(_REST, 1 / self._settings.share - 1, _LONGEST_REST))
            failpoint("prune-before-commit")
        PRUNED.labels(table.name).inc(step.pruned)
        self._pruned += step.pruned
        self._place = (number, step.after) if step.after is not None else (number + 1, None)
        return max(rest, 0.0)

    def _end(self, *, told: bool = True) -> None:
        seconds = self._monotonic() - (self._began or 0.0)
        if told:
            ROUND.set(seconds)
        if self._pruned:
            log.info("old rows were pruned", action="pruned", rows=self._pruned, seconds=round(seconds, 1))
        self._began, self._not_before = None, self._monotonic() + self._settings.every_seconds
