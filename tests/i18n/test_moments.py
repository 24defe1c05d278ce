"""Moments: on the clocks of their place and of the reader, by the rules that hold there then."""

import re
from datetime import UTC, datetime

import pytest

from services.i18n.words import words_in


@pytest.mark.parametrize(
    ("zone", "place", "expected"),
    [
        ("America/Mexico_City", "America/Mexico_City", "Jan 1, 2022, 12:00 AM (Mexico City)"),
        ("America/Toronto", "America/Mexico_City", "Jan 1, 2022, 12:00 AM in Mexico City, 1:00 AM for you (Toronto)"),
        (
            "America/Vancouver",
            "America/Mexico_City",
            "Jan 1, 2022, 12:00 AM in Mexico City; for you Dec 31, 2021, 10:00 PM (Vancouver)",
        ),
        ("America/Vancouver", None, "Dec 31, 2021, 10:00 PM (Vancouver)"),
    ],
)
def test_a_moment_is_told_on_the_clock_of_the_place_and_of_the_reader(
    zone: str, place: str | None, expected: str
) -> None:
    told = words_in("en").moment(datetime(2022, 1, 1, 6, tzinfo=UTC), zone, place, "medium")

    assert expected == told.replace("\u202f", " ")


def test_mexico_without_summer_time_is_an_hour_from_where_it_was() -> None:
    summers = [datetime(year, 7, 1, 15, tzinfo=UTC) for year in (2022, 2023)]

    assert [
        re.search(r"\d+:\d\d.[AP]M", words_in("en").moment(at, "America/Mexico_City"))[0].replace("\u202f", " ")
        for at in summers
    ] == ["10:00 AM", "9:00 AM"]
