"""From a claimed reminder to the record of its event: `milestone-due`, or `own-ladder-due` for one subscription."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.commitments import CommitmentBrief, Milestone
from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneDue, OwnLadderDue
from contracts.topics import MILESTONE_DUE, OWN_LADDER_DUE, Topic
from contracts.vocabulary import Status
from services.plumbing.ids import id_about
from services.plumbing.outbox import Outgoing
from services.plumbing.tracing import traced
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.due_reminder import DueReminder, due_reminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders.claims import ClaimedReminder
from services.scheduler.reminders.day_causes import day_cause
from services.scheduler.reminders.plans import PlanJson, PlanRow
from services.scheduler.reminders.rules.agenda import PlanningRules

ReadPlan = tuple[CommitmentBrief, Milestone]


@dataclass(frozen=True)
class DueEvent:
    """An event to be: all of it but its `seq`."""

    claimed: ClaimedReminder
    commitment: CommitmentBrief
    milestone: Milestone
    reminder: DueReminder

    @property
    def topic(self) -> Topic:
        """Where it is told: what one subscription's own ladder asks for is nobody else's to read."""
        return OWN_LADDER_DUE if self.claimed.audience else MILESTONE_DUE

    @property
    def id(self) -> UUID:
        """Its id, derived from what it is about, so that the same reminder always has the same one."""
        audience = str(self.claimed.audience) if self.claimed.audience else None
        return id_about(
            MILESTONE_DUE.name, self.milestone.id, self.claimed.schedule_version, self.reminder.step.name, audience
        )


class PlanReader:
    """Reads what plans say, some of it ahead of its time.

    Reading is a third of the work of firing, and what is due in ten seconds can be read now. It is remembered for the
    plan as it was written then, so what is written anew in the meantime is read anew.
    """

    def __init__(self) -> None:
        self._ahead: dict[PlanRow, ReadPlan] = {}

    def read_ahead(self, upcoming: Iterable[tuple[PlanRow, PlanJson]], most: int) -> None:
        """Read what will be needed soon, and forget what has not been needed once there is more than `most` of it."""
        for plan, text in upcoming:
            if len(self._ahead) >= most:
                self._ahead.clear()
            try:
                self._ahead[plan] = _read(text)
            except ValueError:
                continue  # it is found out when its time has come

    def unread(self, due: Iterable[ClaimedReminder]) -> set[PlanRow]:
        """The plans whose JSON is needed to fire these reminders."""
        return {claimed.plan for claimed in due} - self._ahead.keys()

    def due_event(
        self, claimed: ClaimedReminder, texts: Mapping[PlanRow, PlanJson], rules: PlanningRules, now: datetime
    ) -> DueEvent | None:
        """The event of a claimed reminder; None when it is by a ladder that its subscription no longer has.

        Raises ValueError where the plan can't be read.
        """
        plan = claimed.plan
        commitment, milestone = _read(texts[plan]) if plan in texts else self._ahead[plan]
        own_ladder = None
        if claimed.audience:
            own_ladder = rules.ladder_of(claimed.audience)
            if own_ladder is None or not own_ladder.asks_for(commitment, milestone):
                return None
        steps = {Step.stored(name): due_at for name, due_at in claimed.steps.items()}
        count = countdown(milestone, rules.book, claimed.scheduled_at, own_ladder)
        return DueEvent(claimed, commitment, milestone, due_reminder(count, steps, now))

    def forget(self, due: Iterable[ClaimedReminder]) -> None:
        """Give room back, once these have been fired."""
        for claimed in due:
            self._ahead.pop(claimed.plan, None)


def _read(text: PlanJson) -> ReadPlan:
    commitment, milestone = text
    return CommitmentBrief.as_read(commitment), Milestone.as_read(milestone)


def due_record(event: DueEvent, seq: int, now: datetime) -> Outgoing:
    """The record of an event."""
    claimed, reminder = event.claimed, event.reminder
    said: dict[str, Any] = {
        "seq": seq,
        "cause": day_cause("reminders", event.milestone, reminder.due_at),
        "commitment": event.commitment,
        "milestone": event.milestone,
        "schedule_version": claimed.schedule_version,
        "step": reminder.step.name,
        "phase": reminder.phase,
        "days": reminder.days,
        "due_at": reminder.due_at,
        "late": reminder.late,
        "merged_steps": tuple(step.name for step in reminder.merged),
        "not_after": reminder.not_after,
        "status": Status.as_kept(claimed.status),
        "last": reminder.last,
        "only_in_digests": reminder.only_in_digests,
    }
    due = OwnLadderDue(**said, subscription_id=claimed.audience) if claimed.audience else MilestoneDue(**said)
    with traced("milestone due", None) as traceparent:  # nobody's request: a thread of its own begins here
        envelope = Envelope(event.id, now, event.commitment.id, claimed.correlation_id, traceparent)
    record = to_record(due, envelope)
    return Outgoing(envelope.id, record.topic, record.key, record.headers, record.value)
