"""Claims: deliveries that are due are taken in hand under a lease, and put back when a lease was lost.

Leases are compared by the database's clock, since they guard against processes whose clocks may differ; every other
time is business time and comes from the caller.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any
from uuid import UUID

from contracts.filters import Filters
from services.notifier.channels import MAILED
from services.notifier.channels.outcomes import FailureReason
from services.notifier.delivery.deliveries import Capacity, Delivery, Recipient
from services.notifier.delivery.followers import claim_followers, one_message
from services.notifier.delivery.groups import lead_stuck
from services.notifier.delivery.leases import Leases
from services.notifier.delivery.overtaking import TELLING
from services.notifier.delivery.turns import READY, is_behind, promote_stuck
from services.notifier.subscriptions.sealed_columns import opened_address, opened_secret
from services.notifier.subscriptions.timing_form import kept_timing
from services.plumbing.database import Connection, Database
from services.plumbing.failpoints import failpoint
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets, SecretUnreadable

_SHARED_LANES = ", ".join(f"'{name}'" for name in sorted(MAILED))

CLOSES_ITS_GROUP = "group_id = case when d.group_id is not null then d.id end"
"""Of a leading row that is claimed: from then on nothing joins its group."""

_HAS_PACE = "exists (select from destination_pace p where p.destination = d.destination)"

# `head`: of what is due that which has nothing older before it in its thread; looked at after the limit, since what is
# not marked `behind` is so. `run`: with each head those behind it that are due too, without a gap; this process sends
# them one after the other, and gives the rest back when one does not settle.
# What belongs to a group is claimed as a head only, and its followers after it (`followers`).
# Whoever claims something of a thread has to lock its head, so that a thread is in one hand only. A follower that was
# cancelled meanwhile is seen when its row is updated; not by its state, or PostgreSQL might look for it among all that
# are pending. `diverted`: whoever is sent to at a pace is claimed at that pace (`paced_claims`), and no claim meets its
# rows again.
CLAIM = f"""
with due as materialized (
    select id, thread, position, subscription_id, channel, next_at, {_HAS_PACE} as has_pace from delivery d
    where state = 'pending' and not behind and not paced and leads and next_at <= $1
          and (subscription_id <> all($5::uuid[]) or {_HAS_PACE}) and (channel not in ({_SHARED_LANES}) or $4 > 0)
    order by next_at, position limit $2 for update skip locked
),
diverted as (
    update delivery d set paced = true from due u where d.id = u.id and u.has_pace returning d.id
),
head as materialized (select * from due d where not has_pace and not ({is_behind("d.thread", "d.position")})),
run as (
    select id, subscription_id, channel, next_at, position, 0 as place from head
    union all
    select f.id, h.subscription_id, h.channel, h.next_at, f.position, f.place
    from head h cross join lateral (
        select id, position, row_number() over w as place,
               bool_and(state = 'pending' and group_id is null and next_at <= $1) over w as is_due
        from (
            select id, position, state, group_id, next_at from delivery
            where thread = h.thread and position > h.position and state in ('pending', 'sending')
            order by position limit least($3, (select $2 / count(*) from head))
        ) n
        window w as (order by position)
    ) f
    where f.is_due
),
placed as materialized (
    select r.id, row_number() over (order by r.place, r.next_at, r.position) as in_all,
           row_number() over (
               partition by case when r.channel in ({_SHARED_LANES}) then null else r.subscription_id end
               order by r.place, r.next_at, r.position
           ) as in_lane,
           case when r.channel in ({_SHARED_LANES}) then $4 else coalesce(n.most, $3) end as lane
    from run r left join unnest($6::uuid[], $7::integer[]) as n(subscription_id, most)
        on n.subscription_id = r.subscription_id
),
claimed as (
    update delivery d set state = 'sending', behind = false, lease = $8,
                          lease_until = clock_timestamp() + make_interval(secs => $9), {CLOSES_ITS_GROUP}
    from placed p
    where d.id = p.id and d.lease is null and d.settled_at is null and p.in_all <= $2 and p.in_lane <= p.lane
    returning d.id, d.event_id, d.subscription_id, d.commitment_id, d.thread, d.attempts, d.created_at, d.not_after,
              d.next_at, d.position, d.destination, d.deferrals, d.deferred_since, d.rule,
              old.group_id
)
select c.*, {TELLING}, (select count(*) from diverted) as diverted
from (values (1)) as always left join claimed c on true left join event e on e.id = c.event_id
"""

OLDEST_DUE = """
with oldest as (
    select * from (
        (select id, next_at, position from delivery where state = 'pending' and not behind and not paced
               and leads and next_at <= $1 order by next_at, position limit 1)
        union all
        (select id, next_at, position from delivery where state = 'pending' and not behind and paced
               and leads and next_at <= $1 order by next_at, position limit 1)
    ) both_kinds
    order by next_at, position limit 1
)
select (select id from oldest) as oldest,
       (select extract(epoch from $1 - next_at) from oldest) as seconds, null::bigint as n
