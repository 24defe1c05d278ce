"""Turns on a real PostgreSQL: a thread's next is claimed when all before it have ended, whoever claims or dies."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.channels.outcomes import Delivered, FailureReason, Refused
from services.notifier.delivery import turns
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Attempt, Capacity, Delivery, DeliveryResult, after_attempt
from services.notifier.delivery.fan_out import FanOut, in_order
from services.notifier.delivery.identity import THREAD_BYTES
from services.notifier.delivery.results import record_results
from services.notifier.delivery.turns import promote
from services.plumbing.database import Database
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, empty, incoming, states, subscribe

COMMITMENTS = ("coal", "oil", "gas")


@dataclass
class Readers:
    """What was sent, in order; a delivery's place in its thread is its event's `seq`."""

    seqs: dict[UUID, int] = field(default_factory=dict)
    sent: defaultdict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))

    def send(self, delivery: Delivery) -> None:
        self.sent[delivery.thread].append(self.seqs[delivery.event_id])

    def check(self) -> None:
        """A delivery may be repeated before the next is sent, never after."""
        for thread, seqs in self.sent.items():
            assert seqs == sorted(seqs), f"{thread}: {seqs}"


class Notifier:
    """What a process does with what it has in hand, step by step as luck will have it."""

    def __init__(self, database: Database, readers: Readers, luck: random.Random) -> None:
        self.database, self.readers, self.luck = database, readers, luck
        self.claims = DeliveryClaims(database, lease_seconds=3600)
        self.fan_out = FanOut(database, lease_seconds=3600)
        self.hand: list[Delivery] = []

    def capacity(self) -> Capacity:
        most = self.luck.choice([0, 1, 2, 5, 100])
        return Capacity(most, self.luck.choice([1, 2, 100]), 100, {})

    async def hear(self, commitments: Iterable[str], seqs: dict[str, int], now: datetime) -> None:
        events = []
        for commitment in commitments:
            seqs[commitment] += 1
            events.append(incoming(commitment, seqs[commitment]))
            self.readers.seqs[events[-1].event.id] = seqs[commitment]
        claimed = (await self.fan_out.apply(events, now, self.capacity())).claimed
        self.hand.extend(claimed)

    async def claim(self, now: datetime) -> None:
        claimed = await self.claims.claim(now, self.capacity())
        self.hand.extend(claimed)

    async def send_one(self, now: datetime) -> None:
        """Send something that may start, and record what became of it and of what stood behind it."""
        first = {d.thread: d for d in reversed(self.hand)}
        if not first:
            return
        one = self.luck.choice(sorted(first.values(), key=lambda d: d.id))
        self.readers.send(one)
        good = self.luck.random() < 0.7
        outcome = Delivered(200) if good else Refused(FailureReason.BUSY, 503, retryable=True)
        results = [after_attempt(one, Attempt(now, now, 1.0, outcome), 0.5)]
        if not good:
            results += [DeliveryResult(d, "pending", now) for d in self.hand if d.thread == one.thread and d is not one]
        await self.record(results)

    async def give_back(self, now: datetime) -> None:
        await self.record([DeliveryResult(d, "pending", now) for d in self.hand])

    async def record(self, results: list[DeliveryResult]) -> None:
        if not results:
            return
        done = {result.delivery.id for result in results}
        self.hand = [d for d in self.hand if d.id not in done]
        async with self.database.transaction() as connection:
            await record_results(self.database, connection, results)
        if self.luck.random() < 0.8:  # it may die in between
            await promote(self.database, {result.delivery.thread for result in results})

    async def die(self) -> None:
        """Its leases run out. Nothing was on its way: what was sent has been recorded."""
        async with self.database.connection() as connection:
            await connection.execute(
                "update delivery set lease_until = '-infinity' where id = any($1::uuid[])", [d.id for d in self.hand]
            )
        self.hand = []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_whatever_happens_a_thread_is_sent_in_order_and_to_its_end(database: Database, seed: int):
    await empty(database)
    await subscribe(database)
    await subscribe(database, "https://hooks.example.org/y")
    luck, readers, seqs, now = random.Random(seed), Readers(), dict.fromkeys(COMMITMENTS, 0), NOW
    notifiers = [Notifier(database, readers, luck) for _ in range(3)]
    for _ in range(40):
        notifier = luck.choice(notifiers)
        match luck.choice(["hear", "claim", "send", "send", "send", "back", "die", "sweep", "wait"]):
            case "hear":
                await notifier.hear([luck.choice(COMMITMENTS) for _ in range(luck.randint(1, 5))], seqs, now)
            case "claim":
                await notifier.claim(now)
            case "send":
                await notifier.send_one(now)
            case "back":
                await notifier.give_back(now)
            case "die":
                await notifier.die()
            case "sweep":
                await notifier.claims.sweep(now)
            case "wait":
                now += timedelta(seconds=luck.choice([1, 10]))
    readers.check()
    for _ in range(100):
        now += timedelta(days=1)
        for notifier in notifiers:
            await notifier.claims.sweep(now)
            await notifier.claim(now)
            while notifier.hand:
                await notifier.send_one(now)
        if not {"pending", "sending"} & set(await states(database)):
            break
    readers.check()
    assert set(await states(database)) <= {"delivered", "failed"}, "something waits for ever"


async def test_many_who_write_claim_and_send_at_once_keep_every_thread_in_order(database: Database):
    """Really beside each other: what two transactions don't see of one another is what this is about."""
    for n in range(5):
        await subscribe(database, f"https://hooks.example.org/{n}")
    luck, readers, seqs = random.Random(9), Readers(), dict.fromkeys(COMMITMENTS, 0)
    written = asyncio.Event()

    async def write(notifier: Notifier) -> None:
        for _ in range(30):
            await notifier.hear([luck.choice(COMMITMENTS) for _ in range(3)], seqs, NOW)
            await asyncio.sleep(0)
        written.set()

    async def send(notifier: Notifier) -> None:
        while not (written.is_set() and set(await states(database)) == {"delivered"}):
            await notifier.claim(NOW + timedelta(days=9))
            for _ in range(len(notifier.hand)):
                await notifier.send_one(NOW)
            await notifier.claims.sweep(NOW)

    workers = [Notifier(database, readers, luck) for _ in range(4)]
    async with asyncio.timeout(60):
        await asyncio.gather(write(workers[0]), *(send(worker) for worker in workers))
    readers.check()
    assert await states(database) == {"delivered": 450}


