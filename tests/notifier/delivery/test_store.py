"""Events and deliveries on a real PostgreSQL: fan-out, claims, results and lost leases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.vocabulary import Country
from services.notifier.delivery.deliveries import Attempt, Delivery, DeliveryResult, Capacity, after_attempt, verdict
from services.notifier.delivery.retry_policy import MOST_ATTEMPTS
from services.notifier.delivery.store import DeliveryStore
from services.notifier.migrations import VERSIONS
from services.notifier.subscriptions.forms import EVENTS
from services.notifier.subscriptions.matching import Filters, EventTraits, SubscriptionTraits, is_told
from services.notifier.subscriptions.store import Register
from services.notifier.channels.outcomes import Delivered, AttemptOutcome, FailureReason, Refused, Unknown
from services.plumbing.database import Database
from tests.conftest import FreshDatabase
from tests.notifier.scenes import (
    LADDER,
    MUCH_ROOM,
    NO_ROOM,
    NOBODY,
    NOW,
    chosen_ladders,
    database_at,
    empty,
    heard,
    states,
    subscribe,
    with_traits,
)
from tests.stand_ins.database_clock import an_hour_ahead


@pytest.fixture(scope="module")
async def migrated(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = database_at(await fresh_database({"notifier": VERSIONS}))
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def database(migrated: Database) -> Database:
    await empty(migrated)
    return migrated


@pytest.fixture
def store(database: Database) -> DeliveryStore:
    return DeliveryStore(database, lease_seconds=60)


async def record(database: Database, store: DeliveryStore, *results: DeliveryResult) -> int:
    async with database.transaction() as connection:
        return len(await store.record(connection, results))


def tried(delivery: Delivery, outcome: AttemptOutcome) -> DeliveryResult:
    return after_attempt(delivery, Attempt(NOW, NOW, 12.5, outcome), 0.5)


terms = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
countries = st.frozensets(st.sampled_from([str(c) for c in Country]), max_size=2)
filters = st.builds(
    Filters,
    events=st.frozensets(st.sampled_from(EVENTS), max_size=2),
    countries=countries,
    themes=terms,
    sections=terms,
    commitments=terms,
)
levels = st.sampled_from([None, "focal-point", "director"])
wishes = st.tuples(st.just(Filters()) | filters, st.booleans(), levels)
about = st.builds(
    EventTraits,
    event=st.sampled_from(EVENTS),
    countries=st.frozensets(st.sampled_from([str(c) for c in Country]), min_size=1),
    themes=st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1),
    section=st.sampled_from(["a", "b", "c"]),
    commitment=st.sampled_from(["a", "b", "c"]),
    level=levels,
)
audiences = st.none() | st.integers(0, 4)
"""For everybody, or for the subscription with this number; where there are fewer, for somebody who isn't there."""
REMINDER = EventTraits("milestone-due", frozenset({"MX"}), frozenset({"a"}), "a", "a")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(wishes, min_size=1, max_size=12),
    events=st.lists(st.tuples(about, audiences), min_size=1, max_size=8),
)
@example(
    asked=[(Filters(), has_ladder, None) for has_ladder in (True, True, False, False)],
    events=[(REMINDER, number) for number in (None, 0, 2, 4)],
)
async def test_sql_and_the_rule_agree_on_who_is_told(
    migrated: Database, asked: list[tuple[Filters, bool, str | None]], events: list[tuple[EventTraits, int | None]]
):
    await empty(migrated)
    ids = {}
    for n, (wanted, has_ladder, level) in enumerate(asked):
        id_ = await subscribe(
            migrated,
            f"https://hooks.example.org/{n}",
            filters=wanted,
            ladder=LADDER if has_ladder else None,
            level=level,
        )
        ids[id_] = SubscriptionTraits(id_, wanted, has_ladder, level)
    numbered = dict(enumerate(ids))
    news = [
        with_traits(replace(one, audience=None if number is None else numbered.get(number, NOBODY)))
        for one, number in events
    ]

    await DeliveryStore(migrated, lease_seconds=60).fan_out(news, NOW, NO_ROOM)

    async with migrated.connection() as connection:
        rows = await connection.fetch("select event_id, subscription_id from delivery")
        matched = dict(await connection.fetch("select id, matched from event"))
    expected = {(e.id, s) for e in news for s, wish in ids.items() if is_told(wish, e.about)}
    assert expected == {(row["event_id"], row["subscription_id"]) for row in rows}
    assert len(expected) == len(rows)
    assert matched == {e.id: sum(1 for one, _ in expected if one == e.id) for e in news}


async def test_only_active_subscriptions_are_told(database: Database, store: DeliveryStore):
    for state in ("paused", "ended", "disabled"):
        await subscribe(database, state=state)

    await store.fan_out([heard()], NOW, MUCH_ROOM)

    assert await states(database) == {}


