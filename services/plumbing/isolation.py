"""After a batch has failed: its items one by one, so that one that can't work does not hold up the others."""

from collections.abc import Awaitable, Callable, Sequence

from services.plumbing.transient_errors import is_transient

SYSTEMIC = 20
"""So many items that fail one by one, and none that works: that is our own fault, and none of theirs."""

LONGEST_REASON = 1000
"""Characters."""


async def one_by_one(
    items: Sequence[str], work: Callable[[str], Awaitable[int]], what: str
) -> tuple[int, dict[str, Exception]]:
    """Do the work for each item by itself: how much was done in all, and the items that can't work, with their errors.

    Raises transient errors at once, since the whole batch comes again after them; and RuntimeError where nothing
    works at all, for `SYSTEMIC` items or more: then no single one is to blame. `what` ends its text, as in "none of
    20 reminders could be sent".
    """
    done = 0
    failed: dict[str, Exception] = {}
    for item in items:
        try:
            done += await work(item)
        except Exception as error:
            if is_transient(error):
                raise
            failed[item] = error
    if len(failed) == len(items) >= SYSTEMIC:
        raise RuntimeError(f"none of {len(failed)} {what}") from next(iter(failed.values()))
    return done, failed


def reason_of(error: Exception) -> str:
    """An error as it is kept in a table beside what it stopped."""
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON].replace("\0", "")
