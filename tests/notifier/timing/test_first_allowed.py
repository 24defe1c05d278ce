"""When somebody may be told: examples on the days when clocks change, and properties over calendars of all kinds."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.filters import Filters
from services.notifier.events.traits import EventTraits
from services.notifier.timing.first_allowed import Mute, Opening, Timing, first_allowed, that_fit
from services.notifier.timing.quiet_hours import QuietHours, day_off_until, loud_minutes, quiet_until
from services.notifier.timing.rhythm import Rhythm, first_run
from services.plumbing.business_days import days_off, regional_calendar
from services.plumbing.zones import instant_at, zone_named

NEW_YORK, MEXICO, TORONTO = map(zone_named, ("America/New_York", "America/Mexico_City", "America/Toronto"))
NIGHT = QuietHours(time(20), time(7))
STEP = timedelta(minutes=15)
MX, US = regional_calendar("MX"), regional_calendar("US")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]  # as many as are given


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = MEXICO) -> datetime:
    return instant_at(day, time(hour, minute), zone)


MONDAY = date(2026, 3, 2)


def test_without_a_timing_everything_is_told_at_once() -> None:
    assert first_allowed(utc(2026, 3, 2), Timing(), MEXICO) == Opening(utc(2026, 3, 2), None)


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (19, 59, None),
        (20, 0, (MONDAY + timedelta(1), 7)),  # what begins at 20:00 is quiet at 20:00
        (23, 30, (MONDAY + timedelta(1), 7)),
        (6, 59, (MONDAY, 7)),
        (7, 0, None),  # what ends at 7:00 is not quiet at 7:00
    ],
)
def test_quiet_hours_cross_midnight_and_are_half_open(
    hour: int, minute: int, expected: tuple[date, int] | None
) -> None:
    now = at(MONDAY, hour, minute)
    opening = first_allowed(now, Timing(quiet=(NIGHT,)), MEXICO)
    assert opening == (Opening(at(*expected), "quiet-hours") if expected else Opening(now, None))


def test_quiet_hours_of_a_day_of_the_week_last_into_the_next_day() -> None:
    friday = MONDAY + timedelta(4)
    weekend = QuietHours(time(18), time(18), frozenset({4})), QuietHours(time(18), time(8), frozenset({5}))
    assert first_allowed(at(friday, 20), Timing(quiet=weekend), MEXICO) == Opening(
        at(friday + timedelta(2), 8), "quiet-hours"
    )


def test_quiet_hours_that_end_in_a_gap_end_behind_it() -> None:
    quiet = QuietHours(time(1), time(2, 30))
    now = utc(2024, 3, 10, 6, 30)  # 1:30, half an hour before the clocks jump to 3:00
    assert first_allowed(now, Timing(quiet=(quiet,)), NEW_YORK).at == utc(2024, 3, 10, 7)


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_the_first_time() -> None:
    quiet = QuietHours(time(0), time(1, 30))
    assert first_allowed(utc(2024, 11, 3, 5), Timing(quiet=(quiet,)), NEW_YORK).at == utc(2024, 11, 3, 5, 30)
    second = utc(2024, 11, 3, 6, 15)  # 1:15 for the second time
    assert first_allowed(second, Timing(quiet=(quiet,)), NEW_YORK) == Opening(second, None)


def test_quiet_hours_that_lie_in_a_gap_hold_nothing_back() -> None:
    quiet = QuietHours(time(2, 15), time(2, 45))
    now = utc(2024, 3, 10, 7)
    assert first_allowed(now, Timing(quiet=(quiet,)), NEW_YORK) == Opening(now, None)


def test_a_daily_digest_comes_at_the_readers_hour_on_the_days_when_clocks_change() -> None:
    daily = Rhythm("daily", time(9))
    assert first_run(daily, utc(2024, 3, 9, 20), NEW_YORK) == utc(2024, 3, 10, 13)
    assert first_run(daily, utc(2024, 3, 8, 20), NEW_YORK) == utc(2024, 3, 9, 14)
    in_the_gap = Rhythm("daily", time(2, 30))
    assert first_run(in_the_gap, utc(2024, 3, 9, 20), NEW_YORK) == utc(2024, 3, 10, 7)
    twice = Rhythm("daily", time(1, 30))
    assert first_run(twice, utc(2024, 11, 3, 5, 30), NEW_YORK) == utc(2024, 11, 4, 6, 30)


def test_what_comes_as_a_digest_runs_is_told_by_the_next_one() -> None:
    timing = Timing(Rhythm("daily", time(9)))
    run = at(MONDAY, 9)
    assert first_allowed(run, timing, MEXICO) == Opening(at(MONDAY + timedelta(1), 9), "digest")
    assert first_allowed(run - timedelta(seconds=1), timing, MEXICO) == Opening(run, "digest")


def test_a_run_that_was_missed_is_made_up_for_at_once() -> None:
    timing = Timing(Rhythm("weekly", time(9), 0))
    arrived, now = at(MONDAY - timedelta(2), 12), at(MONDAY, 15)
    assert first_allowed(now, timing, MEXICO, arrived=arrived) == Opening(now, None)


def test_a_digest_of_a_day_off_comes_at_its_hour_of_the_next_business_day() -> None:
    friday, thanksgiving = date(2026, 11, 27), date(2026, 11, 26)
    daily = Timing(Rhythm("daily", time(9)), holidays=(US,))
    assert first_allowed(at(friday, 10), daily, MEXICO).at == at(friday + timedelta(3), 9)
    weekly = Timing(Rhythm("weekly", time(9), 3), holidays=(US,))
    assert first_allowed(at(thanksgiving - timedelta(1), 10), weekly, MEXICO).at == at(friday, 9)


def test_a_day_off_lasts_until_midnight_and_then_quiet_hours_hold() -> None:
    saturday = date(2026, 3, 7)
    timing = Timing(quiet=(NIGHT,), holidays=(MX,))
    monday_is_free_since = Opening(at(saturday + timedelta(2), 7), "quiet-hours")
    assert first_allowed(at(saturday, 12), timing, MEXICO) == monday_is_free_since
    assert first_allowed(at(saturday, 12), Timing(holidays=(MX,)), MEXICO) == Opening(
        at(saturday + timedelta(2), 0), "holiday"
    )


def test_what_was_muted_is_told_by_the_first_digest_after_the_mute_or_at_its_very_end() -> None:
    daily = Timing(Rhythm("daily", time(9)))
    now = at(MONDAY, 8)
    for ends, told in (((9, 0), MONDAY), ((8, 30), MONDAY), ((9, 1), MONDAY + timedelta(1))):
        mute = Mute(Filters(), at(MONDAY, *ends))
        assert first_allowed(now, daily, MEXICO, [mute]).at == at(told, 9)


def test_a_mute_within_what_is_quiet_anyhow_holds_no_digest_back_for_another_run() -> None:
    """Of two quiet hours one ends while the other lasts, and while something is muted: nothing might be told then."""
    timing = Timing(Rhythm("weekly", time(22), 0), (NIGHT, QuietHours(time(6), time(12))))
    run, noon = at(MONDAY, 22), at(MONDAY + timedelta(1), 12)
    within = Mute(Filters(), noon - timedelta(hours=1), noon - timedelta(hours=6))
    assert first_allowed(at(MONDAY, 9), timing, MEXICO, [within]) == Opening(noon, "quiet-hours")
    longer = Mute(Filters(), noon + timedelta(hours=1), noon - timedelta(hours=6))
    a_week_later = noon + timedelta(7)
    assert first_allowed(at(MONDAY, 9), timing, MEXICO, [longer]) == Opening(a_week_later, "quiet-hours")
    muted_run = Mute(Filters(), run + timedelta(minutes=1), run)
    assert first_allowed(at(MONDAY, 9), timing, MEXICO, [muted_run]) == Opening(a_week_later, "quiet-hours")


def test_a_digest_that_runs_as_a_mute_ends_is_told_by_that_run() -> None:
    daily = Timing(Rhythm("daily", time(9)))
    for began, came in ((1, at(MONDAY, 8)), (24, at(MONDAY, 9) - timedelta(1, hours=1))):
        mute = Mute(Filters(), at(MONDAY, 9), at(MONDAY, 9) - timedelta(hours=began))
        opening = first_allowed(came, daily, MEXICO, [mute])
        assert (opening.at, opening.run) == (at(MONDAY, 9), at(MONDAY, 9))


def test_a_mute_that_is_to_begin_later_holds_nothing_back_before() -> None:
    silence = Mute(Filters(), at(MONDAY, 12), at(MONDAY, 10), "silence")
    assert first_allowed(at(MONDAY, 9, 59), Timing(), MEXICO, [silence]).rule is None
    assert first_allowed(at(MONDAY, 10), Timing(), MEXICO, [silence]) == Opening(at(MONDAY, 12), "silence")


def test_only_what_fits_its_filters_is_muted() -> None:
    about = EventTraits("milestone-due", frozenset({"MX"}), frozenset({"climate"}), "climate", "coal")
    ends = at(MONDAY, 12)
    fitting, other = Mute(Filters(parties=frozenset({"MX"})), ends), Mute(Filters(parties=frozenset({"CA"})), ends)
    assert that_fit([fitting, other], about) == (fitting,)


def test_rows_that_leave_no_time_at_all_hold_nothing_back_for_ever() -> None:
    always = Timing(quiet=(QuietHours(time(0), time(0)),))
    assert first_allowed(at(MONDAY, 9), always, MEXICO).at < at(MONDAY, 9) + timedelta(days=802)


quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
quiet_hours = st.lists(st.builds(QuietHours, quarters, quarters, weekdays), max_size=3).map(tuple)
rhythms = st.builds(Rhythm, st.sampled_from(["immediate", "daily", "weekly"]), quarters, st.integers(0, 6))
calendars = st.lists(st.sampled_from(["MX", "US", "CA-QC", "CA", "SA"]).map(regional_calendar), max_size=2).map(tuple)
zones = st.sampled_from(
    ["America/Mexico_City", "America/New_York", "America/St_Johns", "Asia/Beirut", "Australia/Lord_Howe", "UTC"]
).map(zone_named)
moments = st.integers(0, 4 * 24 * 365).map(lambda n: utc(2026, 1, 1) + n * STEP)


@st.composite
def cases(draw: Any) -> tuple[datetime, Timing, ZoneInfo, list[Mute]]:
    now, timing = draw(moments), Timing(draw(rhythms), draw(quiet_hours), draw(calendars))
    working = [day for day in range(7) if not days_off(date(2026, 6, 1) + timedelta(day), timing.holidays)]
    if all(loud_minutes(timing.quiet, day) < 60 for day in working):
        timing = Timing(timing.rhythm, (), timing.holidays)  # the forms refuse these
    lengths = st.one_of(st.integers(1, 8), st.integers(1, 40), st.integers(1, 400))
    mutes = [
        Mute(Filters(), now + STEP * (first + length), now + STEP * first)
        for first, length in draw(st.lists(st.tuples(st.integers(-40, 400), lengths), max_size=3))
    ]
    return now, timing, draw(zones), mutes


def may_be_told(now: datetime, timing: Timing, zone: ZoneInfo, mutes: list[Mute]) -> bool:
    """Whether nothing but the rhythm holds anything back at an instant."""
    return (
        not any(mute.covers(now) for mute in mutes)
        and day_off_until(now, timing.holidays, zone) is None
        and quiet_until(now, timing.quiet, zone) is None
    )


@given(cases())
def test_what_is_put_off_may_be_told_then_and_is_not_put_off_again(
    case: tuple[datetime, Timing, ZoneInfo, list[Mute]],
) -> None:
    now, timing, zone, mutes = case
    opening = first_allowed(now, timing, zone, mutes)
    assert opening.at >= now
    assert may_be_told(opening.at, timing, zone, mutes)
    assert first_allowed(opening.at, timing, zone, mutes, arrived=now) == Opening(opening.at, None)
    assert (opening.at == now) == (opening.rule is None)


@given(cases(), st.integers(1, 300))
def test_who_comes_later_is_told_no_sooner(case: tuple[datetime, Timing, ZoneInfo, list[Mute]], later: int) -> None:
    now, timing, zone, mutes = case
    assert first_allowed(now, timing, zone, mutes).at <= first_allowed(now + later * STEP, timing, zone, mutes).at


def by_the_clock_on_the_wall(now: datetime, timing: Timing, zone: ZoneInfo, mutes: list[Mute]) -> datetime:
    """The same, found by looking at the clock every quarter of an hour, where clocks are neither put back nor on.

    A digest that is muted as it runs, or as it might go out at last, waits for the next run.
    """
    runs, ready, instant = set[tuple[date, time]](), not timing.rhythm.is_digest, now
    for n in range(-20, 120):
        day = now.astimezone(zone).date() + timedelta(days=n)
        if timing.rhythm.kind == "daily" or day.weekday() == timing.rhythm.weekday:
            while timing.holidays and days_off(day, timing.holidays):
                day += timedelta(days=1)
            runs.add((day, timing.rhythm.at))
    while True:
        wall = instant.astimezone(zone)
        day, clock = wall.date(), wall.time()
        muted = any(mute.covers(instant) for mute in mutes)
        off = bool(timing.holidays) and bool(days_off(day, timing.holidays))
        loud = not (off or any(_is_quiet(hours, day, clock) for hours in timing.quiet))
        if timing.rhythm.is_digest:
            ready = ready or ((day, clock) in runs and instant > now and not muted)
        if ready and loud and not muted:
            return instant
        if muted and loud:
            ready = not timing.rhythm.is_digest
        instant += STEP


def _is_quiet(hours: QuietHours, day: date, clock: time) -> bool:
    begun_today = day.weekday() in hours.weekdays and clock >= hours.start
    begun_yesterday = (day.weekday() - 1) % 7 in hours.weekdays and clock < hours.end
    if hours.start < hours.end:
        return begun_today and clock < hours.end
    return begun_today or begun_yesterday


@settings(max_examples=60)
@given(cases())
def test_it_is_the_first_minute_that_the_clock_on_the_wall_allows(
    case: tuple[datetime, Timing, ZoneInfo, list[Mute]],
) -> None:
    now, timing, _, mutes = case
    for zone in (MEXICO, zone_named("Asia/Kolkata")):  # their clocks stay as they are
        opening = first_allowed(now, timing, zone, mutes)
        assert opening.at == by_the_clock_on_the_wall(now, timing, zone, mutes)


@given(cases())
def test_before_the_first_allowed_instant_there_was_none(
    case: tuple[datetime, Timing, ZoneInfo, list[Mute]],
) -> None:
    """
    Also where the clocks are put forward or back: each stretch of quiet ends before the opening, and none ends so that
    something might have been told in between.
    """
    now, timing, zone, mutes = case
    if timing.rhythm.is_digest:
        return
    opening = first_allowed(now, timing, zone, mutes)
    instant = now
    while instant < opening.at:
        assert not may_be_told(instant, timing, zone, mutes), instant
        instant += STEP
