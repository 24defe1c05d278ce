"""Claims: deliveries that are due are taken in hand under a lease, and put back when a lease was lost.

Leases are compared by the database's clock, since they guard against processes whose clocks may differ; every other
time is business time and comes from the caller.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.filters import Filters
from services.notifier.channels import MAILED
from services.notifier.channels.outcomes import FailureReason
from services.notifier.delivery.deliveries import Capacity, Delivery, Recipient
from services.plumbing.database import Connection, Database

READY = "deliveries"
"""The wake-up that says that deliveries wait which nobody has in hand."""

_SHARED_LANES = ", ".join(f"'{name}'" for name in sorted(MAILED))

_HAS_PACE = "exists (select from destination_pace p where p.destination = d.destination)"

# `diverted`: whoever is sent to at a pace is claimed at that pace (`paced_claims`), and no claim meets its rows again.
CLAIM = f"""
with due as (
    select id, position, subscription_id, channel, next_at, {_HAS_PACE} as has_pace from delivery d
    where state = 'pending' and not behind and not paced and next_at <= $1
          and (subscription_id <> all($5::uuid[]) or {_HAS_PACE}) and (channel not in ({_SHARED_LANES}) or $4 > 0)
    order by next_at, position limit $2 for update skip locked
),
diverted as (
    update delivery d set paced = true from due u where d.id = u.id and u.has_pace returning d.id
),
placed as (
    select d.id, row_number() over (
               partition by case when d.channel in ({_SHARED_LANES}) then null else d.subscription_id end
               order by d.next_at, d.position
           ) as in_lane,
           case when d.channel in ({_SHARED_LANES}) then $4 else coalesce(n.most, $3) end as lane
    from due d left join unnest($6::uuid[], $7::integer[]) as n(subscription_id, most)
        on n.subscription_id = d.subscription_id
    where not d.has_pace
),
claimed as (
update delivery d set state = 'sending', lease = $8, lease_until = clock_timestamp() + make_interval(secs => $9)
from placed p where d.id = p.id and p.in_lane <= p.lane
returning d.id, d.event_id, d.subscription_id, d.commitment_id, d.attempts, d.created_at, d.not_after, d.next_at,
          d.position, d.destination, d.deferrals, d.deferred_since
)
select c.*, (select count(*) from diverted) as diverted from (values (1)) as always left join claimed c on true
"""

SWEEP = """
with lost as (
    select id from delivery where state = 'sending' and lease_until < clock_timestamp()
    order by position limit 500 for update skip locked
),
back as (
    update delivery d set state = 'pending', attempts = d.attempts + 1, next_at = $1, reason = $2, last_code = null,
                          lease = null, lease_until = null
    from lost where d.id = lost.id returning d.id, d.attempts
)
insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason)
select id, attempts, $1, $1, 'unknown', $2 from back
"""

_RECIPIENTS = """
select id, subscriber, channel, address, secret, language, zone, events, countries, themes, sections, commitments, state
from subscription where id = any($1::uuid[])
"""


class DeliveryClaims:
    """The deliveries that one process takes. `lease_seconds`: how long a claim keeps others away."""

    def __init__(self, database: Database, *, lease_seconds: float) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    async def claim(self, now: datetime, capacity: Capacity) -> list[Delivery]:
        """Take due deliveries in hand, at most as `capacity` allows, the longest due first."""
        closed = [id_ for id_, most in capacity.limited.items() if most == 0]
        while True:
            lease, claimed = uuid4(), time.monotonic()
            async with self._database.transaction() as connection:
                rows = await connection.fetch(
                    CLAIM,
                    now,
                    capacity.total,
                    capacity.each,
                    capacity.mail,
                    closed,
                    list(capacity.limited),
                    list(capacity.limited.values()),
                    lease,
                    self._lease_seconds,
                )
                mine = [row for row in rows if row["id"] is not None]
                mine.sort(key=lambda row: (row["next_at"], row["position"]))
                deliveries = await claimed_deliveries(connection, mine, lease, claimed)
            if deliveries or not rows[0]["diverted"]:
                return deliveries

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery falls due that is not due yet."""
        async with self._database.connection() as connection:
            due: datetime | None = await connection.fetchval(
                "select min(next_at) from delivery"
                " where state = 'pending' and not behind and not paced and next_at > $1",
                now,
            )
            return due

    async def sweep(self, now: datetime) -> int:
        """Put back what a process claimed and then died or froze over; how many there were.

        Whether it was sent nobody knows, so each gets an attempt with the outcome `unknown`.
        """
        async with self._database.transaction() as connection:
            done = await connection.execute(SWEEP, now, str(FailureReason.LEASE))
            count = int(done.rsplit(" ", 1)[-1])
            if count:
                await self._database.notify(connection, READY)
        return count


async def claimed_deliveries(
    connection: Connection, rows: Sequence[Any], lease: UUID, claimed: float
) -> list[Delivery]:
    """Deliveries from their claimed rows; `claimed` is monotonic, in seconds, from before the claim."""
    if not rows:
        return []
    found = await connection.fetch(_RECIPIENTS, list({row["subscription_id"] for row in rows}))
    recipients: Mapping[UUID, Recipient] = {row["id"]: _recipient(row) for row in found}
    return [
        Delivery(
            id=row["id"],
            event_id=row["event_id"],
            recipient=recipients[row["subscription_id"]],
            commitment_id=row["commitment_id"],
            attempts=row["attempts"],
            created_at=row["created_at"],
            not_after=row["not_after"],
            lease=lease,
            claimed=claimed,
            destination=row["destination"],
            deferrals=row["deferrals"],
            deferred_since=row["deferred_since"],
        )
        for row in rows
    ]


def _recipient(row: Any) -> Recipient:
    return Recipient(
        id=row["id"],
        subscriber=row["subscriber"],
        channel=row["channel"],
        address=row["address"],
        secret=row["secret"],
        language=row["language"],
        zone=row["zone"],
        filters=Filters(
            frozenset(row["events"]),
            frozenset(row["countries"]),
            frozenset(row["themes"]),
            frozenset(row["sections"]),
            frozenset(row["commitments"]),
        ),
        state=row["state"],
    )
