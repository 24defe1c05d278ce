"""The daily check on a real PostgreSQL: what does not agree is flagged, published once, and cleared when it agrees."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from services.cli.demo.calendar import FIRST_DAY, LAST_DAY, days
from services.registry.actions.consistency_check import ConsistencyCheck, ConsistencySettings
from services.registry.catalogue.happenings import AnchorHeld, AnchorMoves, happenings
from services.registry.catalogue.loading import load
from tests.registry.scenes import COAL, SUMMIT, Register, check_on, dated, flag_events, flags, noon, outcome


async def test_a_milestone_past_due_is_published_once_and_cleared_when_it_is_met(register: Register) -> None:
    due = date(2021, 12, 31)
    await check_on(register, due)
    assert await flags(register, commitment=COAL) == []
    assert await check_on(register, due + timedelta(1)) == 1
    assert await check_on(register, due + timedelta(2)) == 0
    (event,) = await flag_events(register, COAL)
    assert (event.commitment.id, event.rule, event.since, event.days) == (COAL, "past-due-in-progress", due, 1)
    assert (event.seq, event.status, event.flagged_on) == (1, "announced", date(2022, 1, 1))
    assert event.milestone and event.milestone.span.latest == due
    assert await flags(register, commitment=COAL) == [("past-due-in-progress", COAL, "2021-12-31")]

    await register.report_all(COAL, status="met")
    assert await check_on(register, due + timedelta(3)) == 0
    assert await flags(register, commitment=COAL) == []
    await register.report(COAL, status="in-progress", note="It turned out that it was not.")
    assert await check_on(register, due + timedelta(4)) == 0
    assert await flags(register, commitment=COAL) == [("past-due-in-progress", COAL, "2021-12-31")]
    assert len(await flag_events(register, COAL)) == 1, "the same finding is not flag_events twice"


async def test_a_moved_milestone_is_another_finding(register: Register) -> None:
    (milestone,) = [m.id for c in load().commitments if c.id == COAL for m in c.milestones]
    await check_on(register, date(2022, 1, 1))
    await register.send("PUT", f"/milestones/{milestone}/schedule", dated("2022-01-10"))
    assert await check_on(register, date(2022, 1, 10)) == 0
    assert await flags(register, commitment=COAL) == []
    assert await check_on(register, date(2022, 1, 11)) == 1
    assert [(e.seq, e.since) for e in await flag_events(register, COAL)] == [
        (1, date(2021, 12, 31)),
        (2, date(2022, 1, 10)),
    ]


async def test_what_is_met_with_a_milestone_ahead_is_published(register: Register) -> None:
    commitment = "nals-2021-conserve-30-percent"
    await register.report_all(commitment, status="met")
    assert await check_on(register, date(2022, 3, 22)) >= 1
    (event,) = [e for e in await flag_events(register) if e.rule == "met-with-open-milestones"]
    assert (event.commitment.id, event.since, event.days) == (commitment, date(2022, 3, 21), 1)


async def test_inactivity_is_published_for_each_commitment_that_is_open(register: Register) -> None:
    """A year after the statement, but not of what was reported on, moved or closed since."""
    await register.report_all(COAL, status="withdrawn")
    await register.report("nals-2021-conserve-30-percent", status="in-progress")
    await register.send("PUT", "/anchors/nals-2022", dated("2022-12"))
    assert await check_on(register, date(2022, 11, 17), months=12) >= 0
    assert [e for e in await flag_events(register) if e.rule == "no-news"] == []
    await check_on(register, date(2022, 11, 18), months=12)
    silent = {e.commitment.id for e in await flag_events(register) if e.rule == "no-news"}
    everything = {c.id for c in load().commitments}
    heard_of = {COAL, "nals-2021-conserve-30-percent", "nals-2021-next-summit"}
    assert silent == everything - heard_of
    assert {e.milestone for e in await flag_events(register) if e.rule == "no-news"} == {None}


async def test_an_event_without_an_outcome_is_published_for_each_follower_until_it_has_one(register: Register) -> None:
    over = date(2021, 12, 11)
    assert await check_on(register, over - timedelta(1)) == 0
    await check_on(register, over)
    (event,) = [e for e in await flag_events(register) if e.rule == "anchor-without-outcome"]
    assert (event.anchor_id, event.since) == ("summit-for-democracy-2021", date(2021, 12, 10))
    assert event.milestone
    await register.send("POST", "/anchors/summit-for-democracy-2021/outcome", outcome("held", "2021-12-23"))
    await check_on(register, over + timedelta(1))
    assert await flags(register, rule="anchor-without-outcome") == []


async def test_of_the_chronicle_only_the_summit_that_slipped_past_its_year_is_flagged(register: Register) -> None:
    """The demo's events, each flag_events to be held when that became known; nothing is left open at its end."""
    loaded = load()
    for day in days(FIRST_DAY, LAST_DAY):
        told = [one for one in happenings(loaded, day) if isinstance(one, AnchorMoves | AnchorHeld)]
        for one in told:
            if isinstance(one, AnchorMoves):
                body = dated(one.entry.span.edtf if one.entry.span else None, str(day))
                answer = await register.send("PUT", f"/anchors/{one.anchor_id}", body)
            else:
                body = outcome("held", str(day), edtf=one.edtf)
                answer = await register.send("POST", f"/anchors/{one.anchor_id}/outcome", body)
            assert answer.status_code == 200, answer.text
        if told or day.day in (1, 11):
            await check_on(register, day)
    await check_on(register, LAST_DAY)
    flagged = {(e.anchor_id, str(e.since)) for e in await flag_events(register) if e.rule == "anchor-without-outcome"}
    assert flagged == {("summit-for-democracy-2021", "2021-12-10"), ("nals-2022", "2022-12-31")}
    assert await flags(register, rule="anchor-without-outcome") == []


