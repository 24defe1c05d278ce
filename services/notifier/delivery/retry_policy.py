"""When to try again: arithmetic on a table; the random number comes as an argument.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability": at once, then after 5 s, 5 min, 30 min, 2 h,
5 h, 10 h, 14 h, 20 h, 24 h (75 h 35 min in all). E-mail goes by the same table: its first steps outlast the usual
greylisting of 5 to 15 minutes, and one table is one thing to know.
"""

from datetime import datetime, timedelta

from services.notifier.channels.outcomes import Accepted, AttemptOutcome, Delivered, FailureReason, Refused, Unknown

TABLE = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds before attempt 1, 2, 3 …"""
MOST_ATTEMPTS = len(TABLE)
JITTER = 0.2
"""Each wait is up to this share longer or shorter, so that what failed together does not come back together."""
LEAST_WHEN_OVERLOADED = 60.0
"""Seconds, the least wait after a time-out or a 429, since the receiver is overloaded."""


def next_attempt(attempts: int, outcome: AttemptOutcome, now: datetime, chance: float) -> datetime | None:
    """When to try again after `attempts` attempts (1 or more), or None to give up.

    `chance` lies in [0, 1). The receiver's `retry_after` is kept to between the table's wait and twice that.
    """
    match outcome:
        case Delivered() | Accepted() | Refused(retryable=False):
            return None
        case Refused(reason=reason, retry_after=asked):
            pass
        case Unknown(reason=reason):
            asked = None
    if attempts >= MOST_ATTEMPTS:
        return None
    base = TABLE[attempts]
    if reason in (FailureReason.TIMEOUT, FailureReason.THROTTLED):
        base = max(base, LEAST_WHEN_OVERLOADED)
    if asked is not None and asked > base:
        # Never before the time that was asked for, so jitter only adds here.
        return now + timedelta(seconds=min(asked, 2 * base) * (1 + JITTER * chance))
    return now + timedelta(seconds=base * (1 - JITTER + 2 * JITTER * chance))
