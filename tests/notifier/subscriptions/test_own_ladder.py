"""A subscription's own ladder: how people write it, what is refused, and which changes are for the scheduler."""

import re
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.events import LadderHolidays
from services.notifier.subscriptions.own_ladder import (
    MOST_DAYS,
    MOST_RUNGS,
    HolidayRegion,
    OwnLadder,
    OwnRung,
    is_for_scheduler,
    kept_ladder,
    ladder_chosen_by,
    rungs_in_short,
)
from services.plumbing.business_days import holiday_regions

units = st.sampled_from(sorted(MOST_DAYS))
steps = st.just("on-the-day") | units.flatmap(
    lambda unit: st.builds(
        "{}-{}{}".format, st.sampled_from(["before", "after"]), st.integers(1, MOST_DAYS[unit]), st.just(unit)
    )
)
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
ladders = st.lists(st.tuples(steps, times), min_size=1, max_size=MOST_RUNGS, unique_by=lambda rung: rung[0])


def short(step: str, at: str) -> str:
    """A rung as people write it."""
    sign, _, length = step.partition("-")
    return f"0 {at}" if step == "on-the-day" else f"{'-' if sign == 'before' else '+'}{length} {at}"


def row(**changes: Any) -> dict[str, Any]:
    """A subscription without a ladder, as the table has it."""
    return {
        "id": UUID(int=7),
        "owner": "sre",
        "state": "active",
        "zone": "America/Toronto",
        "ladder": None,
        "parties": ["CA"],
        "themes": [],
        "sections": [],
        "commitments": [],
    } | changes


LADDER: dict[str, Any] = {
    "rungs": [{"step": "before-3bd", "at": "09:00"}],
    "holidays": {"country": "CA", "subdivision": "QC"},
}


def test_the_short_notation_is_what_people_write():
    told = rungs_in_short("-14d, -3bd 09:00, 0 08:30,+2w, −1m 17:45")

    assert told == [
        {"step": "before-14d", "at": "09:00"},
        {"step": "before-3bd", "at": "09:00"},
        {"step": "on-the-day", "at": "08:30"},
        {"step": "after-2w", "at": "09:00"},
        {"step": "before-1m", "at": "17:45"},
    ]


@given(ladders)
def test_whatever_can_be_meant_can_be_written_in_short(rungs: list[tuple[str, str]]):
    in_full = OwnLadder(rungs=tuple(OwnRung(step=step, at=at) for step, at in rungs))
    written = ", ".join(short(step, at) for step, at in rungs)

    assert in_full == OwnLadder.model_validate({"rungs": written})
    assert in_full == OwnLadder.model_validate(in_full.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "`` is no rung"),
        ("-3bd,", "`` is no rung"),
        ("soon", "`soon` is no rung: write -14d, -3bd 09:00, 0 08:30 or +2w"),
        ("3bd", "`3bd` does not say whether it is before (-) or after (+)"),
        ("-3", "`-3` does not say what it counts"),
        ("-3y", "`-3y` is no rung"),
        ("-3bd 9:00", "`9:00` in `-3bd 9:00` is no time of day"),
        ("0 24:00", "`24:00` in `0 24:00` is no time of day"),
        ("-1d, -1d 10:00", "a ladder has each step once, and before-1d is there twice"),
        ("-3661d", "a step counts at most 3660d"),
        ("-121m", "a step counts at most 120m"),
        (", ".join(f"-{n}d" for n in range(1, 22)), "at most 20 items"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason(written: str, reason: str):
    with pytest.raises(ValidationError, match=re.escape(reason)):
        OwnLadder.model_validate({"rungs": written})


def test_a_ladder_has_no_reviews():
    with pytest.raises(ValidationError, match="reviews come of themselves"):
        OwnRung(step="review-2")


def test_a_state_or_province_is_one_of_its_countrys():
    assert {"QC", "ON", "YT"} <= holiday_regions()["CA"]
    assert {"TX", "DC", "PR"} <= holiday_regions()["US"]
    assert holiday_regions()["MX"] == frozenset()
    assert HolidayRegion(country="CA", subdivision="QC").subdivision == "QC"
    assert HolidayRegion(country="BR", subdivision="SP").subdivision == "SP", "whichever government there is"
    for country, subdivision in (("CA", "TX"), ("US", "QC"), ("MX", "JAL")):
        with pytest.raises(ValidationError, match=f"no holidays are known of {country}-{subdivision}"):
            HolidayRegion(country=country, subdivision=subdivision)
    with pytest.raises(ValidationError, match="no holidays are known of XX"):
        HolidayRegion(country="XX")


def test_a_kept_ladder_is_read_without_what_a_later_release_has_added():
    later = LADDER | {"quiet": True, "holidays": LADDER["holidays"] | {"since": 2023}}

    assert kept_ladder(later) == kept_ladder(LADDER)
    assert ladder_chosen_by(row(ladder=later)) == ladder_chosen_by(row(ladder=LADDER))
    with pytest.raises(ValidationError):
        OwnLadder.model_validate(later)


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, {}, False),
        (None, {"ladder": LADDER}, True),
        (None, {"ladder": LADDER, "state": "paused"}, False),
        ({}, {"zone": "America/Vancouver"}, False),
        ({}, {"state": "ended"}, False),
        ({}, {"ladder": LADDER}, True),
        ({"ladder": LADDER}, {"ladder": LADDER}, False),
        ({"ladder": LADDER}, {"ladder": LADDER | {"holidays": None}}, True),
        ({"ladder": LADDER}, {"ladder": LADDER, "zone": "America/Vancouver"}, True),
        ({"ladder": LADDER}, {"ladder": LADDER, "parties": []}, True),
        ({"ladder": LADDER}, {}, True),
        ({"ladder": LADDER}, {"ladder": LADDER, "state": "paused"}, True),
        ({"ladder": LADDER, "state": "paused"}, {"ladder": LADDER, "state": "ended"}, False),
        ({"ladder": LADDER, "state": "paused"}, {"ladder": LADDER, "zone": "America/Vancouver"}, True),
        ({"ladder": LADDER, "state": "disabled"}, {"ladder": LADDER}, True),
    ],
)
def test_the_scheduler_hears_of_what_changes_its_plan(before: dict[str, Any] | None, after: dict[str, Any], news: bool):
    assert news == is_for_scheduler(None if before is None else row(**before), row(**after))


def test_what_is_told_holds_the_ladder_and_what_is_asked_for():
    told = ladder_chosen_by(row(ladder=LADDER, themes=["climate"]), seq=3)

    assert (told.seq, told.active, told.zone, told.themes) == (3, True, "America/Toronto", ("climate",))
    assert [(rung.step, rung.at) for rung in told.rungs] == [("before-3bd", "09:00")]
    assert told.holidays == LadderHolidays(country="CA", subdivision="QC")
    given_up = ladder_chosen_by(row(ladder=LADDER, state="ended"))
    assert (given_up.active, given_up.rungs, given_up.holidays) == (False, (), None)


def test_a_ladder_can_be_told_in_every_zone_that_a_subscription_may_have():
    assert all(ladder_chosen_by(row(ladder=LADDER, zone=zone)).zone == zone for zone in available_timezones())
