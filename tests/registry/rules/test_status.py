"""The status machine: the table of who may say what, property-tested, and what the parties make of the whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Status
from services.registry.rules.errors import Invalid
from services.registry.rules.parties import UnknownParty
from services.registry.rules.status import (
    EvidenceNeeded,
    ReportedStatus,
    StatusNotAllowed,
    VersionConflict,
    check_change,
    check_version,
    overall,
)
from services.registry.rules.status_party import NotYourParty, PartyNotBound, party_of_report
from services.registry.rules.status_table import MOVES, Needed, Speaker, as_markdown
from services.registry.store.rows import word_from

PROJECT = Path(__file__).parents[3]
CA, MX, US, EU = "CA", "MX", "US", "org-european-union"
LATER = word_from(Status, "suspended")

statuses = st.sampled_from(Status)
reports = st.builds(
    ReportedStatus, statuses, st.sampled_from(Speaker), has_note=st.booleans(), has_evidence=st.booleans()
)


def refused(previous: Status, report: ReportedStatus) -> bool:
    try:
        check_change(previous, report)
    except (StatusNotAllowed, EvidenceNeeded):
        return True
    return False


@given(statuses, st.integers(1, 3))
def test_parties_that_agree_are_the_whole(status: Status, count: int) -> None:
    assert overall([status] * count) is status


@given(st.lists(statuses, min_size=1, max_size=3))
def test_the_whole_is_met_or_withdrawn_only_when_all_are(standing: list[Status]) -> None:
    for end in (Status.MET, Status.WITHDRAWN):
        assert (overall(standing) is end) == (set(standing) == {end})


@given(st.lists(statuses, min_size=1, max_size=3).flatmap(lambda s: st.permutations(s).map(lambda p: (s, p))))
def test_the_order_of_parties_does_not_matter(both: tuple[list[Status], list[Status]]) -> None:
    standing, shuffled = both
    assert overall(standing) is overall(shuffled)


@pytest.mark.parametrize(
    ("standing", "whole"),
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
def test_the_worst_status_is_the_whole_until_somebody_has_met_it(standing: list[Status], whole: Status) -> None:
    assert overall(standing) is whole


def test_a_status_of_a_later_release_is_the_whole_s_only_where_nobody_has_another() -> None:
    assert overall([LATER, LATER]) is LATER
    assert overall([LATER, Status.WITHDRAWN]) is LATER
    assert overall([LATER, Status.AT_RISK]) is Status.AT_RISK
    assert overall([LATER, Status.MET]) is Status.PARTLY_MET


def test_the_table_has_a_row_for_every_two_statuses() -> None:
    assert set(MOVES) == {(before, after) for before in Status for after in Status}


@given(statuses, reports)
def test_a_report_is_taken_exactly_where_the_table_says_so(previous: Status, report: ReportedStatus) -> None:
    move = MOVES[previous, report.status]
    comes = {
        Needed.NOTE: report.has_note,
        Needed.EVIDENCE: report.has_evidence,
        Needed.NOTE_OR_EVIDENCE: report.has_note or report.has_evidence,
    }
    taken = report.speaker in move.speakers and all(comes[needed] for needed in move.needed)
    assert refused(previous, report) != taken


@given(statuses, st.sampled_from(Speaker), st.booleans())
def test_nobody_says_met_without_evidence(previous: Status, speaker: Speaker, has_note: bool) -> None:
    """Who says nothing new of what is met already may do so in a note."""
    if previous is not Status.MET:
        with pytest.raises(EvidenceNeeded) as problem:
            check_change(previous, ReportedStatus(Status.MET, speaker, has_note=has_note))
        assert problem.value.pointer == "#/evidence"


@given(st.sampled_from([Status.MET, Status.WITHDRAWN]), statuses, st.sampled_from(Speaker), st.booleans())
def test_what_is_closed_is_reopened_only_with_a_note(
    closed: Status, status: Status, speaker: Speaker, has_evidence: bool
) -> None:
    if status is not closed:
        assert refused(closed, ReportedStatus(status, speaker, has_note=False, has_evidence=has_evidence))


@given(statuses, statuses)
def test_an_editor_may_correct_any_status_into_any_other_with_a_note_and_evidence(
    previous: Status, status: Status
) -> None:
    assert not refused(previous, ReportedStatus(status, Speaker.EDITOR, has_note=True, has_evidence=True))


@given(statuses)
def test_only_what_was_withdrawn_is_announced_again_by_a_ministry(previous: Status) -> None:
    again = ReportedStatus(Status.ANNOUNCED, Speaker.MINISTRY, has_note=True, has_evidence=True)
    assert refused(previous, again) == (previous not in (Status.WITHDRAWN, Status.ANNOUNCED))


@given(statuses, st.sampled_from(Speaker))
def test_what_follows_on_a_status_of_a_later_release_is_not_ours_to_say(status: Status, speaker: Speaker) -> None:
    with pytest.raises(StatusNotAllowed, match="later release"):
        check_change(LATER, ReportedStatus(status, speaker, has_note=True, has_evidence=True))


def test_the_page_for_engineers_shows_the_table() -> None:
    page = (PROJECT / "docs" / "for-engineers.md").read_text(encoding="utf-8")
    assert as_markdown() in page


def test_an_expected_version_has_to_be_the_current_one() -> None:
    check_version(3, None)
    check_version(3, 3)
    with pytest.raises(VersionConflict) as refusal:
        check_version(3, 2)
    assert refusal.value.members["current_version"] == 3


# Whose status it is


@given(st.sampled_from([CA, MX, US, EU]), st.sampled_from([None, CA, MX, US, EU, "BR", "XX"]))
def test_a_ministry_speaks_for_its_own_party_and_for_no_other(own: str, named: str | None) -> None:
    everybody = (CA, MX, US, EU)
    if named in (None, own):
        assert party_of_report(own, named, everybody, everybody) == own
    else:
        with pytest.raises(NotYourParty):
            party_of_report(own, named, everybody, everybody)


def test_who_is_not_bound_has_no_status_whoever_says_so() -> None:
    for own, named in ((CA, None), (None, CA)):
        with pytest.raises(PartyNotBound, match="does not bind CA"):
            party_of_report(own, named, (MX,), (CA, MX))
        with pytest.raises(PartyNotBound, match="no party of the statement"):
            party_of_report(own, named, (MX,), (MX, US))


def test_an_editor_says_whom_it_is_about() -> None:
    assert party_of_report(None, MX, (MX,), (CA, MX)) == MX
    with pytest.raises(Invalid, match="Name the party"):
        party_of_report(None, None, (MX,), (CA, MX))
    with pytest.raises(UnknownParty):
        party_of_report(None, "XX", (MX,), (CA, MX))
