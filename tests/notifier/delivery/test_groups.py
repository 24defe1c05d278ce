"""Groups on a real PostgreSQL: what belongs together goes out together, whoever dies or leaves in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.causes import Cause
from contracts.envelope import from_record
from contracts.events import DeliverySettled, SettledDelivery
from services.notifier.channels.outcomes import Accepted, AttemptOutcome, FailureReason, Refused
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import (
    OVERTAKEN,
    Attempt,
    Deferral,
    Delivery,
    DeliveryResult,
    after_attempt,
    to_send,
)
from services.notifier.delivery.event_cache import EventCache
from services.notifier.delivery.fan_out import FanOut, IncomingEvent
from services.notifier.delivery.followers import of_each_row
from services.notifier.delivery.recorder import ResultRecorder
from services.notifier.subscriptions.unsubscribe_routes import BY_LINK
from services.notifier.timing.first_allowed import Opening
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe, subscriptions

IMPORT = UUID(int=7)
MINUTE = timedelta(seconds=60)


@pytest.fixture
def fan_out(database: Database) -> FanOut:
    return FanOut(database, lease_seconds=60)


@pytest.fixture
def claims(database: Database) -> DeliveryClaims:
    return DeliveryClaims(database, lease_seconds=60)


def of_an_import(commitment: str, seq: int = 1, *, cause: UUID = IMPORT, **more: Any) -> IncomingEvent:
    return replace(incoming(commitment, seq, **more), cause=Cause(kind="import", id=cause, count=None))


async def mailed(database: Database, address: str = "desk@example.org", **more: Any) -> UUID:
    return await subscribe(database, address, channel="email", **more)


async def record(database: Database, *results: DeliveryResult) -> None:
    recorder = ResultRecorder(database, EventCache(database), SystemClock(), most=100, seconds=0)
    for result in results:
        recorder.report(result)
    await recorder.flush()


def sent(delivery: Delivery, at: datetime, outcome: AttemptOutcome = Accepted(250)) -> DeliveryResult:  # noqa: B008
    return after_attempt(delivery, Attempt(at, at, 1.0, outcome), 0.5)


async def rows_of(database: Database) -> Sequence[Any]:
    async with database.connection() as connection:
        return await connection.fetch("select * from delivery order by position")


async def unled(database: Database) -> int:
    """Groups that wait, and have none that leads them, or two."""
    async with database.connection() as connection:
        return await connection.fetchval(
            "select count(*) from (select from delivery where state = 'pending' and group_id is not null"
            " group by group_id having count(*) filter (where leads) <> 1) g"
        )


def told(delivery: Delivery) -> list[str]:
    return sorted(member.commitment_id for member in delivery.members)


async def test_what_has_one_cause_is_one_message(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    await mailed(database)
    hook = await subscribe(database)
    out = await fan_out.apply([of_an_import(f"c-{n}") for n in range(5)], NOW, MUCH_CAPACITY)

    assert [delivery.recipient.id for delivery in out.claimed] == [hook] * 5, "a system gets each event, and at once"
    assert await claims.claim(NOW + MINUTE - timedelta(seconds=1), MUCH_CAPACITY) == []
    assert await claims.next_due(NOW) == NOW + MINUTE
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert told(message) == [f"c-{n}" for n in range(5)]
    (going,), ends = to_send([message], NOW + MINUTE)
    assert ends == []

    await record(database, sent(going, NOW + MINUTE))

    rows = [row for row in await rows_of(database) if row["channel"] == "email"]
    assert {row["state"] for row in rows} == {"delivered"}
    assert [row["message"] for row in rows] == [None, *[message.id] * 4]
    assert {row["attempts"] for row in rows} == {1}
    async with database.connection() as connection:
        tries = await connection.fetch("select delivery_id from delivery_attempt")
    assert [row["delivery_id"] for row in tries] == [message.id], "it was sent once"
    assert {each.delivery_id: each.message for each in await settled(database)} == {
        row["id"]: row["message"] for row in rows
    }


async def settled(database: Database) -> list[SettledDelivery]:
    """What was told of ends."""
    async with database.connection() as connection:
        rows = await connection.fetch("select key, headers, value from outbox where topic = 'delivery-settled'")
    found: list[SettledDelivery] = []
    for row in rows:
        headers = [(name, text.encode()) for name, text in row["headers"].items()]
        found += from_record(DeliverySettled, row["key"].encode(), headers, row["value"])[1].deliveries
    return found


async def test_a_window_counts_from_the_first_and_who_comes_later_opens_another(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    for seconds, commitment in ((0, "a"), (30, "b"), (59, "c")):
        await fan_out.apply([of_an_import(commitment)], NOW + timedelta(seconds=seconds), MUCH_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert told(message) == ["a", "b", "c"]

    await fan_out.apply([of_an_import("d")], NOW + MINUTE, MUCH_CAPACITY)

    assert await claims.claim(NOW + MINUTE, MUCH_CAPACITY) == []
    (message,) = await claims.claim(NOW + 2 * MINUTE, MUCH_CAPACITY)
    assert told(message) == ["d"]


async def test_another_cause_another_address_or_another_language_is_another_message(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    await mailed(database, "other@example.org")
    await mailed(database, "desk@example.org", language="fr")
    await fan_out.apply([of_an_import(n, cause=UUID(int=ord(n))) for n in "ab"], NOW, NO_CAPACITY)

    messages = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert sorted(map(told, messages)) == [["a"]] * 3 + [["b"]] * 3


async def test_overlapping_subscriptions_of_one_address_get_an_event_once_and_at_once(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    ids = {await mailed(database, address) for address in ("desk@example.org", "Desk@example.org")}
    other = await mailed(database, "other@example.org")
    hooks = {await subscribe(database) for _ in range(2)}
    out = await fan_out.apply([incoming("a", 1), incoming("a", 2)], NOW, MUCH_CAPACITY)

    assert {delivery.recipient.id for delivery in out.claimed} == {other, *hooks}
    assert len(out.claimed) == 6, "each system gets each, and who has one subscription waits for nothing"
    (first,) = await claims.claim(NOW, MUCH_CAPACITY)
    assert {member.recipient.id for member in first.members} == ids
    assert len({member.event_id for member in first.members}) == 1

    await record(database, sent(first, NOW))

    (second,) = await claims.claim(NOW, MUCH_CAPACITY)
    assert {member.recipient.id for member in second.members} == ids
    assert {member.event_id for member in second.members}.isdisjoint({first.event_id})


async def test_what_is_behind_something_older_waits_for_the_next_message(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    (older,) = (await fan_out.apply([incoming("b")], NOW, MUCH_CAPACITY)).claimed
    await fan_out.apply([of_an_import(c, 2) for c in "abc"], NOW, NO_CAPACITY)

    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)

    assert told(message) == ["a", "c"]
    assert await unled(database) == 0
    assert await claims.claim(NOW + MINUTE, MUCH_CAPACITY) == []
    await record(database, sent(older, NOW + MINUTE))
    (rest,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert told(rest) == ["b"]


async def test_nobody_gets_an_event_twice_because_one_of_their_subscriptions_lags_behind(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    wide = await mailed(database)
    async with database.connection() as connection:
        await connection.execute("update subscription set commitments = '{none}' where id <> $1", wide)
    (older,) = (await fan_out.apply([incoming("b", 1)], NOW, MUCH_CAPACITY)).claimed
    async with database.connection() as connection:
        await connection.execute("update subscription set commitments = '{}'")
    await fan_out.apply([incoming("b", 2), *(of_an_import(c, 3) for c in "abc")], NOW, MUCH_CAPACITY)

    messages = [*await claims.claim(NOW, MUCH_CAPACITY), *await claims.claim(NOW + MINUTE, MUCH_CAPACITY)]

    assert [(told(message), len(message.members)) for message in messages] == [(["a", "a", "c", "c"], 4)]
    assert await unled(database) == 0
    await record(database, sent(older, NOW))
    (second,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert told(second) == ["b", "b"]
    await record(database, sent(second, NOW + MINUTE))
    (third,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert told(third) == ["b", "b"]
    assert await unled(database) == 0


async def test_two_groups_never_wait_for_each_other(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    """Each is led by a row behind one of the other's: they would stand for ever, could the place not be given away."""
    await mailed(database)
    for commitment, seq, cause in (("b", 1, 1), ("a", 1, 2), ("a", 2, 1), ("b", 2, 2)):
        await fan_out.apply([of_an_import(commitment, seq, cause=UUID(int=cause))], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        await connection.execute("update delivery set leads = behind")
    assert await unled(database) == 0
    assert await claims.claim(NOW + MINUTE, MUCH_CAPACITY) == []

    found = []
    for _ in range(3):
        await claims.sweep(NOW + MINUTE)
        assert await unled(database) == 0
        for message in await claims.claim(NOW + MINUTE, MUCH_CAPACITY):
            found.append(told(message))
            await record(database, sent(message, NOW + MINUTE))
    assert sorted(found) == [["a"], ["a"], ["b"], ["b"]]


async def test_a_group_whose_leader_is_cancelled_has_another(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    leaver, stayer = await mailed(database), await mailed(database)
    await fan_out.apply([of_an_import(c) for c in "ab"], NOW, NO_CAPACITY)
    first = next(row for row in await rows_of(database) if row["leads"])
    if first["subscription_id"] != leaver:
        leaver, stayer = stayer, leaver

    await subscriptions(database).end(leaver, None, "unsubscribed", NOW, BY_LINK)

    assert await unled(database) == 0
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert [member.recipient.id for member in message.members] == [stayer] * 2


async def test_a_row_that_must_not_be_sent_ends_alone_and_another_leads_from_then_on(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    soon = NOW + 2 * MINUTE
    await fan_out.apply([of_an_import("a", not_after=soon), *(of_an_import(c) for c in "bc")], NOW, NO_CAPACITY)
    (message,) = await claims.claim(soon, MUCH_CAPACITY)
    (going,), (end,) = to_send([message], soon)
    assert (end.delivery.commitment_id, end.state, end.leader) == ("a", "expired", None)
    assert told(going) == ["b", "c"]

    await record(database, end, sent(going, soon, Refused(FailureReason.BUSY, 503, retryable=True)))

    assert await states(database) == {"expired": 1, "pending": 2}
    assert await unled(database) == 0
    (again,) = await claims.claim(soon + timedelta(hours=1), MUCH_CAPACITY)
    assert (again.id, told(again), again.attempts) == (going.id, ["b", "c"], 1)
    (alone,), ends = to_send(
        [replace(again, recipient=replace(again.recipient, state="ended"))], soon + timedelta(hours=1)
    )
    (left,) = {"b", "c"} - {again.commitment_id}
    assert (told(alone), [end.state for end in ends]) == ([left], ["cancelled"])
    await record(database, *ends, sent(alone, soon + timedelta(hours=1), Refused(FailureReason.BUSY, retryable=True)))
    (last,) = await claims.claim(soon + timedelta(hours=2), MUCH_CAPACITY)
    assert told(last) == [left]


async def test_what_is_tried_again_is_what_was_tried(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    """A receiver may have it, and know it by its id: nothing may join it."""
    await mailed(database)
    await fan_out.apply([of_an_import(c) for c in "ab"], NOW, NO_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    await record(database, sent(message, NOW + MINUTE, Refused(FailureReason.BUSY, 503, retryable=True)))

    await fan_out.apply([of_an_import("c")], NOW + MINUTE, NO_CAPACITY)

    again = await claims.claim(NOW + timedelta(hours=1), MUCH_CAPACITY)
    assert sorted(map(told, again)) == [["a", "b"], ["c"]]
    assert message.id in {one.id for one in again}


async def test_a_lost_lease_puts_all_of_a_message_back(database: Database, fan_out: FanOut, claims: DeliveryClaims):
    await mailed(database)
    await fan_out.apply([of_an_import(c) for c in "abc"], NOW, NO_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    async with database.connection() as connection:
        await connection.execute("update delivery set lease_until = clock_timestamp() - interval '1 second'")

    assert await claims.sweep(NOW + MINUTE) == 3
    await fan_out.apply([of_an_import("d")], NOW + MINUTE, NO_CAPACITY)

    (again,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert (again.id, told(again), {member.attempts for member in again.members}) == (message.id, ["a", "b", "c"], {1})
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from delivery_attempt") == 1


async def test_what_comes_at_once_does_not_overtake_what_waits(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    out = await fan_out.apply([of_an_import("a"), incoming("a", 2), incoming("b")], NOW, MUCH_CAPACITY)
    assert [delivery.commitment_id for delivery in out.claimed] == ["b"]
    assert await claims.claim(NOW, MUCH_CAPACITY) == []
    message, after = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert (message.thread, message.rule, after.rule) == (after.thread, "window", None), "in order, in one hand"


async def test_newer_news_in_the_same_message_leaves_nothing_out(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    await mailed(database)
    await fan_out.apply([of_an_import("a", n) for n in (1, 2, 3)], NOW, NO_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    await record(database, sent(message, NOW + MINUTE, Refused(FailureReason.BUSY, 503, retryable=True)))
    (again,) = await claims.claim(NOW + timedelta(hours=1), MUCH_CAPACITY)

    (going,), ends = to_send([again], NOW + timedelta(hours=1))

    assert (len(going.members), ends) == (3, [])
    assert [member.is_overtaken for member in going.members] == [False, False, False]


async def test_what_is_overtaken_along_with_all_of_its_message_is_not_told_as_the_newest(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    """
    The last of the message is older than what waits, and ends; what came before it is older still.
    """
    await mailed(database)
    await fan_out.apply([of_an_import("a", n) for n in (1, 2)], NOW, NO_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    await record(database, sent(message, NOW + MINUTE, Refused(FailureReason.BUSY, 503, retryable=True)))
    await fan_out.apply([of_an_import("a", 3)], NOW + MINUTE, NO_CAPACITY)
    (again,) = await claims.claim(NOW + timedelta(hours=1), MUCH_CAPACITY)

    going, ends = to_send([again], NOW + timedelta(hours=1))

    assert (going, [(end.state, end.reason) for end in ends]) == ([], [OVERTAKEN, OVERTAKEN])
    await record(database, *ends)
    (newest,) = await claims.claim(NOW + timedelta(hours=1), MUCH_CAPACITY)
    assert not newest.is_overtaken
    assert newest.before == tuple(end.delivery.event_id for end in ends), "it says what it was"


async def test_what_the_newest_of_its_message_leaves_behind_is_not_told_as_the_newest(
    database: Database, fan_out: FanOut, claims: DeliveryClaims
):
    """
    The newest may not be told yet: by itself what is older would be told as if there were nothing newer.
    """
    await mailed(database)
    await fan_out.apply([of_an_import("a", n) for n in (1, 2)], NOW, NO_CAPACITY)
    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    later = Deferral(Opening(NOW + timedelta(hours=8), "quiet-hours"))
    newest = max(member.position for member in message.members)

    (going,), (put_off,) = to_send([message], NOW + MINUTE, lambda member: later if member.position == newest else None)

    assert (put_off.delivery.position, put_off.state) == (newest, "pending")
    assert going.is_overtaken, "newer news waits"


async def test_a_paused_subscription_leaves_a_receipt(database: Database, fan_out: FanOut):
    paused = await mailed(database, state="paused")
    await mailed(database)
    out = await fan_out.apply([incoming("a"), of_an_import("b")], NOW, MUCH_CAPACITY)

    assert len(out.claimed) + out.waiting == 2
    rows = [row for row in await rows_of(database) if row["subscription_id"] == paused]
    assert [(row["state"], row["reason"], row["settled_at"]) for row in rows] == [("suppressed", "paused", NOW)] * 2
    assert [(one.subscription_id, one.outcome, one.reason) for one in await settled(database)] == [
        (paused, "suppressed", "paused")
    ] * 2
    async with database.connection() as connection:
        assert await connection.fetchval("select sum(matched) from event") == 4


def test_each_row_of_a_message_gets_what_came_of_it() -> None:
    """Two results of one delivery: the later claim counts, and a message has as many results as rows."""
    common: dict[str, Any] = {
        "recipient": None,
        "commitment_id": "a",
        "thread": uuid4(),
        "attempts": 0,
        "created_at": NOW,
        "not_after": None,
        "lease": uuid4(),
        "claimed": 0.0,
    }
    leader, other = (Delivery(id=uuid4(), event_id=uuid4(), **common) for _ in range(2))
    message = replace(leader, others=(other,), is_grouped=True)
    rows = of_each_row([DeliveryResult(message, "pending", NOW), DeliveryResult(other, "pending", NOW)])
    assert [(row.delivery.id, row.leader) for row in rows] == [
        (leader.id, leader.id),
        (other.id, leader.id),
        (other.id, None),
    ]
