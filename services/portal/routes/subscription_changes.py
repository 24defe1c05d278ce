"""From the form of a subscription's page to what is asked of the notifier: only what differs is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from services.i18n.event_names import FOLLOWED_EVENTS
from services.i18n.languages import written_as
from services.plumbing.zones import is_zone
from services.portal.clients.notifier import LadderView, RungView, SubscriptionView
from services.portal.routes.posted_form import PostedForm
from services.portal.routes.timing_wishes import TimingWishes, timing_as_wished

REMINDERS, ESCALATIONS = "milestone-due", "milestone-escalated"
TOLD_IF_NAMED = frozenset({"consistency-flagged"})
"""What nobody is told of who did not name it: an empty list of events does not ask for it."""
USUAL, OWN = "usual", "own"
LADDERS: Mapping[str, tuple[str, ...]] = {
    "month-week-day": ("before-30d", "before-7d", "before-1d"),
    "week-day": ("before-7d", "before-1d"),
    "day": ("on-the-day",),
}
"""Ladders to choose from, beside the usual one: their steps, each at `AT`."""
AT = "09:00"


@dataclass(frozen=True)
class Wishes:
    """What stands in the form: as the subscription is, or as somebody has filled it in."""

    language: str
    zone: str
    events: frozenset[str]
    ladder: str
    """`USUAL`, a name in `LADDERS`, or `OWN` for one that was set up otherwise."""
    timing: TimingWishes = field(default_factory=TimingWishes)

    @classmethod
    def of(cls, view: SubscriptionView) -> Self:
        """As the subscription is."""
        asked = frozenset(view.filters.events) or frozenset(FOLLOWED_EVENTS) - TOLD_IF_NAMED
        offered = frozenset(offered_events(view))
        return cls(view.language, view.zone, asked & offered, ladder_name(view.ladder), TimingWishes.of(view.when))

    @classmethod
    def entered(cls, form: PostedForm) -> Self:
        """As somebody has filled it in."""
        return cls(
            form.one("language"),
            form.one("zone"),
            frozenset(form.all("events")),
            form.one("ladder"),
            TimingWishes.entered(form),
        )


@dataclass(frozen=True)
class WishedChange:
    """What is asked of the notifier, or what is wrong with the form, by the names of fields."""

    asked: Mapping[str, Any] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()


def offered_events(view: SubscriptionView) -> list[str]:
    """Kinds of news to choose from: escalations are for who is asked at a level."""
    return [name for name in FOLLOWED_EVENTS if name != ESCALATIONS or view.level]


def ladder_name(ladder: LadderView | None) -> str:
    """By which name a ladder stands in the form."""
    if ladder is None:
        return USUAL
    return next((name for name in LADDERS if _rungs(name) == ladder.rungs and not ladder.holidays), OWN)


def change_to(view: SubscriptionView, wishes: Wishes, at: datetime) -> WishedChange:
    """What makes the subscription as it is wished at an instant."""
    now, offered = Wishes.of(view), frozenset(offered_events(view))
    wrong = {
        name
        for name, is_right in {
            "language": written_as(wishes.language) is not None,
            "zone": is_zone(wishes.zone),
            "events": bool(wishes.events) and wishes.events <= offered,
            "ladder": wishes.ladder in (USUAL, *LADDERS) or (wishes.ladder == OWN == now.ladder),
        }.items()
        if not is_right
    }
    zone = wishes.zone if is_zone(wishes.zone) else view.zone
    timing = timing_as_wished(view.when, wishes.timing, zone, at)
    if wrong or timing.wrong:
        return WishedChange(wrong=timing.wrong | wrong)
    asked: dict[str, Any] = {}
    if written_as(wishes.language) != written_as(now.language):
        asked["language"] = wishes.language
    if wishes.zone != now.zone:
        asked["zone"] = wishes.zone
    if wishes.events != now.events:
        asked["events"] = _events(view, wishes.events, offered)
        if ESCALATIONS in offered - wishes.events:
            asked["level"] = None
    ladder = wishes.ladder if REMINDERS in wishes.events else USUAL
    if ladder != now.ladder:
        rungs = [rung.model_dump() for rung in _rungs(ladder)]
        asked["ladder"] = {"rungs": rungs} if rungs else None
    as_it_is = timing_as_wished(view.when, now.timing, view.zone, at)
    if timing.asked != as_it_is.asked:
        asked["timing"] = timing.asked
    return WishedChange(asked)


def _events(view: SubscriptionView, chosen: frozenset[str], offered: frozenset[str]) -> list[str]:
    """The list of the subscription: empty for everything that comes unless it is named, as new kinds will."""
    if chosen == offered - TOLD_IF_NAMED:
        return []
    return sorted(chosen | (frozenset(view.filters.events) - offered))


def _rungs(name: str) -> tuple[RungView, ...]:
    return tuple(RungView(step=step, at=AT) for step in LADDERS.get(name, ()))
