"""Pruning of deliveries and events, on a real PostgreSQL: what is old and settled goes, whatever else stays."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.pruning import OldDeliveries, OldEvents, OldRows
from services.notifier.retention import prunable
from services.notifier.subscriptions.forgetting import EndedSubscriptions
from services.plumbing.database import Database
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Prunable, Pruner
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe

KEPT = timedelta(days=400)
LATER = NOW + timedelta(days=1000)
STATES = {"delivered": 9, "failed": 2, "expired": 1, "cancelled": 1, "pending": 1, "sending": 1}
TABLES = "event, delivery, delivery_attempt, subscription, settled_before, pruned, digest_run"


async def rows(database: Database, query: str, *values: Any) -> list[Any]:
    async with database.connection() as connection:
        return list(await connection.fetch(query, *values))


async def prune(database: Database, *tables: Prunable, now: datetime = LATER, step: int = 10) -> int:
    return await Pruner(database, tables, RetentionSettings(rows=step), lambda: now).round()


async def emptied(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(f"truncate {TABLES}; update pruning_turn set until = '-infinity'")


async def written(database: Database, made: Sequence[dict[str, Any]]) -> None:
    """Deliveries as they might stand in the table, each with an attempt, and the events that they are of."""
    async with database.connection() as connection:
        for one in made:
            await connection.execute(
                "insert into delivery (id, thread, event_id, subscription_id, commitment_id, channel, state, next_at,"
                " created_at, settled_at, message) values ($1, $2, $3, $4, 'coal', 'email', $5, $6, $6, $7, $8)",
                *(one[name] for name in ("id", "thread", "event", "subscription", "state")),
                one["created"],
                one["settled"],
                one["message"],
            )
            await connection.execute(
                "insert into delivery_attempt values ($1, 1, $2, $2, 'accepted', null, 250, 3)",
                one["id"],
                one["created"],
            )
        await connection.execute(
            "insert into event (id, topic, commitment_id, seq, value, time, received_at, matched)"
            " select event_id, 'milestone-due', 'coal', 1, '{}', min(created_at), min(created_at), count(*)"
            " from delivery group by event_id"
        )


def drawn(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Deliveries of all ages and states: in threads, in messages of several, some of them not ended."""
    threads, events = [uuid4() for _ in range(8)], [uuid4() for _ in range(count // 3)]
    made: list[dict[str, Any]] = []
    for n in range(count):
        created = NOW + timedelta(days=n * 900 / count)
        state = chance.choices(
            ["delivered", "failed", "expired", "cancelled", "pending", "sending"], [9, 2, 1, 1, 1, 1]
        )[0]
        settled = (
            None if state in ("pending", "sending") else created + timedelta(days=chance.choice([0, 0, 0, 1, 300]))
        )
        leads = [one for one in made[-15:] if one["message"] is None and one["state"] == state and one["settled"]]
        leader = chance.choice(leads) if leads and settled and chance.random() < 0.4 else None
        made.append(
            {
                "id": uuid4(),
                "thread": chance.choice(threads) if chance.random() < 0.3 else uuid4(),
                "event": chance.choice(events),
                "subscription": uuid4(),
                "state": state,
                "created": created,
                "settled": leader["settled"] if leader else settled,
                "message": leader["id"] if leader else None,
            }
        )
    return made


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_old_and_settled_goes_and_nothing_that_is_still_needed(database: Database, seed: int):
    await emptied(database)
    made = drawn(random.Random(seed), 240)
    await written(database, made)
    log = DeliveryLog(database)
    before = await log.conservation()
    unsettled = {one["thread"] for one in made if one["settled"] is None}
    old = {
        one["id"]: one
        for one in made
        if one["settled"] and max(one["settled"], one["created"]) < LATER - KEPT and one["thread"] not in unsettled
    }
    needed = {one["message"] for one in made if one["id"] not in old}
    tables = OldDeliveries(KEPT), OldEvents({"milestone-due": timedelta(days=98)})
    gone = 0
    while pruned := await prune(database, *tables):
        gone += pruned
        assert await log.conservation() == before

    left = {row["id"] for row in await rows(database, "select id from delivery")}
    assert left == {one["id"] for one in made} - (old.keys() - needed)
    assert len(old) > 20, "the example is too small to say something"
    assert {row["delivery_id"] for row in await rows(database, "select delivery_id from delivery_attempt")} == left
    events = {row["id"] for row in await rows(database, "select id from event")}
    assert events == {one["event"] for one in made if one["id"] in left}
    untold = await rows(
        database, "select id from delivery d where message is not null and message not in (select id from delivery)"
    )
    assert untold == []


async def test_an_event_is_known_for_as_long_as_its_topic_may_have_it(database: Database):
    """Or one that is read again would be told again. Of topics that are kept for ever nothing is forgotten."""
    await emptied(database)
    due = incoming()
    await subscribe(database)
    await FanOut(database, lease_seconds=60).apply([due], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        await connection.execute("delete from delivery")
    kept = OldEvents({"milestone-due": timedelta(days=98)})
    assert await prune(database, kept) == 0  # status-changed
    async with database.connection() as connection:
        await connection.execute("update event set topic = 'milestone-due'")
    assert await prune(database, kept, now=NOW + timedelta(days=98)) == 0
    assert await prune(database, kept, now=NOW + timedelta(days=98, seconds=1)) == 1
    (sum_,) = await rows(database, "select name, kind, rows, amount from pruned")
    assert tuple(sum_) == ("event", "milestone-due", 1, 1)


async def test_two_processes_prune_each_row_once(database: Database):
    await emptied(database)
    made = [{**one, "message": None} for one in drawn(random.Random(7), 200)]
    await written(database, made)
    both = await asyncio.gather(*(prune(database, OldDeliveries(KEPT)) for _ in range(2)))
    await prune(database, OldDeliveries(KEPT))
    (counted,) = await rows(database, "select sum(rows)::bigint as n from pruned where name = 'delivery'")
    (left,) = await rows(database, "select count(*) as n from delivery")
    assert counted["n"] + left["n"] == 200
    assert max(both) > 0


async def test_a_step_that_is_broken_off_has_neither_deleted_nor_counted(database: Database):
    await emptied(database)
    await written(database, [{**one, "message": None} for one in drawn(random.Random(9), 60)])

    class Broken(OldDeliveries):
        async def step(self, *given: Any) -> Any:
            await super().step(*given)
            raise ConnectionError("the process dies here")

    with pytest.raises(ConnectionError):
        await prune(database, Broken(KEPT))
    (left,) = await rows(database, "select count(*) as n from delivery")
    assert (left["n"], await rows(database, "select * from pruned")) == (60, [])


async def test_an_ended_subscription_loses_where_it_led_thirty_days_later(database: Database):
    await emptied(database)
    ended = await subscribe(database, "alguien@sre.example", channel="email", state="ended")
    waiting = await subscribe(database, "https://hooks.example.org/waits", state="ended")
    active = await subscribe(database, "https://hooks.example.org/active")
    async with database.connection() as connection:
        await connection.execute("update subscription set ended_at = $1 where state = 'ended'", NOW)
        await connection.execute(
            "insert into delivery"
            " (thread, event_id, subscription_id, commitment_id, channel, state, next_at, created_at)"
            " values ($1, $2, $3, 'coal', 'webhook', 'sending', $4, $4)",
            uuid4(),
            uuid4(),
            waiting,
            NOW,
        )
    rule = EndedSubscriptions(timedelta(days=30))
    assert await prune(database, rule, now=NOW + timedelta(days=30)) == 0
    assert await prune(database, rule, now=NOW + timedelta(days=30, seconds=1)) == 1
    assert await prune(database, rule, now=LATER) == 0
    found = {row["id"]: row for row in await rows(database, "select * from subscription")}
    assert (found[ended]["address"], found[ended]["secret"], found[ended]["destination"]) == ("", None, None)
    assert (found[ended]["subscriber"], found[ended]["state"]) == ("A desk", "ended")
    assert found[waiting]["address"].endswith("/waits")
    assert found[active]["address"].endswith("/active")


async def test_small_tables_are_pruned_too(database: Database):
    await emptied(database)
    async with database.connection() as connection:
        await connection.executemany(
            "insert into digest_run values ($1, $2, $2)", [(uuid4(), NOW + timedelta(days=n)) for n in range(100)]
        )
    old = OldRows(timedelta(days=60), "digest_run", "subscription_id, run_at", "run_at < $1")
    assert await prune(database, old, now=NOW + timedelta(days=120)) == 60
    assert len(await rows(database, "select * from digest_run")) == 40


async def test_the_defaults_can_be_pruned_by_and_what_is_kept_for_ever_is_left(database: Database):
    """Every statement is tried: a column that is renamed is found here."""
    await emptied(database)
    await written(database, [{**one, "message": None} for one in drawn(random.Random(3), 60)])
    assert await prune(database, *prunable(RetentionSettings())) > 0
    kept = prunable(RetentionSettings.model_validate({"days": "delivery=forever,ended-subscription=forever"}))
    assert {table.name for table in kept}.isdisjoint({"delivery", "ended-subscription"})


async def test_a_beat_takes_one_step_and_says_when_the_next_is_due(database: Database):
    await emptied(database)
    await written(database, [{**one, "message": None} for one in drawn(random.Random(5), 60)])
    settings = RetentionSettings(rows=10, share=0.2, every_seconds=500)
    pruner = Pruner(database, [OldDeliveries(KEPT)], settings, lambda: LATER)
    steps, began = 0, time.monotonic()
    rested = 0.0
    while (pause := await pruner.beat()) is not None:
        steps += 1
        rested += pause
        await asyncio.sleep(pause)
    assert steps >= 4
    assert rested >= (time.monotonic() - began) / 2  # four fifths, but for what is no step
    (counted,) = await rows(database, "select sum(rows)::bigint as n from pruned where name = 'delivery'")
    assert counted["n"] > 0
    assert await pruner.beat() is None  # the next round is not due


async def test_the_share_is_that_of_all_processes_together(database: Database):
    """Who comes too soon after another's step leaves the round to it; a turn of another clock holds nobody up."""
    await emptied(database)
    await written(database, [{**one, "message": None} for one in drawn(random.Random(5), 60)])
    settings = RetentionSettings(rows=10, share=0.001)
    first, second = (Pruner(database, [OldDeliveries(KEPT)], settings, lambda: LATER) for _ in range(2))
    assert await first.beat()
    assert await second.beat() is None
    async with database.connection() as connection:
        await connection.execute("update pruning_turn set until = now() + interval '1 hour'")
    third = Pruner(database, [OldDeliveries(KEPT)], settings, lambda: LATER)
    assert await third.beat()
    assert await third.round() >= 0  # asked for by an operator, it waits for no turn
