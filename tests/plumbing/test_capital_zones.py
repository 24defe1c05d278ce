"""The zone of each country's capital, and the zone in which a day ends last."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, time
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.capital_zones import capital_zones, last_to_end
from services.plumbing.zones import instant_at, is_zone, zone_named


def rows(name: str) -> list[list[str]]:
    """The lines of a table of the zone data."""
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


COUNTRIES = sorted(code for code, _ in rows("iso3166.tab"))


def listed() -> Mapping[str, set[str]]:
    """The zones that `zone.tab` lists for each country."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for country, _, zone, *_ in rows("zone.tab"):
        found[country].add(zone)
    return found


def test_every_country_of_iso_3166_has_a_zone_and_nobody_else_has() -> None:
    assert sorted(capital_zones()) == COUNTRIES
    assert len(COUNTRIES) == 249
    assert all(is_zone(zone) for zone in capital_zones().values())


def test_a_countrys_zone_is_one_that_the_zone_data_lists_for_it() -> None:
    zones = listed()
    foreign = {code: zone for code, zone in capital_zones().items() if code in zones and zone not in zones[code]}

    assert foreign == {}
    assert {code for code in capital_zones() if code not in zones} == {"BV", "HM"}  # nobody lives there


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("CA", "America/Toronto"),
        ("MX", "America/Mexico_City"),
        ("US", "America/New_York"),
        ("BR", "America/Sao_Paulo"),
        ("AU", "Australia/Sydney"),
        ("RU", "Europe/Moscow"),
        ("KI", "Pacific/Tarawa"),
        ("FR", "Europe/Paris"),
        ("BE", "Europe/Brussels"),
        ("ET", "Africa/Addis_Ababa"),
    ],
)
def test_it_is_the_capitals(country: str, zone: str) -> None:
    assert zone == capital_zones()[country]


@pytest.mark.parametrize(
    ("countries", "zone"),
    [
        (("CA", "MX", "US"), "America/Mexico_City"),
        (("MX", "US"), "America/Mexico_City"),
        (("CA", "US"), "America/New_York"),  # the same hours as Toronto: the first by name
        (("CA",), "America/Toronto"),
        (("US", "DE", "JP"), "America/New_York"),
        (("GB", "PT"), "Europe/Lisbon"),
        (("NZ", "AU", "KI"), "Australia/Sydney"),
        (("ET", "KE"), "Africa/Addis_Ababa"),
    ],
)
def test_a_joint_day_ends_with_the_last_capital(countries: tuple[str, ...], zone: str) -> None:
    for order in (countries, countries[::-1]):
        assert zone == last_to_end(capital_zones()[country] for country in order)


def test_of_nobody_there_is_none() -> None:
    with pytest.raises(ValueError, match="empty"):
        last_to_end([])


some_zones = st.sets(st.sampled_from(COUNTRIES), min_size=1, max_size=20).map(
    lambda codes: [capital_zones()[code] for code in codes]
)


@given(zones=some_zones)
def test_in_none_of_them_does_a_day_end_later_on_the_whole_year(zones: list[str]) -> None:
    """
    In January and in July together: in one of the two somebody else's summer time may put another one behind.
    """
    last = last_to_end(zones)
    assert last in zones

    def ends(zone: str) -> float:
        days = [date(2026, month, 1) for month in (1, 7)]
        return sum(instant_at(day, time(), zone_named(zone)).timestamp() for day in days)

    assert ends(last) == max(map(ends, zones))
    assert last == min(zone for zone in zones if ends(zone) == ends(last))


@given(zones=some_zones.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_in_which_they_are_named_does_not_matter(zones: tuple[list[str], list[str]]) -> None:
    one, other = zones

    assert last_to_end(one) == last_to_end(other)
