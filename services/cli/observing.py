"""Looks at all schemas from outside: is everything at rest, does the conservation law hold, what was done.

The services never read each other's schemas; an operator may. What is asked here, `pledgewire verify` prints.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import asyncpg

from contracts.topics import INTERNAL, MILESTONE_DUE, OWN, OWN_LADDER_DUE, PUBLIC
from services.plumbing.clock import SharedClock
from services.registry.rules.consistency import due_day

READ_BY_SCHEDULER = [t.name for t in PUBLIC + INTERNAL if "scheduler" in t.readers]
READ_BY_NOTIFIER = [t.name for t in PUBLIC + INTERNAL if "notifier" in t.readers]
REMINDERS = [MILESTONE_DUE.name, OWN_LADDER_DUE.name]
COMPACTED = [t.name for t in OWN if t.is_compacted]
"""Of these the outboxes keep what was said last."""
PATIENCE = 3
"""After so many attempts without an answer nobody is there, and nothing more is expected."""

_EVENTS = (
    "(select event_id, topic, key, headers from registry.outbox union all"
    " select event_id, topic, key, headers from scheduler.outbox)"
)

_UNANSWERED = f"state = 'pending' and next_at > $1 and attempts between 1 and {PATIENCE - 1} and last_code is null"
"""A delivery whose last attempt got no answer, good or bad, and whose next one is a matter of time."""

_COLLECTING = "state = 'pending' and next_at > $1 and attempts = 0 and deferrals = 0 and rule = 'window'"
"""A delivery that waits for more of its cause, until its window ends."""

_HELD = (
    "{row}.behind and exists (select from notifier.delivery o where o.thread = {row}.thread"
    " and o.position < {row}.position and o.state = 'pending' and o.next_at > $1)"
)
"""Whether a delivery waits for an older one of its thread whose own time has not come."""

_PENDING_WORK = f"""
select
    (select count(*) from registry.outbox where published_at is null)
      + (select count(*) from scheduler.outbox where published_at is null)
      + (select count(*) from notifier.outbox where published_at is null) as unpublished,
    (select count(*) from registry.state_due) as states_due,
    (select count(*) from registry.outbox where topic = any($2))
      + (select count(*) from notifier.outbox where topic = any($2))
      - (select count(*) from scheduler.inbox) as unread_by_scheduler,
    (select count(*) from registry.outbox where topic = any($3))
      + (select count(*) from scheduler.outbox where topic = any($3))
      - (select count(*) from notifier.event) as unread_by_notifier,
    (select count(*) from scheduler.reminder where state = 'pending' and due_at <= $1) as reminders_due,
    (select count(*) from scheduler.replanning where finished_at is null) as replannings,
    (select count(*) from scheduler.escalation e where next_at <= $1 and failed is null) as escalations_due,
    (select count(*) from notifier.delivery d where state = 'sending'
        or (state = 'pending' and next_at <= $1 and not ({_HELD.format(row="d")}) and not exists (
            select from notifier.delivery l where not d.leads and l.group_id = d.group_id and l.leads
                and l.state = 'pending' and (l.next_at > $1 or ({_HELD.format(row="l")}))
        ))) as deliveries_due,
    (select count(*) from notifier.delivery where {_UNANSWERED}) as deliveries_unanswered,
    (select count(*) from notifier.delivery where {_COLLECTING}) as deliveries_collecting,
    (select coalesce(extract(epoch from $1 - max(business_at)), 1e9) > 0 from scheduler.tick) as tick_behind,
    (select day < $4 from registry.consistency_run) as daily_look_behind
