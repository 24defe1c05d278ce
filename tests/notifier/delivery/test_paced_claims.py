"""Claims at a pace on a real PostgreSQL: each with its time, all together no faster than the receiver takes them."""

import itertools
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifier.channels.outcomes import AttemptOutcome, Deferred, Delivered, FailureReason, Refused
from services.notifier.delivery.claims import CLAIM, OLDEST_DUE, DeliveryClaims
from services.notifier.delivery.deliveries import Attempt, Capacity, Delivery, DeliveryResult, after_attempt
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.pace_store import record_pace
from services.notifier.delivery.paced_claims import PACED_CLAIM, WAITING, PacedClaims
from services.notifier.delivery.pacing import MARGIN
from services.notifier.delivery.results import record_results
from services.plumbing.database import Connection, Database
from tests.notifier.scenes import DESTINATIONS, MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe

HOOK = "https://hooks.slack.com/services/T/B/x"
PER_SECOND = 50.0
SECONDS = MARGIN / PER_SECOND


def paced(database: Database, *, window: float = 2.0, clock_is_set: bool = False) -> PacedClaims:
    return PacedClaims(database, lease_seconds=60, window=window, clock_is_set=clock_is_set)


async def waiting(database: Database, count: int, address: str = HOOK, *, channel: str = "slack") -> bytes:
    """A subscription at an address for which so many wait; the destination."""
    await subscribe(database, address, channel=channel)
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(count)], NOW, NO_CAPACITY)
    return DESTINATIONS.of(channel, address)


async def limited(database: Database, destination: bytes, per_second: float = PER_SECOND) -> None:
    """The destination's platform takes so many a second, and what waits for it stands apart."""
    await paced(database).introduce({destination: per_second}, NOW)
    assert await DeliveryClaims(database, lease_seconds=60).claim(NOW, MUCH_CAPACITY) == []


async def record(database: Database, outcome: AttemptOutcome | None, *deliveries: Delivery) -> None:
    """These were tried, and answered so; None: they go back unsent."""
    results = [
        after_attempt(one, Attempt(NOW, NOW, 5.0, outcome), 0.5) if outcome else DeliveryResult(one, "pending", NOW)
        for one in deliveries
    ]
    async with database.transaction() as connection:
        await record_results(database, connection, results)
        await record_pace(connection, results, NOW)


async def free_now(database: Database) -> None:
    """The time of the next slot has come."""
    async with database.connection() as connection:
        await connection.execute("update destination_pace set really_free_at = clock_timestamp()")


async def pace_of(database: Database, destination: bytes) -> Any:
    async with database.connection() as connection:
        return await connection.fetchrow(
            "select *, extract(epoch from really_free_at - clock_timestamp())::float8 as free_in"
            " from destination_pace where destination = $1",
            destination,
        )


def gaps(deliveries: Iterable[Delivery]) -> list[float]:
    starts = sorted(one.slot.at for one in deliveries if one.slot)
    return [after - before for before, after in itertools.pairwise(starts)]


async def test_two_notifiers_together_keep_the_pace(database: Database):
    await limited(database, await waiting(database, 100))
    notifiers = [paced(database), paced(database)]
    claimed: list[Delivery] = []
    while len(claimed) < 100:
        for one in notifiers:
            claimed += await one.claim(NOW, 1000)

    assert len({one.id for one in claimed}) == 100
    assert min(gaps(claimed)) > SECONDS * 0.7, "slots of one claim are exact; between two the clocks are read anew"
    assert all(one.slot and one.slot.gap > 1 / PER_SECOND for one in claimed)


async def test_no_more_is_claimed_than_has_its_time_soon(database: Database):
    await limited(database, await waiting(database, 100))

    assert len(await paced(database, window=0.4).claim(NOW, 1000)) == 20
    assert await paced(database, window=0.4).claim(NOW, 1000) == [], "the slots of the next seconds are given out"
    assert await states(database) == {"pending": 80, "sending": 20}


