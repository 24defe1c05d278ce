"""What is told in a rehearsal, against a tick that goes by the same agendas reminder by reminder."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.filters import Filters
from contracts.vocabulary import Precision, Reading, Status
from services.plumbing.business_days import regional_calendar
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.due_reminder import due_reminder
from services.scheduler.ladders.ladder import Ladder, LadderCondition, Repeat, Rung, Step
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder
from services.scheduler.reminders.rules.agenda import (
    Agenda,
    PlanningRules,
    Reminder,
    ReminderKey,
    agenda_after,
    replanned,
)
from services.scheduler.reminders.rules.simulation import (
    SimulatedReminder,
    compare_simulations,
    simulate,
    with_calendars,
)
from tests.scheduler.scenes import ALL, NINE_SHARP, changed, created, milestone, scheduled, utc

BY_DEFAULT = PlanningRules(NINE_SHARP)
START, END = utc(2026, 1, 1), utc(2028, 1, 1)
READER = UUID(int=7)


def agenda_of(*milestones: Milestone, at: datetime = START, rules: PlanningRules = BY_DEFAULT) -> Agenda:
    agenda = agenda_after(Agenda(), created(), at, rules=rules)
    for what in milestones:
        agenda = agenda_after(agenda, scheduled(what), at, rules=rules)
    return agenda


def ticking(
    agenda: Agenda, rules: PlanningRules, start: datetime, end: datetime
) -> tuple[list[SimulatedReminder], Agenda]:
    """What a tick at every instant at which something is due tells, and the agenda after it."""
    told: list[SimulatedReminder] = []
    while True:
        pending = {key: one for key, one in agenda.reminders.items() if one.state == "pending"}
        now = max(start, min((one.due_at for one in pending.values()), default=end))
        if now >= end:
            return told, agenda
        due = {key: one for key, one in pending.items() if one.due_at <= now}
        for milestone_id, version, audience in dict.fromkeys((k.milestone_id, k.schedule_version, k[3]) for k in due):
            schedule = agenda.schedules[milestone_id]
            assert version == schedule.version
            choice = rules.ladder_of(audience) if audience else None
            steps = {k.step: r.due_at for k, r in due.items() if k[:2] == (milestone_id, version) and k[3] == audience}
            count = countdown(schedule.milestone, rules.book, schedule.scheduled_at, choice)
            what = due_reminder(count, steps, now)
            reminders = dict(agenda.reminders)
            for step, due_at in {what.step: what.due_at, **what.merged}.items():
                key = ReminderKey(milestone_id, version, step, audience)
                assert key not in reminders or reminders[key].state in ("pending", "withdrawn")
                reminders[key] = Reminder(due_at, "fired" if step == what.step else "merged")
            if what.follow_up:
                key = ReminderKey(milestone_id, version, what.follow_up.step, audience)
                if key not in reminders or reminders[key].state == "withdrawn":
                    reminders[key] = Reminder(what.follow_up.due_at, "pending")
            agenda = replace(agenda, reminders=reminders)
            told.append(
                SimulatedReminder(
                    now,
                    what.due_at,
                    schedule.commitment.id,
                    milestone_id,
                    version,
                    what.step,
                    audience,
                    what.phase,
                    what.days,
                    tuple(what.merged),
                    what.last,
                    what.only_in_digests,
                )
            )


def in_brief(told: Sequence[SimulatedReminder]) -> list[tuple[date, str, str, int]]:
    return [(one.at.date(), one.step.name, one.phase, one.days) for one in told]


# What is told


def test_a_year_of_one_deadline_reads_like_a_timetable() -> None:
    told = simulate([agenda_of(milestone(date(2026, 6, 30)))], BY_DEFAULT, START, utc(2026, 9, 1))

    assert in_brief(told) == [
        (date(2026, 4, 1), "before-90d", "ahead", 90),
        (date(2026, 5, 31), "before-30d", "ahead", 30),
        (date(2026, 6, 23), "before-7d", "ahead", 7),
        (date(2026, 6, 29), "before-1d", "ahead", 1),
        (date(2026, 6, 30), "on-the-day", "today", 0),
        (date(2026, 7, 1), "after-1d", "overdue", 1),
        (date(2026, 7, 7), "after-7d", "overdue", 7),
        (date(2026, 7, 30), "after-30d", "overdue", 30),
        (date(2026, 8, 29), "after-60d", "overdue", 60),
    ]


def test_what_has_no_last_day_is_reviewed() -> None:
    told = simulate([agenda_of(milestone(None))], BY_DEFAULT, START, utc(2027, 12, 1))

    assert [(one.step.name, one.phase) for one in told] == [(f"review-{n}", "review") for n in (1, 2, 3)]


def test_a_settled_commitment_tells_nothing() -> None:
    agenda = agenda_after(agenda_of(milestone(date(2026, 6, 30))), changed(Status.MET), START, rules=BY_DEFAULT)

    assert simulate([agenda], BY_DEFAULT, START, END) == ()


def test_what_is_due_already_is_told_at_the_start_in_one_event() -> None:
    agenda = agenda_of(milestone(date(2026, 6, 30)))

    told = simulate([agenda], BY_DEFAULT, utc(2026, 6, 25), utc(2026, 6, 29))

    assert [(t.at, t.step.name, [step.name for step in t.merged]) for t in told] == [
        (utc(2026, 6, 25), "before-7d", ["before-90d", "before-30d"])
    ]


def test_the_end_is_not_part_of_the_period() -> None:
    agenda = agenda_of(milestone(date(2026, 6, 30)))
    [first, *_] = simulate([agenda], BY_DEFAULT, START, END)

    assert simulate([agenda], BY_DEFAULT, START, first.at) == ()
    assert len(simulate([agenda], BY_DEFAULT, START, first.at + timedelta(microseconds=1))) == 1
    assert simulate([agenda], BY_DEFAULT, END, START) == ()


def test_a_reader_with_a_ladder_is_told_by_it_and_all_others_by_the_book() -> None:
    ladder = Ladder("chosen", (Rung(Step.named("before-2w"), time(8)),))
    rules = PlanningRules(NINE_SHARP, (SubscriptionLadder(READER, ladder, "America/Toronto"),))
    agenda = agenda_of(milestone(date(2026, 6, 30)), rules=rules)

    told = simulate([agenda], rules, START, utc(2026, 7, 1))

    assert [(t.step.name, t.at) for t in told if t.audience == READER] == [("before-2w", utc(2026, 6, 16, 12))]
    assert len([t for t in told if t.audience is None]) == 5


def test_a_ladder_that_its_reader_gave_up_tells_nothing() -> None:
    ladder = Ladder("chosen", (Rung(Step.named("before-2w"), time(8)),))
    agenda = agenda_of(
        milestone(None), rules=PlanningRules(NINE_SHARP, (SubscriptionLadder(READER, ladder, "America/Toronto"),))
    )

    assert {t.audience for t in simulate([agenda], BY_DEFAULT, START, END)} == {None}


def test_a_step_that_was_told_before_is_not_told_again_even_where_it_would_follow() -> None:
    """As the tick has it: a reminder that is there, and not withdrawn, is planned by nobody again."""
    agenda = agenda_of(milestone(date(2025, 12, 20)))
    reminders = {key: one for key, one in agenda.reminders.items() if one.state == "pending"}
    [(key, _)] = reminders.items()
    assert key.step.name == "after-30d"
    for state, following in (("fired", []), ("failed", []), ("withdrawn", ["after-60d"])):
        told_before = {key._replace(step=Step.named("after-60d")): Reminder(utc(2026, 2, 18, 15), state)}  # type: ignore[arg-type]
        one = replace(agenda, reminders=reminders | told_before)

        assert [t.step.name for t in simulate([one], BY_DEFAULT, START, utc(2026, 3, 1))] == ["after-30d", *following]


# How two plays differ


def test_a_difference_is_added_removed_and_moved_steps() -> None:
    agenda = agenda_of(milestone(date(2026, 6, 30)))
    ladder = NINE_SHARP.ladders[0]
    later = [replace(rung, at=time(17)) for rung in ladder.rungs if rung.step.name in ("before-7d", "before-1d")]
    kept = [rung for rung in ladder.rungs if rung.step.name in ("before-90d", "on-the-day")]
    extra = Rung(Step.named("before-2w"))
    others = PlanningRules(replace(NINE_SHARP, ladders=(replace(ladder, rungs=(*kept, *later, extra), repeat=None),)))

    found = compare_simulations(
        simulate([agenda], BY_DEFAULT, START, utc(2026, 7, 31)),
        simulate([replanned(agenda, START, others)], others, START, utc(2026, 7, 31)),
    )

    assert [t.step.name for t in found.added] == ["before-2w"]
    assert [t.step.name for t in found.removed] == ["before-30d", "after-1d", "after-7d", "after-30d"]
    assert [(m.after.step.name, m.after.at - m.before.at) for m in found.moved] == [
        ("before-7d", timedelta(hours=8)),
        ("before-1d", timedelta(hours=8)),
    ]
    assert (found.unchanged, found.is_none) == (2, False)


def test_business_days_are_counted_by_the_calendars_that_are_asked_for_all_of_them_together() -> None:
    """24 June is a holiday in Quebec, 5 May is one for nobody here, 1 May is one in Mexico."""
    book = replace(
        NINE_SHARP, ladders=(Ladder("two-business-days", (Rung(Step.named("before-2bd")),), when=LadderCondition()),)
    )
    days = {}
    for names in (("US",), ("CA-QC",), ("MX",), ("CA-QC", "MX")):
        rules = PlanningRules(with_calendars(book, tuple(map(regional_calendar, names))))
        what = [milestone(date(2026, 6, 26), id_="june"), milestone(date(2026, 5, 5), id_="may")]
        told = simulate([agenda_of(*what, rules=rules)], rules, START, END)
        days[names] = {t.milestone_id: t.at.date() for t in told}

    june_24, june_23 = date(2026, 6, 24), date(2026, 6, 23)
    may_1, april_30 = date(2026, 5, 1), date(2026, 4, 30)
    assert days == {
        ("US",): {"june": june_24, "may": may_1},
        ("CA-QC",): {"june": june_23, "may": may_1},
        ("MX",): {"june": june_24, "may": april_30},
        ("CA-QC", "MX"): {"june": june_23, "may": april_30},
    }


# Any book, any agendas

STEPS = st.one_of(
    st.just(Step("on")),
    st.builds(
        Step,
        st.sampled_from(["before", "after"]),
        st.integers(1, 40),
        st.sampled_from(["d", "d", "bd", "w", "m"]),
    ),
)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
REPEATS = st.one_of(
    st.none(),
    st.builds(Repeat, st.integers(7, 90), st.just("d")),
    st.builds(Repeat, st.integers(1, 12), st.just("w")),
    st.builds(Repeat, st.integers(1, 12), st.just("m")),
)


@st.composite
def ladders(draw: st.DrawFn, name: str = "everything", when: LadderCondition | None = None) -> Ladder:
    steps = draw(st.lists(STEPS, min_size=1, max_size=6, unique=True))
    rungs = tuple(Rung(step, draw(TIMES)) for step in steps)
    return Ladder(name, rungs, draw(REPEATS), draw(TIMES), when or LadderCondition())


@st.composite
def books(draw: st.DrawFn) -> LadderBook:
    found = [draw(ladders())]
    if draw(st.booleans()):
        found.insert(0, draw(ladders("events", LadderCondition(kinds=frozenset({"event"})))))
    jitter = timedelta(minutes=draw(st.sampled_from([0, 0, 15, 60])))
    return LadderBook(tuple(found), jitter, draw(st.integers(1, 12)), draw(st.sampled_from(["tell", "record"])))


@st.composite
def milestones(draw: st.DrawFn, id_: str = "one") -> Milestone:
    latest = draw(st.one_of(st.none(), st.dates(date(2023, 1, 1), date(2030, 12, 31))))
    precision = draw(st.sampled_from([Precision.DAY, Precision.DAY, Precision.MONTH, Precision.YEAR]))
    reading = draw(st.sampled_from([Reading.ON, Reading.BY, Reading.DURING, Reading.FROM]))
    if latest is None:
        return milestone(None, id_=id_, reading=Reading.UNDATED, review_months=draw(st.sampled_from([None, 3])))
    return milestone(
        latest,
        id_=id_,
        precision=precision,
        reading=reading,
        parties=draw(st.sampled_from([ALL, ("CA",), ("MX", "US")])),
        zone=draw(st.sampled_from(["America/Mexico_City", "America/Toronto", "America/St_Johns"])),
    )


@st.composite
def rules_in_two_books(draw: st.DrawFn) -> tuple[PlanningRules, PlanningRules]:
    """Today's rules, and others for the same readers."""
    subscription_ladders: tuple[SubscriptionLadder, ...] = ()
    if draw(st.booleans()):
        parties = frozenset(draw(st.sampled_from([[], ["CA"]])))
        ladder = replace(draw(ladders("chosen")), repeat=None)
        subscription_ladders = (SubscriptionLadder(READER, ladder, "America/Vancouver", Filters(parties=parties)),)
    return PlanningRules(draw(books()), subscription_ladders), PlanningRules(draw(books()), subscription_ladders)


