"""Ended subscriptions lose what says where they led: address, signing secret, and what is made of the address.

The row stays, with what it asked for and whose it was: deliveries are explained by it. It can't be put back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.plumbing.database import Connection
from services.plumbing.retention.pruner import PruneStep

FORGET = (
    "address = '', secret = null, destination = null, fingerprint = sha256(uuid_send(s.id)),"
    " subscriber = case when $2 then '' else subscriber end"
)
_UNSETTLED = (
    "(select true from delivery d where d.subscription_id = s.id and d.state in ('pending', 'sending') limit 1)"
)

_STEP = f"""
with looked as materialized (
    select id, state, ended_at, address from subscription where id > $1 order by id limit $4 for no key update
),
gone as (
    update subscription s set {FORGET} from looked l
    where s.id = l.id and l.state = 'ended' and l.ended_at < $3 and l.address <> '' and {_UNSETTLED} is null
    returning s.id
)
select (select count(*) from gone) as pruned, (select id from looked order by id desc limit 1) as last,
       (select count(*) from looked) as n
"""


@dataclass(frozen=True)
class EndedSubscriptions:
    """Subscriptions that ended longer ago than `kept`."""

    kept: timedelta
    name: str = "ended-subscription"

    async def step(self, connection: Connection, now: datetime, after: Any, rows: int) -> PruneStep:
        """As `Prunable` says: of a row addresses are forgotten, and the row stays."""
        row: Any = await connection.fetchrow(_STEP, after or UUID(int=0), False, now - self.kept, rows)
        return PruneStep(row["pruned"], row["last"] if row["n"] == rows else None)
