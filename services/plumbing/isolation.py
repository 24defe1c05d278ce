"""After a batch has failed: its items one by one, so that one that can't work does not hold up the others."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TypeVar

from services.plumbing.refusals import RefusedByRule
from services.plumbing.transient_errors import is_transient

Item = TypeVar("Item", bound=Hashable)

SYSTEMIC = 20
"""So many items that fail by a fault of ours, and none that works: none of them is to blame."""

LONGEST_REASON = 1000
"""Characters."""


async def one_by_one(
    items: Sequence[Item], work: Callable[[Item], Awaitable[int]], what: str
) -> tuple[int, dict[Item, Exception]]:
    """Do the work for each item by itself: how much was done in all, and the items that can't work, with their errors.

    Raises transient errors at once, since the whole batch comes again after them; and RuntimeError where the failure
    `is_systemic`. `what` ends its text, as in "none of 20 reminders could be sent".
    """
    done = 0
    failed: dict[Item, Exception] = {}
    for item in items:
        try:
            done += await work(item)
        except Exception as error:
            if is_transient(error):
                raise
            failed[item] = error
    if is_systemic(list(failed.values()), worked=len(items) - len(failed)):
        faults = [error for error in failed.values() if not isinstance(error, RefusedByRule)]
        raise RuntimeError(f"none of {len(items)} {what}, last: {reason_of(faults[-1])}") from faults[-1]
    return done, failed


def is_systemic(failures: Sequence[Exception], worked: int) -> bool:
    """Whether failures are to be laid at our own door, and not at those of the items: `worked` items did not fail.

    A refusal is an answer. As many as there may be, they say that the rules work, and hide no fault of the others.
    """
    return worked == 0 and sum(not isinstance(error, RefusedByRule) for error in failures) >= SYSTEMIC


def reason_of(error: Exception) -> str:
    """An error as it is kept in a table beside what it stopped."""
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON].replace("\0", "")
