"""What must hold when all is quiet: pure checks over the evidence. Each gives sentences; none means that it holds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from tests.soak.evidence import Evidence, StatusEvent
from tests.soak.kills import MACHINE, Outage
from tests.soak.plan import POSTGRES
from tests.soak.receivers import Receipt

UNTIL_RECORDED = 3.0
"""Seconds from a receipt to the moment at which its result is on record, on a machine that is busy."""
JUST_AFTER = 0.1
"""Seconds from the order to kill a process until it has ended."""
AFTER_AN_OUTAGE = 9.0
"""Seconds after the database's return in which results of before it may still be unrecorded: a lease's length."""
TURNED_AWAY_FIRST, TURNED_AWAY_PER_FAULT, TURNED_AWAY_SHARE = 6, 3, 0.1
"""Answers of 429 that are allowed: to learn a rate, for each fault, and of what was taken."""

Thread = tuple[UUID, str]
"""A subscription and a commitment."""


@dataclass(frozen=True)
class Repeat:
    """A message that came again under its id, and why that is right; None where nothing explains it."""

    first: Receipt
    second: Receipt
    reason: str | None


def nothing_is_lost(e: Evidence) -> Iterator[str]:
    """Every accepted update is in the register, and each reader was told it, or newer news that overtook it."""
    for update in e.updates:
        if update.event_id not in e.events:
            yield f"update {update.event_id} about {update.commitment_id}, accepted over {update.way}, is not known"
    rows = {(row.event_id, row.subscription_id): row for row in e.deliveries.values()}
    got = {receipt.delivery_id for receipt in e.receipts}
    for event in e.events.values():
        for reader in e.readers.values():
            if not reader.wants(event):
                continue
            row = rows.get((event.id, reader.id))
            if row is None:
                yield f"{_about(event)} has no delivery to {reader.name}"
            elif (row.state, row.reason) == ("suppressed", "overtaken") and event is not _newest(e, event):
                continue
            elif row.state != "delivered" or row.id not in got:
                yield f"{_about(event)} for {reader.name} is {row.state} ({row.reason}), received: {row.id in got}"


def nothing_is_told_twice_unexplained(e: Evidence) -> Iterator[str]:
    """A repeat has a fault that explains it."""
    for repeat in repeats(e):
        if repeat.reason is None:
            apart = repeat.second.at - repeat.first.at
            yield f"delivery {repeat.first.delivery_id} came to {repeat.first.name} again {apart:.2f} s later"


def order_is_kept(e: Evidence) -> Iterator[str]:
    """Nobody hears an older status of a commitment after a newer one; what a restore repeats, it repeats in order."""
    restored = {(repeat.second.delivery_id, repeat.second.at) for repeat in repeats(e) if repeat.reason == "restore"}
    newest: dict[Thread, StatusEvent] = {}
    for receipt, thread, event in _heard(e):
        before = newest.get(thread)
        if before is None or event.seq >= before.seq or (receipt.delivery_id, receipt.at) in restored:
            newest[thread] = event
        else:
            yield f"{_about(event)} reached {receipt.name} after number {before.seq} (delivery {receipt.delivery_id})"


def the_last_word_is_true(e: Evidence) -> Iterator[str]:
    """The last that each reader heard of a commitment is how it stands, and it says so in its own words."""
    last = {thread: (event, receipt) for receipt, thread, event in _heard(e)}
    for (reader, commitment), (event, receipt) in last.items():
        if event is not _newest(e, event):
            yield f"{e.readers[reader].name} heard last of {_about(event)}, and {_newest(e, event).seq} holds"
        if receipt.status not in (None, e.statuses[commitment]):
            yield f"{receipt.name} was told {receipt.status} of {commitment}, which is {e.statuses[commitment]}"


def counts_agree(e: Evidence) -> Iterator[str]:
    """As many events as updates, as many delivered as received, nothing pending, nobody told who did not ask."""
    if len(e.events) != len(e.updates):
        yield f"{len(e.updates)} updates were accepted, and the register tells {len(e.events)}"
    delivered = {row.id for row in e.deliveries.values() if row.state == "delivered"}
    got = {receipt.delivery_id for receipt in e.receipts}
    unheard = {row.id for row in e.deliveries.values() if {"unknown", "forgotten"} & set(row.outcomes)}
    if more := delivered - got:
        yield f"{len(more)} count as delivered, and nobody received them, such as {min(more)}"
    if more := got - delivered - unheard:
        yield f"{len(more)} were received, and don't count as delivered, such as {min(more)}"
    for row in e.deliveries.values():
        if not e.readers[row.subscription_id].wants(e.events[row.event_id]):
            yield f"delivery {row.id} is for {e.readers[row.subscription_id].name}, which did not ask for it"
    if e.still_pending:
        yield f"{e.still_pending} deliveries are still pending"


def the_books_are_true(e: Evidence) -> Iterator[str]:
    """`verify` finds nothing, nothing was put aside, and no receiver got what it should not."""
    if e.verify:
        yield e.verify
    yield from (f"{count} records lie on {topic}" for topic, count in e.dead_letters.items())
    yield from e.strange[:5]


def nobody_is_flooded(e: Evidence) -> Iterator[str]:
    """A receiver with a limit is seldom sent more than it takes."""
    for reader in e.readers.values():
        taken, refused = taken_and_turned_away(e, reader.name)
        faults = len(e.outages) + 1
        most = TURNED_AWAY_FIRST + TURNED_AWAY_PER_FAULT * faults + TURNED_AWAY_SHARE * taken
        if reader.rate and refused > most:
            yield f"{reader.name} took {taken} and said {refused} times to wait; {most:.0f} would be usual"


def old_backups_wait(e: Evidence) -> Iterator[str]:
    """After the restore nothing is sent before the operator's word."""
    if e.restore.sent_while_held:
        yield f"{e.restore.sent_while_held} messages came while the old backup was held"
    if not e.restore.held:
        yield "nothing was held after the restore"