"""


@dataclass(frozen=True)
class PendingWork:
    """What is still under way, in numbers; all zero and False means that everything is at rest."""

    unpublished: int
    states_due: int
    unread_by_scheduler: int
    unread_by_notifier: int
    reminders_due: int
    replannings: int
    escalations_due: int
    deliveries_due: int
    deliveries_unanswered: int
    deliveries_collecting: int
    tick_behind: bool
    daily_look_behind: bool

    @property
    def only_unanswered(self) -> bool:
        """Whether nothing else is under way than deliveries that wait for their next attempt."""
        return replace(self, deliveries_unanswered=0).at_rest

    @property
    def only_time(self) -> bool:
        """Whether nothing else is under way than what comes when the clock moves: a next attempt, a window's end."""
        return replace(self, deliveries_unanswered=0, deliveries_collecting=0).at_rest

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way, as `Observer.rest` explains."""
        return not any(vars(self).values())


@dataclass(frozen=True)
class InvariantCheck:
    """One thing that must hold, and how far it is from it."""

    name: str
    ok: bool
    found: str


@dataclass(frozen=True)
class MessageCount:
    """What one subscription that people read was sent: so many events, in so many messages."""

    subscriber: str
    channel: str
    events: int
    messages: int
    worst: int
    """Messages on the day with the most of them."""
    worst_events: int
    """Events on the day with the most of them: so many messages it would have been, each by itself."""
    worst_day: date


class Observer:
    """Read-only questions to one database that holds all schemas."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: asyncpg.Connection | None = None

    async def __aenter__(self) -> "Observer":
        self._connection = await asyncpg.connect(self._url, server_settings={"application_name": "pledgewire-observer"})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection:
            await self._connection.close()

    @property
    def connection(self) -> asyncpg.Connection:
        """The open connection."""
        if self._connection is None:
            raise RuntimeError("the observer is not open")
        return self._connection

    async def pending_work(self, now: datetime) -> PendingWork:
        """What is under way at this business instant, in one snapshot."""
        row = await self.connection.fetchrow(_PENDING_WORK, now, READ_BY_SCHEDULER, READ_BY_NOTIFIER, due_day(now))
        return PendingWork(**dict(row or {}))

    async def rest(
        self, clock: SharedClock, *, seconds: float = 60.0, meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Return once nothing more will happen by itself; raises TimeoutError that says what still will.

        At rest means, in one snapshot of all schemas: every event is published, and read by the scheduler and the
        notifier; every commitment's state is told; the tick and the registry's daily look have been made at the clock's
        present instant; no reminder, replanning, escalation or delivery is due; no delivery is on its way, unanswered,
        or waiting for more of its cause.

        Unanswered is a delivery whose last attempt got no answer, because the receiver hung, the machine was busy or
        the connection broke. It is tried again by the table of retries, in 5 seconds to many hours of business time.
        On a clock that stands still that time never comes, and the message would be missing without anything being
        under way. So the clock is moved on to the next attempt, and to the third one if need be: by some minutes.
        Then nobody is there. What a receiver has refused for now, with a 503 say, is at rest: that it comes later is
        the answer.

        In the same way the clock is moved on to the end of an open window, a minute or a quarter of an hour: then what
        belongs together goes out together. What waits longer, by somebody's settings, is at rest.

        Not looked at: reports on ministries' topics that the registry has not read yet (`registry_has_read` tells),
        reminders that feeds take up behind the tick, and what the portal shows live.

        `seconds` of real time are waited at most. `meanwhile` is called every second, to start again what has died.
        """
        end = time.monotonic() + seconds
        called = time.monotonic()
        while not (found := await self.pending_work(clock.now())).at_rest:
            if meanwhile and time.monotonic() - called > 1:
                called = time.monotonic()
                meanwhile()
            if time.monotonic() > end:
                raise TimeoutError(f"not at rest after {seconds:.0f} s: {found}")
            if found.only_time and (next_at := await self._next_in_time(clock.now())):
                clock.set(next_at)
            await asyncio.sleep(0.004)

    async def _next_in_time(self, now: datetime) -> datetime | None:
        """When the first unanswered delivery is tried again, or the first window ends."""
        at: datetime | None = await self.connection.fetchval(
            f"select min(next_at) from notifier.delivery where ({_UNANSWERED}) or ({_COLLECTING})", now
        )
        return at

    async def conservation(self) -> list[InvariantCheck]:
        """The laws that hold at any moment, faults or not."""
        ask = self.connection.fetchval
        events = _EVENTS
        unheard = await ask(
            f"select count(*) from {events} o where topic = any($1)"
            " and not exists (select from notifier.event e where e.id = o.event_id)",
            READ_BY_NOTIFIER,
        )
        unplanned = await ask(
            "select count(*) from (select event_id, topic from registry.outbox union all"
            " select event_id, topic from notifier.outbox) o where topic = any($1)"
            " and not exists (select from scheduler.inbox i where i.event_id = o.event_id)",
            READ_BY_SCHEDULER,
        )
        invented = await ask(
            f"select count(*) from notifier.event e where not exists (select from {events} o where o.event_id = e.id)"
        )
        accepted = await ask("select coalesce(sum(matched), 0) from notifier.event")
        rows = await ask("select count(*) from notifier.delivery")
        pending = await ask("select count(*) from notifier.delivery where state in ('pending', 'sending')")
        doubled = await ask(
            "select count(*) from (select from notifier.delivery group by event_id, subscription_id"
            " having count(*) > 1) as d"
        )
        outboxes = (
            "(select topic, key from registry.outbox union all select topic, key from scheduler.outbox union all"
            " select topic, key from notifier.outbox)"
        )
        untold = await ask(
            "select count(*) from notifier.delivery d left join notifier.delivery l on l.id = d.message"
            " where d.message is not null and (l.id is null or l.message is not null or l.state <> d.state"
            " or l.destination is distinct from d.destination)"
        )
        unled = await ask(
            "select count(*) from (select from notifier.delivery where state = 'pending' and group_id is not null"
            " group by group_id having count(*) filter (where leads) <> 1) g"
        )
        gaps = await ask(
            f"select count(*) from (select topic, key from {outboxes} o where topic <> all($1) group by topic, key) k"
            " join lateral (select last from (select * from registry.outbox_seq union all"
            " select * from scheduler.outbox_seq union all select * from notifier.outbox_seq) s"
            " where s.topic = k.topic and s.key = k.key) q on true where q.last <>"
            f" (select count(*) from {outboxes} o where o.topic = k.topic and o.key = k.key)",
            COMPACTED,
        )
        settled = await ask("select count(*) from notifier.delivery where state not in ('pending', 'sending')")
        # Those that had ended before an old backup, and to which nobody belongs who is in it, have no row any more.
        told = await ask(
            "select coalesce(sum(json_array_length(convert_from(value, 'UTF8')::json -> 'deliveries')), 0)"
            " - (select count(*) from notifier.settled_before b where not exists"
            " (select from notifier.delivery d"
            " where (d.event_id, d.subscription_id) = (b.event_id, b.subscription_id)))"
            " from notifier.outbox where topic = 'delivery-settled'"
        )
        fired_twice = await ask(
            "select count(*) from (select from scheduler.reminder where state = 'fired'"
            " group by milestone_id, schedule_version, step, audience having count(*) > 1) as d"
        )
        escalated_twice = await ask(
            "select count(*) from (select from scheduler.outbox,"
            " lateral (select convert_from(value, 'UTF8')::json as v) j"
            " where topic = 'milestone-escalated' group by v #>> '{milestone,id}', v ->> 'round', v ->> 'rank',"
            " v ->> 'repeat' having count(*) > 1) as d"
        )
        escalations_logged = await ask(
            "select count(*) from scheduler.escalation_log l full join"
            " (select event_id from scheduler.outbox where topic = 'milestone-escalated') o using (event_id)"
            " where (l.what = 'told' or l.what is null) and (l.id is null or o.event_id is null)"
        )
        return [
            InvariantCheck("every event has been heard by the notifier", unheard == 0, f"{unheard} not heard"),
            InvariantCheck("every event has been heard by the scheduler", unplanned == 0, f"{unplanned} not heard"),
            InvariantCheck("nothing was heard that was never said", invented == 0, f"{invented} invented"),
            InvariantCheck(
                "accepted × matching = terminal + pending",
                accepted == rows,
                f"{accepted} = {rows - pending} + {pending}",
            ),
            InvariantCheck("one delivery for each event and subscription", doubled == 0, f"{doubled} doubled"),
            InvariantCheck(
                "every settled delivery was published as settled", settled == told, f"{settled} settled, {told} told"
            ),
            InvariantCheck(
                "every message that told several is one that was sent", untold == 0, f"{untold} in none or another"
            ),
            InvariantCheck("every group that waits has one that leads it", unled == 0, f"{unled} without, or with two"),
            InvariantCheck("seq has no gap on any topic", gaps == 0, f"{gaps} keys with a gap"),
            InvariantCheck("no reminder fired twice", fired_twice == 0, f"{fired_twice} twice"),
            InvariantCheck("no level was told twice in a round", escalated_twice == 0, f"{escalated_twice} twice"),
            InvariantCheck(
                "every level that was told is in the log, and nobody else",
                escalations_logged == 0,
                f"{escalations_logged} in one of both only",
            ),
        ]

    async def events(self) -> dict[str, int]:
        """How many events each topic has carried."""
        rows = await self.connection.fetch(
            "select topic, count(*) as n from (select topic from registry.outbox union all"
            " select topic from scheduler.outbox union all select topic from notifier.outbox) o group by topic"
        )
        found = {row["topic"]: row["n"] for row in rows}
        return {t.name: found.get(t.name, 0) for t in PUBLIC + INTERNAL if not t.is_compacted}

    async def reminders(self) -> dict[str, int]:
        """How many reminders are in which state."""
        rows = await self.connection.fetch("select state, count(*) as n from scheduler.reminder group by state")
        return {row["state"]: row["n"] for row in rows}

    async def phases(self) -> dict[str, int]:
        """How many reminders went out ahead, today and overdue."""
        rows = await self.connection.fetch(
            "select convert_from(value, 'UTF8')::json ->> 'phase' as phase, count(*) as n"
            " from scheduler.outbox where topic = any($1) group by phase",
            REMINDERS,
        )
        return {row["phase"]: row["n"] for row in rows}

    async def deliveries(self) -> dict[tuple[str, str], int]:
        """How many deliveries by channel and state."""
        rows = await self.connection.fetch(
            "select channel, state, count(*) as n from notifier.delivery group by channel, state"
        )
        return {(row["channel"], row["state"]): row["n"] for row in rows}

    async def only_in_digests(self) -> int:
        """How many deliveries have ended untold because only digests tell of it, and the reader has none."""
        found: int = await self.connection.fetchval(
            "select count(*) from notifier.delivery where reason = 'only-in-digests'"
        )
        return found

    async def messages(self) -> list[MessageCount]:
        """How many messages each subscription that people read was sent, and how many on its worst day, where it is."""
        rows = await self.connection.fetch(
            "with told as (select d.subscription_id, coalesce(d.message, d.id) as message,"
            " (d.settled_at at time zone s.zone)::date as day from notifier.delivery d"
            " join notifier.subscription s on s.id = d.subscription_id"
            " where d.state = 'delivered' and d.channel <> 'webhook'),"
            " daily as (select subscription_id, day, count(distinct message) as messages, count(*) as events"
            " from told group by subscription_id, day)"
            " select s.subscriber, s.channel, sum(d.events)::integer as events, sum(d.messages)::integer as messages,"
            " max(d.messages)::integer as worst, max(d.events)::integer as worst_events,"
            " (array_agg(d.day order by d.messages desc, d.day))[1] as worst_day"
            " from daily d join notifier.subscription s on s.id = d.subscription_id"
            " group by s.id order by s.subscriber, s.channel, s.id"
        )
        return [MessageCount(*row) for row in rows]

    async def written(self) -> dict[str, float]:
        """For each delivery the real instant (seconds since 1970) at which its event was written to an outbox."""
        rows = await self.connection.fetch(
            "select d.id::text as id, extract(epoch from o.written_at)::float8 as at from notifier.delivery d join"
            " (select event_id, written_at from registry.outbox union all"
            "  select event_id, written_at from scheduler.outbox) o on o.event_id = d.event_id"
        )
        return {row["id"]: row["at"] for row in rows}

    async def delivered(self) -> set[str]:
        """The ids of all messages that count as delivered: of deliveries, each that leads its message or is alone."""
        rows = await self.connection.fetch(
            "select distinct coalesce(message, id)::text as id from notifier.delivery where state = 'delivered'"
        )
        return {row["id"] for row in rows}

    async def registry_has_read(self, report_id: UUID) -> bool:
        """Whether the registry has taken in a ministry's report; its inbox has the report's own id."""
        heard: bool = await self.connection.fetchval(
            "select exists (select from registry.inbox where event_id = $1)", report_id
        )
        return heard