"""
"""The delivery that has been due for the longest at $1, for `plumbing.waiting`: one whose receiver is to be spared
waits too."""

SWEEP = f"""
with lost as (
    select id from delivery where state = 'sending' and lease_until < clock_timestamp()
    order by position limit 500 for update skip locked
),
back as (
    update delivery d set state = 'pending', attempts = d.attempts + 1, next_at = $1, reason = $2, last_code = null,
                          lease = null, lease_until = null, behind = {is_behind("d.thread", "d.position")}
    from lost where d.id = lost.id returning d.id, d.attempts, d.leads
),
tried as (
    insert into delivery_attempt (delivery_id, n, started_at, ended_at, outcome, reason)
    select id, attempts, $1, $1, 'unknown', $2 from back where leads
)
select id from back
"""

_IS_ANYTHING_OPEN = """
select exists (select from delivery where state = 'pending') or exists (select from delivery where state = 'sending')
"""

PUT_BACK = f"""
update delivery d set state = 'pending', lease = null, lease_until = null,
                      behind = {is_behind("d.thread", "d.position")}
where state = 'sending' and lease = any($1::uuid[])
"""

_RECIPIENTS = """
select id, subscriber, channel, address, secret, language, zone, events, parties, themes, sections, commitments,
       state, ladder_refused is not null as ladder_refused, timing