async def test_an_event_heard_twice_is_told_once(database: Database, store: DeliveryStore):
    await subscribe(database)
    news = [heard(seq=n) for n in range(20)]

    await store.fan_out([*news[:10], *news[:10]], NOW, NO_ROOM)
    await asyncio.gather(*(store.fan_out(news, NOW, NO_ROOM) for _ in range(4)))

    assert await states(database) == {"pending": 20}


async def test_the_table_itself_refuses_a_second_delivery(database: Database, store: DeliveryStore):
    """Should an event be forgotten, by a purge perhaps, and heard again."""
    await subscribe(database)
    news = [heard()]
    await store.fan_out(news, NOW, NO_ROOM)
    async with database.connection() as connection:
        await connection.execute("delete from event")

    with pytest.raises(asyncpg.UniqueViolationError):
        await store.fan_out(news, NOW, NO_ROOM)
    assert await states(database) == {"pending": 1}


async def test_a_batch_is_in_hand_as_far_as_there_is_room(database: Database, store: DeliveryStore):
    here, there = [await subscribe(database, f"https://hooks.example.org/{n}") for n in range(2)]
    await subscribe(database, "desk@example.org", channel="email")

    out = await store.fan_out([heard(seq=n) for n in range(10)], NOW, Capacity(100, 4, 2, {there: 1}))

    taken = [d.subscription.id for d in out.claimed]
    assert (taken.count(here), taken.count(there), len(taken)) == (4, 1, 7)
    assert out.waiting == 23
    assert await states(database) == {"sending": 7, "pending": 23}


async def test_two_who_claim_never_get_the_same(database: Database, store: DeliveryStore):
    for n in range(3):
        await subscribe(database, f"https://hooks.example.org/{n}")
    await store.fan_out([heard(seq=n) for n in range(100)], NOW, NO_ROOM)

    claims = await asyncio.gather(*(store.claim(NOW, Capacity(50, 50, 50, {})) for _ in range(8)))

    ids = [d.id for claim in claims for d in claim]
    assert len(ids) == len(set(ids)) == 300


async def test_nothing_is_claimed_before_its_time_or_for_a_closed_lane(database: Database, store: DeliveryStore):
    closed = await subscribe(database)
    await store.fan_out([heard()], NOW, NO_ROOM)

    assert await store.claim(NOW - timedelta(seconds=1), MUCH_ROOM) == []
    assert await store.claim(NOW, Capacity(10, 10, 10, {closed: 0})) == []
    assert await store.next_due(NOW - timedelta(seconds=1)) == NOW
    (claimed,) = await store.claim(NOW, MUCH_ROOM)
    assert claimed.subscription.id == closed


async def test_a_subscription_that_ended_meanwhile_is_seen_at_the_claim(database: Database, store: DeliveryStore):
    id_ = await subscribe(database)
    await store.fan_out([heard()], NOW, NO_ROOM)
    assert await Register(database).end(id_, None, "unsubscribed", NOW)

    (claimed,) = await store.claim(NOW, MUCH_ROOM)

    assert verdict(claimed, NOW) == ("cancelled", "subscription-ended")


async def test_what_is_stale_expires_unsent(database: Database, store: DeliveryStore):
    await subscribe(database)
    out = await store.fan_out([heard(not_after=NOW)], NOW, MUCH_ROOM)

    assert verdict(out.claimed[0], NOW) == ("expired", "not-after-passed")
    assert verdict(out.claimed[0], NOW - timedelta(seconds=1)) is None


async def test_a_result_is_recorded_with_its_attempt(database: Database, store: DeliveryStore):
    await subscribe(database)
    out = await store.fan_out([heard(seq=n) for n in range(3)], NOW, MUCH_ROOM)
    good, again, bad = out.claimed

    assert (
        await record(
            database,
            store,
            tried(good, Delivered(204)),
            tried(again, Refused(FailureReason.BUSY, 503, retryable=True)),
            tried(bad, Refused(FailureReason.REFUSED, 400)),
        )
        == 3
    )

    assert await states(database) == {"delivered": 1, "pending": 1, "failed": 1}
    row, tries = await Register(database).delivery(again.id) or pytest.fail("it is there")
    assert (row["attempts"], row["reason"], row["last_code"]) == (1, "temporarily-unavailable", 503)
    assert row["next_at"] == NOW + timedelta(seconds=5)
    assert [(t["n"], t["outcome"], t["code"]) for t in tries] == [(1, "refused", 503)]


