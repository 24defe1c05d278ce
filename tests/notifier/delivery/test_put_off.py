"""What may not be told yet is put off and never dropped: on a real database, over calendars of all kinds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.filters import Filters
from services.notifier.delivery.fan_out import IncomingEvent
from services.notifier.delivery.resuming import resume_deferred
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.published_event import PublishedEvent
from services.notifier.silences.silence import Silence
from services.notifier.subscriptions.timing_form import TimingForm
from services.notifier.timing.first_allowed import Mute, first_allowed, that_fit
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.plumbing.zones import zone_named
from tests.notifier.delivery.desk import Desk, at, mail
from tests.notifier.scenes import STATUS_CHANGED, empty, incoming, subscribe, subscriptions

MEXICO = "America/Mexico_City"
NIGHT = {"begins": "20:00", "ends": "07:00"}
START = datetime(2026, 3, 2, 18, tzinfo=UTC)  # a Monday, noon in Mexico City


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    clock = SharedClock(tmp_path / "clock-of-the-desk")
    clock.set(START)
    return Desk(database, clock)


async def test_what_comes_in_quiet_hours_is_told_together_when_they_end(desk: Desk, database: Database) -> None:
    await mail(database, timing={"quiet_hours": [NIGHT]})
    for n, commitment in enumerate(("coal", "methane", "coal")):
        await desk.hear(incoming(commitment, n + 1, at=at(0, 21 + n)), at=at(0, 21 + n))
    rows = await desk.rows()
    assert {(row["state"], row["rule"], row["next_at"], row["attempts"]) for row in rows} == {
        ("pending", "quiet-hours", at(1, 7), 0)
    }
    await desk.until(at(1, 6, 59))
    assert desk.told == []
    await desk.until(at(1, 8))
    assert [(when, len(members)) for when, members in desk.told] == [(at(1, 7), 3)]
    assert {row["state"] for row in await desk.rows()} == {"delivered"}


async def test_without_a_timing_nobody_is_asked_and_nothing_waits(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mail(database)
    asked: list[int] = []
    for place in ("put_off.recipients_of", "openings.first_allowed"):
        monkeypatch.setattr(f"services.notifier.delivery.{place}", lambda *_, **__: asked.append(1))
    await desk.hear(incoming(at=at(0, 23)), at=at(0, 23))
    assert (len(desk.told), asked) == (1, [])


async def test_a_digest_run_is_written_once_before_anything_of_it_is_sent(desk: Desk, database: Database) -> None:
    who = await mail(database, timing={"rhythm": "daily", "at": "09:00"})
    assert await runs(database) == []
    for hour in (10, 15, 23):
        await desk.hear(incoming("coal", hour, at=at(0, hour)), at=at(0, hour))
    await desk.hear(incoming("coal", 33, at=at(1, 9)), at=at(1, 9))  # at its very instant: the next one's
    assert await runs(database) == [(who, at(1, 9)), (who, at(2, 9))]
    await desk.until(at(5, 0))
    assert [(when, len(members)) for when, members in desk.told] == [(at(1, 9), 3), (at(2, 9), 1)]
    assert await runs(database) == [(who, at(1, 9)), (who, at(2, 9))]  # none is empty


async def runs(database: Database) -> list[tuple[UUID, datetime]]:
    async with database.connection() as connection:
        return [
            tuple(row)
            for row in await connection.fetch("select subscription_id, run_at from digest_run order by run_at")
        ]


@pytest.mark.parametrize(
    ("late", "state"), [(timedelta(days=6, hours=23), "delivered"), (timedelta(days=7), "expired")]
)
async def test_a_run_that_was_missed_is_found_for_seven_days(
    desk: Desk, database: Database, late: timedelta, state: str
) -> None:
    await mail(database, timing={"rhythm": "daily"})
    for n in (1, 2):
        await desk.hear(incoming("coal", n, at=at(0, 10)), at=at(0, 10))
    desk.clock.set(at(1, 9) + late)  # nobody was there
    await desk.settle()
    assert {(row["state"], row["reason"]) for row in await desk.rows()} == {
        (state, "digest-missed" if state == "expired" else None)
    }


async def test_what_would_be_stale_has_its_while_from_the_first_allowed_minute(desk: Desk, database: Database) -> None:
    await mail(database, timing={"quiet_hours": [NIGHT]})
    await desk.hear(incoming(at=at(0, 21), not_after=at(0, 23)), at=at(0, 21))
    (row,) = await desk.rows()
    assert row["not_after"] == at(1, 9)
    await desk.until(at(1, 7))
    assert len(desk.told) == 1


async def test_what_was_stale_when_it_came_stays_stale(desk: Desk, database: Database) -> None:
    await mail(database, timing={"quiet_hours": [NIGHT]})
    await desk.hear(incoming(at=at(0, 21), not_after=at(0, 20)), at=at(0, 21))
    await desk.until(at(1, 8))
    assert [(row["state"], row["reason"]) for row in await desk.rows()] == [("expired", "not-after-passed")]


async def test_a_retry_that_falls_into_quiet_hours_goes_back_without_an_attempt(desk: Desk, database: Database) -> None:
    await mail(database, timing={"quiet_hours": [NIGHT]})
    desk.refuses = True
    await desk.hear(incoming(at=at(0, 19, 59)), at=at(0, 19, 59))
    await desk.until(at(0, 23))
    (row,) = await desk.rows()
    assert (row["state"], row["rule"], row["next_at"]) == ("pending", "quiet-hours", at(1, 7))
    attempts = row["attempts"]
    desk.refuses = False
    await desk.until(at(1, 8))
    (row,) = await desk.rows()
    assert (row["state"], row["attempts"], desk.told[0][0]) == ("delivered", attempts + 1, at(1, 7))


async def test_what_is_muted_by_its_event_keeps_nothing_else_about_the_commitment_waiting(
    desk: Desk, database: Database
) -> None:
    mute = {"filters": {"events": ["status-changed"], "parties": ["CA"]}, "until": at(3, 9).isoformat()}
    await mail(database, timing={"mutes": [mute]})
    await desk.hear(canada := status("CA", 1), at=at(0, 10))
    await desk.hear(mexico := status("MX", 2), at=at(0, 11))
    assert desk.news() == [(at(0, 11), [mexico.event.id])]
    await desk.until(at(4, 0))
    assert desk.news()[1:] == [(at(3, 9), [canada.event.id])]


async def test_what_newer_news_has_been_told_of_meanwhile_is_overtaken(desk: Desk, database: Database) -> None:
    mute = {"filters": {"parties": ["CA"]}, "until": at(3, 9).isoformat()}
    who = await mail(database, timing={"mutes": [mute]})
    await desk.hear(status("CA", 1), at=at(0, 10))
    async with database.connection() as connection:  # the newer one is let through, whatever it is about
        await connection.execute("update subscription set timing = null where id = $1", who)
    await desk.hear(newer := status("CA", 2), at=at(0, 11))
    await desk.until(at(4, 0))
    assert desk.news() == [(at(0, 11), [newer.event.id])]
    assert [(row["state"], row["reason"]) for row in await desk.rows()] == [
        ("suppressed", "overtaken"),
        ("delivered", None),
    ]


async def test_a_digest_tells_its_news_though_newer_waits_for_the_next(desk: Desk, database: Database) -> None:
    await mail(database, timing={"rhythm": "daily", "at": "09:00"})
    await desk.hear(first := status("CA", 1), at=at(0, 12))
    await desk.hear(second := status("CA", 2), at=at(1, 9))
    await desk.until(at(3, 0))
    assert desk.news() == [(at(1, 9), [first.event.id]), (at(2, 9), [second.event.id])]


def status(party: str, seq: int) -> IncomingEvent:
    """A status change of one party's."""
    made = incoming("coal", seq)
    data = STATUS_CHANGED.model_copy(update={"commitment": made.event.data.commitment, "seq": seq, "party": party})
    event = PublishedEvent(made.event.id, made.event.topic, made.event.time, data.model_dump_json().encode())
    kind = EVENT_TYPES["status-changed"]
    return IncomingEvent(event.already_read(data), seq, None, kind.traits(data), data.cause, kind.collapse_key(data))


