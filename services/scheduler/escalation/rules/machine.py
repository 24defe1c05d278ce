"""Escalation: a milestone is overdue, nobody owns it, and level after level is notified. A pure state machine.

The rules, in one place:
- A milestone is overdue once its last day has ended in its zone, which is that of the last capital of the parties
  that it binds. One without a last day never is, and an event neither: when its day has passed it is asked (by its
  reminder) whether it has taken place, and no level is notified before that has gone unanswered for
  `answer_within_days`; at nine on that day the first level is. The answer is the anchor's outcome, which settles it or
  moves it; another date that is past too asks anew.
- The first level is notified `wait` days after the last day, at nine in the morning there; each next one `wait` days
  after the day on which the one before was. The highest is notified again every `repeat_days`.
- What became known late (a date that was moved into the past, an old statement that is taken in today) is counted from
  the day on which it became known: nobody was notified before, so the first level comes first.
- After a downtime only the newest level that is due is notified, marked late; the ones that were skipped are noted.
- An acknowledgement stops it at any level: nobody is notified until it is re-armed. While it stands, another one takes
  over only by naming whom from, which the log keeps. Whoever takes over within the window does not get a longer one.
- The window ends at nine, `evidence_within_days` after the acknowledgement. Evidence for the work renews it, so what is
  owned and reported on stays owned, and a lasting silence ends it (of an event not before the days for an answer would
  be over, too). Then a new round begins: its first level is notified
  at once, with the acknowledgement that was not followed. Evidence that comes after that follows it all the same:
  its owner owns it again. Without an acknowledgement evidence stops nothing: it does not say who is on it.
- A date that is moved to come withdraws it. One that is moved and still past changes nothing: it was overdue all along.
- A commitment that is met or withdrawn, for all who are bound, ends it; taken up again it begins with a new round.

States hold days and no instants, so they stay true under other zone data and other waits; `next_change_at` gives the
instant.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from contracts.events import Acknowledgement
from services.plumbing.sentences import Sentence
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.rules.deadline import Deadline
from services.scheduler.escalation.rules.states import (
    Asked,
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    LogNote,
    Owned,
    Settled,
    Transition,
)
from services.scheduler.ladders.due_reminder import LATE_AFTER


class NothingToOwn(ValueError):
    """What is not overdue, or over, can't be acknowledged; the text says which."""


class OwnedByAnother(ValueError):
    """Somebody else is on it: it is taken over from them by name, or not at all."""

    def __init__(self, holder: Acknowledgement) -> None:
        super().__init__(f"{holder.name} is on it since {holder.at:%Y-%m-%dT%H:%MZ}")
        self.holder = holder


def next_change_at(state: EscalationState, deadline: Deadline | None, book: EscalationBook) -> datetime | None:
    """When time alone changes the state next; None when it never does."""
    if deadline is None:
        return None
    match state:
        case Dormant():
            return deadline.passes_at
        case Asked(since=since):
            return deadline.nine_on(since + timedelta(days=book.answer_within_days))
        case Climbing(since=since, rank=rank):
            return deadline.nine_on(since + _wait_after(rank, book))
        case Owned():
            return deadline.nine_on(_window_ends(state, deadline, book))
        case Settled():
            return None


def next_level(state: EscalationState, book: EscalationBook) -> EscalationLevel | None:
    """Which level is notified at `next_change_at`; None when none is."""
    match state:
        case Climbing(rank=rank):
            return book.levels[min(rank, len(book.levels) - 1)]
        case Asked() | Owned():
            return book.levels[0]
        case _:
            return None


def advanced(state: EscalationState, deadline: Deadline | None, book: EscalationBook, now: datetime) -> Transition:
    """What the time that has passed until `now` does: at most one message."""
    if deadline is None:
        return state, ()
    match state:
        case Dormant() if now >= deadline.passes_at and deadline.is_event:
            return _begun(state.round, deadline, now)
        case Dormant() if now >= deadline.passes_at:
            begun = Climbing(state.round + 1, deadline.latest)
            return _climb(begun, deadline, book, now, LogNote("overdue", begun.round))
        case Asked() if now >= deadline.nine_on(ends := state.since + timedelta(days=book.answer_within_days)):
            unanswered = Climbing(state.round, _as_if_waited(ends, book))
            return _climb(unanswered, deadline, book, now, LogNote("unanswered", state.round))
        case Climbing():
            return _climb(state, deadline, book, now)
        case Owned() if now >= deadline.nine_on(ends := _window_ends(state, deadline, book)):
            again = Climbing(state.round + 1, _as_if_waited(ends, book), unfollowed=state.acknowledgement)
            noted = LogNote("re-armed", again.round, acknowledgement=state.acknowledgement)
            return _climb(again, deadline, book, now, noted)
        case _:
            return state, ()


class _Turn(NamedTuple):
    rank: int
    due_at: datetime


def _climb(state: Climbing, deadline: Deadline, book: EscalationBook, now: datetime, *notes: LogNote) -> Transition:
    if state.rank > len(book.levels):
        # The book has lost the level that was notified last: its highest one goes on, in a round of its own.
        state = replace(state, round=state.round + 1, rank=len(book.levels), repeats=0)
    due = [*_turns_due(state, deadline, book, now)]
    if not due:
        return state, notes
    rank = due[-1].rank
    higher = rank > state.rank
    due_at = next(turn.due_at for turn in due if turn.rank == rank) if higher else due[-1].due_at
    notified = LevelNotified(
        round=state.round,
        rank=rank,
        repeat=0 if higher else state.repeats,
        due_at=due_at,
        late=now - due_at > LATE_AFTER,
        days=(deadline.day_at(now) - deadline.latest).days,
        unfollowed=state.unfollowed,
    )
    skipped = (LogNote("skipped", state.round, turn.rank) for turn in due if turn.rank < rank)
    climbed = replace(state, since=deadline.day_at(now), rank=rank, repeats=notified.repeat + 1)
    return climbed, (*notes, *skipped, notified)