CHECKS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "lost": nothing_is_lost,
    "unexplained repeats": nothing_is_told_twice_unexplained,
    "inversions": order_is_kept,
    "untrue last words": the_last_word_is_true,
    "counts that differ": counts_agree,
    "books": the_books_are_true,
    "floods": nobody_is_flooded,
    "sent while held": old_backups_wait,
}


def broken(e: Evidence) -> dict[str, list[str]]:
    """What does not hold, by check."""
    return {name: list(check(e)) for name, check in CHECKS.items()}


def repeats(e: Evidence) -> list[Repeat]:
    """Everything that came more than once under one id, with the first of these rules that explains it.

    - `unheard`: an attempt is on record of which no answer was heard.
    - `restore`: it came first before the database was put back and again after it, and its end was on no topic by then.
    - `kill`: a notifier fell, or the database, before the result could be recorded; then no more than one attempt is on
      record as taken.
    - `stall`: the same where the whole machine stood still for so long that leases ran out.
    """
    by_delivery: dict[UUID, list[Receipt]] = defaultdict(list)
    for receipt in e.receipts:
        by_delivery[receipt.delivery_id].append(receipt)
    return [
        Repeat(first, second, _reason(e, first, second))
        for receipts in by_delivery.values()
        for first, second in pairwise(receipts)
    ]


def reasons(e: Evidence) -> Counter[str]:
    """How many repeats each rule explains."""
    return Counter(repeat.reason or "unexplained" for repeat in repeats(e))


def taken_and_turned_away(e: Evidence, name: str) -> tuple[int, int]:
    """How many messages a receiver took, and how often it asked to wait for its rate's sake."""
    return sum(receipt.name == name for receipt in e.receipts), e.turned_away[name, 429]


def _reason(e: Evidence, first: Receipt, second: Receipt) -> str | None:
    row = e.deliveries.get(first.delivery_id)
    if row is None:
        return None
    if first.at < e.restore.stopped_at < second.at and row.id not in e.restore.told:
        return "restore"
    if "unknown" in row.outcomes:
        return "unheard"
    if row.outcomes.count("delivered") + row.outcomes.count("accepted") > 1:
        return None
    causes = {outage.name for outage in e.outages if _explains(outage, first.at, second.at)}
    return "stall" if causes == {MACHINE} else "kill" if causes else None


def _explains(outage: Outage, first: float, second: float) -> bool:
    if second < outage.begins or first < outage.begins - UNTIL_RECORDED:
        return False
    if outage.name.startswith("notifier"):
        return first <= outage.begins + JUST_AFTER
    return outage.name in (POSTGRES, MACHINE) and first <= outage.ends + AFTER_AN_OUTAGE


def _heard(e: Evidence) -> Iterator[tuple[Receipt, Thread, StatusEvent]]:
    for receipt in e.receipts:
        row = e.deliveries.get(receipt.delivery_id)
        if row is not None:
            event = e.events[row.event_id]
            yield receipt, (row.subscription_id, event.commitment_id), event


def _newest(e: Evidence, event: StatusEvent) -> StatusEvent:
    return e.newest[event.commitment_id]


def _about(event: StatusEvent) -> str:
    return f"number {event.seq} about {event.commitment_id} (event {event.id})"
