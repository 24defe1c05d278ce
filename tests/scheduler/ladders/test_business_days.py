"""Business days of one country, of a province, and of all who are bound; and why a day is none."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Country
from services.scheduler.ladders.business_days import (
    BOUND,
    BusinessCalendar,
    DayOff,
    RegionalCalendar,
    UnknownCalendar,
    count_business_days,
    days_off,
    regional_calendar,
    subdivisions,
)

US, CA, MX = RegionalCalendar(Country.US), RegionalCalendar(Country.CA), RegionalCalendar(Country.MX)
EVERYBODY = (CA, MX, US)
NAMES = [country.value for country in Country] + [
    f"{country.value}-{part}" for country in (Country.US, Country.CA) for part in subdivisions(country)
]
days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
calendars = st.lists(st.sampled_from(NAMES).map(regional_calendar), max_size=3).map(tuple)


def holidays(day: date, *calendars: RegionalCalendar) -> set[tuple[str | None, str | None]]:
    return {(off.calendar, off.holiday) for off in days_off(day, calendars)}


def is_business_day(day: date, calendars: Iterable[RegionalCalendar]) -> bool:
    """Whether all of them work on this day."""
    return not days_off(day, calendars)


def test_three_business_days_before_new_years_eve_2021_is_the_23rd_where_all_three_are_bound() -> None:
    counted = count_business_days(date(2021, 12, 31), -3, EVERYBODY)

    assert date(2021, 12, 23) == counted.day
    assert [(off.day.day, off.why, off.calendar, off.holiday) for off in counted.skipped] == [
        (28, "holiday", "CA", "boxing-day-observed"),
        (27, "holiday", "CA", "christmas-day-observed"),
        (26, "weekend", None, None),
        (25, "weekend", None, None),
        (24, "holiday", "US", "christmas-day-observed"),
    ]


def test_a_mexican_reader_works_between_the_years() -> None:
    assert date(2021, 12, 28) == count_business_days(date(2021, 12, 31), -3, (MX,)).day


@pytest.mark.parametrize(
    ("calendar", "day", "holiday"),
    [
        ("US", date(2026, 1, 19), "martin-luther-king-jr-day"),
        ("US", date(2026, 7, 3), "independence-day-observed"),
        ("US", date(2021, 12, 31), "new-years-day-observed"),
        ("CA", date(2026, 10, 12), "thanksgiving-day"),  # only in the categories of the public service
        ("CA", date(2026, 11, 11), "remembrance-day"),
        ("CA", date(2026, 9, 30), "national-day-for-truth-and-reconciliation"),
        ("CA-QC", date(2026, 6, 24), "saint-john-the-baptist-day"),
        ("CA-QC", date(2026, 9, 30), "national-day-for-truth-and-reconciliation"),
        ("CA-BC", date(2026, 8, 3), "british-columbia-day"),
        ("MX", date(2026, 3, 16), "benito-juarezs-birthday"),
        ("MX", date(2026, 9, 16), "independence-day"),
        ("US-TX", date(2026, 3, 2), "texas-independence-day"),
    ],
)
def test_holidays_have_names(calendar: str, day: date, holiday: str) -> None:
    assert {(calendar, holiday)} == holidays(day, regional_calendar(calendar))


def test_a_holiday_of_one_is_no_business_day_of_all() -> None:
    mexicos = date(2026, 9, 16)

    assert is_business_day(mexicos, (US, CA))
    assert not is_business_day(mexicos, EVERYBODY)
    assert {("CA", "labor-day"), ("US", "labor-day")} == holidays(date(2026, 9, 7), *EVERYBODY)


def test_the_bound_are_the_milestones_countries_and_a_readers_are_his_own() -> None:
    assert BOUND.calendars((Country.US, Country.CA)) == (CA, US)
    assert BusinessCalendar(MX).calendars((Country.US, Country.CA)) == (MX,)


@pytest.mark.parametrize("name", ["", "DE", "US-", "US-XX", "MX-JAL", "CA-QUEBEC", "ca", "-", "US-TX-1"])
def test_holidays_that_nobody_knows_are_refused(name: str) -> None:
    with pytest.raises(UnknownCalendar):
        regional_calendar(name)


def test_every_province_territory_and_state_has_holidays() -> None:
    assert {"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"} == set(
        subdivisions(Country.CA)
    )
    assert len(subdivisions(Country.US)) > 50
    for name in NAMES:
        assert not is_business_day(date(2026, 12, 25), (regional_calendar(name),)), name


@given(days, st.integers(1, 40), calendars, st.booleans())
def test_a_count_leaves_out_just_what_is_no_business_day(
    start: date, count: int, whose: tuple[RegionalCalendar, ...], back: bool
) -> None:
    counted = count_business_days(start, -count if back else count, whose)
    way = [start + timedelta(days=i * (-1 if back else 1)) for i in range(1, abs((counted.day - start).days) + 1)]

    assert is_business_day(counted.day, whose)
    assert sum(is_business_day(day, whose) for day in way) == count
    assert [day for day in way if not is_business_day(day, whose)] == list(
        dict.fromkeys(off.day for off in counted.skipped)
    )


@given(days, calendars, calendars)
def test_all_who_are_bound_work_when_each_of_them_does(
    day: date, some: tuple[RegionalCalendar, ...], others: tuple[RegionalCalendar, ...]
) -> None:
    both = is_business_day(day, some) and is_business_day(day, others)

    assert both == is_business_day(day, some + others)


@given(days, calendars)
def test_a_weekend_is_told_as_one_whoever_has_a_holiday(day: date, whose: tuple[RegionalCalendar, ...]) -> None:
    if day.weekday() >= 5:
        assert (DayOff(day, "weekend"),) == days_off(day, whose)
    else:
        assert {"holiday"} >= {off.why for off in days_off(day, whose)}
