"""How a commitment's reminders change with what is heard, in whatever order, batch or number of times."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Country, Status
from services.scheduler.agenda import Agenda, Heard, Key, heard
from services.scheduler.ladder import LADDER, Step
from tests.rules.scheduler_scenes import changed, created, milestone, scheduled, utc

THEN = utc(2021, 11, 18, 18)
FAR = milestone(date(2030, 6, 30))
LATER = milestone(date(2031, 6, 30))
CANADAS = milestone(date(2030, 6, 30), countries=(Country.CA,))


def after(*told: tuple[Heard, datetime]) -> Agenda:
    agenda = Agenda()
    for event, at in told:
        agenda = heard(agenda, event, at)
    return agenda


def at_once(*told: Heard) -> Agenda:
    return after(*((event, THEN) for event in told))


def states(agenda: Agenda, version: int = 1) -> set[str]:
    return {reminder.state for key, reminder in agenda.reminders.items() if key.schedule_version == version}


def test_a_date_that_moves_withdraws_the_old_versions_reminders_and_plans_new_ones() -> None:
    agenda = at_once(created(), scheduled(FAR), scheduled(LATER, 2))

    assert {"withdrawn"} == states(agenda, 1)
    assert {"pending"} == states(agenda, 2)


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    agenda = at_once(created(), scheduled(LATER, 2))

    assert agenda == heard(agenda, scheduled(FAR, 1), THEN)


@pytest.mark.parametrize("status", [Status.MET, Status.WITHDRAWN])
def test_a_commitment_that_is_met_or_withdrawn_withdraws_all(status: Status) -> None:
    assert {"withdrawn"} == states(at_once(created(), scheduled(FAR), changed(status)))


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.MET, Status.WITHDRAWN}))
def test_any_other_status_leaves_the_reminders_alone(status: Status) -> None:
    assert {"pending"} == states(at_once(created(), scheduled(FAR), changed(status)))


def test_a_status_that_comes_before_the_schedule_counts() -> None:
    assert set() == states(at_once(changed(Status.MET), scheduled(FAR)))


def test_a_country_that_has_met_its_part_ends_the_milestones_that_bind_only_it() -> None:
    word = changed(Status.MET, country=Country.CA, overall=Status.PARTLY_MET)

    assert {"withdrawn"} == states(at_once(created(), scheduled(CANADAS), word))
    assert {"pending"} == states(at_once(created(), scheduled(FAR), word))


def test_a_milestone_is_over_when_each_of_its_countries_has_met_or_withdrawn() -> None:
    words = [
        changed(Status.MET, 1, Country.CA, Status.PARTLY_MET),
        changed(Status.WITHDRAWN, 2, Country.MX, Status.PARTLY_MET),
        changed(Status.MET, 3, Country.US, Status.PARTLY_MET),
    ]

    assert {"pending"} == states(at_once(created(), scheduled(FAR), *words[:2]))
    assert {"withdrawn"} == states(at_once(created(), scheduled(FAR), *words))


def test_a_later_word_on_the_whole_speaks_for_every_country() -> None:
    words = [changed(Status.MET, 1, Country.CA, Status.PARTLY_MET), changed(Status.IN_PROGRESS, 2)]

    assert {"pending"} == states(at_once(created(), scheduled(CANADAS), *words))


def test_a_commitment_that_is_taken_up_again_gets_what_lies_ahead() -> None:
    reopened = utc(2030, 6, 1)
    agenda = after(
        (created(), THEN),
        (scheduled(FAR), THEN),
        (changed(Status.MET, 1), THEN),
        (changed(Status.AT_RISK, 2), reopened),
    )

    assert {key.step.name: r.state for key, r in agenda.reminders.items() if r.state != "pending"} == {
        "before-90d": "withdrawn",
        "before-30d": "withdrawn",
    }
    assert all(r.due_at >= reopened for r in agenda.reminders.values() if r.state == "pending")


def test_what_was_told_is_not_told_again_when_a_commitment_is_taken_up_again() -> None:
    agenda = at_once(created(), scheduled(FAR))
    told = {key: r for key, r in agenda.reminders.items() if key.step <= LADDER[-1]}
    fired = {key: type(r)(r.due_at, "fired") for key, r in told.items()}
    agenda = Agenda(agenda.standing, agenda.schedules, fired)

    agenda = heard(heard(agenda, changed(Status.MET, 1), THEN), changed(Status.IN_PROGRESS, 2), THEN)

    assert fired.items() <= agenda.reminders.items()
    assert {Key(FAR.id, 1, Step(30))} == agenda.reminders.keys() - fired.keys()


def test_a_step_that_came_due_while_nobody_planned_is_still_to_be_told() -> None:
    """Planned by the time of the event, and not of its arrival years later."""
    agenda = after((scheduled(FAR), THEN))

    assert {"pending"} == states(agenda)


events = st.lists(
    st.one_of(
        st.builds(
            lambda version, year: scheduled(milestone(date(year, 6, 30), id_="one"), version),
            st.integers(1, 5),
            st.just(2030),
        ),
        st.builds(
            lambda version: scheduled(milestone(date(2025, 1, 1), id_="canadas", countries=(Country.CA,)), version),
            st.integers(1, 3),
        ),
        st.builds(
            changed,
            st.sampled_from([Status.MET, Status.IN_PROGRESS, Status.WITHDRAWN]),
            st.integers(1, 6),
            st.none() | st.sampled_from(Country),
            st.sampled_from([Status.MET, Status.IN_PROGRESS, Status.PARTLY_MET]),
        ),
        st.just(created()),
    ),
    max_size=12,
)


def one_of_each_seq(told: Sequence[Heard]) -> list[Heard]:
    """A topic has one event for each seq, and so for each version."""
    known: dict[tuple[object, ...], Heard] = {}
    for event in told:
        name = event.milestone.id if hasattr(event, "milestone") else ""
        version = event.schedule_version if hasattr(event, "schedule_version") else event.seq
        known.setdefault((type(event), name, version), event)
    return list(known.values())


def pending(agenda: Agenda) -> set[tuple[Key, datetime]]:
    return {(key, r.due_at) for key, r in agenda.reminders.items() if r.state == "pending"}


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_for_what_will_fire(told: list[Heard], random: object) -> None:
    told = one_of_each_seq(told)
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    one, other = at_once(*told), at_once(*shuffled)

    assert one.standing == other.standing
    assert pending(one) == pending(other)


@given(events)
def test_a_repeat_changes_nothing(told: list[Heard]) -> None:
    told = one_of_each_seq(told)

    assert pending(at_once(*told)) == pending(at_once(*told, *told))


@given(events)
def test_only_the_newest_version_of_a_milestone_that_is_not_over_has_reminders_to_come(told: list[Heard]) -> None:
    agenda = at_once(*told)

    for key, _ in pending(agenda):
        schedule = agenda.schedules[key.milestone_id]
        assert schedule.version == key.schedule_version
        assert not agenda.standing.settles(schedule.milestone.countries)
    for name, schedule in agenda.schedules.items():
        if not agenda.standing.settles(schedule.milestone.countries):
            assert any(key.milestone_id == name for key, _ in pending(agenda))


@given(events, st.integers(0, 4000))
def test_no_step_is_planned_to_come_twice_whatever_happens(told: list[Heard], days: int) -> None:
    agenda = after(*((event, THEN + timedelta(days=days * i // 12)) for i, event in enumerate(told)))

    steps = [(key.milestone_id, key.step) for key, _ in pending(agenda)]
    assert len(set(steps)) == len(steps)
