"""From what was read and computed to what previews and explanations answer."""

from datetime import datetime
from typing import Literal

from services.i18n.words import Words
from services.plumbing.business_days import DayOff
from services.plumbing.zones import on_clocks, zone_named
from services.scheduler.escalation.rows import MilestoneEscalation
from services.scheduler.escalation.rules.book import EscalationBook
from services.scheduler.escalation.rules.states import STAGES, Climbing, Owned
from services.scheduler.holds.hold import MilestoneHold
from services.scheduler.ladders.planning import LeftOutRung
from services.scheduler.previews.responses import (
    EscalationPreview,
    HoldEntry,
    LeftOutEntry,
    MomentEntry,
    NextEntry,
    ReasonEntry,
    ReminderOutcomeEntry,
    SkippedDay,
    UpcomingLevelEntry,
)
from services.scheduler.previews.rules.holiday_names import holiday_name
from services.scheduler.previews.rules.outcomes import (
    Failed,
    Fired,
    Merged,
    NextReminder,
    Passed,
    ReminderOutcome,
    Waiting,
    Withdrawn,
)
from services.scheduler.previews.rules.preview import PreviewMoment, asked_at, overdue_at, upcoming_levels
from services.scheduler.previews.rules.reasons import InstantReason, reason_sentence


def moment_entry(moment: PreviewMoment, here: str, there: str, words: Words) -> MomentEntry:
    """An instant on the reader's clocks (`here`) and on the milestone's."""
    stored = moment.stored
    return MomentEntry(
        id=stored.id if stored else None,
        schedule_version=moment.schedule_version,
        step=moment.step.name,
        state=moment.state,
        due_at=moment.due_at,
        local=_on_clocks(moment.due_at, here),
        local_there=_on_clocks(moment.due_at, there),
        fired_at=stored.fired_at if stored else None,
        event_id=stored.event_id if stored else None,
        failure=stored.reason if stored else None,
        reason=_reason_entry(moment.instant_reason, words) if moment.instant_reason else None,
        sentence=_sentence(moment, words),
    )


def _sentence(moment: PreviewMoment, words: Words) -> str:
    if moment.instant_reason:
        return reason_sentence(moment.instant_reason, words, moment.due_at)
    return words.gettext(
        "By version %(version)s of the date: what it was counted from is not kept.",
        version=str(moment.schedule_version),
    )


def _reason_entry(instant_reason: InstantReason, words: Words) -> ReasonEntry:
    reason = instant_reason.reason
    return ReasonEntry(
        ladder=reason.ladder,
        at=f"{reason.rung.at:%H:%M}",
        zone=reason.zone,
        counted_from=reason.counted_from,
        counted_from_is=instant_reason.anchor,
        day=reason.day,
        month_end=instant_reason.month_end is not None,
        business_days=reason.rung.business_calendar.name,
        skipped=tuple(_skipped_day(off, words) for off in reason.skipped),
        clock=reason.clock,
        jitter_seconds=int(reason.jitter.total_seconds()),
        jitter_window_seconds=int(instant_reason.window.total_seconds()),
        why=reason.why,
        on_the_ladder=instant_reason.on_the_ladder,
        due_at=instant_reason.due_at,
    )


def _skipped_day(off: DayOff, words: Words) -> SkippedDay:
    named = holiday_name(off, words) if off.why == "holiday" else None
    return SkippedDay(
        day=off.day,
        why=off.why,
        calendar=off.calendar,
        holiday=off.holiday,
        name=named.text if named else None,
        name_language=named.language if named else None,
    )


def left_out_entry(one: LeftOutRung, sentence: str) -> LeftOutEntry:
    """A rung that is left out, with its sentence."""
    return LeftOutEntry(
        step=one.rung.step.name, why=one.why, shortest_notice_days=one.shortest_notice or None, sentence=sentence
    )


def hold_entry(hold: MilestoneHold) -> HoldEntry:
    """A hold."""
    return HoldEntry(schedule_version=hold.schedule_version, held_at=hold.held_at)


def escalation_preview(escalation: MilestoneEscalation, book: EscalationBook, here: str) -> EscalationPreview:
    """Who is notified when, on the reader's clocks."""
    state, deadline = escalation.case.state, escalation.case.deadline
    overdue, asked = overdue_at(state, deadline), asked_at(state, deadline)
    made = None
    match state:
        case Climbing():
            made = state.unfollowed
        case Owned():
            made = state.acknowledgement
    return EscalationPreview(
        state=STAGES[type(state)],
        overdue_at=overdue,
        overdue_at_local=overdue and _on_clocks(overdue, here),
        asked_at=asked,
        asked_at_local=asked and _on_clocks(asked, here),
        acknowledged=made,
        hearings=tuple(
            UpcomingLevelEntry(
                level=one.level.level, title=one.level.title, round=one.round, at=one.at, local=_on_clocks(one.at, here)
            )
            for one in upcoming_levels(state, deadline, book)
        ),
    )


def outcome_entry(outcome: ReminderOutcome, sentence: str) -> ReminderOutcomeEntry:
    """What became of a reminder, with its sentence."""
    match outcome:
        case Waiting():
            what: Literal["held", "due", "waits"] = "held" if outcome.held_for else "due" if outcome.is_due else "waits"
            return ReminderOutcomeEntry(what=what, schedule_version=outcome.held_for, sentence=sentence)
        case Fired():
            return ReminderOutcomeEntry(
                what="told", at=outcome.at, event_id=outcome.event_id, late=outcome.late, sentence=sentence
            )
        case Merged():
            return ReminderOutcomeEntry(
                what="merged",
                at=outcome.at,
                event_id=outcome.event_id,
                merged_into=outcome.into.id,
                merged_into_step=outcome.into.step.name,
                sentence=sentence,
            )
        case Passed():
            return ReminderOutcomeEntry(what="passed", sentence=sentence)
        case Withdrawn():
            return ReminderOutcomeEntry(
                what="withdrawn", withdrawn_by=outcome.by, schedule_version=outcome.schedule_version, sentence=sentence
            )
        case Failed():
            return ReminderOutcomeEntry(what="failed", at=outcome.at, failure=outcome.reason, sentence=sentence)


def next_entry(following: NextReminder, here: str) -> NextEntry:
    """What comes next, on the reader's clocks."""
    return NextEntry(
        step=following.step.name,
        due_at=following.due_at,
        local=_on_clocks(following.due_at, here),
        id=following.id,
    )


def _on_clocks(instant: datetime, zone: str) -> datetime:
    return on_clocks(instant, zone_named(zone))