async def test_all_subscriptions_of_one_address_share_its_pace(database: Database):
    for language in ("en", "fr", "es"):
        await subscribe(database, HOOK, channel="slack", language=language)
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(20)], NOW, NO_CAPACITY)
    await limited(database, DESTINATIONS.of("slack", HOOK))

    claimed = await paced(database).claim(NOW, 1000)

    assert len(claimed) == 60
    assert len({one.recipient.id for one in claimed}) == 3
    assert min(gaps(claimed)) == pytest.approx(SECONDS)


async def test_who_is_told_to_wait_is_left_alone_by_all_then_probed_then_served(database: Database):
    destination = await waiting(database, 30)
    await limited(database, destination)
    first, other = paced(database), paced(database)
    started = await first.claim(NOW, 1000)
    await record(database, Deferred(FailureReason.THROTTLED, 429, 30.0), started[0])

    assert await other.claim(NOW, 1000) == []
    assert 28 < (await pace_of(database, destination))["free_in"] <= 30
    assert (await first.rounds([destination]))[destination] > (started[1].slot.round if started[1].slot else 0)
    await record(database, None, *started[1:])

    await free_now(database)
    later = NOW + timedelta(seconds=31)
    (probe,) = await other.claim(later, 1000)
    assert probe.slot
    assert probe.slot.is_probe
    assert (probe.id, probe.deferrals) == (started[0].id, 1), "what was told to wait goes first"
    assert await first.claim(later, 1000) == [], "nothing beside the probe"
    await record(database, Delivered(200), probe)
    assert (await pace_of(database, destination))["free_in"] == pytest.approx(SECONDS, abs=0.1)
    served = await first.claim(later, 1000)
    assert len(served) > 10
    assert min(gaps(served)) == pytest.approx(SECONDS)


async def test_many_answers_to_what_was_under_way_are_one_wish_to_wait(database: Database):
    destination = await waiting(database, 30)
    await limited(database, destination)
    started = await paced(database).claim(NOW, 1000)
    for one in started[:8]:
        await record(database, Deferred(FailureReason.THROTTLED, 429, 1.0), one)

    pace = await pace_of(database, destination)
    assert (pace["deferrals"], pace["strikes"], pace["round"]) == (1, 1, 1)
    assert pace["free_in"] <= 1.0


async def test_a_receiver_that_nobody_knew_to_have_a_limit_gets_a_pace_when_it_says_so(database: Database):
    await waiting(database, 1500, "https://ministry.example/x", channel="webhook")
    claims = DeliveryClaims(database, lease_seconds=60)
    started = await claims.claim(NOW, Capacity(4, 4, 4, {}))
    assert await paced(database).claim(NOW, 1000) == []

    await record(database, Deferred(FailureReason.THROTTLED, 429, 30.0), *started)

    assert await claims.claim(NOW, MUCH_CAPACITY) == [], "the rest stands apart, however much it is"
    assert await paced(database).claim(NOW, 1000) == []
    await free_now(database)
    (probe,) = await paced(database).claim(NOW + timedelta(seconds=31), 1000)
    assert probe.deferrals == 1
    row, tries = await DeliveryLog(database).find(probe.id, None) or pytest.fail("it is there")
    assert (row["attempts"], row["deferrals"], tries) == (0, 1, [])


async def test_what_comes_later_for_a_slow_one_is_not_claimed_as_written(database: Database):
    await limited(database, await waiting(database, 1))
    await subscribe(database, "https://quick.example/x")

    out = await FanOut(database, lease_seconds=60).apply([incoming("d")], NOW, MUCH_CAPACITY)

    assert [one.recipient.address for one in out.claimed] == ["https://quick.example/x"]
    assert len(await paced(database).claim(NOW, 1000)) == 2


