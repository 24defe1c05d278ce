"""From a claimed milestone to the record of its event: what is due, read, weighed and written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneDue
from contracts.vocabulary import CommitmentBrief, Milestone, Status
from services.plumbing.outbox import Outgoing
from services.plumbing.tracing import traced
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.firing import DueReminder, due_reminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.agenda import PlanningRules
from services.scheduler.reminders.claims import ClaimedReminder, PlanJson, PlanRow

ReadPlan = tuple[CommitmentBrief, Milestone]


@dataclass(frozen=True)
class DueEvent:
    """An event to be: all of it but its `seq`."""

    due: ClaimedReminder
    commitment: CommitmentBrief
    milestone: Milestone
    occasion: DueReminder


class PlanReader:
    """Reads what plans say, some of it ahead of its time.

    Reading is a third of the work of telling, and what is due in ten seconds can be read now. It is remembered for the
    plan as it was written then, so what is written anew in the meantime is read anew.
    """

    def __init__(self) -> None:
        self._ahead: dict[PlanRow, ReadPlan] = {}

    def read_ahead(self, coming: Iterable[tuple[PlanRow, PlanJson]], most: int) -> None:
        """Read what will be needed soon, and forget what has not been needed once there is more than `most` of it."""
        for plan, texts in coming:
            if len(self._ahead) >= most:
                self._ahead.clear()
            try:
                self._ahead[plan] = _read(texts)
            except ValueError:
                continue  # it is found out when its time has come

    def unread(self, due: Iterable[ClaimedReminder]) -> set[PlanRow]:
        """The plans whose texts are needed to tell this."""
        return {one.plan for one in due} - self._ahead.keys()

    def telling(
        self, due: ClaimedReminder, texts: Mapping[PlanRow, PlanJson], rules: PlanningRules, now: datetime
    ) -> DueEvent | None:
        """What is to be told of a milestone, None when it is by a ladder that its reader no longer has.

        Raises ValueError where it can't be told.
        """
        commitment, milestone = _read(texts[due.plan]) if due.plan in texts else self._ahead[due.plan]
        choice = None
        if due.audience:
            choice = rules.choice_of(due.audience)
            if choice is None or not choice.asks_for(commitment, milestone):
                return None
        steps = {Step.named(name): due_at for name, due_at in due.steps.items()}
        count = countdown(milestone, rules.book, due.scheduled_at, choice)
        return DueEvent(due, commitment, milestone, due_reminder(count, steps, now))

    def forget(self, due: Iterable[ClaimedReminder]) -> None:
        """Give room back, once it has been told."""
        for one in due:
            self._ahead.pop(one.plan, None)


def _read(texts: PlanJson) -> ReadPlan:
    commitment, milestone = texts
    return CommitmentBrief.model_validate_json(commitment), Milestone.model_validate_json(milestone)


def due_record(telling: DueEvent, seq: int, now: datetime) -> Outgoing:
    """The record of the event."""
    due, what = telling.due, telling.occasion
    event = MilestoneDue(
        seq=seq,
        commitment=telling.commitment,
        milestone=telling.milestone,
        schedule_version=due.schedule_version,
        step=what.step.name,
        phase=what.phase,
        days=what.days,
        due_at=what.due_at,
        late=what.late,
        merged_steps=tuple(step.name for step in what.merged),
        not_after=what.not_after,
        status=Status(due.status),
        audience=due.audience,
    )
    with traced("milestone due", None) as traceparent:  # nobody's request: a thread of its own begins here
        envelope = Envelope(due.event_id, now, telling.commitment.id, due.correlation_id, traceparent)
    record = to_record(event, envelope)
    return Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
