"""Ladder books over HTTP: what is answered."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict

from contracts.events import Step
from contracts.vocabulary import Instant
from services.plumbing.http.forms import ResponseModel
from services.scheduler.ladders.book import LadderBook
from services.scheduler.reminders.ladder_store import (
    AppliedLadderBook,
)
from services.scheduler.reminders.replanning import Replanning


class SchedulerAnswer(ResponseModel):
    model_config = ConfigDict(from_attributes=True)


class RungEntry(SchedulerAnswer):
    """One reminder of a ladder."""

    step: Step
    at: str
    """The time of day, on the wall clocks of the milestone's zone."""
    business_days: str
    """Whose business days are counted: `bound` for those on which all who are bound work, or `CA`, `CA-QC`, `US-TX`."""


class ConditionEntry(SchedulerAnswer):
    """Which milestones a ladder is for; an empty list asks for nothing."""

    kinds: tuple[Literal["event", "deadline", "review"], ...]
    readings: tuple[str, ...]
    parties: tuple[str, ...]
    anchors: tuple[str, ...]


class LadderEntry(SchedulerAnswer):
    """A ladder."""

    name: str
    when: ConditionEntry
    rungs: tuple[RungEntry, ...]
    at: str
    """The time of day of the reminders that follow the last rung, and of reviews."""
    every: str | None
    """How often a reminder follows the last rung, such as `30d`."""
    every_only_in: Literal["digests"] | None
    """Where alone people are told of those that follow; null for wherever they are told of reminders."""


class LadderBookEntry(SchedulerAnswer):
    """The ladder book that holds."""

    version: int
    """Counts the books that were applied; 0 is the shipped one."""
    sha256: str
    applied_at: Instant | None
    applied_by: str | None
    jitter_seconds: int
    """Reminders due at one time of day are spread over so many seconds behind it."""
    review_months: int
    """A milestone without a last day is looked at again every so many months, unless it says otherwise."""
    moved_into_past: Literal["tell", "record"]
    """Whether the newest reminder that a moved date puts into the past is told once, marked late, or only recorded."""
    ladders: tuple[LadderEntry, ...]
    """The first one whose condition a milestone meets is its ladder."""
    text: str
    """The book as it was written, in YAML."""


class LaddersApplied(SchedulerAnswer):
    """A book holds, and all that is to come has been planned by it."""

    version: int
    sha256: str
    milestones: int
    """How many were planned anew."""
    added: int
    """Reminders to come that there were none of."""
    withdrawn: int
    moved: int
    """Reminders that are still to come, at another instant."""
    passed: int
    """Reminders that the new book puts into the past: recorded, and never sent."""


def book_entry(applied: AppliedLadderBook) -> LadderBookEntry:
    told: dict[str, Any] = applied.book.as_json()
    at: datetime | None = applied.applied_at
    return LadderBookEntry(
        version=applied.version,
        sha256=applied.book.sha256,
        applied_at=at,
        applied_by=applied.applied_by,
        text=applied.book.text,
        **told,
    )


def applied_answer(version: int, book: LadderBook, done: Replanning | None) -> LaddersApplied:
    counts = {name: getattr(done, name, 0) for name in ("milestones", "added", "withdrawn", "moved", "passed")}
    return LaddersApplied(version=version, sha256=book.sha256, **counts)
