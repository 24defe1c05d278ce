"""What another date is: the first, a more precise one, a move, or nothing new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Precision, Span
from services.registry.rules.edtf_dates import UNDATED, span_of
from services.registry.rules.schedule_change import change_of

EDTF = ["2022", "2022-22", "2022-06", "2022-06-06", "2022-06-06/2022-06-10", "202X", "2023-01-10", "2030", None]
spans = st.sampled_from([span_of(edtf) for edtf in EDTF])


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("2022", "2023-01-10", "moved"),  # ten days after "next year" had ended
        ("2022", "2022-12", "more-precise"),
        ("2022-22", "2022-06", "more-precise"),  # summer, June, the sixth to the tenth
        ("2022-06", "2022-06-06/2022-06-10", "more-precise"),
        ("2022-06-06/2022-06-10", "2022-06-08/2022-06-10", "moved"),  # inside, and named no more finely
        ("2022-06", "2022", "moved"),
        ("2022", None, "moved"),
        (None, "2024", "more-precise"),
        ("2022", "2022", None),
        (None, None, None),
    ],
)
def test_the_chronicle_is_read_as_people_read_it(old: str | None, new: str | None, change: str | None) -> None:
    assert change_of(span_of(old), span_of(new)) == change


@given(spans)
def test_the_first_date_is_the_first_even_if_there_is_none(span: Span) -> None:
    assert change_of(None, span) == "first"


@given(spans)
def test_the_same_date_is_nothing_new(span: Span) -> None:
    assert change_of(span, span) is None


@given(spans, spans)
def test_what_is_more_precise_one_way_is_a_move_the_other_way(one: Span, other: Span) -> None:
    if change_of(one, other) == "more-precise":
        assert change_of(other, one) == "moved"


@given(spans)
def test_any_date_is_more_precise_than_none(span: Span) -> None:
    assert change_of(UNDATED, span) == (None if span.precision is Precision.UNDATED else "more-precise")


@pytest.mark.parametrize(
    ("was", "now", "change"),
    [(None, "09:30", "more-precise"), ("09:30", "11:00", "moved"), ("09:30", "09:30", None), ("09:30", None, "moved")],
)
def test_the_time_of_day_is_part_of_when(was: str | None, now: str | None, change: str | None) -> None:
    assert change_of(span_of("2023-01-10"), span_of("2023-01-10"), was, now) == change