def _turns_due(state: Climbing, deadline: Deadline, book: EscalationBook, now: datetime) -> Iterator[_Turn]:
    rank, day = state.rank, state.since
    while True:
        day += _wait_after(rank, book)
        rank = min(rank + 1, len(book.levels))
        due_at = deadline.nine_on(day)
        if due_at > now:
            return
        yield _Turn(rank, due_at)


def acknowledged(
    state: EscalationState, deadline: Deadline | None, book: EscalationBook, made: Acknowledgement
) -> Transition:
    """Somebody says at `made.at` that they are on it; raises `NothingToOwn`."""
    if isinstance(state, Settled):
        raise NothingToOwn(Sentence("the commitment is met or withdrawn for all whom this milestone binds"))
    if deadline is None:
        raise NothingToOwn(Sentence("the milestone has no last day, so it is never overdue"))
    today = deadline.day_at(made.at)
    notes: tuple[LogNote, ...] = ()
    match state:
        case Dormant():
            if made.at < deadline.passes_at:
                raise NothingToOwn(_not_yet(deadline))
            begun, notes = _begun(state.round, deadline, made.at)
            round_ = begun.round
        case Asked() | Climbing():
            round_ = state.round
        case Owned() if made.at < deadline.nine_on(_window_ends(state, deadline, book)):
            owned = replace(state, acknowledgement=made)
            return owned, (LogNote("acknowledged", state.round, acknowledgement=made),)
        case Owned():
            round_ = state.round + 1
            notes = (LogNote("re-armed", round_, acknowledgement=state.acknowledgement),)
    return Owned(round_, made, today), (*notes, LogNote("acknowledged", round_, acknowledgement=made))


def holder_of(
    state: EscalationState, deadline: Deadline | None, book: EscalationBook, at: datetime
) -> Acknowledgement | None:
    """The acknowledgement that stands at an instant; None where nobody is on it, or the window has ended."""
    if isinstance(state, Owned) and deadline and at < deadline.nine_on(_window_ends(state, deadline, book)):
        return state.acknowledgement
    return None


def evidenced(state: EscalationState, deadline: Deadline | None, at: datetime) -> Transition:
    """Evidence for the work has come, of the time `at`; what is older than the acknowledgement does not follow it."""
    match state:
        case Owned(acknowledgement=made) if deadline and at >= made.at:
            owned = replace(state, since=max(state.since, deadline.day_at(at)))
        case Climbing(unfollowed=Acknowledgement() as made) if deadline and at >= made.at:
            owned = Owned(state.round, made, deadline.day_at(at))
        case _:
            return state, ()
    return owned, (LogNote("evidence", owned.round, acknowledgement=made),)


def moved(state: EscalationState, deadline: Deadline | None, at: datetime) -> Transition:
    """The milestone has another date, or its first, since `at`."""
    passed = deadline is not None and at >= deadline.passes_at
    match state:
        case Dormant():
            return _begun(state.round, deadline, at)
        case Asked() | Climbing() | Owned() if not passed:
            return Dormant(state.round), (LogNote("withdrawn", state.round),)
        case Asked():
            return _begun(state.round - 1, deadline, at)
        case _:
            return state, ()


def settled(state: EscalationState) -> Transition:
    """The commitment is over, for all who are bound."""
    if isinstance(state, Settled):
        return state, ()
    return Settled(state.round), (LogNote("settled", state.round),)


def reopened(state: EscalationState, deadline: Deadline | None, at: datetime) -> Transition:
    """The commitment has been taken up again at `at`."""
    if not isinstance(state, Settled):
        return state, ()
    begun, notes = _begun(state.round, deadline, at)
    return begun, (LogNote("reopened", state.round), *notes)


def asked_first(state: EscalationState, deadline: Deadline | None) -> EscalationState:
    """The state of an event that a release before counted as overdue: before any level is notified, it is asked about.

    Any other state stays.
    """
    match state:
        case Climbing(rank=0, unfollowed=None) if deadline and deadline.is_event:
            return Asked(state.round, state.since)
        case _:
            return state


def _begun(
    rounds: int, deadline: Deadline | None, at: datetime
) -> tuple[Dormant | Asked | Climbing, tuple[LogNote, ...]]:
    """How it begins behind so many rounds, counted from the day of `at` where the last day is over."""
    if deadline is None or at < deadline.passes_at:
        return Dormant(rounds), ()
    if deadline.is_event:
        return Asked(rounds + 1, deadline.day_at(at)), (LogNote("asked", rounds + 1),)
    return Climbing(rounds + 1, deadline.day_at(at)), (LogNote("overdue", rounds + 1),)


def _not_yet(deadline: Deadline) -> Sentence:
    if deadline.is_event:
        return Sentence("the event is not over: its last day is %(latest)s", latest=deadline.latest)
    return Sentence("the milestone is not overdue: its last day is %(latest)s", latest=deadline.latest)


def _as_if_waited(day: date, book: EscalationBook) -> date:
    """Since when it would have waited, so that its first level is notified on this day."""
    return day - timedelta(days=book.levels[0].wait)


def _wait_after(rank: int, book: EscalationBook) -> timedelta:
    return timedelta(days=book.levels[rank].wait if rank < len(book.levels) else book.repeat_days)


def _window_ends(state: Owned, deadline: Deadline, book: EscalationBook) -> date:
    days = book.evidence_within_days
    if deadline.is_event:
        days = max(days, book.answer_within_days)
    return state.since + timedelta(days=days)
