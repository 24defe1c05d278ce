"""What a milestone is planned by when a later release says how it is to be read, or how finely it is dated."""

from datetime import date, timedelta

import pytest
from hypothesis import given

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Span
from services.scheduler.escalation.rules.deadline import deadline_of
from services.scheduler.ladders.book import kind_of
from services.scheduler.ladders.planned_as import planned_precision, planned_reading
from services.scheduler.ladders.planning import plan
from tests.scheduler.scenes import NINE_SHARP, milestone, milestones, utc

READ_LATER = Reading.as_kept("not-before")
DATED_LATER = Precision.as_kept("fortnight")
THEN = utc(2021, 11, 18, 18)


def told(what: Milestone) -> list[tuple[str, object, str]]:
    return [(one.step.name, one.due_at, one.state) for one in plan(what, THEN, NINE_SHARP)]


def dated(first: date, last: date | None) -> Span:
    edtf = f"{first}/.." if last is None else f"{first}/{last}"
    return Span.as_kept({"edtf": edtf, "earliest": first, "latest": last, "precision": DATED_LATER})


@given(what=milestones())
def test_with_a_last_day_an_unknown_reading_is_planned_as_to_be_done_by_then(what: Milestone) -> None:
    by = what.model_copy(update={"reading": Reading.BY})
    unknown = what.model_copy(update={"reading": READ_LATER})

    assert kind_of(unknown) == "deadline"
    assert told(unknown) == told(by)
    assert NINE_SHARP.ladder_for(unknown) == NINE_SHARP.ladder_for(by)
    assert deadline_of(unknown) == deadline_of(by)


@pytest.mark.parametrize("span", [milestone(None).span, dated(date(2022, 1, 1), None)])
def test_without_a_last_day_an_unknown_reading_is_reviewed_and_never_overdue(span: Span) -> None:
    unknown = milestone(None).model_copy(update={"reading": READ_LATER, "span": span})

    assert kind_of(unknown) == "review"
    assert told(unknown) == told(milestone(None, reading=Reading.UNDATED))
    assert deadline_of(unknown) is None


@pytest.mark.parametrize("reading", Reading)
def test_what_we_know_is_planned_as_it_says(reading: Reading) -> None:
    assert planned_reading(milestone(date(2022, 1, 1), reading=reading)) is reading


@pytest.mark.parametrize(
    ("days", "precision"),
    [
        (1, Precision.DAY),
        (2, Precision.MONTH),
        (31, Precision.MONTH),
        (32, Precision.SEASON),
        (92, Precision.SEASON),
        (94, Precision.YEAR),
        (366, Precision.YEAR),
        (367, Precision.DECADE),
        (36525, Precision.DECADE),
    ],
)
def test_an_unknown_precision_is_as_fine_as_its_span_is_long(days: int, precision: Precision) -> None:
    first = date(2022, 1, 1)

    assert planned_precision(dated(first, first + timedelta(days=days - 1))) is precision


def test_an_unknown_precision_of_what_is_open_or_undated_fails_nothing() -> None:
    assert planned_precision(dated(date(2022, 1, 1), None)) is Precision.DAY
    undated = Span.as_kept({"edtf": None, "earliest": None, "latest": None, "precision": "fortnight"})
    assert planned_precision(undated) is Precision.UNDATED


@pytest.mark.parametrize("precision", Precision)
def test_a_precision_that_we_know_is_taken_as_it_is(precision: Precision) -> None:
    last = None if precision is Precision.UNDATED else date(2022, 12, 31)
    assert planned_precision(milestone(last, precision=precision).span) is precision


def test_nobody_is_told_a_day_of_an_event_that_is_dated_to_a_fortnight() -> None:
    event = milestone(date(2022, 6, 14), reading=Reading.ON).model_copy(
        update={"span": dated(date(2022, 6, 1), date(2022, 6, 14))}
    )
    steps = {step for step, *_ in told(event)}

    assert "before-7d" in steps
    assert not {"before-1d", "on-the-day"} & steps
