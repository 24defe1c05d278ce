"""Steps and their names, and the days that they come to."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts import events
from services.scheduler.ladders.book_reader import DEFAULT_BOOK
from services.scheduler.ladders.day_count import step_day
from services.scheduler.ladders.ladder import LONGEST_COUNT, ON_THE_DAY, Repeat, Step

steps = st.one_of(
    st.just(ON_THE_DAY),
    st.builds(
        Step,
        st.sampled_from(["before", "after"]),
        st.integers(1, LONGEST_COUNT),
        st.sampled_from(["d", "bd", "w", "m"]),
    ),
    st.builds(Step, st.just("review"), st.integers(1, LONGEST_COUNT)),
)
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))


def test_the_shipped_ladder_is_90_30_7_and_1_days_before_and_thins_out_behind_the_day_for_a_year() -> None:
    [ladder] = DEFAULT_BOOK.ladders

    assert [rung.step.name for rung in ladder.rungs] == [
        "before-90d",
        "before-30d",
        "before-7d",
        "before-1d",
        "on-the-day",
        "after-1d",
        "after-7d",
        "after-30d",
        "after-90d",
        "after-180d",
        "after-365d",
    ]
    assert ladder.repeat == Repeat(30, "d", only_in_digests=True)


@given(steps)
def test_a_steps_name_leads_back_to_it_and_fits_the_contract(step: Step) -> None:
    assert step == Step.named(TypeAdapter(events.Step).validate_python(step.name))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "before-0d",
        "after-007d",
        "after--7d",
        "on-the-day ",
        "before-7",
        "after-٣d",
        "before-7y",
        "review-0",
        "review-",
    ],
)
def test_what_names_no_step_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no step"):
        Step.named(name)


@pytest.mark.parametrize("name", ["before-36601d", "review-99999999"])
def test_a_step_out_of_reach_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="further away than 36600"):
        Step.named(name)


# Days


@given(days, st.integers(0, 200), st.integers(1, 500))
def test_what_is_before_is_counted_from_the_first_day_and_what_is_after_from_the_last(
    first: date, length: int, count: int
) -> None:
    last = first + timedelta(days=length)

    assert step_day(Step("before", count), first, last, ()).day == first - timedelta(days=count)
    assert step_day(Step("after", count), first, last, ()).day == last + timedelta(days=count)
    assert step_day(Step("after", count, "w"), first, last, ()).day == last + timedelta(days=7 * count)
    assert step_day(ON_THE_DAY, first, last, ()).day == first


def test_a_review_is_counted_from_no_day_of_the_milestone() -> None:
    with pytest.raises(ValueError, match="review-1"):
        step_day(Step("review", 1), date(2022, 1, 1), date(2022, 1, 1), ())


@pytest.mark.parametrize(("step", "day"), [("before-1d", date.min), ("before-1m", date.min), ("after-1m", date.max)])
def test_where_the_calendar_ends_there_is_no_day(step: str, day: date) -> None:
    with pytest.raises(OverflowError):
        step_day(Step.named(step), day, day, ())
