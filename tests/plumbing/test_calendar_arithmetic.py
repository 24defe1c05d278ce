"""Months are added to days, and the shorter month decides."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.calendar_arithmetic import add_months

days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
months = st.integers(-1200, 1200)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2022, 3, 31), -1, date(2022, 2, 28)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2022, 2, 28), -1, date(2022, 1, 28)),  # a month's last day does not stick
        (date(2021, 12, 31), 2, date(2022, 2, 28)),
        (date(2022, 1, 15), -1, date(2021, 12, 15)),
    ],
)
def test_a_month_away_is_the_same_day_or_the_last_of_a_shorter_month(day: date, count: int, expected: date) -> None:
    assert expected == add_months(day, count)


def test_a_month_back_and_a_month_on_need_not_come_home() -> None:
    assert date(2022, 3, 28) == add_months(add_months(date(2022, 3, 31), -1), 1)


@given(days, months)
def test_months_keep_the_day_unless_the_month_is_too_short(day: date, count: int) -> None:
    there = add_months(day, count)

    assert (there.year * 12 + there.month) - (day.year * 12 + day.month) == count
    assert there.day == min(day.day, monthrange(there.year, there.month)[1])


@given(days, days, months)
def test_months_never_change_the_order_of_two_days(one: date, other: date, count: int) -> None:
    first, second = sorted((one, other))

    assert add_months(first, count) <= add_months(second, count)


@given(days, months)
def test_a_month_more_is_always_later(day: date, count: int) -> None:
    assert add_months(day, count) < add_months(day, count + 1)


@given(days, months)
def test_back_again_is_home_or_the_last_day_of_the_shorter_month(day: date, count: int) -> None:
    home = add_months(add_months(day, count), -count)

    assert home == day or (home < day and day.day > 28 and (day - home).days <= 3)


@given(days, months)
def test_a_shorter_months_last_day_is_taken(day: date, count: int) -> None:
    later = add_months(day, count)

    assert later.day == day.day or (later.day < day.day and (later + timedelta(1)).day == 1)


@pytest.mark.parametrize(
    ("day", "count"), [(date(1, 1, 31), -1), (date(9999, 12, 1), 1), (date(2000, 1, 1), 12 * 8000)]
)
def test_outside_the_calendar_there_is_no_day(day: date, count: int) -> None:
    with pytest.raises(OverflowError):
        add_months(day, count)
