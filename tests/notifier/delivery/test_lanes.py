"""Lanes: fair between destinations, bounded within each, in order for each subscription and commitment."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

from contracts.filters import Filters
from services.notifier.channels.outcomes import Deferred, Delivered, FailureReason, Refused, Unknown
from services.notifier.delivery.deliveries import Delivery, Recipient
from services.notifier.delivery.lanes import Lanes

NOW = datetime(2021, 11, 18, tzinfo=UTC)


def recipient(address: str, channel: str = "webhook") -> Recipient:
    return Recipient(uuid4(), "Someone", channel, address, None, "en", "UTC", Filters(), "active")


def delivery(to: Recipient, commitment: str | None = None, claimed: float = 0.0) -> Delivery:
    thread = uuid5(to.id, commitment) if commitment else uuid4()
    return Delivery(uuid4(), uuid4(), to, commitment or "coal", thread, 0, NOW, None, UUID(int=1), claimed)


def lanes(**bounds: int) -> Lanes:
    return Lanes(**({"pool": 8, "hold": 64, "each": 2, "mails": 2} | bounds))


def test_a_crowded_destination_leaves_the_others_their_turn():
    crowded, quiet = recipient("https://a.example"), recipient("https://b.example")
    held = lanes()
    for _ in range(20):
        held.add(delivery(crowded))
    held.add(delivery(quiet))

    started = [d.recipient for d in held.starts(0.0)]

    assert Counter(started) == {crowded: 2, quiet: 1}


def test_the_pool_bounds_what_is_on_its_way():
    held = lanes(pool=3)
    for n in range(10):
        held.add(delivery(recipient(f"https://{n}.example")))

    assert len(list(held.starts(0.0))) == 3
    assert list(held.starts(0.0)) == []


def test_messages_about_one_commitment_reach_a_subscription_one_after_the_other():
    to = recipient("https://a.example")
    first, second, other = delivery(to, "c"), delivery(to, "c"), delivery(to, "d")
    held = lanes()
    for each in (first, second, other):
        held.add(each)

    assert list(held.starts(0.0)) == [first, other]
    assert held.done(first, Delivered(200), 0.0, is_settled=True) == []
    assert list(held.starts(0.0)) == [], "were this process to die now, both would be sent again"
    assert held.holds_more_of(first)
    assert held.recorded(first, is_ours=True) == []
    assert list(held.starts(0.0)) == [second]


def test_what_stands_behind_one_whose_lease_was_lost_goes_back():
    to = recipient("https://a.example")
    first, second, other = delivery(to, "c"), delivery(to, "c"), delivery(to, "d")
    held = lanes(each=1)
    for each in (first, second, other):
        held.add(each)
    assert list(held.starts(0.0)) == [first]
    assert held.done(first, Delivered(200), 0.0, is_settled=True) == []

    assert held.recorded(other, is_ours=False) == [], "it holds back nothing"
    assert held.recorded(first, is_ours=False) == [second]
    assert list(held.starts(0.0)) == [other]
    assert held.in_hand == 1


def test_what_stands_behind_one_that_did_not_settle_goes_back():
    to = recipient("https://a.example")
    first, second, third, other = delivery(to, "c"), delivery(to, "c"), delivery(to, "c"), delivery(to, "d")
    held = lanes(each=1)
    for each in (first, second, third, other):
        held.add(each)
    assert list(held.starts(0.0)) == [first]

    back = held.done(first, Refused(FailureReason.BUSY, 503, retryable=True), 0.0, is_settled=False)

    assert back == [second, third]
    assert list(held.starts(0.0)) == [other]
    assert held.in_hand == 1


def test_a_destination_that_does_not_answer_rests_and_its_deliveries_go_back():
    to = recipient("https://a.example")
    held = lanes(each=1)
    waiting = [delivery(to) for _ in range(5)]
    for each in waiting:
        held.add(each)
    for _ in range(3):
        (started,) = held.starts(0.0)
        held.done(started, Unknown(FailureReason.TIMEOUT), 0.0, is_settled=False)

    assert list(held.starts(0.5)) == []
    assert held.take_back(0.5, -1.0) == waiting[3:]
    assert held.capacity(0.5).limited == {to.id: 0}
    assert held.capacity(1.5).limited == {to.id: 1}, "then one is let through to see"
    assert held.in_hand == 0


def test_an_answer_however_rude_is_an_answer():
    to = recipient("https://a.example")
    held = lanes(each=1)
    for _ in range(10):
        held.add(delivery(to))
    for _ in range(10):
        (started,) = held.starts(0.0)
        held.done(started, Refused(FailureReason.BUSY, 503, retryable=True), 0.0, is_settled=False)

    assert held.capacity(0.0).limited == {}


def test_who_throttles_is_left_alone_for_as_long_as_it_says():
    to = recipient("https://a.example")
    held = lanes()
    held.add(delivery(to))
    (started,) = held.starts(0.0)
    held.done(started, Deferred(FailureReason.THROTTLED, 429, 30.0), 0.0, is_settled=False)

    assert held.capacity(29.0).limited == {to.id: 0}
    assert held.capacity(31.0).limited == {to.id: 1}


def test_what_was_claimed_too_long_ago_goes_back_and_the_lane_is_given_less():
    to = recipient("https://a.example")
    held = lanes(each=1)
    for _ in range(4):
        held.add(delivery(to, claimed=1.0))
    list(held.starts(1.0))

    back = held.take_back(5.0, 2.0)

    assert len(back) == 3
    assert held.in_hand == 1
    assert held.capacity(5.0).limited[to.id] == held.share // 2 - 1


def test_all_mail_is_one_lane():
    held = lanes(mails=2)
    for n in range(5):
        held.add(delivery(recipient(f"{n}@example.org", "email")))

    assert len(list(held.starts(0.0))) == 2
    assert held.capacity(0.0).mail == held.share - 5


def test_a_healthy_destination_that_has_all_its_messages_is_forgotten():
    held = lanes()
    for n in range(100):
        held.add(delivery(recipient(f"https://{n}.example")))
        for started in held.starts(0.0):
            held.done(started, Delivered(200), 0.0, is_settled=True)

    assert held._lanes == {}
    assert (held.in_hand, held.in_flight) == (0, 0)


def test_the_first_lane_that_has_rested_is_looked_at_again_then():
    """A dispatch that sleeps until something may be claimed has to know."""
    held = lanes()
    assert held.next_opening(0.0) is None
    for address, seconds in (("https://a.example", 30.0), ("https://b.example", 5.0)):
        held.add(delivery(recipient(address)))
        (started,) = held.starts(0.0)
        held.done(started, Deferred(FailureReason.THROTTLED, 429, seconds), 0.0, is_settled=False)

    assert held.next_opening(1.0) == 5.0
    assert held.next_opening(5.0) == 30.0
    assert held.next_opening(30.0) is None
