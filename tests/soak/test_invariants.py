"""The soak's invariants: each is broken by what it is there for, and by nothing that is explained."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from tests.soak.evidence import DeliveryRow, Evidence, Reader, StatusEvent
from tests.soak.invariants import broken, reasons
from tests.soak.kills import Outage
from tests.soak.old_backup import Restore
from tests.soak.poster import Update
from tests.soak.receivers import Receipt

READER = Reader(UUID(int=1), "plain", "webhook", frozenset(), rate=1.0)
STATUSES = ("in-progress", "at-risk", "met")
EVENTS = [StatusEvent(UUID(int=10 + n), "c", n + 1, status, current=True) for n, status in enumerate(STATUSES)]
ROWS = [DeliveryRow(UUID(int=20 + n), EVENTS[n].id, READER.id, "delivered", None, ("delivered",)) for n in range(3)]
RECEIPTS = [Receipt(100.0 + 10 * n, "plain", ROWS[n].id, "c", STATUSES[n]) for n in range(3)]
RESTORE = Restore(dumped_at=10.0, stopped_at=50.0, released_at=60.0, held={"registry": 1})
SOUND = Evidence(
    updates=[Update(event.id, "c", event.status, "http", 0.0) for event in EVENTS],
    events={event.id: event for event in EVENTS},
    statuses={"c": "met"},
    readers={READER.id: READER},
    deliveries={row.id: row for row in ROWS},
    receipts=RECEIPTS,
    turned_away=Counter(),
    strange=[],
    outages=[],
    restore=RESTORE,
    dead_letters={},
    still_pending=0,
    verify="",
)


def wrong(evidence: Evidence) -> set[str]:
    return {name for name, sentences in broken(evidence).items() if sentences}


def with_row(row: DeliveryRow) -> Evidence:
    return replace(SOUND, deliveries={**SOUND.deliveries, row.id: row})


def test_what_is_sound_breaks_nothing():
    assert wrong(SOUND) == set()


@pytest.mark.parametrize(
    ("evidence", "check"),
    [
        (replace(SOUND, events={e.id: e for e in EVENTS[1:]}, deliveries={r.id: r for r in ROWS[1:]}), "lost"),
        (replace(SOUND, deliveries={r.id: r for r in ROWS[1:]}), "lost"),
        (replace(SOUND, receipts=RECEIPTS[1:]), "lost"),
        (with_row(replace(ROWS[2], state="suppressed", reason="overtaken")), "lost"),
        (replace(SOUND, receipts=[*RECEIPTS, replace(RECEIPTS[2], at=121.0)]), "unexplained repeats"),
        (replace(SOUND, receipts=[RECEIPTS[1], RECEIPTS[0], RECEIPTS[2]]), "inversions"),
        (replace(SOUND, receipts=[RECEIPTS[0], RECEIPTS[2], RECEIPTS[1]]), "untrue last words"),
        (replace(SOUND, statuses={"c": "at-risk"}), "untrue last words"),
        (replace(SOUND, updates=SOUND.updates[1:]), "counts that differ"),
        (with_row(replace(ROWS[1], state="failed")), "counts that differ"),
        (replace(SOUND, still_pending=1), "counts that differ"),
        (replace(SOUND, verify="verify ended with 1"), "books"),
        (replace(SOUND, dead_letters={"status-changed-dead": 1}), "books"),
        (replace(SOUND, strange=["plain refused it with 401"]), "books"),
        (replace(SOUND, turned_away=Counter({("plain", 429): 100})), "floods"),
        (replace(SOUND, restore=replace(RESTORE, sent_while_held=1)), "sent while held"),
        (replace(SOUND, restore=replace(RESTORE, held={})), "sent while held"),
    ],
)
def test_each_fault_is_named(evidence: Evidence, check: str):
    assert check in wrong(evidence)


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(SOUND, outages=[Outage("notifier", 120.5, 121.0)]), "kill"),
        (replace(SOUND, outages=[Outage("postgres", 119.0, 121.0)]), "kill"),
        (replace(SOUND, outages=[Outage("machine", 119.0, 124.0)]), "stall"),
        (replace(SOUND, outages=[Outage("registry", 120.5, 121.0)]), "unexplained"),
        (replace(SOUND, outages=[Outage("notifier", 110.0, 111.0)]), "unexplained"),
        (replace(SOUND, restore=replace(RESTORE, stopped_at=120.5)), "restore"),
        (replace(SOUND, restore=replace(RESTORE, stopped_at=120.5, told=frozenset({ROWS[2].id}))), "unexplained"),
        (with_row(replace(ROWS[2], outcomes=("unknown", "delivered"))), "unheard"),
    ],
)
def test_a_repeat_has_one_of_four_reasons(evidence: Evidence, reason: str):
    again = replace(evidence, receipts=[*RECEIPTS, replace(RECEIPTS[2], at=125.0)])

    assert reasons(again) == {reason: 1}


def test_a_kill_does_not_explain_what_is_on_record_twice():
    row = replace(ROWS[2], outcomes=("delivered", "delivered"))
    fell = replace(with_row(row), outages=[Outage("notifier", 120.5, 121.0)])

    assert reasons(replace(fell, receipts=[*RECEIPTS, replace(RECEIPTS[2], at=125.0)])) == {"unexplained": 1}


def test_what_was_heard_before_a_restore_and_not_known_so_may_have_ended_otherwise():
    """Its one attempt had no answer, was overtaken, and is forgotten with the database that had it on record."""
    row = replace(ROWS[1], state="suppressed", reason="overtaken", outcomes=("forgotten",))

    assert "counts that differ" not in wrong(with_row(row))


def test_what_a_restore_repeats_in_order_is_no_inversion():
    again = [replace(receipt, at=receipt.at + 100) for receipt in RECEIPTS]

    assert wrong(replace(SOUND, receipts=[*RECEIPTS, *again], restore=replace(RESTORE, stopped_at=150.0))) == set()
