"""When a milestone's reminders are due, which are planned, and what they say when they fire."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.vocabulary import Milestone, Precision, Reading
from services.scheduler import zones
from services.scheduler.ladder import EVERY, LADDER, Step
from services.scheduler.occasions import LATE_AFTER, LONGEST_FRESH, occasion
from services.scheduler.planning import countdown, plan
from services.scheduler.zones import UnknownZone, instant_at, zone_named
from tests.rules.scheduler_scenes import instants, milestone, milestones, utc
from tests.rules.scheduler_scenes import zones as zone_names

END_OF_2021 = milestone(date(2021, 12, 31), precision=Precision.YEAR, earliest=date(2021, 1, 1))
STATEMENT_DAY = utc(2021, 11, 18, 18)
COUNTRIES_ZONES = sorted(
    zone
    for zone in available_timezones()
    if zone.startswith(("America/", "Pacific/Honolulu", "US/", "Canada/", "Mexico/"))
)


def names(state: str, what: Milestone, now: datetime) -> list[str]:
    return [planned.step.name for planned in plan(what, now) if planned.state == state]


# Which steps


def test_a_milestone_of_six_weeks_hence_has_passed_its_first_step_and_waits_for_the_others() -> None:
    assert names("passed", END_OF_2021, STATEMENT_DAY) == ["before-90d"]
    assert [step.name for step in LADDER[1:]] == names("pending", END_OF_2021, STATEMENT_DAY)


def test_an_undated_milestone_gets_no_reminder() -> None:
    assert plan(milestone(None, reading=Reading.UNDATED), STATEMENT_DAY) == ()


def test_reminders_are_due_at_nine_by_the_milestones_own_clocks() -> None:
    due = {planned.step.name: planned.due_at for planned in plan(END_OF_2021, STATEMENT_DAY)}

    assert utc(2021, 12, 24, 15) == due["before-7d"]
    assert utc(2021, 12, 31, 15) == due["on-the-day"]
    assert utc(2022, 1, 7, 15) == due["after-7d"]


def test_a_summit_of_two_days_is_counted_to_its_first_day_and_from_its_last() -> None:
    summit = milestone(date(2021, 12, 10), earliest=date(2021, 12, 9), reading=Reading.ON)
    due = {planned.step.name: planned.due_at.date() for planned in plan(summit, STATEMENT_DAY)}

    assert date(2021, 12, 8) == due["before-1d"]
    assert date(2021, 12, 9) == due["on-the-day"]
    assert date(2021, 12, 11) == due["after-1d"]


@pytest.mark.parametrize("precision", [Precision.SEASON, Precision.YEAR, Precision.DECADE])
def test_nobody_is_told_that_an_event_is_in_7_days_when_only_its_season_or_year_is_known(precision: Precision) -> None:
    nals = milestone(date(2022, 12, 31), earliest=date(2022, 1, 1), precision=precision, reading=Reading.ON)

    assert names("pending", nals, STATEMENT_DAY) == ["before-90d", "before-30d", "after-1d", "after-7d"]


@pytest.mark.parametrize("precision", list(Precision)[:-1])
@pytest.mark.parametrize("reading", [Reading.BY, Reading.DURING])
def test_a_deadline_has_every_step_however_coarsely_it_is_dated(precision: Precision, reading: Reading) -> None:
    deadline = milestone(date(2029, 12, 31), earliest=date(2020, 1, 1), precision=precision, reading=reading)

    assert [step.name for step in LADDER] == names("pending", deadline, STATEMENT_DAY)


def test_a_milestone_that_passed_long_ago_waits_for_its_next_rung_only() -> None:
    assert [step.name for step in LADDER] == names("passed", END_OF_2021, utc(2022, 3, 15))
    assert names("pending", END_OF_2021, utc(2022, 3, 15)) == ["after-90d"]


def test_what_was_told_is_not_planned_again_when_the_clock_goes_back() -> None:
    planned = plan(END_OF_2021, utc(2022, 3, 1), beyond=Step(90))

    assert Step(120) == planned[-1].step


def test_the_calendar_ends_without_an_error() -> None:
    assert "after-1d" not in names("pending", milestone(date(9999, 12, 31)), STATEMENT_DAY)
    assert names("passed", milestone(date(9999, 12, 31)), STATEMENT_DAY) == []
    assert "before-90d" not in names("passed", milestone(date(1, 1, 1)), STATEMENT_DAY)
    assert len(names("pending", milestone(date(1, 1, 1)), STATEMENT_DAY)) == 1


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownZone, match="America/Nowhere"):
        plan(milestone(date(2022, 1, 1), zone="America/Nowhere"), STATEMENT_DAY)


@given(milestones(), instants)
def test_a_plan_has_each_step_once_and_is_finite(what: Milestone, now: datetime) -> None:
    planned = plan(what, now)
    steps = [one.step for one in planned]

    assert len(set(steps)) == len(steps) <= len(LADDER) + 1
    assert steps == sorted(steps)
    assert sorted(one.due_at for one in planned) == [one.due_at for one in planned]


@given(milestones(), instants)
def test_what_lies_before_the_planning_is_never_sent_and_what_lies_ahead_always(what: Milestone, now: datetime) -> None:
    for one in plan(what, now):
        assert ("passed" if one.due_at < now else "pending") == one.state


@given(milestones(), instants, st.none() | st.integers(1, 40).map(lambda k: Step(k * EVERY)))
def test_there_is_always_a_next_reminder_and_of_the_endless_ones_it_is_the_first(
    what: Milestone, now: datetime, beyond: Step | None
) -> None:
    count = countdown(what)
    assert count
    planned = plan(what, now, beyond)
    endless = [one for one in planned if one.step > LADDER[-1]]

    assert "pending" in {one.state for one in planned}
    for one in endless:
        assert not beyond or one.step > beyond
        before = one.step.days - EVERY
        previous = count.due_at(Step(before)) if before > 0 else None
        assert previous is None or previous < now or (beyond and before <= beyond.days)


@given(milestones(), instants)
def test_nine_is_nine_on_the_right_day_there(what: Milestone, now: datetime) -> None:
    there = ZoneInfo(what.zone)
    count = countdown(what)
    assert count
    for one in plan(what, now):
        local = one.due_at.astimezone(there)
        from_day = count.closes if one.step.days > 0 else count.opens
        assert (time(9), from_day + timedelta(days=one.step.days)) == (local.time(), local.date())


# Zones


def test_zone_data_comes_from_the_package_alone() -> None:
    import zoneinfo

    assert zoneinfo.TZPATH == ()


def test_mexico_has_no_summer_time_since_2022() -> None:
    assert utc(2022, 7, 1, 14) == instant_at(date(2022, 7, 1), time(9), zone_named("America/Mexico_City"))
    assert utc(2023, 7, 1, 15) == instant_at(date(2023, 7, 1), time(9), zone_named("America/Mexico_City"))


def test_a_time_in_a_gap_is_the_first_instant_after_it() -> None:
    assert utc(2024, 3, 10, 7) == instant_at(date(2024, 3, 10), time(2, 30), zone_named("America/New_York"))


def test_a_time_that_comes_twice_is_its_first_occurrence() -> None:
    assert utc(2024, 11, 3, 5, 30) == instant_at(date(2024, 11, 3), time(1, 30), zone_named("America/New_York"))


def test_a_day_that_a_country_skipped_is_over_when_it_would_have_begun() -> None:
    assert utc(2011, 12, 30, 10) == instant_at(date(2011, 12, 30), time(9), zone_named("Pacific/Apia"))


@settings(max_examples=500)
@given(
    st.sampled_from(COUNTRIES_ZONES),
    st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    st.times().map(lambda t: t.replace(microsecond=0, tzinfo=None)),
)
def test_an_instant_shows_its_wall_time_or_is_the_first_after_a_gap(name: str, day: date, wall: time) -> None:
    zone = zone_named(name)
    instant = instant_at(day, wall, zone)
    local = instant.astimezone(zone).replace(tzinfo=None)
    wanted = datetime.combine(day, wall)

    if local == wanted:
        hours_before = [(instant - timedelta(minutes=m)).astimezone(zone) for m in (30, 60, 120)]
        assert wanted not in [earlier.replace(tzinfo=None) for earlier in hours_before]
    else:
        just_before = (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert just_before < wanted < local


@given(zone_names, st.dates(date(2020, 1, 1), date(2040, 12, 30)), st.times(), st.times())
def test_later_days_are_later_instants(name: str, day: date, wall: time, other: time) -> None:
    zone = zone_named(name)

    assert instant_at(day, wall, zone) < instant_at(day + timedelta(days=2), other, zone)


def test_the_release_of_the_zone_data_is_known() -> None:
    assert zones.ZONE_DATA


# What is said when it fires


def due(what: Milestone, *steps: int) -> dict[Step, datetime]:
    count = countdown(what)
    assert count
    found = {Step(days): count.due_at(Step(days)) for days in steps}
    return {step: at for step, at in found.items() if at}


def test_seven_days_before_it_is_ahead_by_7() -> None:
    said = occasion(END_OF_2021, due(END_OF_2021, -7), utc(2021, 12, 24, 15))

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
    said = occasion(END_OF_2021, due(END_OF_2021, -1), now)

    assert (phase, days) == (said.phase, said.days)


def test_a_summit_is_todays_on_its_second_day_too() -> None:
    summit = milestone(date(2021, 12, 10), earliest=date(2021, 12, 9), reading=Reading.ON)

    assert occasion(summit, due(summit, 0), utc(2021, 12, 11, 5)).phase == "today"
    assert (
        occasion(summit, due(summit, 1), utc(2021, 12, 11, 15)).phase,
        occasion(summit, due(summit, 1), utc(2021, 12, 11, 15)).days,
    ) == ("overdue", 1)


def test_after_a_downtime_the_newest_step_tells_the_others_with_the_days_as_they_are_now() -> None:
    said = occasion(END_OF_2021, due(END_OF_2021, -90, -30, -7), utc(2021, 12, 26, 18))

    assert (said.step.name, said.days, said.late) == ("before-7d", 5, True)
    assert [step.name for step in said.merged] == ["before-90d", "before-30d"]


def test_endless_rungs_that_were_missed_are_told_too_and_the_next_is_planned() -> None:
    said = occasion(END_OF_2021, due(END_OF_2021, 7), utc(2022, 3, 20))

    assert said.step.name == "after-60d"
    assert [step.name for step in said.merged] == ["after-7d", "after-30d"]
    assert said.follow_up
    assert (Step(90), utc(2022, 3, 31, 15)) == (said.follow_up.step, said.follow_up.due_at)


def test_the_last_fixed_rung_plans_the_first_endless_one() -> None:
    said = occasion(END_OF_2021, due(END_OF_2021, 7), utc(2022, 1, 7, 15))

    assert said.follow_up
    assert Step(30) == said.follow_up.step


def test_six_hours_are_not_late_and_a_moment_more_is() -> None:
    at = utc(2021, 12, 24, 15) + LATE_AFTER

    assert not occasion(END_OF_2021, due(END_OF_2021, -7), at).late
    assert occasion(END_OF_2021, due(END_OF_2021, -7), at + timedelta(microseconds=1)).late


def test_what_was_said_90_days_before_is_stale_after_a_week() -> None:
    far = milestone(date(2029, 12, 31))
    said = occasion(far, due(far, -90), utc(2029, 10, 2, 15))

    assert utc(2029, 10, 9, 15) == said.not_after


@given(milestones(), instants, st.timedeltas(timedelta(), timedelta(days=4000)))
def test_whatever_the_downtime_one_event_tells_all_that_was_due_and_is_fresh(
    what: Milestone, planned_at: datetime, downtime: timedelta
) -> None:
    now = planned_at + downtime
    count = countdown(what)
    assert count
    planned = plan(what, planned_at)
    missed = {one.step: one.due_at for one in planned if one.state == "pending" and one.due_at <= now}
    assume(missed)

    said = occasion(what, missed, now)

    told = {**said.merged, said.step: said.due_at}
    assert missed.items() <= told.items()
    assert all(at <= now for at in told.values())
    assert said.step == max(told)
    assert now < said.not_after <= now + LONGEST_FRESH
    following = count.due_at(count.next_after(said.step))
    assert following is None or following > now, "the next step is not yet due"
    assert (said.days == 0) == (said.phase == "today")
    waits = {one.step for one in planned if one.due_at > now}
    assert waits or (said.follow_up and said.follow_up.due_at > now), "the ladder goes on"


@given(milestones(), instants)
def test_told_at_its_time_a_step_says_its_own_days(what: Milestone, planned_at: datetime) -> None:
    for one in plan(what, planned_at):
        if one.state == "pending":
            said = occasion(what, {one.step: one.due_at}, one.due_at)
            phase = {-1: "ahead", 0: "today", 1: "overdue"}[(one.step.days > 0) - (one.step.days < 0)]
            assert (phase, abs(one.step.days), False) == (said.phase, said.days, said.late)


def test_the_clock_is_read_in_utc() -> None:
    assert all(one.due_at.tzinfo is UTC for one in plan(END_OF_2021, STATEMENT_DAY))
