"""What the scheduler published once and has forgotten since, after an old backup: told reminders and levels stay told.

Acknowledgements are on no topic: those since the backup are lost, and a level may hear of what somebody had owned.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.envelope import event_id_in, from_record
from contracts.events import MilestoneDue, MilestoneEscalated, OwnLadderDue
from contracts.topics import MILESTONE_DUE, MILESTONE_ESCALATED, OWN_LADDER_DUE, Topic, audit_head_topic
from services.plumbing.audit.forks import note_fork
from services.plumbing.audit.verifying import read_head
from services.plumbing.clock import Clock
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.reminders.tick import Tick

_AUDIT_HEAD = audit_head_topic("scheduler")
TOPICS: tuple[Topic, ...] = (_AUDIT_HEAD, MILESTONE_DUE, OWN_LADDER_DUE, MILESTONE_ESCALATED)
"""What the scheduler writes."""

_KINDS: Mapping[str, type[MilestoneDue | MilestoneEscalated | OwnLadderDue]] = {
    MILESTONE_DUE.name: MilestoneDue,
    OWN_LADDER_DUE.name: OwnLadderDue,
    MILESTONE_ESCALATED.name: MilestoneEscalated,
}


async def count_due(clock: Clock, connection: Connection) -> int:
    """How many reminders and levels are due while nothing may be sent; some of them had been told before."""
    return int(
        await connection.fetchval(
            "select (select count(*) from reminder where state = 'pending' and due_at <= $1)"
            " + (select count(*) from escalation where next_at <= $1 and failed is null)",
            clock.now(),
        )
    )


class MissedSchedulerEvents:
    """Takes over the scheduler's events: each is retraced as it was written, by the rules of its time."""

    def __init__(self, tick: Tick, escalator: Escalator) -> None:
        self._tick = tick
        self._escalator = escalator

    def event_id(self, headers: Sequence[tuple[str, bytes | None]]) -> UUID:
        """The id in a record's headers; raises ValueError."""
        return event_id_in(headers)

    async def take_over(
        self, connection: Connection, topic: str, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
    ) -> Effects:
        """Mark reminders and levels as told.

        Those of milestones that this database has not heard of yet, or has under an older schedule, are recognised by
        their ids when they come due.
        """
        if topic == _AUDIT_HEAD.name:
            heads = [read_head(one.value) for one in missed]
            return Effects(waiting, await note_fork(connection, "scheduler", heads))
        said = {one.event_id for one in missed}
        effects = Effects(waiting)
        for one in missed:
            effects.remarks += await by_itself(
                connection, f"{topic} {one.event_id} about {one.key}", self._retrace(connection, topic, one, said)
            )
        return effects

    async def _retrace(self, connection: Connection, topic: str, one: Outgoing, said: set[UUID]) -> None:
        kind: Any = _KINDS[topic]
        headers = [(name, text.encode()) for name, text in one.headers.items()]
        envelope, event = from_record(kind, one.key.encode(), headers, one.value)
        if isinstance(event, MilestoneEscalated):
            await self._escalator.retrace(connection, event, envelope.id, envelope.time)
        else:
            await self._tick.retrace(connection, event.milestone.id, envelope.time, said)
