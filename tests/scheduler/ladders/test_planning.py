"""When a milestone's reminders are due, which are planned and why, and what they say when they fire."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.events import LadderChosen, LadderHolidays, LadderRung
from contracts.vocabulary import Precision, Reading, Span
from services.plumbing.business_days import UnknownCalendar
from services.plumbing.zones import UnknownZone
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.due_reminder import LATE_AFTER, LONGEST_VALID, due_reminder, phase_at
from services.scheduler.ladders.ladder import Step
from services.scheduler.ladders.planning import LONGEST_LATE, left_out_rungs, plan
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder, subscription_ladder
from tests.scheduler.scenes import (
    ENDLESS,
    EVERY,
    LADDER,
    NINE_SHARP,
    brief,
    counting,
    days,
    instants,
    milestone,
    milestones,
    utc,
)

END_OF_2021 = milestone(date(2021, 12, 31), precision=Precision.YEAR, earliest=date(2021, 1, 1))
STATEMENT_DAY = utc(2021, 11, 18, 18)
UNDATED = milestone(None, reading=Reading.UNDATED)
ME = UUID(int=1)


def names(state: str, what: Milestone, now: datetime, book: LadderBook = NINE_SHARP) -> list[str]:
    return [planned.step.name for planned in plan(what, now, book) if planned.state == state]


def book(rungs: str, more: str = "", top: str = "") -> LadderBook:
    """A book of one ladder."""
    return read_ladder_book(f"{top}\nladders: [{{name: all, rungs: [{rungs}]{more}}}]")


# Which steps


def test_a_milestone_of_six_weeks_hence_has_passed_its_first_step_and_waits_for_the_others() -> None:
    assert names("passed", END_OF_2021, STATEMENT_DAY) == ["before-90d"]
    assert [step.name for step in LADDER[1:]] == names("pending", END_OF_2021, STATEMENT_DAY)


def test_reminders_are_due_at_nine_by_the_milestones_own_clocks() -> None:
    due = {planned.step.name: planned.due_at for planned in plan(END_OF_2021, STATEMENT_DAY, NINE_SHARP)}

    assert utc(2021, 12, 24, 15) == due["before-7d"]
    assert utc(2021, 12, 31, 15) == due["on-the-day"]
    assert utc(2022, 1, 7, 15) == due["after-7d"]


def test_a_summit_of_two_days_is_counted_to_its_first_day_and_from_its_last() -> None:
    summit = milestone(date(2021, 12, 10), earliest=date(2021, 12, 9), reading=Reading.ON)
    due = {planned.step.name: planned.due_at.date() for planned in plan(summit, STATEMENT_DAY)}

    assert date(2021, 12, 8) == due["before-1d"]
    assert date(2021, 12, 9) == due["on-the-day"]
    assert date(2021, 12, 11) == due["after-1d"]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (Precision.DAY, ["before-90d", "before-30d", "before-7d", "before-1d", "on-the-day"]),
        (Precision.MONTH, ["before-90d", "before-30d", "before-7d"]),
        (Precision.SEASON, ["before-90d", "before-30d"]),
        (Precision.YEAR, ["before-90d", "before-30d"]),
        (Precision.DECADE, ["before-90d", "before-30d"]),
    ],
)
def test_nobody_is_told_that_an_event_is_in_7_days_when_only_its_season_or_year_is_known(
    precision: Precision, expected: list[str]
) -> None:
    nals = milestone(date(2022, 12, 31), earliest=date(2022, 12, 31), precision=precision, reading=Reading.ON)

    assert [*expected, "after-1d", "after-7d"] == names("pending", nals, STATEMENT_DAY)
    assert {"finer-than-the-date"} >= {one.why for one in left_out_rungs(nals, ENDLESS)}
    assert [step.name for step in LADDER if step.name not in (*expected, "after-1d", "after-7d")] == [
        one.rung.step.name for one in left_out_rungs(nals, ENDLESS)
    ]


@pytest.mark.parametrize(
    ("rung", "fits"), [("before-4w", False), ("before-5w", True), ("before-1m", True), ("before-21bd", False)]
)
def test_weeks_months_and_business_days_too_have_to_fit_what_is_known(rung: str, fits: bool) -> None:
    nals = milestone(date(2022, 12, 31), earliest=date(2022, 1, 1), precision=Precision.YEAR, reading=Reading.ON)

    assert ([rung] if fits else []) == names("pending", nals, STATEMENT_DAY, book(rung))
    assert ([] if fits else [30]) == [one.shortest_notice for one in left_out_rungs(nals, book(rung))]


@pytest.mark.parametrize("precision", list(Precision)[:-1])
@pytest.mark.parametrize("reading", [Reading.BY, Reading.DURING])
def test_a_deadline_has_every_step_however_coarsely_it_is_dated(precision: Precision, reading: Reading) -> None:
    deadline = milestone(date(2029, 12, 31), earliest=date(2020, 1, 1), precision=precision, reading=reading)

    assert [step.name for step in LADDER] == names("pending", deadline, STATEMENT_DAY)
    assert left_out_rungs(deadline) == ()


def test_a_milestone_that_passed_long_ago_waits_for_its_next_rung_only() -> None:
    assert [step.name for step in LADDER] == names("passed", END_OF_2021, utc(2022, 3, 15))
    assert names("pending", END_OF_2021, utc(2022, 3, 15)) == ["after-90d"]


def test_what_was_told_is_not_planned_again_when_the_clock_goes_back() -> None:
    planned = plan(END_OF_2021, utc(2022, 3, 1), ENDLESS, fired=[days(90)])

    assert days(120) == planned[-1].step


def test_the_calendar_ends_without_an_error() -> None:
    last, first = milestone(date(9999, 12, 31)), milestone(date(1, 1, 1))

    assert "after-1d" not in names("pending", last, STATEMENT_DAY)
    assert names("passed", last, STATEMENT_DAY) == []
    assert [one.rung.step.name for one in left_out_rungs(last, ENDLESS)] == ["after-1d", "after-7d"]
    assert {"calendar-ends"} == {one.why for one in left_out_rungs(last, ENDLESS)}
    assert "before-90d" not in names("passed", first, STATEMENT_DAY)
    assert names("pending", first, STATEMENT_DAY) == []  # no step is further away than a hundred years


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownZone, match="America/Nowhere"):
        plan(milestone(date(2022, 1, 1), zone="America/Nowhere"), STATEMENT_DAY)


# Ladders other than the shipped one


def test_three_business_days_before_a_joint_deadline_are_days_on_which_all_work_and_say_why() -> None:
    [planned] = plan(END_OF_2021, STATEMENT_DAY, book("before-3bd"))

    assert (utc(2021, 12, 23, 15), date(2021, 12, 31)) == (planned.due_at, planned.reason.counted_from)
    assert [off.holiday for off in planned.reason.skipped] == [
        "boxing-day-observed",
        "christmas-day-observed",
        None,
        None,
        "christmas-day-observed",
    ]


def test_a_rung_has_its_own_time_and_business_days() -> None:
    [planned] = plan(END_OF_2021, STATEMENT_DAY, book('{step: before-3bd, at: "08:30", business_days: MX}'))

    assert utc(2021, 12, 28, 14, 30) == planned.due_at


def test_an_endless_end_of_months_keeps_the_day_of_the_month() -> None:
    monthly = book("on-the-day", ", every: 1m")
    count = countdown(END_OF_2021, monthly, STATEMENT_DAY)
    found = count.endless_from(utc(2022, 1, 1))
    seen = []
    while found and len(seen) < 4:
        seen.append((found[0].name, found[1].date()))
        found = count.next_after(found[0])

    assert [
        ("after-1m", date(2022, 1, 31)),
        ("after-2m", date(2022, 2, 28)),
        ("after-3m", date(2022, 3, 31)),
        ("after-4m", date(2022, 4, 30)),
    ] == seen


def test_endless_steps_begin_behind_the_last_rung() -> None:
    every_week = book("after-20d, before-1d", ", every: 1w")

    found = countdown(END_OF_2021, every_week, STATEMENT_DAY).endless_from(STATEMENT_DAY)
    assert found and found[0].name == "after-3w"


@pytest.mark.parametrize(
    ("last", "often", "expected"),
    [("after-30d", "30d", "after-60d"), ("after-4w", "14d", "after-42d"), ("after-1d", "30d", "after-30d")],
)
def test_the_endless_end_does_not_repeat_the_day_of_the_last_rung(last: str, often: str, expected: str) -> None:
    by = book(f"on-the-day, {last}", f", every: {often}")

    found = countdown(END_OF_2021, by, STATEMENT_DAY).endless_from(STATEMENT_DAY)
    assert found
    assert expected == found[0].name


def test_a_ladder_without_an_endless_end_is_silent_after_its_last_rung() -> None:
    short = book("before-7d")

    assert names("pending", END_OF_2021, utc(2022, 1, 1), short) == []
    said = due_reminder(
        countdown(END_OF_2021, short, STATEMENT_DAY), {days(-7): utc(2021, 12, 24, 15)}, utc(2021, 12, 25)
    )
    assert (None, utc(2022, 1, 1)) == (said.follow_up, said.not_after)


every = st.one_of(
    st.builds(lambda n: f", every: {n}d", st.integers(1, 400)),
    st.builds(lambda n: f", every: {n}w", st.integers(1, 60)),
    st.builds(lambda n: f", every: {n}m", st.integers(1, 30)),
)
rungs = st.lists(
    st.builds(
        lambda direction, n, unit: f"{direction}-{n}{unit}",
        st.sampled_from(["before", "after"]),
        st.integers(1, 40),
        st.sampled_from(["d", "w", "m"]),
    ),
    min_size=1,
    max_size=5,
    unique=True,
).map(", ".join)


@given(milestones(), instants, rungs, every, st.integers(0, 40))
def test_the_next_endless_step_is_found_without_climbing_to_it(
    what: Milestone, at: datetime, steps: str, often: str, told: int
) -> None:
    """Against the slow way: from the first multiple on, one by one."""
    by = book(steps, often, "jitter: 1h")
    count = countdown(what, by, at)
    repeat = by.ladders[0].repeat
    assert repeat
    last = max((count.step_day(rung.step).day for rung, _ in count.rungs), default=date.min)
    number = 1
    while True:
        step = repeat.step(number)
        due_at = count.due_at(step)
        assert due_at
        if count.step_day(step).day > last and due_at >= at and number > told:
            break
        number += 1

    assert (step, due_at) == count.endless_from(at, repeat.step(told) if told else None)


# Milestones without a last day


@pytest.mark.parametrize(
    "what",
    [
        UNDATED,
        milestone(date(2022, 12, 31), reading=Reading.FROM),
        milestone(date(2022, 12, 31), reading=Reading.RECURRING),
        UNDATED.model_copy(
            update={
                "reading": Reading.DURING,
                "span": Span(edtf="2022/..", earliest=date(2022, 1, 1), latest=None, precision=Precision.YEAR),
            }
        ),
    ],
)
def test_what_has_no_last_day_is_reviewed_every_half_year_and_never_overdue(what: Milestone) -> None:
    [planned] = plan(what, STATEMENT_DAY, NINE_SHARP)
    count = counting(what)
    said = due_reminder(count, {planned.step: planned.due_at}, utc(2024, 1, 10))

    assert ("review-1", utc(2022, 5, 18, 14), "pending") == (planned.step.name, planned.due_at, planned.state)
    assert (said.phase, said.days, said.step.name, len(said.merged)) == ("review", 0, "review-4", 3)
    assert said.follow_up
    assert ("review-5", utc(2024, 5, 18, 15)) == (said.follow_up.step.name, said.follow_up.due_at)
    assert {"no-last-day"} == {one.why for one in left_out_rungs(what)}


def test_a_milestones_own_rhythm_comes_before_the_books() -> None:
    yearly = milestone(None, reading=Reading.UNDATED, review_months=12)
    quarterly = book("on-the-day", top="review_months: 3")

    assert [utc(2022, 2, 18, 15)] == [one.due_at for one in plan(UNDATED, STATEMENT_DAY, quarterly)]
    assert [utc(2022, 11, 18, 15)] == [one.due_at for one in plan(yearly, STATEMENT_DAY, quarterly)]


@given(instants, st.timedeltas(timedelta(), timedelta(days=9000)), st.integers(1, 120), st.integers(0, 20))
def test_reviews_are_counted_from_the_day_of_the_schedule_however_late_they_are_planned(
    scheduled_at: datetime, later: timedelta, months: int, told: int
) -> None:
    what = milestone(None, reading=Reading.UNDATED, review_months=months)
    known = [Step("review", n) for n in range(1, told + 1)]
    [planned] = plan(what, scheduled_at + later, scheduled_at=scheduled_at, fired=known)
    count = countdown(what, DEFAULT_BOOK, scheduled_at)
    before = count.due_at(Step("review", planned.step.count - 1)) if planned.step.count > 1 else None

    assert planned.state == "pending"
    assert planned.step.count > told
    assert planned.due_at >= scheduled_at + later
    assert before is None or before < scheduled_at + later or planned.step.count == told + 1


# Jitter


@given(milestones(), instants)
def test_jitter_is_inside_the_window_and_the_same_in_every_plan(what: Milestone, now: datetime) -> None:
    sharp = {one.step: one.due_at for one in plan(what, now, NINE_SHARP)}
    for one in plan(what, now):
        assert one.reason.jitter == plan(what, now - timedelta(days=1))[0].countdown.jitter(one.step)
        assert timedelta() <= one.reason.jitter < DEFAULT_BOOK.jitter
        if one.step in sharp:
            assert sharp[one.step] + one.reason.jitter == one.due_at


def test_jitter_does_not_change_from_one_machine_or_release_to_the_next() -> None:
    due = {planned.step.name: planned.due_at for planned in plan(END_OF_2021, STATEMENT_DAY)}

    assert datetime(2021, 12, 24, 15, 5, 15, tzinfo=UTC) == due["before-7d"]
    assert datetime(2021, 12, 31, 15, 13, 43, tzinfo=UTC) == due["on-the-day"]


def test_ten_thousand_reminders_of_one_morning_are_spread_evenly_over_the_window() -> None:
    seconds = [
        int(counting(milestone(date(2021, 12, 31), id_=f"one-{i}"), DEFAULT_BOOK).jitter(days(0)).total_seconds())
        for i in range(10_000)
    ]
    minutes = [sum(60 * minute <= s < 60 * minute + 60 for s in seconds) for minute in range(15)]

    assert max(seconds.count(s) for s in set(seconds)) < 40, "no second has a herd of its own"
    assert all(500 < count < 850 for count in minutes)


# What a moved date puts into the past


def moved(
    what: Milestone, at: datetime, told: dict[Step, datetime] | None = None, by: LadderBook = NINE_SHARP
) -> list[str]:
    return [one.step.name for one in plan(what, at, by, moved=told or {}) if one.why == "put-into-the-past-by-a-move"]


def test_the_newest_step_that_a_move_puts_into_the_past_is_told_once() -> None:
    sooner = milestone(date(2021, 12, 10))

    planned = plan(sooner, utc(2021, 12, 6), NINE_SHARP, moved={})

    assert [(one.step.name, one.state) for one in planned[:4]] == [
        ("before-90d", "passed"),
        ("before-30d", "passed"),
        ("before-7d", "pending"),
        ("before-1d", "pending"),
    ]
    assert planned[2].reason.why == "put-into-the-past-by-a-move"
    assert utc(2021, 12, 3, 15) == planned[2].due_at


def test_a_first_schedule_puts_nothing_into_the_past() -> None:
    assert "before-7d" in names("passed", milestone(date(2021, 12, 10)), utc(2021, 12, 6))


def test_by_the_rule_record_a_move_tells_nothing_late() -> None:
    assert (
        moved(milestone(date(2021, 12, 10)), utc(2021, 12, 6), by=replace(NINE_SHARP, moved_into_past="record")) == []
    )


def test_the_very_reminder_that_was_told_before_the_move_is_not_told_again() -> None:
    sooner, at = milestone(date(2021, 12, 10)), utc(2021, 12, 6)

    assert moved(sooner, at, {days(-7): utc(2021, 12, 3, 15)}) == []
    assert moved(sooner, at, {days(-7): utc(2021, 12, 2, 15)}) == ["before-7d"]
    assert moved(sooner, at, {days(-30): utc(2021, 12, 3, 15)}) == ["before-7d"]


def test_what_lies_more_than_seven_days_back_is_no_news() -> None:
    sooner = milestone(date(2021, 12, 31))

    assert moved(sooner, utc(2021, 12, 1, 15) + LONGEST_LATE) == ["before-30d"]
    assert moved(sooner, utc(2021, 12, 1, 15) + LONGEST_LATE + timedelta(seconds=1)) == []


def test_once_the_last_day_is_over_the_endless_end_speaks() -> None:
    assert moved(END_OF_2021, utc(2022, 1, 1, 5, 59)) == ["on-the-day"]
    assert moved(END_OF_2021, utc(2022, 1, 1, 6)) == []
    assert names("pending", END_OF_2021, utc(2022, 1, 8)) == ["after-30d"]


@given(milestones(), instants, st.dictionaries(st.sampled_from(LADDER), instants))
def test_a_move_is_told_late_at_most_once_and_leaves_all_that_lies_ahead(
    what: Milestone, at: datetime, told: dict[Step, datetime]
) -> None:
    first, after_move = plan(what, at, ENDLESS, scheduled_at=at), plan(what, at, ENDLESS, moved=told)
    late = [one for one in after_move if one.why == "put-into-the-past-by-a-move"]

    assert len(late) <= 1
    assert [(one.step, one.due_at) for one in first] == [(one.step, one.due_at) for one in after_move]
    assert [one for one in first if one.state == "pending"] == [
        one for one in after_move if one.state == "pending" and one not in late
    ]
    for one in late:
        assert one.due_at < at
        if not what.is_event or one.step.direction != "after":
            assert at <= one.due_at + LONGEST_LATE
            assert at < one.countdown.ended_at
        assert told.get(one.step) != one.due_at
        assert one.due_at == max(planned.due_at for planned in first if planned.state == "passed")


# A reader's own ladder


def chosen(*rungs: tuple[str, str], **changes: object) -> SubscriptionLadder | None:
    told: dict[str, object] = {
        "seq": 1,
        "subscription_id": ME,
        "active": True,
        "rungs": tuple(LadderRung(step=step, at=at) for step, at in rungs),
        "zone": "America/Vancouver",
        "holidays": None,
        "parties": (),
        "themes": (),
        "sections": (),
        "commitments": (),
    }
    return subscription_ladder(LadderChosen.model_validate(told | changes))


def test_a_readers_ladder_is_told_at_his_clocks_by_his_holidays() -> None:
    mine = chosen(("before-3bd", "07:30"), holidays=LadderHolidays(country="CA", subdivision="BC"))
    [planned] = plan(END_OF_2021, STATEMENT_DAY, own_ladder=mine)

    assert utc(2021, 12, 24, 15, 30) == planned.due_at - planned.reason.jitter
    assert (
        planned.reason.zone,
        planned.reason.ladder,
        planned.countdown.audience,
    ) == ("America/Vancouver", "chosen", ME)


def test_a_readers_ladder_has_the_books_reviews_and_no_endless_end() -> None:
    mine = chosen(("before-7d", "08:00"), ("before-1d", "07:00"), ("review-1", "06:00"), ("before-1d", "23:00"))

    [review] = plan(UNDATED, STATEMENT_DAY, NINE_SHARP, own_ladder=mine)

    assert ("review-1", utc(2022, 5, 18, 14)) == (review.step.name, review.due_at)
    assert [
        (one.step.name, one.due_at.hour) for one in plan(END_OF_2021, STATEMENT_DAY, NINE_SHARP, own_ladder=mine)
    ] == [
        ("before-7d", 16),
        ("before-1d", 15),
    ]
    assert {"passed"} == {one.state for one in plan(END_OF_2021, utc(2022, 6, 1), own_ladder=mine)}


def test_two_readers_have_jitters_of_their_own() -> None:
    due = {
        plan(END_OF_2021, STATEMENT_DAY, own_ladder=chosen(("before-7d", "09:00"), subscription_id=uuid4()))[0].due_at
        for _ in range(20)
    }

    assert len(due) > 10


@pytest.mark.parametrize(
    ("filters", "asks"),
    [
        ({}, True),
        ({"parties": ("MX",)}, True),
        ({"parties": ("US",)}, False),
        ({"themes": ("climate", "trade")}, True),
        ({"themes": ("trade",)}, False),
        ({"sections": ("climate",)}, True),
        ({"sections": ("health",)}, False),
        ({"commitments": (brief().id,)}, True),
        ({"commitments": ("another",), "themes": ("climate",)}, False),
    ],
)
def test_a_reader_is_reminded_of_what_all_of_his_filters_ask_for(filters: dict[str, object], asks: bool) -> None:
    mine = chosen(("before-7d", "08:00"), **filters)
    mexicos = milestone(date(2022, 1, 1), parties=("MX",))

    assert mine
    assert asks is mine.asks_for(brief(), mexicos)


def test_a_ladder_that_is_given_up_is_none() -> None:
    assert chosen(active=False) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"zone": "America/Nowhere"}, UnknownZone),
        ({"holidays": LadderHolidays(country="MX", subdivision="JAL")}, UnknownCalendar),
        ({"rungs": (LadderRung(step="before-99999d", at="09:00"),)}, ValueError),
    ],
)
def test_a_ladder_that_cannot_be_reckoned_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        chosen(**changes)


# Any plan


@given(milestones(), instants)
def test_a_plan_has_each_step_once_and_is_finite(what: Milestone, now: datetime) -> None:
    planned = plan(what, now, ENDLESS)
    steps = [one.step for one in planned]

    assert len(set(steps)) == len(steps) <= len(LADDER) + 1
    assert sorted(one.due_at for one in planned) == [one.due_at for one in planned]


@given(milestones(), instants)
def test_what_lies_before_the_planning_is_never_sent_and_what_lies_ahead_always(what: Milestone, now: datetime) -> None:
    """But for the one question about an event that was over already."""
    asked = [one for one in plan(what, now, ENDLESS) if one.why == "asked-when-it-was-planned"]
    for one in plan(what, now, ENDLESS):
        if one not in asked:
            assert ("passed" if one.due_at < now else "pending") == one.state
            assert ("before-it-was-planned" if one.due_at < now else "ahead") == one.reason.why


@given(milestones(), instants, st.none() | st.integers(1, 40).map(lambda k: days(k * EVERY)))
def test_there_is_always_a_next_reminder_and_of_the_endless_ones_it_is_the_first(
    what: Milestone, now: datetime, beyond: Step | None
) -> None:
    count = counting(what, ENDLESS, now)
    planned = plan(what, now, ENDLESS, fired=[beyond] if beyond else [])
    endless = [one for one in planned if count.is_endless(one.step)]

    assert "pending" in {one.state for one in planned}
    for one in endless:
        assert not beyond or one.step.count > beyond.count
        before = one.step.count - EVERY
        previous = count.due_at(days(before)) if before > 0 else None
        assert previous is None or previous < now or (beyond and before <= beyond.count)


@given(milestones(), instants)
def test_nine_is_nine_on_the_right_day_there(what: Milestone, now: datetime) -> None:
    there = ZoneInfo(what.zone)
    for one in plan(what, now, NINE_SHARP):
        local, reason = one.due_at.astimezone(there), one.reason
        by = -one.step.count if one.step.direction == "before" else one.step.count
        assert (time(9), reason.counted_from + timedelta(days=by)) == (local.time(), local.date())
        assert (what.zone, "as-told", timedelta()) == (reason.zone, reason.clock, reason.jitter)


# What is said when it fires


def due(what: Milestone, *steps: int) -> dict[Step, datetime]:
    count = counting(what)
    found = {days(step): count.due_at(days(step)) for step in steps}
    return {step: at for step, at in found.items() if at}


def test_seven_days_before_it_is_ahead_by_7() -> None:
    said = due_reminder(counting(END_OF_2021), due(END_OF_2021, -7), utc(2021, 12, 24, 15))

    assert (said.phase, said.days, said.late, said.merged) == ("ahead", 7, False, {})
    assert utc(2021, 12, 30, 15) == said.not_after
    assert said.follow_up is None


@pytest.mark.parametrize(
    ("now", "phase", "days"),
    [
        (utc(2022, 1, 1, 5, 59), "today", 0),  # New Year in Ottawa, not yet in the last capital
        (utc(2022, 1, 1, 6), "overdue", 1),
        (utc(2021, 12, 31, 5, 59), "ahead", 1),
    ],
)
def test_a_day_has_passed_when_it_has_ended_in_the_milestones_zone(now: datetime, phase: str, days: int) -> None:
    said = due_reminder(counting(END_OF_2021), due(END_OF_2021, -1), now)

    assert (phase, days) == (said.phase, said.days)


def test_a_summit_is_todays_on_its_second_day_too() -> None:
    summit = milestone(date(2021, 12, 10), earliest=date(2021, 12, 9), reading=Reading.ON)

    assert due_reminder(counting(summit), due(summit, 0), utc(2021, 12, 11, 5)).phase == "today"
    assert (
        due_reminder(counting(summit), due(summit, 1), utc(2021, 12, 11, 15)).phase,
        due_reminder(counting(summit), due(summit, 1), utc(2021, 12, 11, 15)).days,
    ) == ("asked", 1)


def test_after_a_downtime_the_newest_step_tells_the_others_with_the_days_as_they_are_now() -> None:
    said = due_reminder(counting(END_OF_2021), due(END_OF_2021, -90, -30, -7), utc(2021, 12, 26, 18))

    assert (said.step.name, said.days, said.late) == ("before-7d", 5, True)
    assert [step.name for step in said.merged] == ["before-90d", "before-30d"]


def test_endless_rungs_that_were_missed_are_told_too_and_the_next_is_planned() -> None:
    said = due_reminder(counting(END_OF_2021), due(END_OF_2021, 7), utc(2022, 3, 20))

    assert said.step.name == "after-60d"
    assert [step.name for step in said.merged] == ["after-7d", "after-30d"]
    assert said.follow_up
    assert (days(90), utc(2022, 3, 31, 15)) == (said.follow_up.step, said.follow_up.due_at)


def test_the_last_fixed_rung_plans_the_first_endless_one() -> None:
    said = due_reminder(counting(END_OF_2021), due(END_OF_2021, 7), utc(2022, 1, 7, 15))

    assert said.follow_up
    assert days(30) == said.follow_up.step


def test_six_hours_are_not_late_and_a_moment_more_is() -> None:
    at = utc(2021, 12, 24, 15) + LATE_AFTER

    assert not due_reminder(counting(END_OF_2021), due(END_OF_2021, -7), at).late
    assert due_reminder(counting(END_OF_2021), due(END_OF_2021, -7), at + timedelta(microseconds=1)).late


def test_what_was_said_90_days_before_is_stale_after_a_week() -> None:
    far = milestone(date(2029, 12, 31))
    said = due_reminder(counting(far), due(far, -90), utc(2029, 10, 2, 15))

    assert utc(2029, 10, 9, 15) == said.not_after


@given(milestones(), instants, st.timedeltas(timedelta(), timedelta(days=4000)))
def test_whatever_the_downtime_one_event_tells_all_that_was_due_and_is_fresh(
    what: Milestone, planned_at: datetime, downtime: timedelta
) -> None:
    now = planned_at + downtime
    count = counting(what, ENDLESS, planned_at)
    planned = plan(what, planned_at, ENDLESS)
    missed = {one.step: one.due_at for one in planned if one.state == "pending" and one.due_at <= now}
    assume(missed)

    said = due_reminder(count, missed, now)

    told = {**said.merged, said.step: said.due_at}
    assert missed.items() <= told.items()
    assert all(at <= now for at in told.values())
    assert said.due_at == max(told.values())
    assert now < said.not_after <= now + LONGEST_VALID
    following = count.next_after(said.step)
    assert following is None or following[1] > now, "the next step is not yet due"
    assert (said.days == 0) == (said.phase == "today")
    waits = {one.step for one in planned if one.due_at > now}
    assert waits or (said.follow_up and said.follow_up.due_at > now), "the ladder goes on"


@given(milestones(), instants)
def test_told_at_its_time_a_step_says_its_own_days(what: Milestone, planned_at: datetime) -> None:
    count = counting(what, ENDLESS, planned_at)
    passed = "asked" if what.is_event else "overdue"
    for one in plan(what, planned_at, ENDLESS):
        if one.state == "pending":
            said = due_reminder(count, {one.step: one.due_at}, one.due_at)
            phase = {"before": "ahead", "on": "today", "after": passed}[one.step.direction]
            assert (phase, one.step.count, False) == (said.phase, said.days, said.late)


def test_a_joint_deadline_is_not_overdue_while_it_is_still_that_day_in_a_capital_of_the_bound() -> None:
    """Even when the register reckons it in a zone that is ahead."""
    joint = milestone(date(2021, 12, 31), zone="America/Toronto")
    canadas = milestone(date(2021, 12, 31), zone="America/Toronto", parties=("CA",))
    an_hour_after = utc(2022, 1, 1, 5, 30)

    assert phase_at(counting(joint), an_hour_after) == ("today", 0)
    assert phase_at(counting(canadas), an_hour_after) == ("overdue", 1)
    assert phase_at(counting(joint), utc(2022, 1, 1, 6)) == ("overdue", 1)


def test_what_was_said_ahead_of_an_event_is_stale_when_it_begins() -> None:
    summit = milestone(date(2021, 12, 10), reading=Reading.ON, local_time="08:00")

    said = due_reminder(counting(summit), due(summit, -1), utc(2021, 12, 9, 15))

    assert utc(2021, 12, 10, 14) == said.not_after
    assert utc(2021, 12, 11, 15) == due_reminder(counting(summit), due(summit, 0), utc(2021, 12, 10, 15)).not_after


def test_the_clock_is_read_in_utc() -> None:
    assert all(one.due_at.tzinfo is UTC for one in plan(END_OF_2021, STATEMENT_DAY))