async def test_an_event_on_which_nothing_hangs_is_listed_and_not_published(register: Register) -> None:
    await register.send("POST", "/anchors", {**SUMMIT, "edtf": "2021-11-20"})
    assert await check_on(register, date(2021, 11, 21)) == 1
    assert await flags(register) == [("anchor-without-outcome", None, "2021-11-20")]
    assert await flag_events(register) == []


async def test_it_is_looked_at_once_a_day_however_many_look(register: Register) -> None:
    """Four registries on the same morning, and one that was started again."""
    register.clock.at = noon(date(2023, 6, 1))
    checks = [ConsistencyCheck(register.database, register.clock, ConsistencySettings()) for _ in range(4)]
    new = await asyncio.gather(*(check.run_if_due() for check in checks))
    assert sorted(new)[:3] == [0, 0, 0]
    assert max(new) > 80
    events = await flag_events(register)
    assert len(events) == max(new)
    assert max(Counter((e.rule, e.commitment.id, e.milestone and e.milestone.id) for e in events).values()) == 1
    assert await check_on(register, date(2023, 6, 1), months=12) == 0


async def test_the_morning_begins_at_six_and_missed_days_are_one(register: Register) -> None:
    check = ConsistencyCheck(register.database, register.clock, ConsistencySettings(no_news_months=120))

    async def at(instant: datetime) -> date:
        register.clock.at = instant
        await check.run_if_due()
        async with register.database.connection() as connection:
            day: date = await connection.fetchval("select day from consistency_run")
            return day

    assert await at(datetime(2021, 12, 1, 11, 59, tzinfo=UTC)) == date(2021, 11, 30)
    assert await at(datetime(2021, 12, 1, 12, 0, tzinfo=UTC)) == date(2021, 12, 1)
    assert await at(datetime(2022, 1, 20, 12, 0, tzinfo=UTC)) == date(2022, 1, 20)
    assert len(await flag_events(register, COAL)) == 1
    assert await at(datetime(2022, 1, 5, 12, 0, tzinfo=UTC)) == date(2022, 1, 20), "a clock set back looks at nothing"
