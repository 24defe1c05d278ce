"""Resume: what was put off is looked at anew when what put it off has changed or ended before its time.

It becomes due at once, and whoever claims it tells it, or puts it off again, to the instant that holds now.
"""

from collections.abc import Collection
from datetime import datetime
from typing import get_args
from uuid import UUID

from services.notifier.delivery.turns import READY
from services.notifier.timing.first_allowed import TimingRule
from services.plumbing.database import Connection, Database

_RULES = get_args(TimingRule)
# Whatever the rule was: it is the one that put it off last, and another may have come before it.
_RESUME = """
update delivery set next_at = $1
where state = 'pending' and rule = any($2::text[]) and next_at > $1
      and ($3::uuid[] is null or subscription_id = any($3::uuid[]))
"""
_FORGET_RUNS = "delete from digest_run where run_at > $1 and subscription_id = any($2::uuid[])"
"""What still waits for one of them is put off to it again, and writes it anew."""


async def resume_deferred(
    database: Database, connection: Connection, subscriptions: Collection[UUID] | None, now: datetime
) -> None:
    """Let what was put off for some subscriptions, or (None) for all, be claimed now, in the caller's transaction."""
    only = list(subscriptions) if subscriptions is not None else None
    await connection.execute(_RESUME, now, list(_RULES), only)
    if only is not None:
        await connection.execute(_FORGET_RUNS, now, only)
    await database.notify(connection, READY)
