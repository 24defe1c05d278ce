"""A time is told where it happens, and to whom is known in their own zone with the place's beside it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Organisation
from contracts.vocabulary import Text
from services.i18n.words import words_in
from services.plumbing.zones import on_clocks, zone_named
from services.portal.event_lines import event_line
from services.portal.live_feed import live_event_of
from services.portal.moments import day_there, told_moment, zone_of_event, zone_of_parties
from tests.contracts.golden_records import example, record_of

INSTANT = datetime(2022, 7, 1, 4, tzinfo=UTC)
ENGLISH = words_in("en")
UNION = Organisation(code="org-european-union", name=Text(en="European Union"), zone="Europe/Brussels")


def spaced(text: str) -> str:
    """With plain spaces."""
    return " ".join(text.split())


def test_who_reads_is_known_or_the_place_is_named() -> None:
    assert spaced(told_moment(INSTANT, "America/Mexico_City", ENGLISH)) == "June 30, 2022, 11:00 PM (Mexico City)"
    assert spaced(told_moment(INSTANT, "America/Toronto", ENGLISH, reader="America/Mexico_City")) == (
        "July 1, 2022, 12:00 AM in Toronto; for you June 30, 2022, 11:00 PM (Mexico City)"
    )


def test_a_zone_that_nobody_knows_is_no_fault() -> None:
    assert "July 1, 2022" in told_moment(INSTANT, "America/Of_A_Later_Release", ENGLISH, reader="Mars/Olympus")
    assert str(day_there(INSTANT, "America/Of_A_Later_Release")) == "2022-07-01"
    assert str(day_there(INSTANT, "America/Mexico_City")) == "2022-06-30"


def test_a_party_has_the_clocks_of_its_capital_or_seat() -> None:
    assert zone_of_parties(["CA"]) == "America/Toronto"
    assert zone_of_parties(["org-european-union"], [UNION]) == "Europe/Brussels"
    assert zone_of_parties(["CA", "MX", "US"]) == "America/Mexico_City"
    assert zone_of_parties(["org-of-nobody"]) == "Etc/UTC"


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("milestone-due.v1.coal-finance-in-7-days", None),
        ("status-changed.v1.canada-seul", "America/Toronto"),
        ("commitment-created.v1.land-and-waters", "America/Mexico_City"),
    ],
)
def test_an_event_has_its_milestones_place_or_its_partys(name: str, zone: str | None) -> None:
    live = live_event_of(record_of(example(name), 1))
    assert live
    expected = zone or json.loads(example(name).value or b"")["milestone"]["zone"]

    assert zone_of_event(live.event) == expected
    line = event_line(live, ENGLISH)
    assert line.when == told_moment(live.envelope.time, expected, ENGLISH, form="medium")


zones = st.sampled_from(["America/Mexico_City", "America/Toronto", "Asia/Kolkata", "Pacific/Auckland", "Etc/UTC"])
instants = st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1))  # noqa: DTZ001


@given(instants, zones, zones | st.none(), st.sampled_from(["en", "es", "fr"]))
def test_every_moment_names_where_its_clocks_stand(at: datetime, place: str, reader: str | None, language: str) -> None:
    words = words_in(language)
    told = told_moment(at, place, words, reader)

    assert words.place(place) in told and words.day(day_there(at, place)) in told
    if reader and on_clocks(at, zone_named(reader)).replace(tzinfo=None) != on_clocks(at, zone_named(place)).replace(
        tzinfo=None
    ):
        assert words.place(reader) in told
