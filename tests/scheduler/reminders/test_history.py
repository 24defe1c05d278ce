"""What comes in as history and is over reminds nobody and escalates nothing; what lies ahead is planned."""

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.causes import HISTORY
from contracts.commitments import Milestone
from contracts.events import MilestoneScheduled
from contracts.vocabulary import Reading, Status
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.rules.cases import CommitmentEscalations, escalations_after
from services.scheduler.escalation.rules.machine import next_change_at
from services.scheduler.reminders.rules.agenda import Agenda, PlanningRules, agenda_after, replanned
from tests.scheduler.scenes import ALL, ENDLESS, SHIPPED, changed, milestone, scheduled, utc

NOW = utc(2026, 11, 29, 12)
BOOK = read_escalation_book()
PAST, TO_COME = date(2025, 12, 31), date(2030, 12, 31)


def history(what: Milestone, version: int = 1) -> MilestoneScheduled:
    """A date that is taken in as history."""
    event = scheduled(what, version, change="first" if version == 1 else "moved")
    return event.model_copy(update={"cause": event.cause.model_copy(update={"kind": HISTORY})})


def waiting(agenda: Agenda) -> list[datetime]:
    """When reminders are due that still wait."""
    return [one.due_at for one in agenda.reminders.values() if one.state == "pending"]


@given(
    latest=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    reading=st.sampled_from([Reading.BY, Reading.ON]),
    book=st.sampled_from([SHIPPED, ENDLESS]),
)
def test_what_is_over_waits_for_nothing(latest: date, reading: Reading, book: object) -> None:
    """
    A last day that has ended leaves no reminder and no escalation, whatever the ladder; one ahead has both.
    """
    what = milestone(latest, reading=reading)
    rules = PlanningRules(book)  # type: ignore[arg-type]
    agenda = agenda_after(Agenda(), history(what), NOW, rules=rules)
    escalations, _ = escalations_after(CommitmentEscalations(), history(what), NOW)
    case = escalations.cases[what.id]
    is_over = case.deadline.passes_at <= NOW if case.deadline else False

    assert bool(waiting(agenda)) is not is_over
    assert (next_change_at(case.state, case.deadline, BOOK) is None) is is_over


def test_nothing_is_planned_for_it_later_either() -> None:
    """
    Another ladder book, other zone data and reports about it bring no reminder and no escalation.
    """
    event = history(milestone(PAST))
    agenda = agenda_after(Agenda(), event, NOW)
    escalations, _ = escalations_after(CommitmentEscalations(), event, NOW)
    report = changed(Status.AT_RISK)
    agenda = agenda_after(replanned(agenda, NOW, PlanningRules(ENDLESS)), report, NOW + timedelta(days=1))
    escalations, entries = escalations_after(escalations, report, NOW + timedelta(days=1))
    case = escalations.cases[event.milestone.id]

    assert waiting(agenda) == [] and entries == []
    assert next_change_at(case.state, case.deadline, BOOK) is None


def test_a_new_date_makes_it_present_again() -> None:
    """
    Moved to come, by news of today, it is reminded of and escalated as any other.
    """
    event = history(milestone(PAST))
    moved = scheduled(milestone(TO_COME), 2, change="moved")
    agenda = agenda_after(agenda_after(Agenda(), event, NOW), moved, NOW)
    escalations, _ = escalations_after(CommitmentEscalations(), event, NOW)
    escalations, _ = escalations_after(escalations, moved, NOW)
    case = escalations.cases[event.milestone.id]

    assert waiting(agenda)
    assert next_change_at(case.state, case.deadline, BOOK) == case.deadline.passes_at  # type: ignore[union-attr]


def test_what_was_met_and_is_open_again_is_taken_up() -> None:
    """
    A commitment that is met and later isn't any more is looked after again, history or not.
    """
    event = history(milestone(PAST))
    escalations, _ = escalations_after(CommitmentEscalations(), event, NOW)
    for seq, status in enumerate((Status.MET, Status.IN_PROGRESS), 1):
        for party in ALL:
            report = changed(status, seq=3 * seq + ALL.index(party), party=party)
            escalations, _ = escalations_after(escalations, report, NOW + timedelta(days=seq))
    case = escalations.cases[event.milestone.id]

    assert next_change_at(case.state, case.deadline, BOOK) is not None
