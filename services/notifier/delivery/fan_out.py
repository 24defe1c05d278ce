"""Fan-out: events that are new become one delivery for each subscription that matches, in one statement.

A paused subscription gets none of them, and a row that says so; nor is who has no digests told what stands in digests
only. What is to go out together with more is gathered in the same transaction (`groups`).

There are no foreign keys on the hot tables: both ends are written by the one statement that has just read them, and
nothing here deletes.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.causes import Cause
from services.notifier.channels import FOR_PEOPLE, MAILED
from services.notifier.delivery.claims import claimed_deliveries
from services.notifier.delivery.columns import columns
from services.notifier.delivery.deliveries import NO_CAPACITY, Capacity, Delivery
from services.notifier.delivery.groups import WINDOW, Wait, gather
from services.notifier.delivery.identity import DELIVERY_ID_BYTES, THREAD_BYTES
from services.notifier.delivery.leases import Leases
from services.notifier.delivery.openings import Openings
from services.notifier.delivery.put_off import put_off_new
from services.notifier.delivery.taking_over import end_settled_before
from services.notifier.delivery.turns import READY, WRITE_IN_TURN, is_behind, promote
from services.notifier.delivery.untold import ONLY_IN_DIGESTS, PAUSED, publish_untold
from services.notifier.events.event_types import EVENT_NAMES, EVENT_TYPES
from services.notifier.events.published_event import PublishedEvent
from services.notifier.events.traits import EVERYBODY, EventTraits
from services.notifier.grouping.windows import window_of
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets

_MEANT_FOR = "\n".join(
    f"                when '{name}' then {kind.audience.condition}"
    for name, kind in ((name, EVENT_TYPES[name]) for name in EVENT_NAMES)
    if kind.audience is not EVERYBODY
)
_SHARED_LANES = ", ".join(f"'{name}'" for name in sorted(MAILED))
_READ_BY_PEOPLE = ", ".join(f"'{name}'" for name in sorted(FOR_PEOPLE))

_PLACES = {topic: place for place, topic in enumerate(EVENT_TYPES)}
"""Of events of one moment, what was made known stands before what became of it."""

# `matches` is the rule `is_told` of `subscriptions/matching.py`; a property test holds the two together. Its second
# line about commitments only saves time: who follows none of the batch is left out once, and not again for each event.
# `fresh` inserts what was not seen before, and only its events get deliveries: a repeat, even one that another process
# holds right now, gets none.
FAN_OUT = f"""
with incoming as materialized (
    select id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after, section, collapse_key,
           string_to_array(parties, ',') as parties, string_to_array(themes, ',') as themes, audience, level, told_as,
           cause_id, cause_kind, cause_count, gathers, only_in_digests, place
    from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::bytea[], $6::timestamptz[], $7::text[],
                $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::text[],
                $15::text[], $16::uuid[], $17::text[], $18::integer[], $19::text[], $28::boolean[], $29::boolean[])
         with ordinality as i(id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after,
                              parties, themes, section, audience, level, told_as, cause_id, cause_kind, cause_count,
                              collapse_key, gathers, only_in_digests, place)
),
matches as materialized (
    select i.id as event_id, i.place, i.commitment_id, i.not_after, s.id as subscription_id, s.channel, s.destination,
           case when s.state = 'paused' then '{PAUSED}'
                when i.only_in_digests and s.channel in ({_READ_BY_PEOPLE})
                     and coalesce(s.timing ->> 'rhythm', 'immediate') = 'immediate' then '{ONLY_IN_DIGESTS}'
           end as untold,
           s.timing is not null as is_timed,
           i.gathers and s.channel in ({_READ_BY_PEOPLE}) and s.destination is not null as gathers
    from incoming i join subscription s on s.state in ('active', 'paused')
        and (s.events = '{{}}' or i.told_as = any(s.events))
        and (s.parties = '{{}}' or s.parties && i.parties)
        and (s.themes = '{{}}' or s.themes && i.themes)
        and (s.sections = '{{}}' or i.section = any(s.sections))
        and (s.commitments = '{{}}' or i.commitment_id = any(s.commitments))
        and (s.commitments = '{{}}' or s.commitments && (select array_agg(commitment_id) from incoming))
        and case i.told_as
{_MEANT_FOR}
                else true
            end
),
fresh as (
    insert into event (id, topic, commitment_id, seq, value, time, correlation_id, traceparent, not_after,
                       received_at, matched, collapse_key, cause_id, cause_kind, cause_count)
    select i.id, i.topic, i.commitment_id, i.seq, i.value, i.time, i.correlation_id, i.traceparent, i.not_after,
           $20, coalesce(m.n, 0), i.collapse_key, i.cause_id, i.cause_kind, i.cause_count
    from incoming i left join (select event_id, count(*)::integer as n from matches group by event_id) m
        on m.event_id = i.id
    order by i.id
    on conflict do nothing returning id
),
owed as materialized (
    select m.*, {DELIVERY_ID_BYTES} as id_bytes, {THREAD_BYTES} as thread_bytes
    from matches m join fresh f on f.id = m.event_id
),
named as materialized (select *, uuid8(id_bytes) as id, uuid8(thread_bytes) as thread from owed),
placed as (
    select m.*, exists (select from destination_pace p where p.destination = m.destination) as has_pace,
           {is_behind("m.thread", None)} as waits,
           row_number() over (partition by m.thread order by m.place) as in_thread,
           row_number() over (order by m.place, m.subscription_id) as in_all,
           row_number() over (
               partition by case when m.channel in ({_SHARED_LANES}) then null else m.subscription_id end
               order by m.place
           ) as in_lane,
           case when m.channel in ({_SHARED_LANES}) then $23 else coalesce(n.most, $22) end as lane
    from named m left join unnest($24::uuid[], $25::integer[]) as n(subscription_id, most)
        on n.subscription_id = m.subscription_id
),
written as (
    insert into delivery (id, thread, event_id, subscription_id, commitment_id, channel, destination, paced, state,
                          behind, next_at, not_after, created_at, lease, lease_until, settled_at, reason, rule)
    select id, thread, event_id, subscription_id, commitment_id, channel, destination, has_pace,
           case when untold is not null then 'suppressed' when taken then 'sending' else 'pending' end,
           not taken and untold is null and (waits or in_thread > 1), $20,
           not_after, $20,
           case when taken then $26::uuid end,
           case when taken then clock_timestamp() + make_interval(secs => $27) end,
           case when untold is not null then $20 end,
           untold,
           case when gathers and untold is null then '{WINDOW}' end
    from (select *, not waits and not has_pace and untold is null and not is_timed and not gathers
                    and in_all <= $21 and in_lane <= lane as taken
          from placed order by place, subscription_id) p
    returning id, event_id, subscription_id, commitment_id, thread, attempts, created_at, not_after, state, behind,
              position, destination, deferrals, deferred_since, rule, reason
)
select *, null as collapse_key, false as is_overtaken, null::uuid[] as before,
       subscription_id in (select subscription_id from matches where is_timed) as is_timed
