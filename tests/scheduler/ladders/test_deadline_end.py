"""When a joint deadline has passed: with the day of the last capital, of whichever parties."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Reading
from services.plumbing.capital_zones import capital_zones, last_to_end
from services.plumbing.zones import day_in, instant_at, zone_named
from services.scheduler.ladders.deadline_end import day_ends
from services.scheduler.ladders.due_reminder import phase_at
from tests.plumbing.test_zones import changes
from tests.scheduler.scenes import ALL, counting, milestone, utc

CAPITALS = {"CA": "America/Toronto", "MX": "America/Mexico_City", "US": "America/New_York"}
CHANGES = sorted({at.date() for name in CAPITALS.values() for at, *_ in changes(name)})
days = st.dates(date(2020, 1, 1), date(2040, 12, 30)) | st.builds(
    lambda day, by: day + timedelta(days=by), st.sampled_from(CHANGES), st.integers(-2, 2)
)
twenty = st.sets(st.sampled_from(sorted(capital_zones())), min_size=1, max_size=20)
some_of_three = st.sets(st.sampled_from(ALL), min_size=1)


def zone_of(parties: Iterable[str]) -> str:
    """In which the register counts the days of a joint milestone."""
    return last_to_end(capital_zones()[party] for party in parties)


def test_new_years_eve_ends_in_mexico_city_an_hour_after_ottawa_and_washington() -> None:
    eve = date(2021, 12, 31)

    assert utc(2022, 1, 1, 6) == day_ends(eve, "America/Mexico_City", ALL)
    assert utc(2022, 1, 1, 5) == day_ends(eve, "America/New_York", ("CA", "US"))
    assert utc(2022, 1, 1, 6) == day_ends(eve, "America/Toronto", ALL)


@given(day=days, parties=some_of_three)
def test_of_the_three_it_is_the_latest_of_their_capitals_midnights(day: date, parties: set[str]) -> None:
    following = day + timedelta(days=1)

    assert day_ends(day, zone_of(parties), parties) == max(
        instant_at(following, time(), zone_named(CAPITALS[party])) for party in parties
    )


@given(day=days, parties=twenty)
def test_a_day_has_ended_when_no_capital_of_the_bound_has_it_any_more(day: date, parties: set[str]) -> None:
    capitals = [zone_named(capital_zones()[party]) for party in parties]
    end = day_ends(day, zone_of(parties), parties)

    assert all(day_in(zone, end) > day for zone in capitals)
    assert any(day_in(zone, end - timedelta(microseconds=1)) == day for zone in capitals)


@given(day=days, some=twenty, others=twenty)
def test_more_parties_never_end_a_day_earlier(day: date, some: set[str], others: set[str]) -> None:
    zone = zone_of(some)

    assert max(day_ends(day, zone, some), day_ends(day, zone, others)) == day_ends(day, zone, some | others)


@given(day=days, parties=twenty, seat=st.sampled_from(["Europe/Brussels", "Africa/Addis_Ababa", "Pacific/Honolulu"]))
def test_an_organisation_counts_by_its_seat_which_the_milestones_zone_knows(
    day: date, parties: set[str], seat: str
) -> None:
    bound = [*parties, "org-european-union"]
    zone = last_to_end([zone_of(parties), seat])

    end = day_ends(day, zone, bound)

    assert end == max(day_ends(day, zone), day_ends(day, zone_of(parties), parties))
    assert day_in(zone_named(zone), end) > day


@given(day=days, parties=twenty)
def test_a_joint_deadline_is_todays_until_the_last_capital_has_ended_it(day: date, parties: set[str]) -> None:
    count = counting(milestone(day, reading=Reading.BY, parties=tuple(sorted(parties)), zone=zone_of(parties)))
    end: datetime = day_ends(day, zone_of(parties), parties)

    assert phase_at(count, end - timedelta(seconds=1)) == ("today", 0)
    assert phase_at(count, end)[0] == "overdue"
    assert count.ended_at == end


@given(day=days, party=st.sampled_from(sorted(capital_zones())))
def test_of_one_party_and_of_an_event_it_is_the_milestones_own_zone(day: date, party: str) -> None:
    elsewhere = "Pacific/Honolulu"
    alone = counting(milestone(day, parties=(party,), zone=elsewhere))
    event = counting(milestone(day, reading=Reading.ON, parties=tuple(sorted({party, "MX"})), zone=elsewhere))

    assert alone.ended_at == event.ended_at == day_ends(day, elsewhere)
