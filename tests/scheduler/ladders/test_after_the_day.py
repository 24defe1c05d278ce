"""Behind the day: a deadline is overdue, an event is asked about, and the shipped ladder thins out and ends."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading
from services.scheduler.ladders.due_reminder import due_reminder, phase_at
from services.scheduler.ladders.ladder import Ladder, Rung, Step
from services.scheduler.ladders.planning import plan
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder
from services.scheduler.reminders.rules.agenda import Agenda, PlanningRules, agenda_after, replanned
from services.scheduler.reminders.rules.simulation import SimulatedReminder, simulate
from tests.scheduler.scenes import ENDLESS, SHIPPED, counting, created, instants, milestone, milestones, scheduled, utc

RULES = PlanningRules(SHIPPED)
BEHIND = [f"after-{days}d" for days in (1, 7, 30, 90, 180, 365)]
DEADLINE = milestone(date(2022, 6, 30))
SUMMIT = milestone(date(2022, 6, 30), earliest=date(2022, 6, 29), reading=Reading.ON, anchor_id="summit")
LATER = utc(2026, 11, 29)


def agenda_of(what: Milestone, at: datetime, rules: PlanningRules = RULES) -> Agenda:
    agenda = agenda_after(Agenda(), created(), at, rules=rules)
    return agenda_after(agenda, scheduled(what), at, rules=rules)


def fired(what: Milestone, at: datetime, rules: PlanningRules = RULES) -> tuple[SimulatedReminder, ...]:
    """All that is fired of a milestone that is scheduled then, until two years behind its day."""
    end = max(counting(what, rules.book).ended_at, at) + timedelta(days=730)
    return simulate([agenda_of(what, at, rules)], rules, at, end)


def told(what: Milestone, at: datetime, rules: PlanningRules = RULES) -> tuple[SimulatedReminder, ...]:
    """Of it, what everybody is told."""
    return tuple(one for one in fired(what, at, rules) if not one.only_in_digests)


@pytest.mark.parametrize(("what", "phase"), [(DEADLINE, "overdue"), (SUMMIT, "asked")], ids=["deadline", "event"])
def test_behind_the_day_reminders_thin_out_and_the_last_one_says_so(what: Milestone, phase: str) -> None:
    behind = [one for one in told(what, utc(2022, 1, 1)) if one.step.direction == "after"]

    assert [one.step.name for one in behind] == BEHIND
    assert {one.phase for one in behind} == {phase}
    assert [one.last for one in behind] == [False] * 5 + [True]


@given(milestones(), instants)
def test_only_a_deadline_is_overdue_and_only_an_event_is_asked_about(what: Milestone, now: datetime) -> None:
    phase, _ = phase_at(counting(what, SHIPPED), now)

    assert phase in {"ahead", "today", "asked" if what.is_event else "overdue"}


@given(milestones(), instants)
def test_whenever_it_is_scheduled_its_reminders_thin_out_and_end_with_one_that_says_so(
    what: Milestone, at: datetime
) -> None:
    found = told(what, at)
    behind = [one for one in found if one.step.direction == "after"]
    gaps = [after.due_at - before.due_at for before, after in pairwise(behind)]

    assert all(earlier < later + timedelta(hours=2) for earlier, later in pairwise(gaps))
    assert [one.last for one in found] == [one.step.name == BEHIND[-1] for one in found]
    assert len([one for one in found if one.at == at]) <= 1, "what is over is no flood"


@given(milestones(), instants)
def test_an_event_that_is_over_when_it_is_scheduled_is_asked_about_once_and_a_deadline_is_not_told(
    what: Milestone, at: datetime
) -> None:
    late = [one for one in told(what, at) if one.due_at < at]
    passed = [one for one in plan(what, at, SHIPPED, scheduled_at=at) if one.state == "passed"]
    asks = what.is_event and bool(passed) and passed[-1].step.direction == "after"

    assert [(one.step, one.phase, one.at) for one in late] == ([(passed[-1].step, "asked", at)] if asks else [])


def test_a_statement_of_years_ago_that_is_taken_in_today_asks_once_about_its_events() -> None:
    assert told(DEADLINE, LATER) == ()
    [question] = told(SUMMIT, LATER)
    assert (question.step.name, question.phase, question.merged, question.last) == ("after-365d", "asked", (), True)


def test_by_a_ladder_that_goes_on_the_question_does_not_stand_for_what_was_never_planned() -> None:
    rules = PlanningRules(ENDLESS)
    first, second, *_ = simulate([agenda_of(SUMMIT, LATER, rules)], rules, LATER, utc(2027, 3, 1))

    assert (first.at, first.step.name, first.merged) == (LATER, "after-7d", ())
    assert (second.step.name, second.merged) == ("after-1620d", ())


def test_an_event_that_is_moved_into_the_past_is_asked_about() -> None:
    agenda = agenda_of(milestone(date(2027, 6, 1), reading=Reading.ON), LATER)
    agenda = agenda_after(
        agenda, scheduled(milestone(date(2026, 6, 1), reading=Reading.ON), 2, change="moved"), LATER, rules=RULES
    )

    first, second, *others = simulate([agenda], RULES, LATER, utc(2030, 1, 1))
    assert (first.at, first.step.name, first.phase) == (LATER, "after-180d", "asked")
    assert (second.step.name, second.last) == ("after-365d", True)
    assert {one.only_in_digests for one in others} == {True}


@given(milestones(), instants, st.timedeltas(timedelta(), timedelta(days=3000)))
def test_planned_anew_nothing_is_asked_a_second_time(what: Milestone, at: datetime, later: timedelta) -> None:
    agenda = agenda_of(what, at)
    fired = simulate([agenda], RULES, at, at + later)
    again = replanned(agenda, at + later, RULES)

    assert {one.step for one in fired} >= {
        key.step for key, one in again.reminders.items() if one.state == "pending" and one.due_at < at + later
    }


@pytest.mark.parametrize(
    ("days", "following", "last"), [(60, "after-90d", False), (360, "after-365d", False), (1795, "after-1800d", True)]
)
def test_what_the_endless_ladder_of_before_has_planned_goes_over_to_the_one_that_ends(
    days: int, following: str, last: bool
) -> None:
    step = Step("after", days)
    due_at = counting(DEADLINE, ENDLESS).due_at(step)
    assert due_at

    said = due_reminder(counting(DEADLINE, SHIPPED), {step: due_at}, due_at)

    assert (said.follow_up and said.follow_up.step.name, said.last) == (following, last)


def test_a_ladder_that_goes_on_never_says_that_it_ends() -> None:
    rules = PlanningRules(ENDLESS)
    found = simulate([agenda_of(DEADLINE, utc(2022, 1, 1), rules)], rules, utc(2022, 1, 1), utc(2032, 1, 1))

    assert len(found) > 100
    assert not any(one.last for one in found)


def test_a_readers_own_ladder_says_so_only_when_it_ends_behind_the_day() -> None:
    for steps, said in ((("before-7d",), [False]), (("before-7d", "after-7d"), [False, True])):
        ladder = Ladder("chosen", tuple(Rung(Step.named(step), time(8)) for step in steps))
        own = SubscriptionLadder(UUID(int=1), ladder, "America/Toronto")
        found = told(DEADLINE, utc(2022, 1, 1), PlanningRules(SHIPPED, (own,)))
        assert [one.last for one in found if one.audience] == said


def test_an_event_known_to_the_year_is_asked_about_when_the_year_is_over() -> None:
    nals = milestone(date(2022, 12, 31), earliest=date(2022, 1, 1), precision=Precision.YEAR, reading=Reading.ON)

    assert [(one.step.name, one.phase) for one in told(nals, utc(2021, 11, 18))] == [
        ("before-90d", "ahead"),
        ("before-30d", "ahead"),
        *((step, "asked") for step in BEHIND),
    ]


def test_what_stays_open_for_longer_than_a_year_is_told_in_digests_only() -> None:
    found = fired(DEADLINE, utc(2022, 1, 1))
    last = next(number for number, one in enumerate(found) if one.last)
    behind = found[last + 1 :]

    assert [one.only_in_digests for one in found] == [False] * (last + 1) + [True] * len(behind)
    assert [one.step.name for one in behind][:3] == ["after-390d", "after-420d", "after-450d"]
    assert {one.phase for one in behind} == {"overdue"}


@given(milestones(), instants, st.timedeltas(timedelta(days=300), timedelta(days=1500)))
def test_what_was_missed_is_told_to_everybody_with_what_only_digests_would_have_told(
    what: Milestone, at: datetime, away: timedelta
) -> None:
    agenda, back = agenda_of(what, at), max(counting(what, SHIPPED).ended_at, at) + away
    first, *others = simulate([agenda], RULES, back, back + timedelta(days=400)) or [None]
    if first is None:
        return
    missed = [*first.merged, first.step]

    assert first.only_in_digests == all(step.name not in BEHIND and step.direction == "after" for step in missed)
    assert not any(one.last for one in others if first.last), "it ends once"
