"""The ladder book: which milestone has which ladder, and what holds for all of them. Its text is YAML, read strictly.

All scalars are read as the words that stand there: YAML itself would make a truth of `on` and a number of `10:30`.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from contracts.commitments import Milestone
from services.scheduler.ladders.ladder import Ladder, LadderCondition
from services.scheduler.ladders.planned_as import is_deadline, planned_reading

MilestoneKind = Literal["event", "deadline", "review"]
IntoPast = Literal["tell", "record"]

KINDS: tuple[MilestoneKind, ...] = ("event", "deadline", "review")

ONLY_IN = "digests"
"""Where alone an endless end may be told."""


def kind_of(milestone: Milestone) -> MilestoneKind:
    """Whether it is an event, a deadline, or has no last day and is reviewed.

    What begins (`from`), recurs, or is undated or open-ended has no last day, whatever else is known of it; of an
    unknown reading it is a deadline where it has one.
    """
    span = milestone.span
    if span.earliest is None or span.latest is None:
        return "review"
    if is_deadline(milestone):
        return "deadline"
    return "event" if milestone.is_event else "review"


@dataclass(frozen=True)
class LadderBook:
    """Ladders in the order in which they are tried, and what holds for all of them."""

    ladders: tuple[Ladder, ...]
    jitter: timedelta = timedelta()
    """The window behind a rung's time over which its reminders are spread."""
    review_months: int = 6
    moved_into_past: IntoPast = "tell"
    text: str = field(default="", compare=False, repr=False)
    """As it was written."""

    @property
    def sha256(self) -> str:
        """Of its text: two books are the same when this is."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def ladder_for(self, milestone: Milestone) -> Ladder:
        """The first ladder whose condition the milestone meets; there always is one."""
        return next(ladder for ladder in self.ladders if _meets(ladder.when, milestone))

    def as_json(self) -> dict[str, Any]:
        """The book as it was understood, for people and programs to look at."""
        return {
            "jitter_seconds": int(self.jitter.total_seconds()),
            "review_months": self.review_months,
            "moved_into_past": self.moved_into_past,
            "ladders": [_ladder_json(ladder) for ladder in self.ladders],
        }


def _meets(when: LadderCondition, milestone: Milestone) -> bool:
    return (
        (not when.kinds or kind_of(milestone) in when.kinds)
        and (not when.readings or planned_reading(milestone) in when.readings)
        and (not when.parties or not when.parties.isdisjoint(milestone.parties))
        and (not when.anchors or milestone.anchor_id in when.anchors)
    )


def _ladder_json(ladder: Ladder) -> dict[str, Any]:
    return {
        "name": ladder.name,
        "when": {
            name: sorted(map(str, getattr(ladder.when, name))) for name in ("kinds", "readings", "parties", "anchors")
        },
        "rungs": [
            {"step": rung.step.name, "at": f"{rung.at:%H:%M}", "business_days": rung.business_calendar.name}
            for rung in ladder.rungs
        ],
        "at": f"{ladder.at:%H:%M}",
        "every": f"{ladder.repeat.every}{ladder.repeat.unit}" if ladder.repeat else None,
        "every_only_in": ONLY_IN if ladder.repeat and ladder.repeat.only_in_digests else None,
    }
