"""What must hold when all is quiet, whatever went wrong before: pure checks over what was published, kept and received.

Each gives sentences; none means that the promise holds. The promises are those of the delivery page for readers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log2
from typing import Any
from uuid import UUID

from services.notifier.delivery.fan_out import IncomingEvent
from services.notifier.delivery.retry_policy import MOST_ATTEMPTS
from tests.simulation.receivers import Receipt, Receiver

LONGEST_AFTER_THE_END = 5.0
"""Seconds after an unsubscription in which an attempt may still start."""
CLOCKS_DIFFER = timedelta(seconds=4.5)
"""How far two processes' clocks are apart, with the time that a delivery may be held between claim and start."""
LEAST_THAT_COSTS_A_LEASE = 1.0
"""Seconds of a freeze or an outage, from which on a lease may be lost."""
LONGEST_IN_HAND = 10.0
"""Seconds from a claim to the moment at which its message is received."""
MOST_THROTTLED = 5
"""Answers of 429 that may be needed to learn the rate of a receiver that says how long to wait."""
QUICKEST_PACE = 0.25
"""Seconds between two messages, with which learning may begin: the limit of Teams."""


@dataclass(frozen=True)
class Reader:
    """A subscription as the story knows it."""

    id: UUID
    address: str
    active: Sequence[tuple[float, float]]
    inactive: Sequence[tuple[float, float]]
    ended_at: float | None
    wanted: frozenset[UUID]
    """The events that its filters ask for."""


@dataclass(frozen=True)
class Evidence:
    """All that is known when everything is over."""

    events: Mapping[UUID, IncomingEvent]
    published_at: Mapping[UUID, float]
    read_at: Mapping[UUID, float]
    readers: Mapping[UUID, Reader]
    receivers: Mapping[str, Receiver]
    receipts: Sequence[Receipt]
    starts: Sequence[tuple[float, datetime, UUID, UUID]]
    """Attempts: seconds, business time, delivery, subscription."""
    disturbed: Mapping[str, Sequence[tuple[float, float]]]
    """By process: from when to when it was dead or frozen, or its database was away."""
    clock_was_set: bool
    kept_events: Sequence[Mapping[str, Any]]
    deliveries: Sequence[Mapping[str, Any]]
    attempts: Sequence[Mapping[str, Any]]
    outbox: Sequence[Mapping[str, Any]]
    published: Sequence[UUID]
    """The ids of the records that reached the topics, in order, repeats too."""


def broken_promises(evidence: Evidence) -> list[str]:
    """The promises that did not hold, in words."""
    return [f"{check.__name__}: {sentence}" for check in CHECKS for sentence in check(evidence)]


def nothing_is_lost(e: Evidence) -> Iterator[str]:
    """Every event is kept; every subscription that asked for it, and no other, has one delivery of it."""
    kept = {row["id"] for row in e.kept_events}
    yield from (f"event {id_} is lost" for id_ in e.events if id_ not in kept)
    owed = {(row["event_id"], row["subscription_id"]) for row in e.deliveries if row["reason"] != "paused"}
    for id_ in e.events:
        begun, done = e.published_at[id_], e.read_at.get(id_, float("inf"))
        for reader in e.readers.values():
            has = (id_, reader.id) in owed
            may_be_off = e.receivers[reader.address].gone_at is not None  # it disables its subscriptions
            if id_ in reader.wanted and _covers(reader.active, begun, done) and not has and not may_be_off:
                yield f"event {id_} is not told to subscription {reader.id}, which asked for it"
            if has and (id_ not in reader.wanted or _covers(reader.inactive, begun, done)):
                yield f"event {id_} is told to subscription {reader.id}, which did not ask for it"


def what_is_owed_is_what_there_is(e: Evidence) -> Iterator[str]:
    """Conservation: as many deliveries as events had matches, each at its end, each attempt counted once."""
    count = _count(row["event_id"] for row in e.deliveries)
    for row in e.kept_events:
        there = count.get(row["id"], 0)
        if row["matched"] != there:
            yield f"event {row['id']} matched {row['matched']} subscriptions and has {there} deliveries"
    tries: dict[UUID, list[int]] = defaultdict(list)
    for row in e.attempts:
        tries[row["delivery_id"]].append(row["n"])
    for row in e.deliveries:
        if row["state"] in ("pending", "sending"):
            yield f"delivery {row['id']} is still {row['state']}"
        counted = set(range(1, row["attempts"] + 1))
        # The attempts at a message stand at the row that led it, and count for each.
        if len(set(tries[row["id"]])) != len(tries[row["id"]]) or not (
            counted == set(tries[row["id"]]) or (row["group_id"] is not None and counted >= set(tries[row["id"]]))
        ):
            yield f"delivery {row['id']} counts {row['attempts']} attempts and has {sorted(tries[row['id']])}"


