"""Ladders that subscriptions chose for themselves, and which milestones they are for."""

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from contracts.events import LadderChosen
from contracts.vocabulary import CommitmentBrief, Milestone
from services.plumbing.zones import zone_named
from services.scheduler.ladders.business_days import BOUND, BusinessCalendar, HolidayCalendar, holiday_calendar
from services.scheduler.ladders.ladder import NINE, Ladder, Rung, Step


@dataclass(frozen=True)
class SubscriptionLadder:
    """One subscription's ladder: told at its reader's clocks, for what it asks for.

    Filters that are empty ask for everything, and all of them have to agree, as the notifier reads a subscription's.
    """

    subscription_id: UUID
    ladder: Ladder
    zone: str
    countries: frozenset[str] = frozenset()
    themes: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    commitments: frozenset[str] = frozenset()

    def asks_for(self, commitment: CommitmentBrief, milestone: Milestone) -> bool:
        """Whether its reader is to be reminded of this milestone."""
        return (
            (not self.countries or not self.countries.isdisjoint(milestone.countries))
            and (not self.themes or not self.themes.isdisjoint(commitment.themes))
            and (not self.sections or commitment.section in self.sections)
            and (not self.commitments or commitment.id in self.commitments)
        )


def subscription_ladder(event: LadderChosen) -> SubscriptionLadder | None:
    """The choice that holds after this event; None when there is none any more.

    Milestones without a last day are reviewed by the book's rhythm, at the earliest of the reader's times of day. Each
    step counts once, its first time of day; reviews are left out, since how often they come is the book's.
    Raises `UnknownZone`, `UnknownCalendar`, and ValueError for a step that is out of reach.
    """
    if not event.active:
        return None
    zone_named(event.zone)
    business_calendar = BOUND
    if event.holidays:
        name = HolidayCalendar(event.holidays.country, event.holidays.subdivision).name
        business_calendar = BusinessCalendar(holiday_calendar(name))
    rungs: dict[Step, Rung] = {}
    for rung in event.rungs:
        step = Step.named(rung.step)
        if step.direction != "review":
            rungs.setdefault(step, Rung(step, time.fromisoformat(rung.at), business_calendar))
    return SubscriptionLadder(
        event.subscription_id,
        Ladder("chosen", tuple(rungs.values()), at=min((rung.at for rung in rungs.values()), default=NINE)),
        event.zone,
        *(frozenset(map(str, words)) for words in (event.countries, event.themes, event.sections, event.commitments)),
    )