async def test_a_silence_holds_everybody_back_and_its_early_end_lets_go(desk: Desk, database: Database) -> None:
    await mail(database)
    await subscribe(database)
    desk.silences = [Silence(uuid4(), Mute(Filters(), at(3, 0), at(0, 0), "silence"))]
    await desk.hear(incoming(at=at(0, 12)), at=at(0, 12))
    assert desk.told == []
    assert {(row["rule"], row["next_at"]) for row in await desk.rows()} == {("silence", at(3, 0))}
    desk.silences = []
    desk.clock.set(at(1, 0))
    async with database.transaction() as connection:
        await resume_deferred(database, connection, None, at(1, 0))
    await desk.settle()
    assert [when for when, _ in desk.told] == [at(1, 0), at(1, 0)]


async def test_a_changed_timing_is_looked_at_anew(desk: Desk, database: Database) -> None:
    who = await mail(database, timing={"rhythm": "weekly", "weekday": "friday"})
    await desk.hear(incoming(at=at(0, 12)), at=at(0, 12))
    change = subscriptions(database).change
    by, daily = Actor("tester"), TimingForm(rhythm="daily", at="15:00").model_dump(mode="json")
    await change(who, None, {"timing": daily}, at(0, 13), by)
    desk.clock.set(at(0, 13))
    await desk.settle()
    (row,) = await desk.rows()
    assert (row["state"], row["rule"], row["next_at"], row["attempts"]) == ("pending", "digest", at(0, 15), 0)
    assert await runs(database) == [(who, at(0, 15))]  # the weekly one is none any more
    await change(who, None, {"timing": None}, at(0, 14), by)
    desk.clock.set(at(0, 14))
    await desk.settle()
    assert [when for when, _ in desk.told] == [at(0, 14)]


