"""Ladders that subscriptions chose for themselves, and which milestones they are for."""

from dataclasses import dataclass, field
from datetime import time
from uuid import UUID

from contracts.commitments import CommitmentBrief, Milestone
from contracts.events import LadderChosen
from contracts.filters import Filters, matches
from contracts.topics import MILESTONE_DUE
from services.plumbing.business_days import RegionalCalendar, regional_calendar
from services.plumbing.zones import zone_named
from services.scheduler.ladders.business_calendar import BOUND, BusinessCalendar
from services.scheduler.ladders.ladder import NINE, Ladder, Rung, Step


@dataclass(frozen=True, slots=True)
class MilestoneTraits:
    """What filters look at in a milestone that is due."""

    parties: frozenset[str]
    themes: frozenset[str]
    section: str
    commitment: str
    event: str = MILESTONE_DUE.name


def traits_of(commitment: CommitmentBrief, milestone: Milestone) -> MilestoneTraits:
    """The traits of a commitment's milestone."""
    return MilestoneTraits(
        frozenset(milestone.parties), frozenset(commitment.themes), commitment.section, commitment.id
    )


@dataclass(frozen=True)
class SubscriptionLadder:
    """One subscription's ladder: on its reader's clocks, for the milestones that its filters ask for."""

    subscription_id: UUID
    ladder: Ladder
    zone: str
    filters: Filters = field(default_factory=Filters)
    owner: str | None = None
    """The client who may see it; None where no event has said so, and then operators only may."""

    def asks_for(self, commitment: CommitmentBrief, milestone: Milestone) -> bool:
        """Whether its reader is to be reminded of this milestone."""
        return matches(self.filters, traits_of(commitment, milestone))


def subscription_ladder(event: LadderChosen) -> SubscriptionLadder | None:
    """The ladder that a subscription has after this event; None when it has none any more.

    Milestones without a last day are reviewed by the book's rhythm, at the earliest of the reader's times of day. Each
    step counts once, its first time of day; reviews are left out, since how often they come is the book's.
    Raises `UnknownZone`, `UnknownCalendar`, and ValueError for a step that is out of reach.
    """
    if not event.active:
        return None
    zone_named(event.zone)
    business_calendar = BOUND
    if event.holidays:
        name = RegionalCalendar(event.holidays.country, event.holidays.subdivision).name
        business_calendar = BusinessCalendar(regional_calendar(name))
    rungs: dict[Step, Rung] = {}
    for rung in event.rungs:
        step = Step.named(rung.step)
        if step.direction != "review":
            rungs.setdefault(step, Rung(step, time.fromisoformat(rung.at), business_calendar))
    return SubscriptionLadder(
        event.subscription_id,
        Ladder("chosen", tuple(rungs.values()), at=min((rung.at for rung in rungs.values()), default=NINE)),
        event.zone,
        Filters(
            parties=frozenset(map(str, event.parties)),
            themes=frozenset(event.themes),
            sections=frozenset(event.sections),
            commitments=frozenset(event.commitments),
        ),
        event.owner,
    )