def every_end_is_true(e: Evidence) -> Iterator[str]:
    """What is called delivered was received; what was not sent has a reason that holds."""
    took = {receipt.delivery_id for receipt in e.receipts if receipt.answer == "took"}
    for row in e.deliveries:
        reader, event = e.readers[row["subscription_id"]], e.events[row["event_id"]]
        receiver, id_, reason = e.receivers[reader.address], row["id"], row["reason"]
        match row["state"]:
            case "delivered" if id_ not in took:
                yield f"delivery {id_} is called delivered, and nobody received it"
            case "failed" if not (receiver.refuses or receiver.gone_at is not None or row["attempts"] >= MOST_ATTEMPTS):
                yield f"delivery {id_} failed ({reason}) after {row['attempts']} attempts at a receiver that takes all"
            case "expired" if event.not_after is None or (
                not e.clock_was_set and row["settled_at"] < event.not_after - CLOCKS_DIFFER
            ):
                yield f"delivery {id_} expired at {row['settled_at']}, before {event.not_after}"
            case "cancelled" if not reader.inactive and receiver.gone_at is None:
                yield f"delivery {id_} was cancelled ({reason}), and its subscription never ended"
            case "suppressed" if reason == "overtaken":
                if not _has_newer(e, event):
                    yield f"delivery {id_} was left to newer news, and there is none"
            case "suppressed" if reason == "paused":
                if not reader.inactive:
                    yield f"delivery {id_} was not sent because of a pause, and there was none"
            case "suppressed" if receiver.gone_at is None:
                yield f"delivery {id_} was suppressed ({reason}), and its receiver is there"


def nothing_is_told_twice_unexplained(e: Evidence) -> Iterator[str]:
    """A second message about one event has a cause: the answer to the first was not heard, or its process fell."""
    told: dict[tuple[UUID, UUID], list[Receipt]] = defaultdict(list)
    for receipt in e.receipts:
        told[receipt.event_id, receipt.subscription_id].append(receipt)
    for (event_id, reader), receipts in told.items():
        for first, second in pairwise(receipts):
            if first.answer == "took" and not _fell(e, first, second.at):
                yield f"event {event_id} was told to {reader} at {first.at:.3f} and {second.at:.3f}, without cause"
        if len({receipt.delivery_id for receipt in receipts}) > 1:
            yield f"event {event_id} was told to {reader} under two ids"


def order_is_kept(e: Evidence) -> Iterator[str]:
    """About one commitment nobody hears an older event of a kind after a newer one."""
    newest: dict[tuple[UUID, str, str], Receipt] = {}
    for receipt in e.receipts:
        event = e.events[receipt.event_id]
        thread = (receipt.subscription_id, receipt.commitment_id, event.event.topic)
        before = newest.get(thread)
        if before is not None and event.seq < e.events[before.event_id].seq:
            yield (
                f"{event.event.topic} {event.seq} about {receipt.commitment_id} reached {receipt.subscription_id} at"
                f" {receipt.at:.3f}, after {e.events[before.event_id].seq} at {before.at:.3f}"
            )
        else:
            newest[thread] = receipt


def threads_are_told_in_their_order(e: Evidence) -> Iterator[str]:
    """Whatever a subscription hears about one commitment, it hears in the order in which it was written."""
    positions = {row["id"]: row["position"] for row in e.deliveries}
    newest: dict[tuple[UUID, str], Receipt] = {}
    for receipt in e.receipts:
        thread = (receipt.subscription_id, receipt.commitment_id)
        before = newest.get(thread)
        if before is not None and positions[receipt.delivery_id] < positions[before.delivery_id]:
            yield (
                f"delivery {receipt.delivery_id} reached {receipt.subscription_id} at {receipt.at:.3f}, after the newer"
                f" {before.delivery_id} at {before.at:.3f}"
            )
        else:
            newest[thread] = receipt


def the_last_word_is_true(e: Evidence) -> Iterator[str]:
    """The last status and the last date that a reader has are those that hold, unless the news itself failed."""
    last: dict[tuple[str, str], IncomingEvent] = {}
    for event in e.events.values():
        last[event.traits.commitment, event.event.topic] = event
    states = {(row["event_id"], row["subscription_id"]): row["state"] for row in e.deliveries}
    heard: dict[tuple[UUID, str, str], UUID] = {}
    for receipt in e.receipts:
        topic = e.events[receipt.event_id].event.topic
        heard[receipt.subscription_id, receipt.commitment_id, topic] = receipt.event_id
    for (reader, commitment, topic), event_id in heard.items():
        newest = last[commitment, topic]
        if states.get((newest.event.id, reader)) == "delivered" and event_id != newest.event.id:
            yield (
                f"the last {topic} about {commitment} that {reader} has is {e.events[event_id].seq},"
                f" and {newest.seq} holds"
            )


