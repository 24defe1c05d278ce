"""Wall clocks and instants, by the zone data of the package and through every change of the clocks."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.plumbing import zones
from services.plumbing.zones import clock_on, instant_at, zone_named
from tests.scheduler.scenes import utc
from tests.scheduler.scenes import zones as zone_names


@cache
def countries_zones() -> tuple[str, ...]:
    """Every zone that the zone data knows of the United States, Canada and Mexico."""
    found = set()
    for table in ("zone.tab", "zone1970.tab"):
        for line in resources.files("tzdata").joinpath("zoneinfo", table).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                codes, _, name, *_ = line.split("\t")
                if {"US", "CA", "MX"} & set(codes.split(",")):
                    found.add(name)
    return tuple(sorted(found))


@cache
def changes(name: str) -> tuple[tuple[datetime, timedelta, timedelta], ...]:
    """When the clocks of a zone change between 2020 and 2040, and their distances from UTC before and after."""
    return tuple(_changes(zone_named(name)))


def _changes(zone: zoneinfo.ZoneInfo) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    def offset(at: datetime) -> timedelta:
        found = at.astimezone(zone).utcoffset()
        assert found is not None
        return found

    noons = [utc(2019, 12, 31) + timedelta(days=i) for i in range(366 * 21 + 2)]
    for low, high in pairwise(noons):
        if (before := offset(low)) != (after := offset(high)):
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            yield high.replace(microsecond=0), before, after


def test_zone_data_comes_from_the_package_alone() -> None:
    assert zoneinfo.TZPATH == ()


def test_mexico_has_no_summer_time_since_2022() -> None:
    assert utc(2022, 7, 1, 14) == instant_at(date(2022, 7, 1), time(9), zone_named("America/Mexico_City"))
    assert utc(2023, 7, 1, 15) == instant_at(date(2023, 7, 1), time(9), zone_named("America/Mexico_City"))


def test_a_time_in_a_gap_is_the_first_instant_after_it() -> None:
    assert utc(2024, 3, 10, 7) == instant_at(date(2024, 3, 10), time(2, 30), zone_named("America/New_York"))


def test_a_time_that_comes_twice_is_its_first_occurrence() -> None:
    assert utc(2024, 11, 3, 5, 30) == instant_at(date(2024, 11, 3), time(1, 30), zone_named("America/New_York"))


@pytest.mark.parametrize(
    ("day", "wall", "clock"),
    [
        (date(2024, 3, 10), time(2, 30), "gap"),
        (date(2024, 11, 3), time(1, 30), "overlap"),
        (date(2024, 11, 3), time(2), "as-told"),
        (date(2024, 3, 10), time(3), "as-told"),
    ],
)
def test_it_can_be_said_what_the_clocks_did(day: date, wall: time, clock: str) -> None:
    assert clock == clock_on(day, wall, zone_named("America/New_York"))


def test_a_day_that_a_country_skipped_is_over_when_it_would_have_begun() -> None:
    assert utc(2011, 12, 30, 10) == instant_at(date(2011, 12, 30), time(9), zone_named("Pacific/Apia"))


@settings(max_examples=500)
@given(
    st.deferred(lambda: st.sampled_from(countries_zones())),
    st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    st.times().map(lambda t: t.replace(microsecond=0, tzinfo=None)),
)
def test_an_instant_shows_its_wall_time_or_is_the_first_after_a_gap(name: str, day: date, wall: time) -> None:
    zone = zone_named(name)
    instant = instant_at(day, wall, zone)
    local = instant.astimezone(zone).replace(tzinfo=None)
    wanted = datetime.combine(day, wall)

    if local == wanted:
        hours_before = [(instant - timedelta(minutes=m)).astimezone(zone) for m in (30, 60, 120)]
        assert wanted not in [earlier.replace(tzinfo=None) for earlier in hours_before]
    else:
        just_before = (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert just_before < wanted < local


@given(zone_names, st.dates(date(2020, 1, 1), date(2040, 12, 30)), st.times(), st.times())
def test_later_days_are_later_instants(name: str, day: date, wall: time, other: time) -> None:
    zone = zone_named(name)

    assert instant_at(day, wall, zone) < instant_at(day + timedelta(days=2), other, zone)


def test_the_release_of_the_zone_data_is_known() -> None:
    assert zones.ZONE_DATA


def test_every_zone_of_the_three_countries_is_looked_at() -> None:
    assert {"America/Mexico_City", "America/Toronto", "America/New_York", "America/St_Johns", "Pacific/Honolulu"} < set(
        countries_zones()
    )
    assert len(countries_zones()) >= 60


@pytest.mark.slow
def test_through_every_change_of_the_clocks_until_2040_a_gap_gives_its_end_and_an_overlap_its_first_time() -> None:
    """More than 100,000 wall times, around each change in each zone of the three countries."""
    cases = kinds = 0
    for name in countries_zones():
        zone = zone_named(name)
        for at, before, after in changes(name):
            start = (at + before).replace(tzinfo=None) - timedelta(hours=2)
            for minutes in range(0, 300, 5):
                wall = start + timedelta(minutes=minutes)
                by_the_old, by_the_new = ((wall - offset).replace(tzinfo=UTC) for offset in (before, after))
                expected = by_the_old if by_the_old < at else max(at, by_the_new)
                clock = "as-told"
                if by_the_old >= at > by_the_new:
                    clock = "gap"
                elif by_the_old < at <= by_the_new:
                    clock = "overlap"

                assert expected == instant_at(wall.date(), wall.time(), zone), (name, wall)
                assert clock == clock_on(wall.date(), wall.time(), zone), (name, wall)
                cases += 1
                kinds += clock != "as-told"
    assert cases >= 100_000
    assert kinds >= 10_000