@st.composite
def lived(draw: st.DrawFn, rules: PlanningRules) -> Agenda:
    """An agenda with a past: what it has told, been moved to, and has missed for up to a hundred days."""
    past = utc(2024, 1, 1)
    agenda = agenda_of(draw(milestones("one")), draw(milestones("two")), at=past, rules=rules)
    told_until = START - timedelta(days=draw(st.integers(0, 100)))
    moved_at = draw(st.datetimes(datetime(2024, 1, 2), datetime(2025, 9, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    if draw(st.booleans()):
        _, agenda = ticking(agenda, rules, past, moved_at)
        agenda = agenda_after(agenda, scheduled(draw(milestones("one")), 2, change="moved"), moved_at, rules=rules)
        _, agenda = ticking(agenda, rules, moved_at, told_until)
    elif draw(st.booleans()):
        _, agenda = ticking(agenda, rules, past, told_until)
    return agenda


@given(st.data(), rules_in_two_books())
def test_a_play_tells_what_a_tick_would_tell(data: st.DataObject, both: tuple[PlanningRules, PlanningRules]) -> None:
    today, others = both
    agenda = data.draw(lived(today))

    for rules, planned in ((today, agenda), (others, replanned(agenda, START, others))):
        told = simulate([planned], rules, START, END)
        assert sorted(told, key=str) == sorted(ticking(planned, rules, START, END)[0], key=str)
        assert [one.at for one in told] == sorted(one.at for one in told)


@given(st.data(), rules_in_two_books(), st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001
def test_a_play_can_be_interrupted_at_any_instant(
    data: st.DataObject, both: tuple[PlanningRules, PlanningRules], break_at: datetime
) -> None:
    """Two plays in a row, with what was told kept in between, tell what one play tells."""
    rules, middle = both[0], break_at.replace(tzinfo=UTC)
    agenda = data.draw(lived(rules))

    first, there = ticking(agenda, rules, START, middle)

    assert sorted(simulate([agenda], rules, START, END), key=str) == sorted(
        [*first, *simulate([there], rules, middle, END)], key=str
    )


@given(st.data(), rules_in_two_books())
def test_rehearsing_the_rules_that_hold_changes_nothing(
    data: st.DataObject, both: tuple[PlanningRules, PlanningRules]
) -> None:
    rules = both[0]
    agenda = data.draw(lived(rules))

    found = compare_simulations(
        simulate([agenda], rules, START, END), simulate([replanned(agenda, START, rules)], rules, START, END)
    )

    assert found.is_none


@given(st.data(), rules_in_two_books())
def test_other_rules_tell_what_they_would_have_told_had_they_held_from_the_first(
    data: st.DataObject, both: tuple[PlanningRules, PlanningRules]
) -> None:
    """As long as nothing has been told yet, and no event is over: that is asked about as soon as it is scheduled."""
    today, others = both
    what = [data.draw(milestones("one")), data.draw(milestones("two"))]
    assume(not any(one.is_event and one.span.latest and one.span.latest < START.date() for one in what))

    planned_anew = replanned(agenda_of(*what, rules=today), START, others)

    assert simulate([planned_anew], others, START, END) == simulate(
        [agenda_of(*what, rules=others)], others, START, END
    )


@given(st.data(), rules_in_two_books())
@pytest.mark.slow
def test_a_difference_leads_from_one_play_to_the_other(
    data: st.DataObject, both: tuple[PlanningRules, PlanningRules]
) -> None:
    today, others = both
    agenda = data.draw(lived(today))
    before = simulate([agenda], today, START, END)
    after = simulate([replanned(agenda, START, others)], others, START, END)

    there, back = compare_simulations(before, after), compare_simulations(after, before)

    left = set(before) - set(there.removed) - {one.before for one in there.moved}
    right = set(after) - set(there.added) - {one.after for one in there.moved}
    assert {(t.due_at, t.milestone_id, t.step, t.audience) for t in left} == {
        (t.due_at, t.milestone_id, t.step, t.audience) for t in right
    }
    assert there.unchanged == len(left) == len(right)
    assert (set(there.added), set(there.removed)) == (set(back.removed), set(back.added))
    assert {(m.before, m.after) for m in there.moved} == {(m.after, m.before) for m in back.moved}
