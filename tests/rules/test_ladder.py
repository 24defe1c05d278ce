"""The ladder's steps: their names, their order, and that there is always one more."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts import events
from services.scheduler.ladder import EVERY, LADDER, ON_THE_DAY, Step, following

steps = st.builds(Step, st.integers(-100_000, 100_000))


def test_the_ladder_is_90_30_7_and_1_days_before_the_day_and_1_and_7_after() -> None:
    assert [step.name for step in LADDER] == [
        "before-90d",
        "before-30d",
        "before-7d",
        "before-1d",
        "on-the-day",
        "after-1d",
        "after-7d",
    ]


def test_after_the_last_rung_comes_one_every_30_days() -> None:
    step, names = LADDER[-1], []
    for _ in range(4):
        step = following(step)
        names.append(step.name)

    assert names == ["after-30d", "after-60d", "after-90d", "after-120d"]


@given(steps)
def test_a_steps_name_leads_back_to_it_and_fits_the_contract(step: Step) -> None:
    assert step == Step.named(TypeAdapter(events.Step).validate_python(step.name))


@given(steps, steps)
def test_steps_are_ordered_by_their_days(one: Step, other: Step) -> None:
    assert (one < other) == (one.days < other.days)


@given(steps)
def test_the_following_step_is_later_and_no_rung_is_left_out(step: Step) -> None:
    later = following(step)

    assert later > step
    assert not [rung for rung in LADDER if step < rung < later]
    assert later in LADDER or (later.days % EVERY == 0 and later.days - step.days <= EVERY)


def test_the_rungs_rise() -> None:
    assert all(one < other for one, other in pairwise(LADDER))
    assert ON_THE_DAY in LADDER


@pytest.mark.parametrize("name", ["", "before-0d", "after-007d", "after--7d", "on-the-day ", "before-7", "after-٣d"])
def test_what_names_no_step_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no step"):
        Step.named(name)
