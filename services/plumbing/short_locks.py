"""Changes of tables that others are working on: locks are taken at once, waited for briefly, and asked for again.

Whoever waits for a table's lock stands in the way of everybody who comes behind. So a change waits less than a second,
lets everything go, and comes again. All of its locks it takes before it does anything: then it gives up before
PostgreSQL looks for a deadlock (`deadlock_timeout`, a second), and never is somebody else's transaction ended for it.
"""

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from services.plumbing.logs import log
from services.plumbing.retry import Backoff, until_it_works

LONGEST_WAIT = 800
"""Milliseconds for all locks of a change together."""

_LOCKED = {"55P03", "40P01"}
"""PostgreSQL's codes: the lock could not be had in time, and a deadlock."""

T = TypeVar("T")


class LocksHeld(Exception):
    """Somebody held a lock for too long; the text says for how long it was tried."""


async def until_locks_are_free(change: Callable[[], Awaitable[T]], patience: float) -> T:
    """What comes of a change, which is a transaction; done again while somebody holds what it needs.

    `patience` is in seconds. Raises `LocksHeld` when they are over, and at once whatever else the change raises.
    """
    end = time.monotonic() + patience

    def failed(error: Exception, pause: float) -> None:
        if time.monotonic() + pause > end:
            raise LocksHeld(f"others hold the locks that it needs, for {patience:.0f} s by now") from error
        log.info("a change waits for locks", action="locks_held", error=str(error)[:200])

    return await until_it_works(change, Backoff(longest=2.0), failed, passes=is_locked_out)


def is_locked_out(error: BaseException) -> bool:
    """Whether this says that a lock could not be had, however deep a library has wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "sqlstate", None) in _LOCKED:
            return True
        seen = getattr(seen, "orig", None) or seen.__cause__
    return False


def taking(tables: Mapping[str, str]) -> list[str]:
    """The statements that take tables, named in SQL with the mode of each, for this transaction; in another order each
    time.

    Somebody may hold the one and want the other without a pause between: in one of the orders it is had all the same.
    Behind them every single lock is waited for as long as all of these together.
    """
    each = max(10, LONGEST_WAIT // max(1, len(tables)))
    return [
        f"set local lock_timeout to '{each}ms'",
        *(f"lock table {name} in {tables[name]} mode" for name in random.sample(sorted(tables), len(tables))),
        f"set local lock_timeout to '{LONGEST_WAIT}ms'",
    ]
