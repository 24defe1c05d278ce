"""When to try again: arithmetic on a table; the random number comes as an argument.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability": at once, then after 5 s, 5 min, 30 min, 2 h,
5 h, 10 h, 14 h, 20 h, 24 h (75 h 35 min in all). E-mail goes by the same table: its first steps outlast the usual
greylisting of 5 to 15 minutes, and one table is one thing to know.

Who is told to wait has not failed (RFC 6585, 4): it counts no attempt, and comes again when the receiver says.
"""

from datetime import datetime, timedelta

from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Deferred,
    Delivered,
    FailureReason,
    Refused,
    Unknown,
)

TABLE = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds before attempt 1, 2, 3 …"""
MOST_ATTEMPTS = len(TABLE)
JITTER = 0.2
"""Each wait is up to this share longer or shorter, so that what failed together does not come back together."""
LEAST_WHEN_OVERLOADED = 60.0
"""Seconds, the least wait after a time-out, since the receiver is overloaded."""
LONGEST_TABLE = timedelta(seconds=sum(TABLE))
"""From the first attempt to the last; so long a delivery may be told to wait, counted from the first time."""
LONGEST_WAIT = 86_400.0
"""Seconds of a wait that a receiver may ask for, at once; it may ask again."""
LONGEST_OWN_WAIT = 3_600.0
"""Seconds; a receiver that goes on asking for less is not asked more often than this."""


def next_attempt(attempts: int, outcome: AttemptOutcome, now: datetime, chance: float) -> datetime | None:
    """When to try again after `attempts` attempts (1 or more), or None to give up.

    `chance` lies in [0, 1). Being told to wait is no attempt: `next_after_deferral` knows.
    """
    match outcome:
        case Delivered() | Accepted() | Refused(retryable=False) | Deferred():
            return None
        case Refused(reason=reason) | Unknown(reason=reason):
            pass
    if attempts >= MOST_ATTEMPTS:
        return None
    base = TABLE[attempts]
    if reason is FailureReason.TIMEOUT:
        base = max(base, LEAST_WHEN_OVERLOADED)
    return now + timedelta(seconds=base * (1 - JITTER + 2 * JITTER * chance))


def next_after_deferral(deferrals: int, asked: float | None, since: datetime, now: datetime) -> datetime | None:
    """When to come again after being told to wait `deferrals` times (1 or more), or None to give up.

    `asked`: seconds that the receiver asks for, if it says so; never earlier than that, but a day at the most. `since`
    is when this delivery was first told to wait: the series ends as late as the table of attempts would.
    """
    if now - since >= LONGEST_TABLE:
        return None
    own = min(2.0 ** min(deferrals - 1, 20), LONGEST_OWN_WAIT)
    return now + timedelta(seconds=max(min(asked or 0.0, LONGEST_WAIT), own))
