"""The broken axis: everything in order, empty years cut, nothing off the picture."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.portal.timeline import axis_for

MADE_ON = date(2021, 11, 18)
DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))
SPANS = st.lists(st.tuples(DAYS, st.integers(0, 4000)).map(lambda p: (p[0], p[0] + timedelta(days=p[1]))), min_size=1)


def test_years_without_anything_are_cut_out() -> None:
    year_of = {year: (date(year, 1, 1), date(year, 12, 31)) for year in (2021, 2022, 2030, 2050)}
    axis = axis_for(list(year_of.values()), MADE_ON)

    assert [(segment.first, segment.last, segment.cut) for segment in axis.segments] == [
        (2021, 2021, False),
        (2022, 2022, False),
        (2023, 2029, True),
        (2030, 2030, False),
        (2031, 2049, True),
        (2050, 2050, False),
    ]


def test_a_decade_that_began_before_the_statement_is_drawn_from_its_year() -> None:
    axis = axis_for([(date(2020, 1, 1), date(2029, 12, 31))], MADE_ON)

    assert axis.segments[0].first == 2021
    assert axis.bar(date(2020, 1, 1), date(2029, 12, 31)) == (0.0, 1.0)


def test_what_has_no_end_reaches_to_the_right() -> None:
    axis = axis_for([(date(2022, 1, 1), date(2022, 1, 1)), (date(2030, 1, 1), date(2030, 12, 31))], MADE_ON)

    assert axis.bar(date(2022, 1, 1), None) == (axis.at(date(2022, 1, 1)), 1.0)


@given(SPANS, DAYS)
def test_the_axis_is_gapless_and_keeps_the_order_of_days(spans: list[tuple[date, date]], today: date) -> None:
    axis = axis_for(spans, MADE_ON, today)

    assert axis.segments[0].left == 0.0
    assert 1.0 - 1e-9 <= axis.segments[-1].right <= 1.0
    for one, next_one in zip(axis.segments, axis.segments[1:], strict=False):
        assert one.last + 1 == next_one.first
        assert abs(one.right - next_one.left) < 1e-9
    days = sorted(day for span in spans for day in span)
    places = [axis.at(day) for day in days]
    assert places == sorted(places)
    for earliest, latest in spans:
        left, right = axis.bar(earliest, latest)
        assert 0.0 <= left <= right <= 1.0
