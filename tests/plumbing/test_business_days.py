"""Business days of one country, of a province, and of all who are bound; and why a day is none."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from holidays import list_supported_countries
from hypothesis import given, settings
from hypothesis import strategies as st

from services.plumbing.business_days import (
    DayOff,
    RegionalCalendar,
    UnknownCalendar,
    count_business_days,
    days_off,
    holiday_in_english,
    holiday_regions,
    regional_calendar,
)
from services.scheduler.ladders.business_calendar import BOUND, BusinessCalendar
from tests.scheduler.scenes import ALL

US, CA, MX = RegionalCalendar("US"), RegionalCalendar("CA"), RegionalCalendar("MX")
EVERYBODY = (CA, MX, US)
NAMES = [*ALL, *(f"{country}-{part}" for country in ("US", "CA") for part in sorted(holiday_regions()[country]))]
FRIDAY_AND_SATURDAY = ("BD", "BH", "DZ", "EG", "IQ", "JO", "KW", "OM", "QA", "SA", "SD", "SY", "YE")
days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
recent_days = st.dates(date(2015, 1, 1), date(2040, 12, 31))
calendars = st.lists(st.sampled_from(NAMES).map(regional_calendar), max_size=3).map(tuple)
of_the_world = st.sampled_from(sorted(list_supported_countries(include_aliases=False)))
parties = st.lists(of_the_world | st.sampled_from(["org-european-union", "org-african-union", "ZZ"]), max_size=4)


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


def test_the_bound_are_the_milestones_parties_and_a_readers_are_his_own() -> None:
    assert BOUND.calendars(("US", "CA")) == (CA, US)
    assert BusinessCalendar(MX).calendars(("US", "CA")) == (MX,)


@pytest.mark.parametrize(
    "name", ["", "ZZ", "org-european-union", "US-", "US-XX", "MX-JAL", "CA-QUEBEC", "ca", "-", "US-TX-1"]
)
def test_holidays_that_nobody_knows_are_refused(name: str) -> None:
    with pytest.raises(UnknownCalendar):
        regional_calendar(name)


def test_every_province_territory_and_state_has_holidays() -> None:
    assert {"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"} == holiday_regions()["CA"]
    assert len(holiday_regions()["US"]) > 50
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


# Of other countries, and of who is none


def weekdays_off(*names: str, of: date = date(2026, 6, 1)) -> set[int]:
    """The days of a week without holidays on which somebody of them does not work, Monday being 0."""
    week = [of + timedelta(days=n - of.weekday()) for n in range(7)]
    whose = tuple(RegionalCalendar(name) for name in names)
    return {day.weekday() for day in week if {off.why for off in days_off(day, whose)} == {"weekend"}}


@pytest.mark.parametrize("country", FRIDAY_AND_SATURDAY)
def test_some_countries_rest_on_friday_and_saturday(country: str) -> None:
    assert {4, 5} == weekdays_off(country)


def test_a_weekend_is_that_of_its_year() -> None:
    assert {4, 5} == weekdays_off("AE", of=date(2021, 6, 7))
    assert {5, 6} == weekdays_off("AE", of=date(2022, 6, 6))


def test_of_several_it_is_everybodys_weekend() -> None:
    assert {4, 5, 6} == weekdays_off("SA", "US")
    assert date(2026, 6, 4) == count_business_days(date(2026, 6, 8), -1, BOUND.calendars(("SA", "US"))).day


def test_an_organisation_works_from_monday_to_friday_and_has_no_holidays() -> None:
    union = BOUND.calendars(("org-european-union",))

    assert {5, 6} == weekdays_off("org-european-union")
    assert {4, 5, 6} == weekdays_off("org-european-union", "EG")
    assert count_business_days(date(2026, 12, 24), 1, union).day == date(2026, 12, 25)
    assert days_off(date(2026, 12, 25), BOUND.calendars(("org-european-union", "BE"))) == (
        DayOff(date(2026, 12, 25), "holiday", "BE", "christmas-day"),
    )


def test_a_saturday_that_is_worked_in_place_of_another_day_is_a_business_day() -> None:
    china = (regional_calendar("CN"),)

    assert is_business_day(date(2025, 2, 8), china)  # after the Spring Festival
    assert not is_business_day(date(2025, 2, 15), china)


@pytest.mark.parametrize("year", [2000, 2035, 2037, 2060])
def test_of_a_year_that_is_known_in_part_the_known_holidays_count(year: int) -> None:
    """
    India's that follow the moon are known from 2001 to 2035. A warning of the library would turn this red.
    """
    india = (regional_calendar("IN"),)

    assert (DayOff(date(year, 1, 26), "holiday", "IN", "republic-day"),) == days_off(date(year, 1, 26), india)


@settings(max_examples=60, deadline=None)
@given(recent_days, st.integers(1, 15), parties, st.booleans())
def test_whoever_is_bound_there_is_a_day_on_which_all_of_them_work(
    start: date, count: int, bound: list[str], back: bool
) -> None:
    whose = BOUND.calendars(bound)
    counted = count_business_days(start, -count if back else count, whose)

    assert is_business_day(counted.day, whose)
    assert abs((counted.day - start).days) <= 20 + 7 * count
    for off in counted.skipped:
        assert off.why == "weekend" or (off.holiday and off.calendar in bound)


@settings(max_examples=40, deadline=None)
@given(recent_days, of_the_world)
def test_every_holiday_of_the_world_has_an_id_and_an_english_name(day: date, country: str) -> None:
    calendar = regional_calendar(country)
    for n in range(366):
        for off in days_off(day + timedelta(days=n), (calendar,)):
            if off.why == "holiday":
                assert off.holiday
                assert holiday_in_english(off)
