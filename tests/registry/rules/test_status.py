"""What a status may follow on, and what the countries' statuses make of the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Country, Status
from services.registry.rules.status import (
    CLOSED,
    ReportedStatus,
    StatusNotAllowed,
    VersionConflict,
    change_status,
    check_version,
    overall,
)

status_maps = st.dictionaries(st.sampled_from(Country), st.sampled_from(Status), min_size=1)
updates = st.builds(
    ReportedStatus,
    status=st.sampled_from(Status),
    country=st.none() | st.sampled_from(Country),
    note=st.none() | st.just("why") | st.just("  "),
    has_evidence=st.booleans(),
)
CA, MX, US = Country.CA, Country.MX, Country.US


def three(ca: Status, mx: Status, us: Status) -> dict[Country, Status]:
    return {CA: ca, MX: mx, US: us}


@given(st.sampled_from(Status), st.integers(1, 3))
def test_countries_that_agree_are_the_whole(status: Status, count: int) -> None:
    assert overall([status] * count) is status


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=3))
def test_the_whole_is_met_or_withdrawn_only_when_all_are(statuses: list[Status]) -> None:
    for end in (Status.MET, Status.WITHDRAWN):
        assert (overall(statuses) is end) == (set(statuses) == {end})


@given(
    st.lists(st.sampled_from(Status), min_size=1, max_size=3).flatmap(
        lambda s: st.permutations(s).map(lambda p: (s, p))
    )
)
def test_the_order_of_countries_does_not_matter(both: tuple[list[Status], list[Status]]) -> None:
    statuses, shuffled = both
    assert overall(statuses) is overall(shuffled)


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([Status.MET, Status.ANNOUNCED, Status.ANNOUNCED], Status.PARTLY_MET),
        ([Status.MET, Status.MISSED], Status.PARTLY_MET),
        ([Status.MET, Status.WITHDRAWN], Status.PARTLY_MET),
        ([Status.IN_PROGRESS, Status.ANNOUNCED, Status.ANNOUNCED], Status.ANNOUNCED),
        ([Status.IN_PROGRESS, Status.AT_RISK], Status.AT_RISK),
        ([Status.AT_RISK, Status.MISSED], Status.MISSED),
        ([Status.WITHDRAWN, Status.IN_PROGRESS], Status.IN_PROGRESS),
    ],
)
def test_the_worst_status_is_the_whole_until_somebody_has_met_it(statuses: list[Status], whole: Status) -> None:
    assert overall(statuses) is whole


@given(status_maps, updates)
def test_an_update_either_does_what_it_says_or_is_refused(
    statuses: dict[Country, Status], update: ReportedStatus
) -> None:
    before = dict(statuses)
    try:
        outcome = change_status(statuses, update)
    except StatusNotAllowed:
        assert statuses == before
        return
    touched = set(statuses) if update.country is None else {update.country}
    assert all(outcome.country_statuses[country] is update.status for country in touched)
    assert {c: s for c, s in outcome.country_statuses.items() if c not in touched} == {
        c: s for c, s in before.items() if c not in touched
    }
    assert outcome.overall is overall(outcome.country_statuses.values())
    if update.country is None:
        assert outcome.overall is update.status
        assert outcome.previous is overall(before.values())
    else:
        assert outcome.previous is before[update.country]


@given(st.sampled_from(sorted(CLOSED)), st.sampled_from(Status), st.booleans())
def test_what_is_closed_is_reopened_only_with_a_note(closed: Status, status: Status, has_evidence: bool) -> None:
    if status is closed:
        return
    with pytest.raises(StatusNotAllowed):
        change_status({CA: closed}, ReportedStatus(status, CA, note="  ", has_evidence=has_evidence))


@given(st.sampled_from(Status), st.sampled_from(Status))
def test_nothing_goes_back_to_announced_but_what_was_withdrawn(old: Status, new: Status) -> None:
    if new is Status.ANNOUNCED and old not in (Status.WITHDRAWN, Status.ANNOUNCED):
        with pytest.raises(StatusNotAllowed):
            change_status({MX: old}, ReportedStatus(new, note="why"))


def test_a_withdrawn_commitment_can_be_taken_up_again() -> None:
    outcome = change_status(
        three(*[Status.WITHDRAWN] * 3), ReportedStatus(Status.ANNOUNCED, note="The new government renews it")
    )
    assert (outcome.previous, outcome.overall) == (Status.WITHDRAWN, Status.ANNOUNCED)


def test_a_country_that_is_not_bound_has_no_status() -> None:
    with pytest.raises(StatusNotAllowed, match="does not bind MX"):
        change_status({CA: Status.ANNOUNCED}, ReportedStatus(Status.MET, MX))


def test_an_update_of_the_whole_must_be_possible_for_each_country() -> None:
    """What Canada has met is not withdrawn by the way."""
    with pytest.raises(StatusNotAllowed, match="CA: withdrawn can't follow on met"):
        change_status(
            three(Status.MET, Status.ANNOUNCED, Status.ANNOUNCED), ReportedStatus(Status.WITHDRAWN, note="why")
        )


def test_the_same_status_again_is_accepted_only_with_a_note_or_evidence() -> None:
    statuses = {CA: Status.IN_PROGRESS}
    with pytest.raises(StatusNotAllowed, match="already"):
        change_status(statuses, ReportedStatus(Status.IN_PROGRESS))
    assert change_status(statuses, ReportedStatus(Status.IN_PROGRESS, has_evidence=True)).previous is Status.IN_PROGRESS


def test_an_expected_version_has_to_be_the_current_one() -> None:
    check_version(3, None)
    check_version(3, 3)
    with pytest.raises(VersionConflict) as refused:
        check_version(3, 2)
    assert refused.value.members == {"current_version": 3}