from written
order by position
"""


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """An event that was just read from its topic, and beside it all that is written down of it.

    From `not_after` on it would be stale. Who writes it down does not read its value once more.
    """

    event: PublishedEvent
    seq: int
    not_after: datetime | None
    traits: EventTraits
    cause: Cause
    collapse_key: str | None = None
    """What it tells the latest of; None where it stays news."""
    only_in_digests: bool = False
    """Whether, of people, only those are told who get digests."""

    def waits_until(self, now: datetime) -> datetime | None:
        """Until when it waits for more of its cause where people read it; None where it is told at once.

        What would be stale by then does not wait.
        """
        window = window_of(self.cause)
        if window is None or (self.not_after is not None and self.not_after <= now + window):
            return None
        return now + window


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What a batch of events became: deliveries that this process has in hand, and how many wait for anybody."""

    claimed: list[Delivery]
    waiting: int
    told: Sequence[UUID] = ()
    """The event of each delivery, claimed or waiting."""


class FanOut:
    """Writes deliveries. `lease_seconds`: how long a claim keeps other processes away; `leases`: its process's."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        leases: Leases | None = None,
        openings: Openings | None = None,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._openings = openings or Openings()
        self._leases = leases or Leases(lease_seconds)

    async def apply(
        self,
        events: Iterable[IncomingEvent],
        now: datetime,
        capacity: Capacity,
        overtaken: Collection[UUID] = frozenset(),
    ) -> FannedOut:
        """Write events that are new and one delivery for each active subscription that matches, in one transaction.

        As many deliveries as `capacity` allows are claimed for this process as they are written, which saves a claim.
        `overtaken`: events of which newer ones are known that are not among these.
        """
        unique = {incoming.event.id: incoming for incoming in events}
        if not unique:
            return FannedOut([], 0)
        if self._openings.may_hold_anybody:
            capacity = NO_CAPACITY  # what may be told is claimed at once, and looked at on its own
        with self._leases.claiming() as lease:
            return await self._apply(in_order(unique.values()), now, capacity, lease, overtaken)

    async def _apply(
        self,
        batch: Sequence[IncomingEvent],
        now: datetime,
        capacity: Capacity,
        lease: UUID,
        overtaken: Collection[UUID],
    ) -> FannedOut:
        claimed = time.monotonic()
        async with self._database.transaction() as connection:
            await connection.execute(WRITE_IN_TURN, sorted({incoming.traits.commitment for incoming in batch}))
            waits = [incoming.waits_until(now) for incoming in batch]
            rows = await connection.fetch(
                FAN_OUT,
                *columns(_row(incoming) for incoming in batch),
                now,
                capacity.total,
                capacity.each,
                capacity.mail,
                list(capacity.limited),
                list(capacity.limited.values()),
                lease,
                self._leases.seconds,
                [until is not None for until in waits],
                [incoming.only_in_digests for incoming in batch],
            )
            ended = await end_settled_before(connection, [incoming.event.id for incoming in batch], fresh=True)
            rows = [row for row in rows if row["id"] not in ended]
            told = [row for row in rows if row["state"] != "suppressed"]
            if len(told) < len(rows):
                untold = [row for row in rows if row["state"] == "suppressed"]
                events = {incoming.event.id: incoming.event for incoming in batch}
                await publish_untold(self._database, connection, untold, events, now)
            causes = {
                incoming.event.id: Wait(incoming.cause.id, until)
                for incoming, until in zip(batch, waits, strict=True)
                if until is not None
            }
            traits = {incoming.event.id: incoming.traits for incoming in batch}
            put_off = await put_off_new(connection, told, traits, self._openings, now)
            gathered = await gather(connection, [row for row in told if row["id"] not in put_off], causes, now)
            mine = [row for row in told if row["state"] == "sending" and row["id"] not in gathered]
            waiting = len(told) - len(mine)
            overtaken = {*overtaken, *overtaken_within(batch)}
            deliveries = [
                replace(delivery, is_overtaken=True) if delivery.event_id in overtaken else delivery
                for delivery in await claimed_deliveries(connection, mine, lease, claimed, self._secrets)
            ]
            if waiting:
                await self._database.notify(connection, READY)
            failpoint("fanout-before-commit")
        failpoint("fanout-after-commit")
        await promote(
            self._database, {row["thread"] for row in told if row["behind"] or row["id"] in gathered | put_off}
        )
        return FannedOut(deliveries, waiting, [row["event_id"] for row in told])


def in_order(events: Iterable[IncomingEvent]) -> list[IncomingEvent]:
    """Events as they are to be told: those of one topic about one commitment by `seq`, the rest by their time.

    Not by time alone: two clocks may differ, and one that was set stands still.
    """
    latest: dict[tuple[str, str], datetime] = {}
    placed = []
    for incoming in sorted(events, key=lambda incoming: incoming.seq):
        event, key = incoming.event, (incoming.event.topic, incoming.traits.commitment)
        latest[key] = max(event.time, latest.get(key, event.time))
        placed.append((latest[key], _PLACES.get(event.topic, 0), incoming.seq, event.id, incoming))
    return [incoming for *_, incoming in sorted(placed, key=lambda place: place[:-1])]


def overtaken_within(batch: Iterable[IncomingEvent]) -> set[UUID]:
    """The events of a batch, which is in order, that a later one tells newer news of the same of."""
    latest: dict[tuple[str, str, str], UUID] = {}
    overtaken = set()
    for incoming in batch:
        if incoming.collapse_key is None:
            continue
        same = incoming.event.topic, incoming.traits.commitment, incoming.collapse_key
        if same in latest:
            overtaken.add(latest[same])
        latest[same] = incoming.event.id
    return overtaken


def _row(incoming: IncomingEvent) -> tuple[object, ...]:
    event, traits, cause = incoming.event, incoming.traits, incoming.cause
    return (
        event.id,
        event.topic,
        traits.commitment,
        incoming.seq,
        event.value,
        event.time,
        event.correlation_id,
        event.traceparent,
        incoming.not_after,
        ",".join(sorted(traits.parties)),
        ",".join(sorted(traits.themes)),
        traits.section,
        traits.audience,
        traits.level,
        traits.event,
        cause.id,
        cause.kind,
        cause.count,
        incoming.collapse_key,
    )