def nothing_overtaken_is_told_to_people_as_the_newest(e: Evidence) -> Iterator[str]:
    """Who hears of a status or a date when a newer one has waited for them for a while hears that it is an old one."""
    channels = {row["id"]: row["channel"] for row in e.deliveries}
    waits = {(row["event_id"], row["subscription_id"]) for row in e.deliveries if row["state"] == "delivered"}
    for receipt in e.receipts:
        event = e.events[receipt.event_id]
        if receipt.marked is not False or channels[receipt.delivery_id] == "webhook" or event.not_after is not None:
            continue
        for newer in _newer(e, event):
            read_at = e.read_at.get(newer.event.id, float("inf"))
            if (newer.event.id, receipt.subscription_id) in waits and read_at + LONGEST_IN_HAND < receipt.at:
                yield (
                    f"{event.event.topic} {event.seq} about {receipt.commitment_id} was told to"
                    f" {receipt.subscription_id} as the newest at {receipt.at:.3f}, and {newer.seq} was there"
                    f" since {read_at:.3f}"
                )


def being_told_to_wait_is_no_attempt(e: Evidence) -> Iterator[str]:
    """A receiver that throttles costs a delivery none of its attempts, and is not asked again and again."""
    yield from (
        f"delivery {row['delivery_id']} has an attempt that was throttled"
        for row in e.attempts
        if row["reason"] == "throttled"
    )
    for address, receiver in e.receivers.items():
        if receiver.rate and "@" not in address and receiver.throttled > _most_throttled(receiver) + receiver.took // 2:
            yield f"{address} said {receiver.throttled} times to wait, and took {receiver.took}"


def _most_throttled(receiver: Receiver) -> int:
    """Answers of 429 that may be needed to learn a receiver's rate.

    Of one that does not say how long to wait the pace is found by doubling it, from the second strike on; and each time
    it is asked anew after 1 s, 2 s more, 4 s more, until it takes one.
    """
    if receiver.asks_to_wait or not receiver.rate:
        return MOST_THROTTLED
    seconds = 1 / receiver.rate
    doublings = max(ceil(log2(seconds / QUICKEST_PACE)), 0)
    asked_too_soon = floor(log2(seconds + 1))
    return max(MOST_THROTTLED, (2 + doublings) * (1 + asked_too_soon))


def nobody_is_told_after_the_end(e: Evidence) -> Iterator[str]:
    """No attempt starts more than five seconds after an unsubscription, and none with stale news."""
    events = {row["id"]: e.events[row["event_id"]] for row in e.deliveries}
    for at, now, delivery, subscription in e.starts:
        ended = e.readers[subscription].ended_at
        if ended is not None and at > ended + LONGEST_AFTER_THE_END:
            yield f"an attempt at delivery {delivery} starts {at - ended:.1f} s after the unsubscription"
        not_after = events[delivery].not_after
        if not_after is not None and not e.clock_was_set and now > not_after + CLOCKS_DIFFER:
            yield f"an attempt at delivery {delivery} starts at {now}, and {not_after} was its last moment"


def every_end_is_published_once(e: Evidence) -> Iterator[str]:
    """Each delivery's end stands in one event, numbers have no gap, and the topic has all of them in order."""
    said = _count(id_ for row in e.outbox for id_ in row["settled"])
    for row in e.deliveries:
        if row["settled_at"] is not None and said.get(str(row["id"]), 0) != 1:
            yield f"the end of delivery {row['id']} ({row['state']}) is told {said.get(str(row['id']), 0)} times"
    by_key: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in e.outbox:
        by_key[row["topic"], row["key"]].append(row)
    first = {id_: place for place, id_ in reversed(list(enumerate(e.published)))}
    for (topic, key), rows in by_key.items():
        if [row["seq"] for row in rows] != list(range(1, len(rows) + 1)):
            yield f"{topic} about {key} has the numbers {[row['seq'] for row in rows]}"
        places = [first.get(row["event_id"], -1) for row in rows]
        if -1 in places or places != sorted(places):
            yield f"{topic} about {key} reached the topic at {places}"


CHECKS = (
    nothing_is_lost,
    what_is_owed_is_what_there_is,
    every_end_is_true,
    nothing_is_told_twice_unexplained,
    order_is_kept,
    threads_are_told_in_their_order,
    the_last_word_is_true,
    nothing_overtaken_is_told_to_people_as_the_newest,
    being_told_to_wait_is_no_attempt,
    nobody_is_told_after_the_end,
    every_end_is_published_once,
)


def _newer(e: Evidence, event: IncomingEvent) -> Iterator[IncomingEvent]:
    for other in e.events.values():
        same = other.traits.commitment == event.traits.commitment and other.event.topic == event.event.topic
        if same and other.seq > event.seq:
            yield other


def _has_newer(e: Evidence, event: IncomingEvent) -> bool:
    return next(_newer(e, event), None) is not None


def _covers(spans: Sequence[tuple[float, float]], begun: float, done: float) -> bool:
    return any(start <= begun and done <= end for start, end in spans)


def _fell(e: Evidence, receipt: Receipt, until: float) -> bool:
    spans = e.disturbed.get(receipt.process, ())
    return any(start <= until and end >= receipt.at and end - start >= LEAST_THAT_COSTS_A_LEASE for start, end in spans)


def _count(items: Iterable[Any]) -> dict[Any, int]:
    count: dict[Any, int] = defaultdict(int)
    for item in items:
        count[item] += 1
    return count
