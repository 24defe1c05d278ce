"""Claims for destinations that are sent to at a pace: as many as have their time soon, each with its slot.

Their deliveries stand apart from the others (`paced`), in an index by destination, so that no claim reads through what
waits for somebody slow. A claim gives out the slots of the next seconds under the lock of the destination's row; so
however many notifiers there are, together they keep its pace.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notifier.channels import MAILED
from services.notifier.delivery.claims import CLOSES_ITS_GROUP, with_followers
from services.notifier.delivery.deliveries import Delivery, Slot
from services.notifier.delivery.leases import Leases
from services.notifier.delivery.overtaking import TELLING
from services.notifier.delivery.pace_store import introduce
from services.notifier.delivery.pacing import MARGIN
from services.notifier.delivery.turns import is_behind
from services.plumbing.database import Database
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets

_DESTINATIONS = 500
"""Looked at in one claim; the next begins behind them."""
_PROBE_SECONDS = 30.0
"""How long a probe that never comes back keeps the next one from starting; longer than any attempt."""

_EARLY = 0.4
"""The share of the window in which the next slots may be given out before the last ones are used up."""

_CLOSEST = (1 + 1 / MARGIN) / 2
"""By so much two starts may come closer than the pace, when the first was late: half of the margin is kept."""

WAITING = """
with recursive waiting(destination) as (
    (select destination from delivery
     where state = 'pending' and not behind and paced and leads and destination > $1
     order by destination limit 1)
    union all
    select (select destination from delivery
            where state = 'pending' and not behind and paced and leads and destination > w.destination
            order by destination limit 1)
    from waiting w where w.destination is not null
)
select destination from waiting where destination is not null limit $2
"""

_STRANGE = """
insert into destination_pace (destination, fastest, seconds, good, free_at, really_free_at)
select d, 0, 1.03, 0, $2::timestamptz, clock_timestamp() from unnest($1::bytea[]) as d
where not exists (select from destination_pace where destination = d) on conflict do nothing
"""


def _due(was_deferred: str) -> str:
    """The longest due of a destination, locked; those that were told to wait before are looked for on their own."""
    return f"""(
        select id, position, next_at from delivery d
        where d.destination = o.destination and (d.deferred_since is null) = {was_deferred} and d.state = 'pending'
              and not d.behind and d.paced and d.leads and d.next_at <= $2
              and d.channel <> all($6::text[]) and not ({is_behind("d.thread", "d.position")})
        order by next_at, position limit o.slots for no key update skip locked
    )"""


# Of a destination that is told to wait, what it said that to goes first: it has waited the longest.
PACED_CLAIM = f"""
with moment as materialized (select clock_timestamp() as now),
free as materialized (
    select p.destination, p.seconds, p.fastest, p.round, p.deferrals > 0 as is_probe, m.now,
           greatest(case when $10 and p.free_at <= $2 then 0
                         else extract(epoch from p.really_free_at - m.now)::float8 end, 0.0) as first
    from destination_pace p cross join moment m
    where p.destination = any($1::bytea[])
          and (p.really_free_at <= m.now + make_interval(secs => $3) or ($10 and p.free_at <= $2))
    order by p.destination for no key update of p skip locked
),
open as materialized (
    select *, case when is_probe then 1
                   else least($5::integer, floor(greatest($4::float8 - first, 0.0) / seconds)::integer + 1) end as slots
    from free
),
head as materialized (
    select d.id, o.destination, o.slots,
           row_number() over (partition by o.destination order by d.late, d.next_at, d.position) - 1 as nth
    from open o cross join lateral (
        select *, 0 as late from {_due("false")} again union all select *, 1 as late from {_due("true")} first
    ) d
),
placed as materialized (
    select id, destination, nth, row_number() over (order by nth, destination) as place from head where nth < slots
),
claimed as (
    update delivery d set state = 'sending', behind = false, lease = $7,
                          lease_until = clock_timestamp() + make_interval(secs => $8), {CLOSES_ITS_GROUP}
    from placed p where d.id = p.id and d.lease is null and d.settled_at is null and p.place <= $5
    returning d.id, d.event_id, d.subscription_id, d.commitment_id, d.thread, d.attempts, d.created_at, d.not_after,
              d.next_at, d.position, d.destination, d.deferrals, d.deferred_since, d.rule,
              old.group_id, p.nth
),
reserved as (
    update destination_pace p
    set really_free_at = o.now + make_interval(secs => ahead), free_at = $2::timestamptz + make_interval(secs => ahead)
    from (
        select destination, o.now, o.first + case when o.is_probe then $9 else o.seconds * c.count end as ahead
        from open o join (select destination, count(*) from claimed group by destination) c using (destination)
    ) o
    where p.destination = o.destination
)
select c.*, {TELLING}, o.first + o.seconds * c.nth as starts_in, o.seconds, o.fastest, o.round, o.is_probe
from claimed c join open o on o.destination = c.destination join event e on e.id = c.event_id
order by c.nth, c.destination
"""

_ROUNDS = "select destination, round from destination_pace where destination = any($1::bytea[])"


class PacedClaims:
    """What one process takes of paced destinations.

    `window`: seconds ahead for which slots are given out. `clock_is_set`: business time does not go with real time.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        window: float,
        clock_is_set: bool,
        leases: Leases | None = None,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._leases = leases or Leases(lease_seconds)
        self._window = window
        self._clock_is_set = clock_is_set
        self._after = b""
        self.waits = False
        """Whether the last claim found anything that waits, or did not look."""

    async def claim(
        self, now: datetime, most: int, closed: Collection[bytes] = (), *, takes_mail: bool = True
    ) -> list[Delivery]:
        """Take at most so many due deliveries in hand, each with the time at which it may start.

        `closed`: destinations that are to be left alone.
        """
        self.waits = True
        if most < 1:
            return []
        async with self._database.connection() as connection:
            rows = await connection.fetch(WAITING, self._after, _DESTINATIONS)
        waiting = [row["destination"] for row in rows]
        self.waits = bool(waiting or self._after)
        self._after = waiting[-1] if len(waiting) == _DESTINATIONS else b""
        wanted = [destination for destination in waiting if destination not in closed]
        if not wanted:
            return []
        with self._leases.claiming() as lease:
            async with self._database.transaction() as connection:
                await connection.execute(_STRANGE, wanted, now)
                claimed = time.monotonic()  # not before: who waits for a connection would start too early
                rows = await connection.fetch(
                    PACED_CLAIM,
                    wanted,
                    now,
                    self._window * _EARLY,
                    self._window,
                    most,
                    [] if takes_mail else sorted(MAILED),
                    lease,
                    self._leases.seconds,
                    _PROBE_SECONDS,
                    self._clock_is_set,
                )
                found = await with_followers(connection, rows, lease, self._leases.seconds, claimed, self._secrets)
        return [replace(delivery, slot=_slot(row, claimed)) for delivery, row in found]

    async def introduce(self, limits: Mapping[bytes, float | None], now: datetime) -> None:
        """Give destinations the limits of their platforms."""
        async with self._database.transaction() as connection:
            await introduce(connection, limits, now)

    async def rounds(self, destinations: Collection[bytes]) -> dict[bytes, int]:
        """The round that each destination is in: what was given out in an earlier one must not start any more."""
        if not destinations:
            return {}
        async with self._database.connection() as connection:
            rows = await connection.fetch(_ROUNDS, list(destinations))
        return {row["destination"]: row["round"] for row in rows}


def _slot(row: Any, claimed: float) -> Slot:
    return Slot(
        at=claimed + row["starts_in"],
        gap=row["seconds"] * _CLOSEST,
        round=row["round"],
        is_probe=row["is_probe"],
        fastest=row["fastest"],
    )
