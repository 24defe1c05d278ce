"""What a level that was told has made of a milestone: after an old backup, by the message itself. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.deadline import Deadline
from services.scheduler.escalation.rules.machine import advanced
from services.scheduler.escalation.rules.states import (
    Asked,
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    Settled,
    Transition,
)


def retraced(
    state: EscalationState, deadline: Deadline, book: EscalationBook, told: LevelNotified, at: datetime
) -> Transition:
    """The state behind a level that was told at `at`, and what the log lacks of the way there.

    The message says where it stood, whatever led there: an acknowledgement that is lost, or waits of another book. What
    the log tells beside it, of levels that were skipped say, is added where the rules lead to the same place. A
    milestone that has gone further stays where it is.
    """
    reached = Climbing(told.round, deadline.day_at(at), told.rank, told.repeat + 1, told.unfollowed)
    asked, asking = _asked_about(state, deadline, book, told)
    by_rules, entries = advanced(asked, deadline, book, at)
    notes = tuple(entry for entry in entries if not isinstance(entry, LevelNotified)) if by_rules == reached else ()
    if _is_behind(state, told):
        return reached, (*(asking if notes else ()), *notes, told)
    return state, (told,)


def _asked_about(state: EscalationState, deadline: Deadline, book: EscalationBook, told: LevelNotified) -> Transition:
    """Where this level was the first that heard of an event: on which day that was asked about, only its turn tells.

    It was the day after the event's last one, or a later one behind a downtime.
    """
    if not (isinstance(state, Dormant) and deadline.is_event):
        return state, ()
    asked, notes = advanced(state, deadline, book, deadline.passes_at)
    waited = book.answer_within_days + sum(level.wait for level in book.levels[1 : told.rank])
    since = deadline.day_at(told.due_at) - timedelta(days=waited)
    return (replace(asked, since=since) if isinstance(asked, Asked) else asked), notes


def _is_behind(state: EscalationState, told: LevelNotified) -> bool:
    match state:
        case Climbing(round=round_, rank=rank, repeats=repeats):
            return (round_, rank, repeats) < (told.round, told.rank, told.repeat + 1)
        case Asked(round=round_):
            return round_ <= told.round
        case Settled():
            return False
        case _:
            return state.round < told.round
