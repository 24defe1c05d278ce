"""Deliveries that had ended before an old backup: by `delivery-settled` they end again, and nothing is sent twice."""

from dataclasses import replace
from uuid import UUID

import pytest

from contracts.envelope import Envelope, to_record
from contracts.events import DeliverySettled, LadderChosen, SettledDelivery
from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.delivery.identity import delivery_id
from services.notifier.delivery.taking_over import MissedNotifierEvents, count_unsettled
from services.notifier.subscriptions.own_ladder import ladder_chosen_by
from services.plumbing.database import Database
from services.plumbing.ids import new_id
from services.plumbing.recovery.taking_over import TakingOver, TopicRecord
from tests.contracts.golden_records import SOME_CAUSE
from tests.notifier.scenes import LADDER, MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe


def settled(about: IncomingEvent, *to: UUID) -> TopicRecord:
    """What the topic has of deliveries of an event to these subscriptions."""
    event = DeliverySettled(
        seq=1,
        cause=SOME_CAUSE,
        commitment=about.event.data.commitment,
        event_id=about.event.id,
        event=about.event.topic,
        deliveries=tuple(
            SettledDelivery(
                delivery_id=delivery_id(about.event.id, one),
                subscription_id=one,
                subscriber="A desk",
                channel="webhook",
                language="en",
                outcome="delivered",
                attempts=1,
                reason=None,
                settled_at=NOW,
            )
            for one in to
        ),
    )
    return on_topic(event, about.event.data.commitment.id)


def on_topic(event: DeliverySettled | LadderChosen, subject: str) -> TopicRecord:
    record = to_record(event, Envelope(new_id(), NOW, subject))
    headers = [(name, text.encode()) for name, text in record.headers.items()]
    return TopicRecord(record.topic, 0, 0, record.key.encode(), headers, record.value, 0)


async def take_over(database: Database, record: TopicRecord) -> None:
    assert await TakingOver(database, MissedNotifierEvents()).take([record]) == 1


@pytest.mark.parametrize("capacity", [NO_CAPACITY, MUCH_CAPACITY], ids=["no-capacity", "much"])
async def test_what_had_ended_is_ended_whether_its_event_is_heard_before_or_after(
    database: Database, capacity: Capacity
) -> None:
    told, waits = [await subscribe(database, f"https://hooks.example.org/{n}") for n in range(2)]
    fan_out = FanOut(database, lease_seconds=60)
    before, after = incoming("coal"), incoming("oil")
    await fan_out.apply([before], NOW, NO_CAPACITY)
    for event in (before, after):
        await take_over(database, settled(event, told))

    fanned_out = await fan_out.apply([after], NOW, capacity)

    async with database.connection() as connection:
        rows = await connection.fetch("select subscription_id, state from delivery order by position")
        assert await count_unsettled(connection) == 2
    assert {(row["subscription_id"], row["state"] == "delivered") for row in rows} == {(told, True), (waits, False)}
    assert [one.recipient.id for one in fanned_out.claimed] == ([] if capacity is NO_CAPACITY else [waits])
    assert (await states(database))["delivered"] == 2


async def test_an_end_that_only_a_later_release_knows_is_an_end(database: Database) -> None:
    told = await subscribe(database)
    event = incoming("coal")
    await FanOut(database, lease_seconds=60).apply([event], NOW, NO_CAPACITY)
    record = settled(event, told)
    assert record.value is not None
    await take_over(database, replace(record, value=record.value.replace(b'"delivered"', b'"digested"')))

    async with database.connection() as connection:
        row = await connection.fetchrow("select state, reason from delivery")
    assert tuple(row or ()) == ("suppressed", "digested")


async def test_ladders_are_as_they_were_chosen_and_one_that_ended_is_paused(database: Database) -> None:
    chosen, ended = [
        await subscribe(database, f"https://hooks.example.org/{n}", ladder=ladder)
        for n, ladder in enumerate([None, LADDER])
    ]
    async with database.connection() as connection:
        row = dict(await connection.fetchrow("select * from subscription where id = $1", chosen) or {})
        gone = dict(await connection.fetchrow("select * from subscription where id = $1", ended) or {})
    await take_over(database, on_topic(ladder_chosen_by(row | {"ladder": LADDER}), str(chosen)))
    await take_over(database, on_topic(ladder_chosen_by(gone | {"state": "ended"}), str(ended)))

    async with database.connection() as connection:
        rows = await connection.fetch("select id, state, ladder, reason from subscription order by created_at, id")
    found = {row["id"]: (row["state"], row["ladder"] is not None, row["reason"]) for row in rows}
    assert found == {chosen: ("active", True, None), ended: ("paused", True, "recovery")}
