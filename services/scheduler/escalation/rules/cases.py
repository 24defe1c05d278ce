"""How the escalations of a commitment's milestones change with the events about it. Pure, event by event.

It follows the same events as the agenda, with the same commitment status; an event that came before changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.commitments import Milestone
from contracts.events import CommitmentCreated, MilestoneScheduled, StatusChanged
from contracts.vocabulary import PartyCode
from services.scheduler.escalation.rules import machine
from services.scheduler.escalation.rules.deadline import Deadline, deadline_of
from services.scheduler.escalation.rules.states import Dormant, EscalationState, LogEntry
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from services.scheduler.reminders.rules.history import is_past_history


@dataclass(frozen=True)
class EscalationCase:
    """A milestone's escalation, with what of its schedule it rests on."""

    state: EscalationState
    deadline: Deadline | None
    parties: tuple[PartyCode, ...]
    version: int
    held: bool = False
    """Whether it is an event that has taken place."""


@dataclass(frozen=True)
class CommitmentEscalations:
    """A commitment's status, and the cases of its milestones."""

    commitment_status: CommitmentStatus = field(default_factory=CommitmentStatus)
    cases: Mapping[str, EscalationCase] = field(default_factory=dict)


def case_in(state: EscalationState, milestone: Milestone, version: int) -> EscalationCase:
    """The case of a milestone that is in this state."""
    deadline = deadline_of(milestone)
    return EscalationCase(machine.asked_first(state, deadline), deadline, milestone.parties, version, milestone.held)


def new_case(
    milestone: Milestone, version: int, *, over: bool, at: datetime
) -> tuple[EscalationCase, tuple[LogEntry, ...]]:
    """The case of a milestone of which nothing was known before `at`; `over` when the commitment is, for it."""
    return _dated(case_in(Dormant(), milestone, version), over=over or milestone.held, at=at)


def escalations_after(
    escalations: CommitmentEscalations, event: CommitmentEvent, at: datetime
) -> tuple[CommitmentEscalations, list[tuple[str, LogEntry]]]:
    """The escalations after an event of the time `at`, and what the milestones' logs note. Raises `UnknownZone`."""
    match event:
        case CommitmentCreated():
            return _after_status(escalations, escalations.commitment_status.after_created(event), None, at)
        case StatusChanged():
            return _after_status(escalations, escalations.commitment_status.after_changed(event), event, at)
        case MilestoneScheduled():
            return _scheduled(escalations, event, at)


def _scheduled(
    escalations: CommitmentEscalations, event: MilestoneScheduled, at: datetime
) -> tuple[CommitmentEscalations, list[tuple[str, LogEntry]]]:
    milestone = event.milestone
    known = escalations.cases.get(milestone.id)
    if known and known.version >= event.schedule_version:
        return escalations, []
    state = known.state if known else Dormant()
    case = case_in(state, milestone, event.schedule_version)
    over = milestone.held or escalations.commitment_status.is_over_for(milestone.parties)
    case, entries = _dated(case, over=over or is_past_history(event, at), at=at)
    return replace(escalations, cases={**escalations.cases, milestone.id: case}), [
        (milestone.id, entry) for entry in entries
    ]


def _dated(case: EscalationCase, *, over: bool, at: datetime) -> tuple[EscalationCase, tuple[LogEntry, ...]]:
    """The case under a date that holds since `at`."""
    if over:
        state, entries = machine.settled(case.state)
    else:
        state, entries = machine.moved(case.state, case.deadline, at)
        state, more = machine.reopened(state, case.deadline, at)
        entries = (*entries, *more)
    return replace(case, state=state), entries


def _after_status(
    escalations: CommitmentEscalations, commitment_status: CommitmentStatus, event: StatusChanged | None, at: datetime
) -> tuple[CommitmentEscalations, list[tuple[str, LogEntry]]]:
    cases, log = dict(escalations.cases), []
    for name, case in escalations.cases.items():
        state = case.state
        entries: tuple[LogEntry, ...] = ()
        if event and _shows_work(event, case.parties):
            state, entries = machine.evidenced(state, case.deadline, at)
        more: tuple[LogEntry, ...] = ()
        if case.held or commitment_status.is_over_for(case.parties):
            state, more = machine.settled(state)
        elif escalations.commitment_status.is_over_for(case.parties):
            # Not what was settled as history: nothing was over before, so nothing is taken up again.
            state, more = machine.reopened(state, case.deadline, at)
        cases[name] = replace(case, state=state)
        log += [(name, entry) for entry in (*entries, *more)]
    return CommitmentEscalations(commitment_status, cases), log


def _shows_work(event: StatusChanged, parties: Iterable[PartyCode]) -> bool:
    """Whether it is evidence for what these parties owe: a link to some, or a status that is another one."""
    is_news_of_theirs = event.current and event.party in parties
    return is_news_of_theirs and (event.evidence is not None or event.status != event.previous)
