"""A level that was told before an old backup is told, and what is next goes on from it: by the message alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.deadline import Deadline
from services.scheduler.escalation.rules.machine import advanced
from services.scheduler.escalation.rules.retracing import retraced
from services.scheduler.escalation.rules.states import (
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    LogEntry,
    LogNote,
    Settled,
)
from tests.scheduler.escalation.test_asking import EVENT, SHIPPED, at, books, happens

DEADLINE = replace(EVENT, is_event=False)
pauses = st.timedeltas(timedelta(), timedelta(days=60))


def replayed(
    state: EscalationState,
    deadline: Deadline,
    book: EscalationBook,
    told: list[tuple[LevelNotified, datetime]],
) -> tuple[EscalationState, list[LogEntry]]:
    log: list[LogEntry] = []
    for level, instant in told:
        state, entries = retraced(state, deadline, book, level, instant)
        log += entries
    return state, log


@given(st.sampled_from([EVENT, DEADLINE]), books, st.lists(pauses, min_size=1, max_size=15), st.integers(0, 14))
def test_from_any_backup_the_messages_lead_to_the_same_state_and_the_same_log(
    deadline: Deadline, book: EscalationBook, ticks: list[timedelta], backup_at: int
) -> None:
    """However late it was looked: an event is asked about on the day of the look behind its own."""
    now = datetime(2023, 1, 9, tzinfo=UTC)
    state: EscalationState = Dormant()
    backup, behind_last = state, state
    since: list[LogEntry] = []
    known: list[LogEntry] = []
    told: list[tuple[LevelNotified, datetime]] = []
    for number, pause in enumerate(ticks):
        if number == backup_at:
            backup, behind_last, known, since, told = state, state, since, [], []
        now += pause
        state, entries = advanced(state, deadline, book, now)
        since += entries
        if entries and isinstance(entries[-1], LevelNotified):
            told.append((entries[-1], now))
            behind_last, known = state, [*since]
    if not told:
        return

    assert replayed(backup, deadline, book, told) == (behind_last, known)


steps = st.lists(st.tuples(st.sampled_from(["tick", "tick", "acknowledged", "evidence"]), pauses), min_size=1)


@given(st.sampled_from([EVENT, DEADLINE]), books, steps, st.integers(0, 10))
def test_whatever_is_lost_beside_each_level_that_was_told_is_in_the_log_and_the_next_one_comes(
    deadline: Deadline, book: EscalationBook, happened: list[tuple[str, timedelta]], backup_at: int
) -> None:
    now = datetime(2023, 1, 9, tzinfo=UTC)
    state: EscalationState = Dormant()
    backup, behind_last = state, state
    told: list[tuple[LevelNotified, datetime]] = []
    for number, (what, pause) in enumerate(happened):
        if number == backup_at:
            backup, behind_last, told = state, state, []
        now += pause
        (state, entries), _ = happens(what, state, deadline, book, now, 0)
        if entries and isinstance(entries[-1], LevelNotified):
            told.append((entries[-1], now))
            behind_last = state

    after, log = replayed(backup, deadline, book, told)
    assert after == behind_last
    assert [entry for entry in log if isinstance(entry, LevelNotified)] == [level for level, _ in told]


def test_what_has_gone_further_stays_there_and_the_log_is_added_to() -> None:
    """A commitment that was met behind the message, say, which the scheduler has heard of already."""
    now = at(1, month=4)
    asked, _ = advanced(Dormant(), EVENT, SHIPPED, at(12))
    first, entries = advanced(asked, EVENT, SHIPPED, now)
    told = entries[-1]
    assert isinstance(told, LevelNotified)
    assert isinstance(first, Climbing)

    for state in (Settled(1), Dormant(1), replace(first, rank=first.rank + 1), first):
        assert retraced(state, EVENT, SHIPPED, told, now) == (state, (told,))


def test_an_event_that_was_asked_about_late_is_noted_as_asked_and_unanswered() -> None:
    asked, asking = advanced(Dormant(), EVENT, SHIPPED, at(1, month=3))
    climbing, entries = advanced(asked, EVENT, SHIPPED, at(1, month=4))
    told = entries[-1]
    assert isinstance(told, LevelNotified)

    assert retraced(Dormant(), EVENT, SHIPPED, told, at(1, month=4)) == (climbing, (*asking, *entries))
    assert [note.what for note in (*asking, *entries) if isinstance(note, LogNote)] == [
        "asked",
        "unanswered",
        "skipped",
    ]
