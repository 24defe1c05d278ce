"""Fan-out on a real PostgreSQL: who gets a delivery of what, once."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.filters import Filters
from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.identity import delivery_id
from services.notifier.events.event_types import EVENT_NAMES
from services.notifier.events.traits import EventTraits, SubscriptionTraits
from services.notifier.subscriptions.matching import is_told
from services.plumbing.database import Database
from tests.notifier.scenes import (
    LADDER,
    MUCH_CAPACITY,
    NO_CAPACITY,
    NOBODY,
    NOW,
    empty,
    incoming,
    states,
    subscribe,
    with_traits,
)

EVENTS = sorted(EVENT_NAMES)


@pytest.fixture
def fan_out(database: Database) -> FanOut:
    return FanOut(database, lease_seconds=60)


terms = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
parties = st.frozensets(st.sampled_from(["CA", "MX", "org-african-union"]), max_size=2)
filters = st.builds(
    Filters,
    events=st.frozensets(st.sampled_from(EVENTS), max_size=2),
    parties=parties,
    themes=terms,
    sections=terms,
    commitments=terms,
)
levels = st.sampled_from([None, "focal-point", "director"])
subscriptions = st.tuples(st.just(Filters()) | filters, st.booleans(), levels)
about = st.builds(
    EventTraits,
    event=st.sampled_from(EVENTS),
    parties=st.frozensets(st.sampled_from(["CA", "MX", "org-african-union"]), min_size=1),
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
    asked=st.lists(subscriptions, min_size=1, max_size=12),
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
    batch = [
        with_traits(replace(one, audience=None if number is None else numbered.get(number, NOBODY)))
        for one, number in events
    ]

    await FanOut(migrated, lease_seconds=60).apply(batch, NOW, NO_CAPACITY)

    async with migrated.connection() as connection:
        rows = await connection.fetch("select event_id, subscription_id from delivery")
        matched = dict(await connection.fetch("select id, matched from event"))
    expected = {(e.event.id, s) for e in batch for s, asking in ids.items() if is_told(asking, e.traits)}
    assert expected == {(row["event_id"], row["subscription_id"]) for row in rows}
    assert len(expected) == len(rows)
    assert matched == {e.event.id: sum(1 for one, _ in expected if one == e.event.id) for e in batch}


async def test_only_active_subscriptions_are_told(database: Database, fan_out: FanOut):
    for state in ("paused", "ended", "disabled"):
        await subscribe(database, state=state)

    out = await fan_out.apply([incoming()], NOW, MUCH_CAPACITY)

    assert (out.claimed, out.waiting) == ([], 0)
    assert await states(database) == {"suppressed": 1}, "a pause leaves a receipt"


async def test_an_event_that_is_read_twice_is_told_once(database: Database, fan_out: FanOut):
    await subscribe(database)
    batch = [incoming(seq=n) for n in range(20)]

    await fan_out.apply([*batch[:10], *batch[:10]], NOW, NO_CAPACITY)
    await asyncio.gather(*(fan_out.apply(batch, NOW, NO_CAPACITY) for _ in range(4)))

    assert await states(database) == {"pending": 20}


async def test_the_table_itself_refuses_a_second_delivery(database: Database, fan_out: FanOut):
    """Should an event be forgotten, by a purge perhaps, and read again."""
    await subscribe(database)
    batch = [incoming()]
    await fan_out.apply(batch, NOW, NO_CAPACITY)
    async with database.connection() as connection:
        await connection.execute("delete from event")

    with pytest.raises(asyncpg.UniqueViolationError):
        await fan_out.apply(batch, NOW, NO_CAPACITY)
    assert await states(database) == {"pending": 1}


async def test_a_batch_is_in_hand_as_far_as_there_is_room(database: Database, fan_out: FanOut):
    here, there = [await subscribe(database, f"https://hooks.example.org/{n}") for n in range(2)]
    await subscribe(database, "desk@example.org", channel="email")

    out = await fan_out.apply([incoming(seq=n) for n in range(10)], NOW, Capacity(100, 4, 2, {there: 1}))

    taken = [d.recipient.id for d in out.claimed]
    assert (taken.count(here), taken.count(there), len(taken)) == (4, 1, 7)
    assert out.waiting == 23
    assert await states(database) == {"sending": 7, "pending": 23}


async def test_a_delivery_is_known_by_what_it_is_about(database: Database, fan_out: FanOut):
    """Its id is derived, so that a database that has forgotten it writes the same one again."""
    event, to = incoming(), await subscribe(database)
    out = await fan_out.apply([event], NOW, MUCH_CAPACITY)
    assert [delivery.id for delivery in out.claimed] == [delivery_id(event.event.id, to)]


async def test_positions_say_the_order_in_which_deliveries_were_written(database: Database, fan_out: FanOut):
    await subscribe(database)
    events = [incoming(seq=n) for n in range(20)]
    for event in events:
        await fan_out.apply([event], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        rows = await connection.fetch("select event_id from delivery order by position")
    assert [row["event_id"] for row in rows] == [event.event.id for event in events]


async def test_what_stands_in_digests_only_is_told_in_digests_and_to_systems(database: Database):
    night = {"quiet_hours": [{"begins": "22:00", "ends": "07:00"}]}
    at_once = await subscribe(database, "now@example.org", channel="email")
    quiet = await subscribe(database, "quiet@example.org", channel="email", timing=night)
    daily = await subscribe(database, "daily@example.org", channel="email", timing={"rhythm": "daily", "at": "09:00"})
    system = await subscribe(database)
    paused = await subscribe(database, "away@example.org", channel="email", state="paused")

    await FanOut(database, lease_seconds=60).apply([replace(incoming(), only_in_digests=True)], NOW, MUCH_CAPACITY)

    async with database.connection() as connection:
        rows = await connection.fetch("select subscription_id, state, reason, rule from delivery")
        ends = await connection.fetchval("select count(*) from outbox where topic = 'delivery-settled'")
    assert {row["subscription_id"]: (row["state"], row["reason"] or row["rule"]) for row in rows} == {
        at_once: ("suppressed", "only-in-digests"),
        quiet: ("suppressed", "only-in-digests"),
        daily: ("pending", "digest"),
        system: ("sending", None),
        paused: ("suppressed", "paused"),
    }
    assert ends == 1, "one event tells of all that ended"
