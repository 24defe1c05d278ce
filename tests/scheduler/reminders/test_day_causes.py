"""A day's reminders share one cause, whether they are told in time, late or to one reader alone."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contracts.causes import Cause
from services.scheduler.reminders.day_causes import day_cause
from tests.contracts.event_strategies import milestones
from tests.scheduler.reminders.replanning_scenes import choice, chooses
from tests.scheduler.running import Scheduler, reader_of
from tests.scheduler.scenes import created, milestone, scheduled, utc

instants = st.datetimes(datetime(1950, 1, 2), datetime(2149, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(milestones, milestones, instants, instants)
def test_two_reminders_share_a_cause_just_when_their_days_are_called_the_same(one, other, at, then) -> None:
    days = [moment.astimezone(ZoneInfo(m.zone)).date() for m, moment in ((one, at), (other, then))]
    first, second = day_cause("reminders", one, at), day_cause("reminders", other, then)

    assert (first == second) == (days[0] == days[1])
    assert first == day_cause("reminders", one, at), "a repeat has the same one"
    assert first.id != day_cause("escalations", one, at).id
    assert first.count is None


async def test_the_reminders_of_a_day_share_its_cause_on_both_topics(scheduler: Scheduler) -> None:
    zones = ("America/Toronto", "America/Mexico_City", "America/Vancouver")
    for n, zone in enumerate(zones):
        for day in (date(2022, 6, 30), date(2022, 7, 1)):
            what = milestone(day, id_=f"due-{n}-{day.day}").model_copy(update={"zone": zone})
            await scheduler.hears(created(f"c-{n}-{day.day}"), scheduled(what, id_=f"c-{n}-{day.day}"))
    await chooses(scheduler, choice("before-7d", subscription=UUID(int=7)))

    by_cause: dict[Cause, list[tuple[str, bool]]] = defaultdict(list)
    now = utc(2022, 6, 22)
    while now < utc(2022, 6, 25):
        for event in await scheduler.ticks_at(now):
            day = event.due_at.astimezone(ZoneInfo(event.milestone.zone)).date()
            by_cause[event.cause].append((str(day), reader_of(event) is not None))
        now += timedelta(hours=1)

    days = {cause: {day for day, _ in told} for cause, told in by_cause.items()}
    assert all(len(one) == 1 for one in days.values())
    assert len(days) == len({day for found in days.values() for day in found}) >= 2
    assert any({own for _, own in told} == {True, False} for told in by_cause.values()), "both kinds share it"
    assert {(cause.kind, cause.count) for cause in by_cause} == {("reminders", None)}


async def test_what_is_told_late_belongs_to_the_day_on_which_it_was_due(scheduler: Scheduler) -> None:
    for n, day in enumerate((date(2022, 6, 30), date(2022, 7, 1))):
        await scheduler.hears(created(f"c-{n}"), scheduled(milestone(day, id_=f"due-{n}"), id_=f"c-{n}"))
    await scheduler.ticks_at(utc(2022, 6, 22))

    late = await scheduler.ticks_at(utc(2022, 6, 25))

    assert [event.late for event in late] == [True, True]
    assert len({event.cause for event in late}) == 2
    assert [event.cause for event in late] == [day_cause("reminders", event.milestone, event.due_at) for event in late]
