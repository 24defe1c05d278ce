"""What does not agree with itself or with the calendar: for each rule a violation, and what only just isn't one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.commitments import Milestone
from contracts.vocabulary import Reading, Status, Text
from services.registry.rules.consistency import (
    CheckedAnchor,
    CheckedCommitment,
    Inconsistency,
    StatusHistoryEntry,
    due_day,
    find_inconsistencies,
    met_since,
)
from services.registry.rules.edtf_dates import span_of

CA, MX, US = "CA", "MX", "US"
WORDS = Text(en="a", es="b", fr="c")
MADE_ON = date(2021, 11, 18)


def milestone(edtf: str | None = "2022-06-10", **changes: Any) -> Milestone:
    facts = {
        "id": "m", "wording": "w", "title": WORDS, "span": span_of(edtf), "reading": Reading.BY,
        "parties": (CA, MX, US), "zone": "America/Mexico_City",
    }  # fmt: skip
    return Milestone(**{**facts, **changes})


def checked(*milestones: Milestone, status: Status = Status.IN_PROGRESS, **changes: Any) -> CheckedCommitment:
    party_statuses = changes.pop("party_statuses", dict.fromkeys((CA, MX, US), status))
    facts = {"id": "c", "history": (), "last_activity": date(2022, 6, 1)}
    return CheckedCommitment(
        **{**facts, "status": status, "party_statuses": party_statuses, "milestones": milestones, **changes}
    )


def found(
    one: CheckedCommitment, now: datetime, *anchors: CheckedAnchor, months: int = 12
) -> list[tuple[str, str, date]]:
    return [(f.rule, f.subject, f.since) for f in find_inconsistencies([one], anchors, now, months)]


# The last day of the milestone, 10 June, ends in Mexico City (then UTC-5) at 05:00Z.
LAST_MOMENT = datetime(2022, 6, 11, 4, 59, 59, tzinfo=UTC)
OVER = datetime(2022, 6, 11, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [Status.ANNOUNCED, Status.IN_PROGRESS, Status.AT_RISK])
def test_what_is_not_done_when_its_last_day_has_ended_is_past_due(status: Status) -> None:
    one = checked(milestone(), status=status)
    assert found(one, OVER) == [("past-due-in-progress", "m", date(2022, 6, 10))]
    assert found(one, LAST_MOMENT) == []


@pytest.mark.parametrize("status", [Status.MET, Status.PARTLY_MET, Status.MISSED, Status.WITHDRAWN])
def test_what_has_come_to_an_end_is_not_past_due(status: Status) -> None:
    assert found(checked(milestone(), status=status), OVER) == []


def test_only_those_whom_it_binds_can_be_late() -> None:
    statuses = {CA: Status.MET, MX: Status.IN_PROGRESS, US: Status.MET}
    late = checked(milestone(parties=(CA, MX)), status=Status.PARTLY_MET, party_statuses=statuses)
    not_bound = checked(milestone(parties=(CA, US)), status=Status.PARTLY_MET, party_statuses=statuses)
    assert found(late, OVER) == [("past-due-in-progress", "m", date(2022, 6, 10))]
    assert found(not_bound, OVER) == []


@pytest.mark.parametrize("changes", [{"edtf": None, "reading": Reading.UNDATED}, {"reading": Reading.FROM}])
def test_what_has_no_last_day_is_never_past_due(changes: dict[str, Any]) -> None:
    assert found(checked(milestone(**changes)), OVER) == []


def test_what_is_met_while_a_last_day_is_ahead_is_flagged() -> None:
    history = tuple(
        StatusHistoryEntry(datetime(2022, 3, 1, 18, tzinfo=UTC), party, Status.MET) for party in (CA, MX, US)
    )
    one = checked(milestone(), status=Status.MET, history=history)
    ahead = datetime(2022, 6, 10, 4, 59, tzinfo=UTC)  # the ninth in Mexico City
    on_the_day = datetime(2022, 6, 10, 5, 0, tzinfo=UTC)
    assert found(one, ahead) == [("met-with-open-milestones", "m", date(2022, 3, 1))]
    assert found(one, on_the_day) == []


def test_what_one_party_alone_has_met_is_not_flagged() -> None:
    statuses = {CA: Status.MET, MX: Status.IN_PROGRESS, US: Status.IN_PROGRESS}
    history = (StatusHistoryEntry(datetime(2022, 3, 1, tzinfo=UTC), CA, Status.MET),)
    joint = checked(milestone(), status=Status.PARTLY_MET, party_statuses=statuses, history=history)
    its_own = checked(milestone(parties=(CA,)), status=Status.PARTLY_MET, party_statuses=statuses, history=history)
    now = datetime(2022, 6, 1, tzinfo=UTC)
    assert found(joint, now) == []
    assert [rule for rule, _, _ in found(its_own, now)] == ["met-with-open-milestones"]


def test_it_has_been_met_since_the_last_of_them_met_it_for_good() -> None:
    days = [datetime(2022, 1, day, tzinfo=UTC) for day in range(1, 7)]
    history = [
        StatusHistoryEntry(days[0], CA, Status.IN_PROGRESS),
        StatusHistoryEntry(days[1], CA, Status.MET),
        StatusHistoryEntry(days[2], MX, Status.MET),
        StatusHistoryEntry(days[3], CA, Status.AT_RISK),
        StatusHistoryEntry(days[4], CA, Status.MET),
        StatusHistoryEntry(days[5], CA, Status.MET),  # only with more evidence
    ]
    assert met_since(history, (CA, MX)) == days[4]
    assert met_since(history, (CA, MX, US)) is None
    assert met_since([], (CA,)) is None


def test_inactivity_is_counted_in_months_from_the_last_activity() -> None:
    one = checked(last_activity=MADE_ON)
    a_year_later = datetime(2022, 11, 18, 6, tzinfo=UTC)  # midnight in Mexico City, where it is UTC-6 by then
    just_before = datetime(2022, 11, 18, 5, 59, tzinfo=UTC)
    assert found(one, a_year_later) == [("no-news", "c", MADE_ON)]
    assert found(one, just_before) == []
    assert found(one, datetime(2022, 2, 18, 7, tzinfo=UTC), months=3) == [("no-news", "c", MADE_ON)]


@pytest.mark.parametrize("status", [Status.MET, Status.WITHDRAWN])
def test_what_is_closed_may_be_silent(status: Status) -> None:
    assert found(checked(status=status, last_activity=MADE_ON), datetime(2030, 1, 1, tzinfo=UTC)) == []


SUMMIT = CheckedAnchor("summit", "America/Los_Angeles", span_of("2022-06-06/2022-06-10"), has_outcome=False)


def test_an_event_in_the_past_without_an_outcome_is_flagged_for_each_commitment() -> None:
    """In its own zone: the tenth ends in Los Angeles at 07:00Z."""
    hanging = milestone(anchor_id="summit", reading=Reading.ON, zone="America/Los_Angeles")
    also = milestone(id="n", anchor_id="summit", reading=Reading.ON, zone="America/Los_Angeles")
    one = checked(also, hanging, status=Status.MET)
    other = checked(hanging.model_copy(update={"id": "o"}), status=Status.MET, id="d")
    now = datetime(2022, 6, 11, 7, 0, tzinfo=UTC)
    flagged = find_inconsistencies([one, other], [SUMMIT], now, 12)
    assert [(f.subject, f.commitment_id, f.milestone and f.milestone.id, f.anchor_id, f.since) for f in flagged] == [
        ("summit/c", "c", "m", "summit", date(2022, 6, 10)),
        ("summit/d", "d", "o", "summit", date(2022, 6, 10)),
    ]
    assert find_inconsistencies([one, other], [SUMMIT], datetime(2022, 6, 11, 6, 59, tzinfo=UTC), 12) == []


def test_an_event_is_not_late_before_it_was_held_and_then_only_the_status_is_open() -> None:
    """Whether it has taken place is asked of its anchor, once; where it has none, of itself."""
    summit = milestone(anchor_id="summit", reading=Reading.ON, zone="America/Los_Angeles")
    held = CheckedAnchor("summit", SUMMIT.zone, SUMMIT.span, has_outcome=True)
    now = datetime(2022, 6, 12, tzinfo=UTC)
    past_due = ("past-due-in-progress", "m", date(2022, 6, 10))

    assert found(checked(summit), now, SUMMIT) == [("anchor-without-outcome", "summit/c", date(2022, 6, 10))]
    assert found(checked(summit.model_copy(update={"held": True})), now, held) == [past_due]
    assert found(checked(milestone(reading=Reading.ON)), now) == [past_due]
    assert past_due in found(checked(milestone(anchor_id="summit")), now, SUMMIT), "by the next summit is a deadline"


def test_an_event_with_an_outcome_or_without_a_date_is_not_flagged() -> None:
    held = CheckedAnchor("summit", SUMMIT.zone, SUMMIT.span, has_outcome=True)
    undated = CheckedAnchor("summit", SUMMIT.zone, span_of(None), has_outcome=False)
    assert find_inconsistencies([], [held, undated], datetime(2030, 1, 1, tzinfo=UTC), 12) == []


def test_an_event_on_which_nothing_hangs_is_found_by_itself() -> None:
    assert find_inconsistencies([], [SUMMIT], datetime(2022, 6, 12, tzinfo=UTC), 12) == [
        Inconsistency("anchor-without-outcome", "summit", date(2022, 6, 10), None, None, "summit")
    ]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2022, 3, 21, 11, 59, tzinfo=UTC), date(2022, 3, 20)),  # 05:59 in Mexico City
        (datetime(2022, 3, 21, 12, 0, tzinfo=UTC), date(2022, 3, 21)),
        (datetime(2022, 7, 21, 11, 0, tzinfo=UTC), date(2022, 7, 21)),  # its last summer time
        (datetime(2023, 7, 21, 11, 0, tzinfo=UTC), date(2023, 7, 20)),
    ],
)
def test_a_day_is_due_from_six_in_the_morning_on(now: datetime, day: date) -> None:
    assert due_day(now) == day