async def test_a_probe_that_fails_otherwise_or_goes_back_makes_way_for_the_next(database: Database):
    destination = await waiting(database, 5)
    await limited(database, destination)
    started = await paced(database).claim(NOW, 1)
    await record(database, Deferred(FailureReason.THROTTLED, 429, 1.0), *started)
    for outcome in (None, Refused(FailureReason.BUSY, 500, retryable=True)):
        await free_now(database)
        (probe,) = await paced(database).claim(NOW + timedelta(seconds=5), 1000)
        assert (await pace_of(database, destination))["free_in"] > 10
        await record(database, outcome, probe)
        assert (await pace_of(database, destination))["free_in"] <= SECONDS

    assert (await pace_of(database, destination))["deferrals"] == 0


async def test_under_a_clock_that_is_set_either_time_will_do(database: Database):
    destination = await waiting(database, 5)
    await limited(database, destination)
    started = await paced(database).claim(NOW, 1)
    await record(database, Deferred(FailureReason.THROTTLED, 429, 3600.0), *started)
    later = NOW + timedelta(hours=2)

    assert await paced(database).claim(later, 1000) == []
    assert len(await paced(database, clock_is_set=True).claim(later, 1000)) == 1


async def test_a_destination_that_is_closed_here_and_mail_while_its_server_rests_are_left_to_others(database: Database):
    hook = await waiting(database, 3)
    mail = await waiting(database, 3, "desk@ministry.example", channel="email")
    await paced(database).introduce({hook: 1.0}, NOW)
    await limited(database, mail)

    closed = await paced(database).claim(NOW, 1000, {hook}, takes_mail=False)
    open_ = await paced(database).claim(NOW, 1000)

    assert closed == []
    assert {one.destination for one in open_} == {hook, mail}


async def test_what_stands_apart_without_a_pace_gets_one(database: Database):
    """As after a table was lost: nothing may wait for a row that nobody writes."""
    destination = await waiting(database, 3)
    await limited(database, destination)
    async with database.connection() as connection:
        await connection.execute("delete from destination_pace")

    assert len(await paced(database).claim(NOW, 1000)) > 0


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def read_by(connection: Connection, statement: str, *values: object) -> int:
    """Blocks that a statement reads; it walks over no table of deliveries."""
    explained = await connection.fetchval(f"explain (analyze, buffers, format json) {statement}", *values)
    [found] = explained if isinstance(explained, list) else json.loads(explained)
    walks = [node for node in nodes(found["Plan"]) if node["Node Type"] == "Seq Scan"]
    assert [node for node in walks if node["Relation Name"] == "delivery"] == []
    return int(found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"])


async def test_no_claim_reads_through_what_waits_for_a_slow_one(database: Database):
    """Neither the claim of all others nor its own: 20,000 wait for it, and one for somebody quick."""
    destination = await waiting(database, 1)
    await limited(database, destination)
    await subscribe(database, "https://quick.example/x")
    async with database.connection() as connection:
        await connection.execute(
            "insert into delivery (id, thread, event_id, subscription_id, commitment_id, channel, destination, paced,"
            " state, next_at, created_at) select gen_random_uuid(), gen_random_uuid(), event_id, gen_random_uuid(),"
            " 'x' || n, channel, destination, true, 'pending', next_at, created_at"
            " from delivery, generate_series(1, 20000) n"
        )
        await connection.execute("analyze delivery")
    await FanOut(database, lease_seconds=60).apply([incoming("z")], NOW, NO_CAPACITY)

    lease = UUID(int=1)
    async with database.transaction() as connection:
        assert await read_by(connection, CLAIM, NOW, 1000, 128, 128, [], [], [], lease, 60.0) < 500
        assert await read_by(connection, WAITING, b"", 500) < 100
        paced_claim = [destination], NOW, 0.2, 0.4, 1000, [], lease, 60.0, 30.0, False
        assert await read_by(connection, PACED_CLAIM, *paced_claim) < 1500, "some 20 rows, each with its indexes"
        assert await read_by(connection, OLDEST_DUE, NOW) < 50