async def test_two_who_write_about_one_commitment_do_so_one_after_the_other(database: Database):
    """Or the second would send what is newer before the first has committed what is older."""
    await subscribe(database)
    first, second = incoming(seq=1), incoming(seq=2)
    fan_out = FanOut(database, lease_seconds=60)
    async with database.transaction() as connection:
        await connection.execute(turns.WRITE_IN_TURN, ["coal"])  # as the first does before it writes
        waiting = asyncio.create_task(fan_out.apply([second], NOW, MUCH_CAPACITY))
        other = await fan_out.apply([incoming("oil")], NOW, MUCH_CAPACITY)
        assert len(other.claimed) == 1, "who writes about something else does not wait"
        assert not waiting.done()
        await connection.execute(
            "insert into delivery (event_id, subscription_id, commitment_id, thread, channel, state, next_at,"
            f" created_at) select $1, subscription_id, commitment_id, uuid8({THREAD_BYTES}), 'webhook', 'pending',"
            " $2, $2 from (select id as subscription_id, 'coal' as commitment_id from subscription)",
            first.event.id,
            NOW,
        )
    assert (await waiting).claimed == []
    assert await states(database) == {"pending": 2, "sending": 1}


@pytest.mark.parametrize("most", [0, 1, 2, 3])
async def test_what_is_written_is_claimed_from_the_front_of_its_thread(database: Database, most: int):
    await subscribe(database)
    fan_out, claims = FanOut(database, lease_seconds=60), DeliveryClaims(database, lease_seconds=60)
    events = [incoming(seq=n) for n in (1, 2, 3)]
    out = await fan_out.apply(reversed(events), NOW, Capacity(most, most, most, {}))
    assert [d.event_id for d in out.claimed] == [event.event.id for event in events[:most]]

    assert (await claims.claim(NOW, MUCH_CAPACITY) == []) == (most > 0), "the rest waits for those"
    assert (await fan_out.apply([incoming(seq=4)], NOW, MUCH_CAPACITY)).claimed == []


async def test_a_long_thread_is_claimed_many_at_a_time_and_in_order(database: Database):
    await subscribe(database)
    fan_out, claims = FanOut(database, lease_seconds=60), DeliveryClaims(database, lease_seconds=60)
    events = [incoming(seq=n) for n in range(50)]
    await fan_out.apply(events, NOW, NO_CAPACITY)

    claimed = await claims.claim(NOW, Capacity(100, 20, 100, {}))

    assert [d.event_id for d in claimed] == [event.event.id for event in events[:20]]


def test_events_are_told_by_seq_whatever_their_clocks_say():
    """Registries' clocks differ, and one that was set stands still."""
    behind, still = NOW - timedelta(seconds=3), NOW
    ahead = [incoming(seq=1), incoming(seq=2, at=behind), incoming(seq=3, at=still), incoming(seq=4, at=still)]
    other = [incoming("oil", 1, at=behind), incoming("oil", 2)]
    told = in_order([*reversed(ahead), *reversed(other)])
    assert [e for e in told if e.traits.commitment == "coal"] == ahead
    assert [e for e in told if e.traits.commitment == "oil"] == other
    assert told[0] is other[0]
