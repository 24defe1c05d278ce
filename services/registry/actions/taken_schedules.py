"""Dates that the topic has and the register has not: into the schedules, before those given meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from contracts.commitments import Milestone
from contracts.events import MilestoneScheduled
from services.plumbing.database import Connection
from services.plumbing.outbox import Outgoing
from services.plumbing.recovery.taking_over import Effects, by_itself
from services.plumbing.sentences import Sentence
from services.registry.actions.events import read_outgoing
from services.registry.rules.errors import ResourceNotFound
from services.registry.store.anchors import add_anchor_news, lock_anchors, put_anchor
from services.registry.store.commitments import lock_commitments
from services.registry.store.milestones import (
    add_schedule,
    is_scheduled,
    lock_milestones,
    newest_version,
    put_milestone,
    renumber_schedules,
)

CLIENT = "recovery"
"""Who is recorded as the source's bearer: the event does not say who told the registry."""


async def take_over_schedules(
    connection: Connection, missed: Sequence[Outgoing], waiting: Sequence[Outgoing]
) -> Effects:
    """Write the missed schedules; those that wait get later versions, behind them."""
    effects = Effects(waiting)
    for one in missed:
        found = _TakenSchedule(connection, one, effects.waiting)
        effects.remarks += await by_itself(connection, f"a date of {one.key}", found.write())
        effects.remarks += found.remarks
        effects.waiting = [found.rewritten.get(w.event_id, w) for w in effects.waiting]
    return effects


class _TakenSchedule:
    """One of them."""

    def __init__(self, connection: Connection, missed: Outgoing, waiting: Sequence[Outgoing]) -> None:
        self.rewritten: dict[UUID, Outgoing] = {}
        self.remarks: list[str] = []
        self._connection = connection
        self._missed = missed
        self._waiting = waiting

    async def write(self) -> None:
        envelope, event = read_outgoing(MilestoneScheduled, self._missed)
        milestone = event.milestone
        if not await lock_commitments(self._connection, [event.commitment.id]):
            raise ResourceNotFound(Sentence("there is no commitment %(id)s in this database", id=event.commitment.id))
        if await is_scheduled(self._connection, self._missed.event_id):
            return  # as by an import that was made again meanwhile
        behind = [
            (one, waits)
            for one in self._waiting
            if one.key == self._missed.key
            and (waits := read_outgoing(MilestoneScheduled, one)[1]).milestone.id == milestone.id
        ]
        await lock_milestones(self._connection, [milestone.id])
        versions = {one.event_id: event.schedule_version + n for n, (one, _) in enumerate(behind, 1)}
        await renumber_schedules(self._connection, milestone.id, versions)
        if not behind:
            await self._put_milestone(event, milestone, event.known_on or envelope.time.date())
        await add_schedule(
            self._connection, milestone.id, event.schedule_version, milestone.span, event.change, event.source,
            event.known_on, self._missed.event_id, envelope.time,
            behind[-1][1].milestone.local_time if behind else milestone.local_time,
        )  # fmt: skip
        await newest_version(self._connection, milestone.id)
        previous = milestone.span
        for one, waits in behind:
            later = waits.model_copy(update={"schedule_version": versions[one.event_id], "previous": previous})
            previous = waits.milestone.span
            self.rewritten[one.event_id] = replace(one, value=later.model_dump_json().encode())

    async def _put_milestone(self, event: MilestoneScheduled, milestone: Milestone, day: date) -> None:
        """Its facts as the event has them, and the date of the anchor that it is, where it is one."""
        if milestone.anchor_id:
            anchors = await lock_anchors(self._connection, [milestone.anchor_id])
            anchor = anchors.get(milestone.anchor_id)
            if anchor is None:
                self.remarks.append(f"{milestone.id} hung on {milestone.anchor_id}, which is not in this database")
                milestone = milestone.model_copy(update={"anchor_id": None, "offset": None})
            elif milestone.offset is None and event.source and anchor.source != event.source:
                outcome = event.change if event.change in ("held", "cancelled") else None
                after = replace(
                    anchor,
                    span=milestone.span,
                    local_time=milestone.local_time,
                    source=event.source,
                    known_on=day,
                    outcome=outcome,
                )
                await put_anchor(self._connection, after)
                change = "moved" if event.change == "first" else event.change
                at = read_outgoing(MilestoneScheduled, self._missed)[0].time
                await add_anchor_news(self._connection, after, change, CLIENT, at)
        await put_milestone(self._connection, event.commitment.id, milestone)
