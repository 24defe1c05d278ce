"""How a milestone stands by the calendar: overdue, asked about, due soon, and when there is nothing to say."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.vocabulary import Reading, Status
from services.plumbing.zones import instant_at, zone_named
from services.registry.rules.due_states import SOON, DueState, due_state, latest_of_interest
from tests.registry.rules.test_consistency import CA, LAST_MOMENT, MX, OVER, US, milestone

ZONE = "America/Mexico_City"
OPEN = dict.fromkeys((CA, MX, US), Status.IN_PROGRESS)
FIRST_DAY_AFTER = date(2022, 6, 11)


def test_a_deadline_is_overdue_once_its_last_day_has_ended_in_its_zone() -> None:
    assert due_state(milestone(), OPEN, LAST_MOMENT) == DueState("soon", None)
    assert due_state(milestone(), OPEN, OVER) == DueState("overdue", FIRST_DAY_AFTER)


def test_an_event_whose_day_has_ended_is_asked_about() -> None:
    summit = milestone(reading=Reading.ON)

    assert due_state(summit, OPEN, LAST_MOMENT) == DueState("soon", None)
    assert due_state(summit, OPEN, OVER) == DueState("asked", FIRST_DAY_AFTER)
    assert due_state(milestone(reading=Reading.ON, held=True), OPEN, OVER) is None


def test_it_is_due_soon_from_so_many_days_before_on() -> None:
    begins = instant_at(date(2022, 6, 10) - SOON, time(), zone_named(ZONE))

    assert due_state(milestone(), OPEN, begins) == DueState("soon", None)
    assert due_state(milestone(), OPEN, begins - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "words", [{"edtf": None, "reading": Reading.UNDATED}, {"reading": Reading.FROM}, {"reading": Reading.RECURRING}]
)
def test_what_has_no_last_day_has_no_due_state(words: dict[str, object]) -> None:
    assert due_state(milestone(**words), OPEN, OVER) is None  # type: ignore[arg-type]  # a date and a reading


@pytest.mark.parametrize(
    ("statuses", "over"),
    [
        ((Status.MET, Status.MET), True),
        ((Status.WITHDRAWN, Status.MET), True),
        ((Status.MET, Status.PARTLY_MET), False),
        ((Status.MISSED, Status.MISSED), False),
    ],
)
def test_it_is_over_when_all_whom_it_binds_have_met_or_withdrawn(statuses: tuple[Status, Status], over: bool) -> None:
    stood = {CA: statuses[0], US: statuses[1], MX: Status.ANNOUNCED}

    assert (due_state(milestone(parties=(CA, US)), stood, OVER) is None) == over
    assert due_state(milestone(parties=(CA, MX, US)), stood, OVER) is not None


zones = st.sampled_from(["America/Mexico_City", "Pacific/Kiritimati", "Pacific/Midway", "America/St_Johns"])
readings = st.sampled_from(list(Reading))
statuses = st.fixed_dictionaries(dict.fromkeys((CA, MX, US), st.sampled_from(list(Status))))
instants = st.timedeltas(timedelta(), timedelta(days=365)).map(lambda since: datetime(2022, 1, 1, tzinfo=UTC) + since)
milestones = st.builds(
    lambda reading, zone, held: milestone(reading=reading, zone=zone, held=held), readings, zones, st.booleans()
)


@given(milestones, statuses, instants)
def test_no_event_is_ever_overdue_and_time_only_ripens(one: Milestone, stood: dict[str, Status], now: datetime) -> None:
    order = [None, "soon", "asked" if one.reading is Reading.ON else "overdue"]
    states = [due_state(one, stood, now + timedelta(days=days)) for days in (0, 1, 40)]

    ranks = [order.index(state.state if state else None) for state in states]
    assert ranks == sorted(ranks) or ranks[-1] == 0
    assert all((state.since is None) == (state.state == "soon") for state in states if state)
    if states[0] is not None:
        assert one.span.latest is not None and one.span.latest <= latest_of_interest(now)
