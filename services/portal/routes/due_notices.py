"""What a page says of milestones that are overdue, asked about or due soon, and that somebody is on it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.portal.clients.page_parts import page_part
from services.portal.clients.registry import DueMilestoneView, MinistryView
from services.portal.clients.scheduler import AcknowledgementView
from services.portal.routes.portal import Portal

DUE_STATES = ("overdue", "asked", "soon")
"""In the order of how much they are a reader's concern; states of a later release are not shown."""


@dataclass(frozen=True)
class DueNotice:
    """How a milestone stands by the calendar."""

    due: DueMilestoneView
    acknowledgement: AcknowledgementView | None = None
    """That somebody is on it."""
    ministry: MinistryView | None = None
    """Whose they are, where that is known."""


@dataclass(frozen=True)
class DueNotices:
    """The notices of a page."""

    by_milestone: Mapping[str, DueNotice] = field(default_factory=dict)
    by_commitment: Mapping[str, tuple[DueNotice, ...]] = field(default_factory=dict)
    is_missing: bool = False
    """Whether the registry did not say."""

    def states_of(self, commitment_id: str) -> frozenset[str]:
        """The states in which a commitment has milestones."""
        return frozenset(notice.due.state for notice in self.by_commitment.get(commitment_id, ()))


async def due_notices(portal: Portal, commitment_id: str | None = None) -> DueNotices:
    """The notices of one commitment or of all. Without the scheduler they don't say who is on it."""
    due, acknowledged = await asyncio.gather(
        page_part("due", portal.registry.due_milestones(commitment_id), list[DueMilestoneView]()),
        page_part("acknowledgements", portal.scheduler.acknowledgements(commitment_id), list[AcknowledgementView]()),
    )
    of_milestone = {one.milestone_id: one for one in acknowledged.value}
    ministries: dict[str, MinistryView] = {}
    if any(one.ministry for one in acknowledged.value):
        told = await page_part("ministries", portal.registry.ministries(), list[MinistryView]())
        ministries = {one.code: one for one in told.value}
    by_milestone: dict[str, DueNotice] = {}
    by_commitment: dict[str, tuple[DueNotice, ...]] = {}
    for one in sorted((one for one in due.value if one.state in DUE_STATES), key=_first_concern):
        made = of_milestone.get(one.milestone_id)
        notice = DueNotice(one, made, ministries.get(made.ministry) if made and made.ministry else None)
        by_milestone[one.milestone_id] = notice
        by_commitment[one.commitment_id] = (*by_commitment.get(one.commitment_id, ()), notice)
    return DueNotices(by_milestone, by_commitment, due.is_missing)


def _first_concern(one: DueMilestoneView) -> int:
    return DUE_STATES.index(one.state)
