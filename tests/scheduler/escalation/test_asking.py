"""An event is asked about first: whatever happens, nothing escalates before the question has gone unanswered."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Acknowledgement
from contracts.vocabulary import Reading
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.cases import CommitmentEscalations, case_in, escalations_after
from services.scheduler.escalation.rules.deadline import Deadline, deadline_of
from services.scheduler.escalation.rules.machine import (
    NothingToOwn,
    acknowledged,
    advanced,
    evidenced,
    moved,
    next_change_at,
    next_level,
    reopened,
    settled,
)
from services.scheduler.escalation.rules.states import (
    Asked,
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    LogNote,
    Owned,
    Settled,
    Transition,
)
from tests.scheduler.scenes import created, milestone, scheduled, utc

SHIPPED = read_escalation_book()
LATEST = date(2023, 1, 10)
SUMMIT = milestone(LATEST, reading=Reading.ON, anchor_id="nals-2022")
EVENT = Deadline(LATEST, "America/Mexico_City", is_event=True)


def at(day: int, wall: time = time(9), month: int = 1) -> datetime:
    """That time in Mexico City on a day of 2023."""
    return datetime.combine(date(2023, month, day), wall, tzinfo=EVENT.zone)


def ack(when: datetime) -> Acknowledgement:
    return Acknowledgement(name="Ana Ruiz", note=None, at=when)


def told(change: Transition) -> list[LevelNotified]:
    return [entry for entry in change[1] if isinstance(entry, LevelNotified)]


def noted(change: Transition) -> list[str]:
    return [entry.what for entry in change[1] if isinstance(entry, LogNote)]


def test_the_day_after_it_is_asked_and_fourteen_days_later_the_first_level_is_told() -> None:
    state: EscalationState = Dormant()
    log: list[tuple[datetime, str]] = []
    now = at(9)
    while now <= at(15, month=2):
        state, entries = advanced(state, EVENT, SHIPPED, now)
        log += [(now, f"level {e.rank}" if isinstance(e, LevelNotified) else e.what) for e in entries]
        now += timedelta(hours=1)

    assert log == [
        (at(11, time(0)), "asked"),
        (at(25), "unanswered"),
        (at(25), "level 1"),
        (at(1, month=2), "level 2"),
        (at(15, month=2), "level 3"),
    ]


def test_a_question_that_came_late_counts_from_the_day_on_which_it_came() -> None:
    """The scheduler was away for a month: nobody has been asked, so nobody has kept silent."""
    state, entries = advanced(Dormant(), EVENT, SHIPPED, at(20, month=2))

    assert (state, entries) == (Asked(1, date(2023, 2, 20)), (LogNote("asked", 1),))
    assert next_change_at(state, EVENT, SHIPPED) == at(6, month=3)
    level = next_level(state, SHIPPED)
    assert level and level.level == "focal-point"


@pytest.mark.parametrize("days", [1, 14, 60])
def test_how_long_an_answer_may_take_is_data(days: int) -> None:
    book = SHIPPED.model_copy(update={"answer_within_days": days})
    change = advanced(Asked(1, date(2023, 1, 11)), EVENT, book, at(11) + timedelta(days=days))

    [message] = told(change)
    assert (message.rank, message.round, message.days, noted(change)) == (1, 1, 1 + days, ["unanswered"])


def test_held_moved_to_come_or_cancelled_answers_it() -> None:
    asked = Asked(1, date(2023, 1, 11))

    assert settled(asked) == (Settled(1), (LogNote("settled", 1),))
    assert moved(asked, replace(EVENT, latest=date(2023, 6, 1)), at(12)) == (Dormant(1), (LogNote("withdrawn", 1),))
    assert moved(asked, None, at(12)) == (Dormant(1), (LogNote("withdrawn", 1),))


def test_another_day_that_is_past_too_is_asked_about_anew() -> None:
    asked = Asked(1, date(2023, 1, 11))

    again = moved(asked, replace(EVENT, latest=date(2023, 1, 18)), at(20))

    assert again == (Asked(1, date(2023, 1, 20)), (LogNote("asked", 1),))
    assert moved(asked, replace(EVENT, is_event=False), at(20))[0] == Climbing(1, date(2023, 1, 20)), "a deadline now"


def test_who_is_on_it_has_no_less_time_than_an_answer() -> None:
    hasty = SHIPPED.model_copy(update={"evidence_within_days": 1})
    owned, _ = acknowledged(Asked(1, date(2023, 1, 11)), EVENT, hasty, ack(at(11)))

    assert isinstance(owned, Owned)
    assert next_change_at(owned, EVENT, hasty) == at(25)
    assert next_change_at(owned, replace(EVENT, is_event=False), hasty) == at(12)


def test_an_event_that_is_not_over_is_not_said_to_be_overdue() -> None:
    with pytest.raises(NothingToOwn, match="the event is not over: its last day is 2023-01-10"):
        acknowledged(Dormant(), EVENT, SHIPPED, ack(at(10)))
    owned, entries = acknowledged(Dormant(), EVENT, SHIPPED, ack(at(11)))
    assert isinstance(owned, Owned)
    assert noted((owned, entries)) == ["asked", "acknowledged"]


def test_what_a_release_before_counted_as_overdue_is_asked_about_before_any_level_is_told() -> None:
    untold, told_already = Climbing(1, LATEST), Climbing(1, LATEST, 1, 1)

    assert case_in(untold, SUMMIT, 1).state == Asked(1, LATEST)
    assert case_in(told_already, SUMMIT, 1).state == told_already
    assert case_in(untold, milestone(LATEST), 1).state == untold


def test_the_events_of_a_commitment_begin_with_the_question_and_its_deadlines_do_not() -> None:
    watch = CommitmentEscalations()
    for event in (created(), scheduled(SUMMIT), scheduled(milestone(LATEST, id_="by-then"))):
        watch, _ = escalations_after(watch, event, utc(2026, 11, 29))

    assert isinstance(watch.cases[SUMMIT.id].state, Asked)
    assert isinstance(watch.cases["by-then"].state, Climbing)
    held = scheduled(SUMMIT.model_copy(update={"held": True}), 2, change="held")
    after, log = escalations_after(watch, held, utc(2026, 12, 1))
    assert isinstance(after.cases[SUMMIT.id].state, Settled)
    assert [(name, entry.what) for name, entry in log if isinstance(entry, LogNote)] == [(SUMMIT.id, "settled")]


books = st.builds(
    lambda answer, evidence, first: SHIPPED.model_copy(
        update={
            "answer_within_days": answer,
            "evidence_within_days": evidence,
            "levels": (SHIPPED.levels[0].model_copy(update={"wait": first}), *SHIPPED.levels[1:]),
        }
    ),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 20),
)
happenings = st.lists(
    st.tuples(
        st.sampled_from(["tick", "tick", "tick", "acknowledged", "evidence", "moved", "settled", "reopened"]),
        st.timedeltas(timedelta(), timedelta(days=30)),
        st.integers(-20, 5),
    ),
    min_size=1,
    max_size=25,
)


def happens(
    what: str, state: EscalationState, deadline: Deadline, book: EscalationBook, now: datetime, days: int
) -> tuple[Transition, Deadline]:
    match what:
        case "acknowledged":
            try:
                return acknowledged(state, deadline, book, ack(now)), deadline
            except NothingToOwn:
                return (state, ()), deadline
        case "evidence":
            return evidenced(state, deadline, now), deadline
        case "moved":
            other = replace(deadline, latest=now.date() + timedelta(days=days))
            return moved(state, other, now), other
        case "settled":
            return settled(state), deadline
        case "reopened":
            return reopened(state, deadline, now), deadline
        case _:
            return advanced(state, deadline, book, now), deadline


@given(books, happenings)
def test_whatever_happens_no_level_is_told_before_the_question_has_gone_unanswered(
    book: EscalationBook, steps: list[tuple[str, timedelta, int]]
) -> None:
    """Nor is an event ever noted as overdue; and while it is open, it is known when the next thing happens."""
    state: EscalationState = Dormant()
    deadline, now = EVENT, datetime(2023, 1, 9, tzinfo=UTC)
    asked_on: date | None = None
    for what, pause, days in steps:
        now += pause
        (state, entries), deadline = happens(what, state, deadline, book, now, days)
        assert "overdue" not in noted((state, entries))
        if isinstance(state, Dormant | Settled):
            asked_on = None
        elif "asked" in noted((state, entries)):
            asked_on = deadline.day_at(now)
        for message in told((state, entries)):
            assert asked_on is not None
            assert deadline.day_at(now) >= asked_on + timedelta(days=book.answer_within_days)
            assert message.rank >= 1
        if isinstance(state, Asked | Climbing | Owned):
            assert next_change_at(state, deadline, book) is not None


@given(st.sampled_from(list(Reading)), st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_a_deadline_of_an_event_says_so(reading: Reading, latest: date) -> None:
    what = milestone(latest, reading=reading)
    deadline = deadline_of(what)

    assert deadline is None or deadline.is_event == (reading is Reading.ON) == what.is_event
