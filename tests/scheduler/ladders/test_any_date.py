"""Whatever dates an event brings, planning ends in a few steps, and only steps are planned that can be read again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Span
from services.scheduler.escalation.rules import machine
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.rules.cases import new_case
from services.scheduler.ladders import countdown as counting
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.ladders.due_reminder import due_reminder
from services.scheduler.ladders.ladder import LONGEST_COUNT, Step
from services.scheduler.ladders.planning import left_out_rungs, plan
from services.scheduler.previews.rules.preview import preview_moments, upcoming_levels
from services.scheduler.reminders.rules.agenda import MilestoneSchedule
from tests.scheduler.scenes import brief, milestone, text

MOST_DAYS_COUNTED = 400
"""For what is done below to one milestone of a ladder of five rungs: a loop that doesn't end counts on."""

days = st.one_of(
    st.dates(),
    st.sampled_from([date.min, date.max, date(9999, 12, 30), date(9998, 12, 31), date(1, 1, 2), date(1921, 6, 30)]),
)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(["America/Mexico_City", "America/Toronto", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
steps = st.builds(
    lambda side, count, unit: f"{side}-{count}{unit}",
    st.sampled_from(["before", "after"]),
    st.one_of(st.integers(1, 120), st.just(LONGEST_COUNT)),
    st.sampled_from(["d", "w", "m"]),
)
books = st.builds(
    lambda rungs, every: read_ladder_book(f"ladders: [{{name: all, rungs: [{', '.join(rungs)}]{every}}}]"),
    st.lists(steps, min_size=1, max_size=5, unique=True),
    st.sampled_from(["", ", every: 1d", ", every: 30d", ", every: 3w", ", every: 1m"]),
)


@st.composite
def any_milestones(draw: st.DrawFn) -> Milestone:
    first, last = sorted((draw(days), draw(days)))
    reading = draw(st.sampled_from([one for one in Reading if one is not Reading.UNDATED]))
    local_time = draw(st.sampled_from([None, "23:59"]))
    what = milestone(last, earliest=first, reading=reading, zone=draw(zones), local_time=local_time)
    precision = draw(st.sampled_from([one for one in Precision if one is not Precision.UNDATED]))
    if draw(st.booleans()):
        span = Span(edtf=f"{first}/{last}", earliest=first, latest=last, precision=precision)
    else:
        span = Span(edtf=f"{first}/..", earliest=first, latest=None, precision=precision)
    return what.model_copy(update={"span": span})


@contextmanager
def bounded() -> Iterator[None]:
    """Raises AssertionError in what counts days without an end."""
    counted = 0
    counts = counting.step_day

    def count(*arguments: Any) -> Any:
        nonlocal counted
        counted += 1
        assert counted < MOST_DAYS_COUNTED, "it goes on and on"
        return counts(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "step_day", count)
        yield


LAST_DAYS = milestone(date.max, earliest=date(9999, 12, 30))
LONG_AGO = milestone(date(1, 1, 1))
MISTYPED = milestone(date(1921, 6, 30))
BOOK = read_ladder_book("ladders: [{name: all, rungs: [on-the-day, after-7d], every: 30d}]")
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@example(LAST_DAYS, BOOK, NOW)
@example(LONG_AGO, BOOK, NOW)
@example(MISTYPED, BOOK, NOW)
@given(any_milestones(), books, instants)
def test_any_date_is_planned_shown_and_told_in_a_few_steps_that_can_be_read(
    what: Milestone, book: LadderBook, at: datetime
) -> None:
    schedule = MilestoneSchedule(brief(), what, 1, at, settled=False)
    with bounded():
        planned = plan(what, at, book)
        again = plan(what, at, book, scheduled_at=at, fired=[one.step for one in planned], moved={})
        count = counting.countdown(what, book, at)
        shown = preview_moments(schedule, (), count, at, 3)
        left_out_rungs(what, book)
        told = [due_reminder(count, {one.step: one.due_at}, one.due_at) for one in planned if one.state == "pending"]
    written = [one.step for one in (*planned, *again, *shown)] + [one.follow_up.step for one in told if one.follow_up]
    assert written == [Step.named(step.name) for step in written]
    assert all(one.reason.day for one in planned)


@given(any_milestones(), books, instants, st.integers(LONGEST_COUNT // 30 + 1, 33_000_000))
def test_a_step_that_was_planned_before_there_was_an_end_is_read_and_nothing_follows_it(
    what: Milestone, book: LadderBook, at: datetime, thirties: int
) -> None:
    step = Step.stored(f"after-{thirties * 30}d")
    count = counting.countdown(what, book, at)
    with bounded():
        planned = plan(what, at, book, fired=[step])
        due_at = count.due_at(step)
        told = due_reminder(count, {step: due_at}, due_at) if due_at and count.is_endless(step) else None

    assert step.name == f"after-{thirties * 30}d"
    assert all(one.step.is_in_reach for one in planned)
    assert told is None or (told.step, told.follow_up) == (step, None)


waits = st.integers(1, 3660)
escalation_books = st.builds(
    lambda waits, repeat, window: EscalationBook(
        levels=tuple(EscalationLevel(level=f"level-{i}", title=text("l"), wait=wait) for i, wait in enumerate(waits)),
        repeat_days=repeat,
        evidence_within_days=window,
    ),
    st.lists(waits, min_size=1, max_size=4),
    waits,
    waits,
)


@given(any_milestones(), escalation_books, instants, st.timedeltas(timedelta(), timedelta(days=3660)))
def test_any_date_is_escalated_or_never_overdue(
    what: Milestone, book: EscalationBook, at: datetime, later: timedelta
) -> None:
    case, _ = new_case(what, 1, over=False, at=at)
    coming = upcoming_levels(case.state, case.deadline, book)
    state, _ = machine.advanced(case.state, case.deadline, book, at + later)
    machine.next_change_at(state, case.deadline, book)

    assert len(coming) <= len(book.levels) + 1