from subscription where id = any($1::uuid[])
"""


_LEAST_LOOKED_AT = 64


class DeliveryClaims:
    """The deliveries that one process takes. `lease_seconds`: how long a claim keeps others away; `leases`: its own."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        leases: Leases | None = None,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._leases = leases or Leases(lease_seconds)
        self._looks_at: float = inf
        """At so many of what is due, since each is locked: where lanes are full, few of many may be taken."""

    async def claim(self, now: datetime, capacity: Capacity) -> list[Delivery]:
        """Take due deliveries in hand, at most as `capacity` allows, the longest due first.

        Of one thread they are the first that have not ended, and are given in their order.
        """
        closed = [id_ for id_, most in capacity.limited.items() if most == 0]
        most = int(min(capacity.total, self._looks_at))
        while True:
            claimed = time.monotonic()
            with self._leases.claiming() as lease:
                async with self._database.transaction() as connection:
                    rows = await connection.fetch(
                        CLAIM,
                        now,
                        most,
                        capacity.each,
                        capacity.mail,
                        closed,
                        list(capacity.limited),
                        list(capacity.limited.values()),
                        lease,
                        self._leases.seconds,
                    )
                    mine = [row for row in rows if row["id"] is not None]
                    mine.sort(key=lambda row: row["position"])
                    found = await with_followers(connection, mine, lease, self._leases.seconds, claimed, self._secrets)
                    deliveries = [delivery for delivery, _ in found]
            if deliveries or not rows[0]["diverted"]:
                if len(deliveries) * 2 > most:
                    self._looks_at = most * 4
                elif len(deliveries) * 4 < most:
                    self._looks_at = max(len(deliveries) * 2, _LEAST_LOOKED_AT)
                return deliveries

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery falls due that is not due yet."""
        async with self._database.connection() as connection:
            due: datetime | None = await connection.fetchval(
                "select min(next_at) from delivery"
                " where state = 'pending' and not behind and not paced and leads and next_at > $1",
                now,
            )
            return due

    async def sweep(self, now: datetime) -> int:
        """Put back what a process claimed and then died or froze over; how many there were.

        Whether it was sent nobody knows, so each gets an attempt with the outcome `unknown`. What this process may
        have claimed without learning of it was not, and goes back at once.
        """
        if doubtful := self._leases.in_doubt():
            async with self._database.transaction() as connection:
                await connection.execute(PUT_BACK, doubtful)
                await self._database.notify(connection, READY)
        async with self._database.connection() as connection:
            if not await connection.fetchval(_IS_ANYTHING_OPEN):
                return 0
        async with self._database.transaction() as connection:
            count = len(await connection.fetch(SWEEP, now, str(FailureReason.LEASE)))
            if count:
                await self._database.notify(connection, READY)
        await promote_stuck(self._database)
        await lead_stuck(self._database)
        return count


async def with_followers(
    connection: Connection,
    rows: Sequence[Any],
    lease: UUID,
    seconds: float,
    claimed: float,
    secrets: Secrets = IN_THE_CLEAR,
) -> list[tuple[Delivery, Any]]:
    """Deliveries from their claimed rows, each with those that follow it, which are claimed with it; and those rows.

    What turns out to wait for something older has gone back.
    """
    members = await claim_followers(connection, rows, lease, seconds)
    if not members:
        return list(zip(await claimed_deliveries(connection, rows, lease, claimed, secrets), rows, strict=True))
    failpoint("notifier-after-follow")
    going = [members.get(row["id"], [row]) for row in rows]
    claimed_rows = [row for each in going for row in each]
    deliveries = iter(await claimed_deliveries(connection, claimed_rows, lease, claimed, secrets))
    found = []
    for row, each in zip(rows, going, strict=True):
        parts = [next(deliveries) for _ in each]
        if parts:
            found.append((one_message(each[0].get("leader") or row["id"], parts), row))
    return found


async def claimed_deliveries(
    connection: Connection, rows: Sequence[Any], lease: UUID, claimed: float, secrets: Secrets = IN_THE_CLEAR
) -> list[Delivery]:
    """Deliveries from their claimed rows; `claimed` is monotonic, in seconds, from before the claim.

    Without `secrets` what is sealed stays so: for who only tells how deliveries ended.
    """
    if not rows:
        return []
    recipients = await recipients_of(connection, {row["subscription_id"] for row in rows}, secrets)
    return [
        Delivery(
            id=row["id"],
            event_id=row["event_id"],
            recipient=recipients[row["subscription_id"]],
            commitment_id=row["commitment_id"],
            thread=row["thread"],
            attempts=row["attempts"],
            created_at=row["created_at"],
            not_after=row["not_after"],
            lease=lease,
            claimed=claimed,
            destination=row["destination"],
            deferrals=row["deferrals"],
            deferred_since=row["deferred_since"],
            collapse_key=row["collapse_key"],
            is_overtaken=row["is_overtaken"],
            before=tuple(row["before"] or ()),
            position=row["position"],
            rule=row["rule"],
            due_at=row.get("next_at"),
            newer_was_told=bool(row.get("newer_was_told")),
        )
        for row in rows
    ]


async def recipients_of(
    connection: Connection, subscriptions: Collection[UUID], secrets: Secrets = IN_THE_CLEAR
) -> Mapping[UUID, Recipient]:
    """The subscriptions as deliveries go to them, by their ids; the address of one that can't be opened is empty."""
    rows = await connection.fetch(_RECIPIENTS, list(subscriptions))
    return {row["id"]: _recipient(row, secrets) for row in rows}


def _recipient(row: Any, secrets: Secrets) -> Recipient:
    try:
        address, secret = opened_address(secrets, row), opened_secret(secrets, row)
    except SecretUnreadable:
        address, secret = "", None  # told where it is to be sent, and not before
    return Recipient(
        id=row["id"],
        subscriber=row["subscriber"],
        channel=row["channel"],
        address=address,
        secret=secret,
        language=row["language"],
        zone=row["zone"],
        filters=Filters(
            frozenset(row["events"]),
            frozenset(row["parties"]),
            frozenset(row["themes"]),
            frozenset(row["sections"]),
            frozenset(row["commitments"]),
        ),
        state=row["state"],
        ladder_refused=row["ladder_refused"],
        timing=form.rules if (form := kept_timing(row["timing"])) else None,
    )
