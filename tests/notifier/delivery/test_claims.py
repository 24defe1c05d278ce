"""Claims on a real PostgreSQL: whose a delivery is, until when, and what must not be sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Capacity, DeliveryResult, end_unsent
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.leases import Leases
from services.notifier.delivery.results import record_results
from services.plumbing.database import Connection, Database, DatabaseSettings
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe
from tests.stand_ins.database_clock import an_hour_ahead


@pytest.fixture
def fan_out(database: Database) -> FanOut:
    return FanOut(database, lease_seconds=60)


@pytest.fixture
def claims(database: Database) -> DeliveryClaims:
    return DeliveryClaims(database, lease_seconds=60)


async def test_two_who_claim_never_get_the_same(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    for n in range(3):
        await subscribe(database, f"https://hooks.example.org/{n}")
    await fan_out.apply([incoming(f"c-{n}") for n in range(100)], NOW, NO_CAPACITY)

    claims = await asyncio.gather(*(claims.claim(NOW, Capacity(50, 50, 50, {})) for _ in range(8)))

    ids = [d.id for claim in claims for d in claim]
    assert len(ids) == len(set(ids)) == 300


async def test_nothing_is_claimed_before_its_time_or_for_a_closed_lane(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    closed = await subscribe(database)
    await fan_out.apply([incoming()], NOW, NO_CAPACITY)

    assert await claims.claim(NOW - timedelta(seconds=1), MUCH_CAPACITY) == []
    assert await claims.claim(NOW, Capacity(10, 10, 10, {closed: 0})) == []
    assert await claims.next_due(NOW - timedelta(seconds=1)) == NOW
    (claimed,) = await claims.claim(NOW, MUCH_CAPACITY)
    assert claimed.recipient.id == closed


async def test_a_subscription_that_ended_meanwhile_is_seen_at_the_claim(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    """As when a fan-out wrote beside the transaction that ended it."""
    await subscribe(database)
    await fan_out.apply([incoming()], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        await connection.execute("update subscription set state = 'ended'")

    (claimed,) = await claims.claim(NOW, MUCH_CAPACITY)

    assert end_unsent(claimed, NOW) == ("cancelled", "subscription-ended")


async def test_what_is_stale_expires_unsent(database: Database, fan_out: FanOut):
    await subscribe(database)
    out = await fan_out.apply([incoming(not_after=NOW)], NOW, MUCH_CAPACITY)

    assert end_unsent(out.claimed[0], NOW) == ("expired", "not-after-passed")
    assert end_unsent(out.claimed[0], NOW - timedelta(seconds=1)) is None


async def test_a_lease_that_holds_is_not_swept(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    await subscribe(database)
    await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)

    assert await claims.sweep(NOW + timedelta(days=365)) == 0


async def test_leases_begin_and_end_by_the_databases_clock(database: Database):
    """Neither by this machine's, which may be another hour, nor by business time, which is years ago."""
    await subscribe(database)
    async with an_hour_ahead(database) as ahead:
        fan_out, claims = FanOut(ahead, lease_seconds=1.5), DeliveryClaims(ahead, lease_seconds=1.5)
        await fan_out.apply([incoming(seq=1)], NOW, MUCH_CAPACITY)
        await fan_out.apply([incoming("oil")], NOW, NO_CAPACITY)
        assert len(await claims.claim(NOW, MUCH_CAPACITY)) == 1
        async with ahead.connection() as connection:
            rows = await connection.fetch("select lease_until - clock_timestamp() as left from delivery")
        assert [timedelta(0) < row["left"] < timedelta(seconds=1.5) for row in rows] == [True, True]
        assert await claims.sweep(NOW) == 0
        async with ahead.connection() as connection:
            left = "extract(epoch from max(lease_until) - clock_timestamp())"
            await connection.execute(f"select pg_sleep(greatest(0, {left}) + 0.01) from delivery")
        assert await claims.sweep(NOW) == 2


async def test_what_goes_back_unsent_counts_no_attempt(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    await subscribe(database)
    out = await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)

    async with database.transaction() as connection:
        await record_results(database, connection, [DeliveryResult(out.claimed[0], "pending", NOW)])

    (again,) = await claims.claim(NOW, MUCH_CAPACITY)
    assert again.attempts == 0


class CutAfterCommit(Database):
    """A database whose answer to a commit is lost: what was done is done, and who did it never hears of it."""

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
        raise ConnectionResetError("the server went away")


async def test_what_was_claimed_by_a_commit_without_an_answer_comes_back_at_once(
    url: str, database: Database, claims: DeliveryClaims
):
    """Long before its lease runs out, and without an attempt: nobody had it in hand. As written, or claimed later."""
    await subscribe(database)
    leases = Leases(60)
    cut = CutAfterCommit(DatabaseSettings(DATABASE_URL=SecretStr(url)), "notifier")  # type: ignore[call-arg]
    await cut.open()
    try:
        with pytest.raises(ConnectionResetError):
            await FanOut(cut, lease_seconds=60, leases=leases).apply([incoming()], NOW, MUCH_CAPACITY)
        await FanOut(database, lease_seconds=60).apply([incoming("oil")], NOW, NO_CAPACITY)
        with pytest.raises(ConnectionResetError):
            await DeliveryClaims(cut, lease_seconds=60, leases=leases).claim(NOW, MUCH_CAPACITY)
    finally:
        await cut.close()
    assert await states(database) == {"sending": 2}

    assert await DeliveryClaims(database, lease_seconds=60, leases=leases).sweep(NOW) == 0

    assert [delivery.attempts for delivery in await claims.claim(NOW, MUCH_CAPACITY)] == [0, 0]


async def test_what_is_in_hand_is_not_put_back_by_its_own_sweep(database: Database):
    await subscribe(database)
    leases = Leases(60)
    await FanOut(database, lease_seconds=60, leases=leases).apply([incoming()], NOW, MUCH_CAPACITY)

    await DeliveryClaims(database, lease_seconds=60, leases=leases).sweep(NOW)

    assert await states(database) == {"sending": 1}
