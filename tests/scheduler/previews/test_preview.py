"""What a preview shows beyond the table, who would hear of what is overdue, and what became of a reminder."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.events import Acknowledgement
from contracts.vocabulary import Reading
from services.i18n.words import words_in
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.rules import machine, states
from services.scheduler.escalation.rules.deadline import deadline_of
from services.scheduler.escalation.rules.states import Climbing, Dormant, Owned, Settled
from services.scheduler.holds.hold import MilestoneHold
from services.scheduler.ladders.countdown import Countdown
from services.scheduler.ladders.due_reminder import due_reminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import plan
from services.scheduler.previews.rules.outcomes import (
    Failed,
    Fired,
    Merged,
    NextReminder,
    Passed,
    ReminderOutcome,
    Waiting,
    Withdrawn,
    next_reminder,
    next_sentence,
    outcome_of,
    outcome_sentence,
)
from services.scheduler.previews.rules.preview import (
    StoredReminder,
    UpcomingLevel,
    overdue_at,
    preview_moments,
    upcoming_levels,
)
from services.scheduler.reminders.rules.agenda import MilestoneSchedule, ReminderState
from tests.scheduler.scenes import NINE_SHARP, brief, counting, days, instants, milestone, milestones, utc

THEN = utc(2021, 11, 18, 18)
BOOK = read_escalation_book()
EVENT = UUID(int=7)
DUE = milestone(date(2021, 12, 31))
SOMEDAY = milestone(None, id_="someday", reading=Reading.UNDATED)


def schedule(
    what: Milestone = DUE, version: int = 1, *, settled: bool = False, at: datetime = THEN
) -> MilestoneSchedule:
    return MilestoneSchedule(brief(), what, version, at, settled)


def stored(
    step: Step,
    state: ReminderState = "pending",
    *,
    id_: int = 1,
    version: int = 1,
    due_at: datetime | None = None,
    fired_at: datetime | None = None,
    reason: str | None = None,
) -> StoredReminder:
    event_id = EVENT if state in ("fired", "merged") else None
    due = due_at or counting(DUE).due_at(step)
    assert due
    return StoredReminder(id_, version, step, None, due, state, fired_at, event_id, reason)


def table(what: Milestone, at: datetime) -> list[StoredReminder]:
    """What the table holds of a milestone that was just planned."""
    return [
        StoredReminder(number, 1, one.step, None, one.due_at, one.state, None, None, None)
        for number, one in enumerate(plan(what, at, NINE_SHARP), 1)
    ]


# Beyond the table


@pytest.mark.parametrize(
    ("what", "expected"),
    [(DUE, ["after-30d", "after-60d", "after-90d"]), (SOMEDAY, ["review-2", "review-3", "review-4"])],
)
def test_the_next_of_the_endless_steps_are_shown_beyond_the_table(what: Milestone, expected: list[str]) -> None:
    shown = preview_moments(schedule(what), table(what, THEN), counting(what), THEN, 3)

    assert expected == [one.step.name for one in shown if one.state == "planned-later"]
    assert [one.due_at for one in shown] == sorted(one.due_at for one in shown)
    assert all(one.stored is None and one.instant_reason for one in shown if one.state == "planned-later")


def test_nothing_is_to_come_of_what_is_settled() -> None:
    shown = preview_moments(schedule(settled=True), [stored(days(-7), "withdrawn")], counting(DUE), THEN, 3)

    assert [one.state for one in shown] == ["withdrawn"]


def test_of_an_older_date_the_instants_are_shown_without_a_reason() -> None:
    shown = preview_moments(schedule(version=2), [stored(days(-30), "fired", fired_at=THEN)], counting(DUE), THEN, 0)

    assert [(one.state, one.schedule_version, one.instant_reason) for one in shown] == [("fired", 1, None)]


@given(what=st.one_of(milestones(), st.just(SOMEDAY)), at=instants, more=st.integers(0, 6))
def test_what_is_shown_as_planned_later_is_what_ticking_on_plans(what: Milestone, at: datetime, more: int) -> None:
    """Told one by one at their instants, the reminders bring forth the very steps that the preview foresaw."""
    held = table(what, at)
    count = counting(what, at=at)
    foreseen = [
        (one.step, one.due_at)
        for one in preview_moments(schedule(what, at=at), held, count, at, more)
        if one.state == "planned-later"
    ]
    pending = {one.step: one.due_at for one in held if one.state == "pending"}
    known = {one.step for one in held}
    planned: list[tuple[Step, datetime]] = []
    while pending and len(planned) < more:
        step = min(pending, key=lambda one: pending[one])
        due_at = pending.pop(step)
        following = due_reminder(count, {step: due_at}, max(due_at, at)).follow_up
        if following and following.step not in known:
            planned.append((following.step, following.due_at))
            pending[following.step] = following.due_at

    assert planned == foreseen


# Who hears


def test_who_hears_when_is_foreseen_from_the_last_day_on() -> None:
    deadline = deadline_of(DUE)

    assert utc(2022, 1, 1, 6) == overdue_at(Dormant(), deadline)
    assert [
        ("focal-point", utc(2022, 1, 1, 15)),
        ("director", utc(2022, 1, 8, 15)),
        ("ministers-office", utc(2022, 1, 22, 15)),
        ("ministers-office", utc(2022, 2, 21, 15)),
    ] == [(one.level.level, one.at) for one in upcoming_levels(Dormant(), deadline, BOOK)]


def test_what_is_owned_begins_again_when_its_window_ends() -> None:
    made = Acknowledgement(name="Ana Ruiz", note=None, at=utc(2022, 1, 3))
    owned = Owned(1, made, date(2022, 1, 3))

    first, *_ = upcoming_levels(owned, deadline_of(DUE), BOOK)

    assert UpcomingLevel(BOOK.levels[0], 2, utc(2022, 1, 17, 15)) == first


@pytest.mark.parametrize(
    ("state", "what"), [(Settled(1), DUE), (Dormant(), SOMEDAY)], ids=["settled", "without a last day"]
)
def test_nobody_hears_of_what_is_over_or_never_overdue(state: states.EscalationState, what: Milestone) -> None:
    assert (overdue_at(state, deadline_of(what)), upcoming_levels(state, deadline_of(what), BOOK)) == (None, ())


@given(rank=st.integers(1, 3), since=st.dates(date(2022, 1, 1), date(2040, 1, 1)), told=st.integers(1, 5))
def test_each_hearing_is_what_the_escalation_does_at_that_instant(rank: int, since: date, told: int) -> None:
    """Looked at just before and at the instant, the state machine tells nobody, and then the foreseen level."""
    deadline = deadline_of(DUE)
    state: states.EscalationState = Climbing(1, since, rank, told)
    for one in upcoming_levels(state, deadline, BOOK):
        assert machine.advanced(state, deadline, BOOK, one.at - timedelta(microseconds=1)) == (state, ())
        state, entries = machine.advanced(state, deadline, BOOK, one.at)
        assert [one.level] == [BOOK.levels[e.rank - 1] for e in entries if isinstance(e, states.LevelNotified)]


# What became of a reminder

WEEK, DAY, ON = stored(days(-7), id_=2), stored(days(-1), id_=3), stored(days(0), id_=4)
AT_WEEK = WEEK.due_at


def fate(
    one: StoredReminder,
    *siblings: StoredReminder,
    what: MilestoneSchedule | None = None,
    count: Countdown | None = counting(DUE),  # noqa: B008  frozen
    hold: MilestoneHold | None = None,
    now: datetime = THEN,
) -> ReminderOutcome:
    return outcome_of(one, what or schedule(), [one, *siblings], count, hold, now)


def test_a_reminder_waits_is_due_or_is_held() -> None:
    assert Waiting(AT_WEEK, is_due=False, held_for=None) == fate(WEEK)
    assert Waiting(AT_WEEK, is_due=True, held_for=None) == fate(WEEK, now=AT_WEEK)
    assert Waiting(AT_WEEK, is_due=True, held_for=2) == fate(WEEK, hold=MilestoneHold(DUE.id, 2, THEN), now=AT_WEEK)


def test_a_reminder_was_told_in_time_or_late() -> None:
    for hours, late in ((6, False), (7, True)):
        fired_at = AT_WEEK + timedelta(hours=hours)
        assert Fired(fired_at, EVENT, late) == fate(replace(WEEK, state="fired", fired_at=fired_at, event_id=EVENT))


def test_a_missed_reminder_was_told_with_the_later_one_whose_event_it_was() -> None:
    at = DAY.due_at
    missed = replace(WEEK, state="merged", fired_at=at, event_id=EVENT)
    later = replace(DAY, state="fired", fired_at=at, event_id=EVENT)
    another = replace(ON, state="fired", fired_at=at, event_id=UUID(int=8))

    assert Merged(at, EVENT, later) == fate(missed, another, later)


def test_a_reminder_passed_or_failed() -> None:
    assert Passed() == fate(replace(WEEK, state="passed"))
    assert Failed(AT_WEEK, "ValueError: no") == fate(
        replace(WEEK, state="failed", fired_at=AT_WEEK, reason="ValueError: no")
    )


@pytest.mark.parametrize(
    ("siblings", "what", "count", "expected"),
    [
        ((), schedule(version=4), counting(DUE), Withdrawn("newer-schedule", 4)),
        ((replace(DAY, schedule_version=3),), schedule(version=4), counting(DUE), Withdrawn("newer-schedule", 3)),
        ((), schedule(settled=True), counting(DUE), Withdrawn("settled")),
        ((), schedule(), counting(DUE), Withdrawn("other-rules")),
        ((), schedule(), None, Withdrawn("ladder-given-up")),
    ],
)
def test_a_reminder_was_withdrawn_by_somebody(
    siblings: tuple[StoredReminder, ...], what: MilestoneSchedule, count: Countdown | None, expected: Withdrawn
) -> None:
    assert expected == fate(replace(WEEK, state="withdrawn"), *siblings, what=what, count=count)


def test_a_row_that_can_not_be_is_not_explained_away() -> None:
    with pytest.raises(ValueError, match="reminder 2 is merged"):
        fate(replace(WEEK, state="merged", fired_at=AT_WEEK, event_id=EVENT))


def test_next_comes_what_waits_behind_it_then_the_endless_end() -> None:
    count = counting(DUE)
    assert NextReminder(DAY.step, DAY.due_at, 3) == next_reminder(WEEK, [WEEK, DAY, ON], count)
    assert NextReminder(DAY.step, DAY.due_at, 3) == next_reminder(replace(WEEK, state="fired"), [ON, DAY], count)
    last = stored(days(7))
    assert NextReminder(days(30), utc(2022, 1, 30, 15), None) == next_reminder(last, [last], count)
    assert next_reminder(replace(WEEK, state="fired"), [], count) is None


FATES: dict[str, tuple[ReminderOutcome, str]] = {
    "waits": (Waiting(AT_WEEK, False, None), "It waits until December 24, 2021, 9:00 AM (Mexico City)."),
    "due": (Waiting(AT_WEEK, True, None), "It is due, and is told at the next tick."),
    "held": (
        Waiting(AT_WEEK, True, 2),
        "It is held: version 2 of the date is being written, and until it has come nothing is told.",
    ),
    "told": (Fired(AT_WEEK, EVENT, False), "It was told on December 24, 2021, 9:00 AM (Mexico City)."),
    "late": (Fired(AT_WEEK, EVENT, True), "It was told on December 24, 2021, 9:00 AM (Mexico City), marked late."),
    "merged": (
        Merged(AT_WEEK, EVENT, DAY),
        "It was missed, and told on December 24, 2021, 9:00 AM (Mexico City) together with before-1d.",
    ),
    "passed": (Passed(), "It was due before it was planned, so it is recorded and never told."),
    "moved": (Withdrawn("newer-schedule", 3), "Withdrawn: version 3 of the date took its place."),
    "settled": (Withdrawn("settled"), "Withdrawn: the commitment is met or withdrawn for all whom this binds."),
    "rules": (Withdrawn("other-rules"), "Withdrawn: the ladder that holds now does not have it."),
    "given up": (
        Withdrawn("ladder-given-up"),
        "Withdrawn: the subscription gave this ladder up, or asks for something else.",
    ),
    "failed": (
        Failed(AT_WEEK, "ValueError: no\nsuch."),
        "It could not be told on December 24, 2021, 9:00 AM (Mexico City): ValueError: no such.",
    ),
}


@pytest.mark.parametrize("name", FATES)
def test_each_fate_is_told_in_a_sentence(name: str) -> None:
    what, expected = FATES[name]

    assert expected == outcome_sentence(what, words_in("en"), "America/Mexico_City").replace("\u202f", " ")


@pytest.mark.parametrize("language", ["es", "fr"])
def test_each_fate_has_a_sentence_of_its_own_in_the_other_languages(language: str) -> None:
    said = {outcome_sentence(what, words_in(language), "America/Mexico_City") for what, _ in FATES.values()}

    assert len(FATES) == len(said)
    assert said.isdisjoint(expected for _, expected in FATES.values())


@pytest.mark.parametrize(
    ("following", "one", "what", "expected"),
    [
        (
            NextReminder(DAY.step, DAY.due_at, 3),
            WEEK,
            schedule(),
            "Next comes before-1d on December 30, 2021, 9:00 AM (Mexico City).",
        ),
        (None, WEEK, schedule(), "Nothing follows on this ladder."),
        (
            None,
            WEEK,
            schedule(settled=True),
            "Nothing follows: the commitment is met or withdrawn for all whom this binds.",
        ),
        (None, replace(WEEK, state="failed"), schedule(), "A scheduler that starts tries it again."),
        (None, replace(WEEK, state="failed"), schedule(version=2), "Nothing follows on this ladder."),
    ],
)
def test_it_is_said_what_happens_next(
    following: NextReminder | None, one: StoredReminder, what: MilestoneSchedule, expected: str
) -> None:
    said = next_sentence(following, one, what, words_in("en"), "America/Mexico_City")

    assert expected == said.replace("\u202f", " ")
