"""Where a milestone lies that hangs on an anchor, in days, weeks, months and years before and after it."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.commitments import Offset
from contracts.vocabulary import Precision, Reading, Span
from services.registry.rules.anchor_offset import OutOfCalendar, local_time_of, span_from_anchor, zone_of
from services.registry.rules.edtf_dates import UNDATED, span_of

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
OFFSETS = st.builds(
    Offset,
    direction=st.sampled_from(["before", "after"]),
    count=st.integers(0, 400),
    unit=st.sampled_from(["days", "weeks", "months"]),
)
YEARS = st.integers(1990, 2060)
FUZZY = st.one_of(
    st.builds("{:04}".format, YEARS),
    st.builds("{:04}-{:02}".format, YEARS, st.integers(1, 12)),
    st.builds("{:04}-{}".format, YEARS, st.integers(21, 24)),
    st.builds("{:03}X".format, st.integers(199, 205)),
).map(span_of)
EXACT = st.builds(
    lambda day, more: span_of(f"{day}/{day + timedelta(more)}" if more else str(day)), DAYS, st.integers(0, 9)
)


def offset(text: str) -> Offset:
    """`90 days after` as data."""
    count, unit, direction = text.split()
    found: dict[str, Any] = {"direction": direction, "count": int(count), "unit": unit}
    return Offset(**found)


@pytest.mark.parametrize(
    ("anchor", "said", "edtf"),
    [
        ("2023-01-10", "90 days after", "2023-04-10"),
        ("2023-01-10", "0 days before", "2023-01-10"),
        ("2023-01-10", "2 weeks before", "2022-12-27"),
        ("2022-06-06/2022-06-10", "90 days after", "2022-09-08"),  # from the last day
        ("2022-06-06/2022-06-10", "30 days before", "2022-05-07"),  # from the first
        ("2022-06-06/2022-06-10", "0 days before", "2022-06-06"),  # before the summit is before it opens
        ("2022-01-31", "1 months after", "2022-02-28"),
        ("2024-01-31", "1 months after", "2024-02-29"),
        ("2022-02-28", "1 months after", "2022-03-28"),  # the month's end isn't remembered
        ("2022-03-31", "1 months before", "2022-02-28"),
        ("2024-02-29", "1 years after", "2025-02-28"),
        ("2024-02-29", "4 years after", "2028-02-29"),
        ("2022-12", "0 days before", "2022-12"),
        ("2022-12", "1 days after", "2022-12-02/2023-01-01"),
        ("2022-02", "1 months after", "2022-03"),
        ("2022", "1 years after", "2023"),
        ("2022", "3 months after", "2022-04-01/2023-03-31"),
        ("2022-22", "1 months before", "2022-05-01/2022-07-31"),
    ],
)
def test_the_days_are_those_that_people_would_count(anchor: str, said: str, edtf: str) -> None:
    assert edtf == span_from_anchor(span_of(anchor), offset(said)).edtf


def test_without_an_offset_it_is_the_anchor_itself() -> None:
    assert span_of("2022-22") == span_from_anchor(span_of("2022-22"), None)


def test_an_anchor_without_a_date_gives_none() -> None:
    assert span_from_anchor(UNDATED, offset("90 days after")) == UNDATED


def test_an_anchor_without_an_end_has_followers_without_one() -> None:
    anchor = Span(edtf="2022/..", earliest=date(2022, 1, 1), latest=None, precision=Precision.YEAR)
    follower = span_from_anchor(anchor, offset("90 days after"))
    assert (follower.edtf, follower.earliest, follower.latest) == ("2022-04-01/..", date(2022, 4, 1), None)


@pytest.mark.parametrize(
    ("anchor", "said"),
    [("9999-12-31", "1 days after"), ("0001-01-01", "1 months before"), ("9000", "3660 years after")],
)
def test_what_leaves_the_calendar_is_refused(anchor: str, said: str) -> None:
    with pytest.raises(OutOfCalendar):
        span_from_anchor(span_of(anchor), offset(said))


@given(FUZZY | EXACT, OFFSETS)
def test_the_value_names_the_days_and_the_precision_is_the_anchors(anchor: Span, by: Offset) -> None:
    follower = span_from_anchor(anchor, by)
    again = span_of(follower.edtf)
    assert (again.edtf, again.earliest, again.latest) == (follower.edtf, follower.earliest, follower.latest)
    assert follower.precision is anchor.precision


@given(FUZZY, st.data(), OFFSETS)
def test_what_is_known_more_finely_lies_inside_what_was_known(anchor: Span, data: st.DataObject, by: Offset) -> None:
    """Narrowing the anchor narrows the follower."""
    assert anchor.earliest
    assert anchor.latest
    first = data.draw(st.dates(anchor.earliest, anchor.latest))
    last = data.draw(st.dates(first, min(first + timedelta(9), anchor.latest)))
    rough, fine = (
        span_from_anchor(anchor, by),
        span_from_anchor(span_of(f"{first}/{last}" if last > first else str(first)), by),
    )
    assert rough.earliest and fine.earliest and fine.latest and rough.latest
    assert rough.earliest <= fine.earliest <= fine.latest <= rough.latest


@given(DAYS, DAYS, OFFSETS)
def test_the_order_of_anchors_is_the_order_of_followers(one: date, other: date, by: Offset) -> None:
    assume(one <= other)
    first, second = span_from_anchor(span_of(str(one)), by).latest, span_from_anchor(span_of(str(other)), by).latest
    assert first
    assert second
    assert first <= second


def test_what_happens_on_an_event_is_counted_where_that_takes_place() -> None:
    assert zone_of(Reading.ON, "America/Los_Angeles", "America/Toronto") == "America/Los_Angeles"
    assert zone_of(Reading.BY, "America/Los_Angeles", "America/Toronto") == "America/Toronto"


def test_only_the_event_itself_has_the_events_time() -> None:
    assert local_time_of(Reading.ON, None, "09:30") == "09:30"
    assert local_time_of(Reading.ON, offset("1 days after"), "09:30") is None
    assert local_time_of(Reading.BY, None, "09:30") is None