async def test_a_result_whose_lease_was_lost_changes_nothing(database: Database):
    frozen = DeliveryStore(database, lease_seconds=0.01)
    await subscribe(database)
    out = await frozen.fan_out([heard()], NOW, MUCH_ROOM)
    await asyncio.sleep(0.05)
    assert await frozen.sweep(NOW) == 1
    (taken_over,) = await DeliveryStore(database, lease_seconds=60).claim(NOW, MUCH_ROOM)

    assert await record(database, frozen, tried(out.claimed[0], Delivered(200))) == 0
    assert await record(database, frozen, tried(taken_over, Delivered(201))) == 1

    _, tries = await Register(database).delivery(taken_over.id) or pytest.fail("it is there")
    assert [(t["n"], t["outcome"], t["reason"]) for t in tries] == [
        (1, "unknown", "lease-ran-out"),
        (2, "delivered", None),
    ]


async def test_a_lease_that_holds_is_not_swept(database: Database, store: DeliveryStore):
    await subscribe(database)
    await store.fan_out([heard()], NOW, MUCH_ROOM)

    assert await store.sweep(NOW + timedelta(days=365)) == 0


async def test_leases_begin_and_end_by_the_databases_clock(database: Database):
    """Neither by this machine's, which may be another hour, nor by business time, which is years ago."""
    await subscribe(database)
    async with an_hour_ahead(database) as ahead:
        store = DeliveryStore(ahead, lease_seconds=1.5)
        await store.fan_out([heard(seq=1)], NOW, MUCH_ROOM)
        await store.fan_out([heard(seq=2)], NOW, NO_ROOM)
        assert len(await store.claim(NOW, MUCH_ROOM)) == 1
        async with ahead.connection() as connection:
            rows = await connection.fetch("select lease_until - clock_timestamp() as left from delivery")
        assert [timedelta(0) < row["left"] < timedelta(seconds=1.5) for row in rows] == [True, True]
        assert await store.sweep(NOW) == 0
        await asyncio.sleep(1.6)
        assert await store.sweep(NOW) == 2


async def test_what_goes_back_unsent_counts_no_attempt(database: Database, store: DeliveryStore):
    await subscribe(database)
    out = await store.fan_out([heard()], NOW, MUCH_ROOM)

    await record(database, store, DeliveryResult(out.claimed[0], "pending", NOW))

    (again,) = await store.claim(NOW, MUCH_ROOM)
    assert again.attempts == 0


async def test_who_is_gone_is_disabled_and_what_waits_is_suppressed(database: Database, store: DeliveryStore):
    id_ = await subscribe(database)
    out = await store.fan_out([heard(seq=n) for n in range(2)], NOW, Capacity(1, 1, 1, {}))

    await record(database, store, tried(out.claimed[0], Refused(FailureReason.GONE, 410, gone=True)))

    row = await Register(database).find(id_, None)
    assert row is not None
    assert (row["state"], row["reason"]) == ("disabled", "gone")
    (waiting,) = await store.claim(NOW, MUCH_ROOM)
    assert verdict(waiting, NOW) == ("suppressed", "subscription-disabled")


async def test_who_is_gone_needs_no_reminders_planned_any_more(database: Database, store: DeliveryStore):
    id_ = await subscribe(database, ladder=LADDER)
    await subscribe(database, "https://hooks.example.org/other")
    out = await store.fan_out([heard()], NOW, MUCH_ROOM)

    await record(database, store, *(tried(one, Refused(FailureReason.GONE, 410, gone=True)) for one in out.claimed))

    (told,) = await chosen_ladders(database)
    assert (told.subscription_id, told.active, told.rungs, told.seq) == (id_, False, (), 1)


async def test_after_the_last_attempt_it_has_failed(database: Database, store: DeliveryStore):
    await subscribe(database)
    now = NOW
    await store.fan_out([heard()], now, NO_ROOM)
    for _ in range(MOST_ATTEMPTS):
        (claimed,) = await store.claim(now, MUCH_ROOM)
        await record(database, store, tried(claimed, Unknown(FailureReason.TIMEOUT)))
        now += timedelta(days=3)

    assert await store.claim(now, MUCH_ROOM) == []
    assert await states(database) == {"failed": 1}
    (row,) = await Register(database).deliveries(
        event=None, subscription=None, commitment="coal", state="failed", before=None, limit=10
    )
    assert (row["attempts"], row["reason"]) == (MOST_ATTEMPTS, "timeout")


async def test_the_law_of_conservation_is_counted_from_both_sides(database: Database, store: DeliveryStore):
    for n in range(3):
        await subscribe(database, f"https://hooks.example.org/{n}")
    await store.fan_out([heard(seq=n) for n in range(4)], NOW, NO_ROOM)

    events, owed, rows = await Register(database).conservation()

    assert (events, owed, rows) == (4, 12, [("webhook", "pending", 12)])
