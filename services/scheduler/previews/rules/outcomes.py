"""What became of a reminder, and what happens next, as data and in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.i18n.text import plain
from services.i18n.words import Words
from services.scheduler.holds.hold import MilestoneHold
from services.scheduler.ladders.countdown import Countdown
from services.scheduler.ladders.due_reminder import LATE_AFTER
from services.scheduler.ladders.ladder import Step
from services.scheduler.previews.rules.preview import StoredReminder
from services.scheduler.reminders.rules.agenda import MilestoneSchedule


@dataclass(frozen=True)
class Waiting:
    """It is still to fire."""

    due_at: datetime
    is_due: bool
    held_for: int | None
    """The schedule version that is being written; until it has come nothing is sent."""


@dataclass(frozen=True)
class Fired:
    """An event of its own was published."""

    at: datetime
    event_id: UUID
    late: bool


@dataclass(frozen=True)
class Merged:
    """The event of a later step was published for it as well."""

    at: datetime
    event_id: UUID
    into: StoredReminder


@dataclass(frozen=True)
class Passed:
    """It was due before it was planned; it is recorded, and never sent."""


@dataclass(frozen=True)
class Withdrawn:
    """It is not to fire any more."""

    by: Literal["newer-schedule", "settled", "other-rules", "ladder-given-up"]
    schedule_version: int | None = None
    """For `newer-schedule`: which one."""


@dataclass(frozen=True)
class Failed:
    """It could not be fired."""

    at: datetime
    reason: str


ReminderOutcome = Waiting | Fired | Merged | Passed | Withdrawn | Failed


@dataclass(frozen=True)
class NextReminder:
    """The reminder that comes next for the same readers."""

    step: Step
    due_at: datetime
    id: int | None
    """None for what is not in the table yet."""


def outcome_of(
    stored: StoredReminder,
    schedule: MilestoneSchedule,
    siblings: Sequence[StoredReminder],
    count: Countdown | None,
    hold: MilestoneHold | None,
    now: datetime,
) -> ReminderOutcome:
    """What became of a reminder; `siblings` are all of its milestone and audience, `count` its reader's ladder.

    Raises ValueError for a row that can't be: merged into nothing.
    """
    match stored.state:
        case "pending":
            return Waiting(stored.due_at, stored.due_at <= now, hold.schedule_version if hold else None)
        case "fired" if stored.fired_at and stored.event_id:
            return Fired(stored.fired_at, stored.event_id, stored.fired_at - stored.due_at > LATE_AFTER)
        case "merged" if stored.fired_at and stored.event_id:
            into = [one for one in siblings if one.event_id == stored.event_id and one.state == "fired"]
            if into:
                return Merged(stored.fired_at, stored.event_id, into[0])
        case "passed":
            return Passed()
        case "failed" if stored.fired_at and stored.reason is not None:
            return Failed(stored.fired_at, stored.reason)
        case "withdrawn":
            return _withdrawn(stored, schedule, siblings, count)
    raise ValueError(f"reminder {stored.id} is {stored.state}, and does not say how")


def _withdrawn(
    stored: StoredReminder, schedule: MilestoneSchedule, siblings: Sequence[StoredReminder], count: Countdown | None
) -> Withdrawn:
    if stored.schedule_version < schedule.version:
        later = [one.schedule_version for one in siblings if one.schedule_version > stored.schedule_version]
        return Withdrawn("newer-schedule", schedule_version=min(later, default=schedule.version))
    if schedule.settled:
        return Withdrawn("settled")
    return Withdrawn("other-rules" if count else "ladder-given-up")


def next_reminder(
    stored: StoredReminder, siblings: Sequence[StoredReminder], count: Countdown | None
) -> NextReminder | None:
    """What fires after this reminder, of the schedule that holds; None when nothing is.

    That is the next one that waits in the table; behind the last of them the first of the endless end.
    """
    waiting = [
        one
        for one in siblings
        if one.state == "pending"
        and one.id != stored.id
        and (one.due_at > stored.due_at or stored.state != "pending" or one.schedule_version > stored.schedule_version)
    ]
    if waiting:
        first = min(waiting, key=lambda one: (one.due_at, one.id))
        return NextReminder(first.step, first.due_at, first.id)
    if stored.state == "pending" and count and (found := count.next_after(stored.step)):
        return NextReminder(*found, None)
    return None


def outcome_sentence(outcome: ReminderOutcome, words: Words, zone: str) -> str:
    """One sentence about what became of it."""
    match outcome:
        case Waiting(held_for=int(version)):
            return words.gettext(
                "It is held: version %(version)s of the date is being written, and until it has come nothing is told.",
                version=str(version),
            )
        case Waiting(is_due=True):
            return words.gettext("It is due, and is told at the next tick.")
        case Waiting(due_at=due_at):
            return words.gettext("It waits until %(moment)s.", moment=words.moment(due_at, zone))
        case Fired(at=at, late=True):
            return words.gettext("It was told on %(moment)s, marked late.", moment=words.moment(at, zone))
        case Fired(at=at):
            return words.gettext("It was told on %(moment)s.", moment=words.moment(at, zone))
        case Merged(at=at, into=into):
            return words.gettext(
                "It was missed, and told on %(moment)s together with %(step)s.",
                moment=words.moment(at, zone),
                step=into.step.name,
            )
        case Passed():
            return words.gettext("It was due before it was planned, so it is recorded and never told.")
        case Withdrawn(by="newer-schedule", schedule_version=by):
            return words.gettext("Withdrawn: version %(version)s of the date took its place.", version=str(by))
        case Withdrawn(by="settled"):
            return words.gettext("Withdrawn: the commitment is met or withdrawn for all whom this binds.")
        case Withdrawn(by="ladder-given-up"):
            return words.gettext("Withdrawn: the subscription gave this ladder up, or asks for something else.")
        case Withdrawn():
            return words.gettext("Withdrawn: the ladder that holds now does not have it.")
        case Failed(at=at, reason=reason):
            return words.gettext(
                "It could not be told on %(moment)s: %(reason)s.",
                moment=words.moment(at, zone),
                reason=plain(reason).rstrip("."),
            )


def next_sentence(
    following: NextReminder | None, stored: StoredReminder, schedule: MilestoneSchedule, words: Words, zone: str
) -> str:
    """One sentence, or two, about what happens next."""
    sentences = []
    if stored.state == "failed" and stored.schedule_version == schedule.version and not schedule.settled:
        sentences.append(words.gettext("A scheduler that starts tries it again."))
    if following:
        sentences.append(
            words.gettext(
                "Next comes %(step)s on %(moment)s.",
                step=following.step.name,
                moment=words.moment(following.due_at, zone),
            )
        )
    elif schedule.settled:
        sentences.append(words.gettext("Nothing follows: the commitment is met or withdrawn for all whom this binds."))
    elif not sentences:
        sentences.append(words.gettext("Nothing follows on this ladder."))
    return " ".join(sentences)