async def test_whoever_is_put_off_to_one_minute_at_one_address_gets_one_message(desk: Desk, database: Database) -> None:
    quiet = {"quiet_hours": [NIGHT]}
    await mail(database, timing=quiet)
    await mail(database, timing=quiet, filters=Filters(commitments=frozenset({"coal"})))
    await mail(database, "ben@sre.example", timing=quiet)
    await desk.hear(incoming("coal", 1, at=at(0, 22)), at=at(0, 22))
    await desk.hear(incoming("methane", 1, at=at(0, 23)), at=at(0, 23))
    await desk.until(at(1, 9))
    assert sorted((when, len(members)) for when, members in desk.told) == [(at(1, 7), 2), (at(1, 7), 3)]


quiet = st.fixed_dictionaries(
    {
        "begins": st.sampled_from(["18:00", "20:30", "23:00", "00:00"]),
        "ends": st.sampled_from(["06:00", "07:30", "10:00", "02:30"]),
        "weekdays": st.lists(st.sampled_from(["monday", "saturday", "sunday"]), max_size=2),
    }
)
timings = st.fixed_dictionaries(
    {
        "rhythm": st.sampled_from(["immediate", "immediate", "daily", "weekly"]),
        "at": st.sampled_from(["02:30", "09:00", "19:00"]),
        "weekday": st.sampled_from(["sunday", "tuesday"]),
        "quiet_hours": st.lists(quiet, max_size=2),
        "holidays": st.sampled_from([[], [{"country": "MX"}], [{"country": "CA"}, {"country": "US"}]]),
        "mutes": st.lists(
            st.builds(
                lambda hours, themes: {
                    "until": (START + timedelta(hours=hours)).isoformat(),
                    "filters": {"commitments": themes},
                },
                st.integers(1, 400),
                st.sampled_from([[], ["coal"]]),
            ),
            max_size=1,
        ),
    }
)
ZONES = (MEXICO, "America/New_York", "America/St_Johns", "Australia/Lord_Howe")
arrivals = st.lists(
    st.tuples(st.integers(0, 60 * 24 * 10), st.sampled_from(["coal", "methane"])), min_size=1, max_size=8
)
silenced = st.none() | st.tuples(st.integers(0, 200), st.integers(1, 100))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(timings, st.sampled_from(ZONES)), min_size=1, max_size=3), arrivals, silenced)
async def test_everything_put_off_is_told_at_the_first_allowed_minute_in_order(
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    wishes: list[tuple[dict[str, Any], str]],
    arriving: list[tuple[int, str]],
    silence: tuple[int, int] | None,
) -> None:
    """
    Over random calendars, zones (with days on which clocks change), quiet hours, mutes and a silence: each event ends
    once for each subscription, told at the instant that the rule gives, in the order of its commitment, and what waits
    for the same instant at one address is one message.
    """
    await empty(database)
    clock = SharedClock(tmp_path_factory.mktemp("clock") / "clock")
    clock.set(START)
    desk = Desk(database, clock)
    forms = {}
    for n, (wish, zone) in enumerate(wishes):
        form = TimingForm.model_validate(wish)
        who = await mail(database, f"reader-{n}@sre.example", timing=form.model_dump(mode="json"), zone=zone)
        forms[who] = form.rules, zone_named(zone)
    if silence:
        begins, ends = START + timedelta(hours=silence[0]), START + timedelta(hours=silence[0] + silence[1])
        desk.silences = [Silence(uuid4(), Mute(Filters(), ends, begins, "silence"))]
    heard = {}
    for seq, (minutes, commitment) in enumerate(sorted(arriving), 1):
        when = START + timedelta(minutes=minutes)
        await desk.until(when)
        event = incoming(commitment, seq, at=when)
        heard[event.event.id] = when, event.traits
        await desk.hear(event, at=when)
    await desk.until(START + timedelta(days=60))

    rows = await desk.rows()
    assert len(rows) == len(arriving) * len(wishes)
    assert {row["state"] for row in rows} == {"delivered"}
    told = {member.id: when for when, members in desk.told for member in members}
    assert len(told) == len(rows) == sum(len(members) for _, members in desk.told)
    mutes = [one.mute for one in desk.silences]
    for row in rows:
        timing, zone = forms[row["subscription_id"]]
        arrived, traits = heard[row["event_id"]]
        expected = first_allowed(arrived, timing, zone, that_fit((*timing.mutes, *mutes), traits))
        assert told[row["id"]] == expected.at, (row["rule"], expected)
    by_thread: dict[UUID, list[datetime]] = {}
    for row in rows:
        by_thread.setdefault(row["thread"], []).append(told[row["id"]])
    assert all(times == sorted(times) for times in by_thread.values())
    together = [(when, members[0].destination) for when, members in desk.told if members[0].rule is not None]
    assert len(together) == len(set(together))
