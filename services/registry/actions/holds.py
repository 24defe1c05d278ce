"""Before a date moves, the scheduler is asked to hold the old one: it then fires nothing of an older schedule version.

The hold is taken inside the transaction of the move, when the new versions are known and nothing is committed yet. So
from the moment of the 2xx on the old date never fires, and a move that can't be held does not happen.

A scheduler that held for a move that was never committed would keep silent for ever. It therefore asks which version
holds in the register, `RELEASED_AFTER` after the hold at the earliest, and goes on with that. So a transaction that has
taken a hold has to be over before then: the database ends it after `LONGEST_TRANSACTION`, whatever became of us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.plumbing.database import Connection
from services.plumbing.failpoints import failpoint
from services.plumbing.sentences import Sentence
from services.registry.rules.errors import RegistryError

RELEASED_AFTER = 10.0
"""Seconds after which the scheduler may ask whether the move has happened."""
LONGEST_TRANSACTION = 5.0
"""Seconds, by the database's clock, from just before the hold to the commit; half of `RELEASED_AFTER`."""


class SchedulerUnavailable(RegistryError):
    """The scheduler does not hold the old date now, so it is not moved."""

    kind = "scheduler-away"
    title = Sentence("The scheduler does not hold the old date now, so it is not moved")


@dataclass(frozen=True)
class ScheduleHold:
    """From now on nothing older than this version of a milestone's schedule may fire."""

    milestone_id: str
    schedule_version: int


class ScheduleHolds(Protocol):
    """Who holds old dates: the scheduler's client, or a stand-in."""

    async def take(self, holds: Sequence[ScheduleHold]) -> None:
        """Return when all are held; raises `SchedulerUnavailable` otherwise, and then some of them may be."""
        ...


async def hold_old_schedules(connection: Connection, holds: ScheduleHolds, versions: Sequence[ScheduleHold]) -> None:
    """Take the holds, and let the caller's transaction outlive them by no more than it may.

    Raises `SchedulerUnavailable`. A process that is frozen between hold and commit finds its transaction ended: by
    `idle_in_transaction_session_timeout`, which every server has, and by `transaction_timeout` from PostgreSQL 17 on,
    which holds in the middle of a statement too.
    """
    limit = f"'{LONGEST_TRANSACTION * 1000:.0f}ms'"
    await connection.execute(f"set local idle_in_transaction_session_timeout = {limit}")
    if connection.get_server_version().major >= 17:
        await connection.execute(f"set local transaction_timeout = {limit}")
    await holds.take(versions)
    failpoint("registry-after-hold")
