"""Reminders by the ladders that subscriptions have of their own."""

import random
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx2 as httpx
import pytest

from contracts.envelope import Envelope, to_record
from contracts.events import LadderChosen, LadderHolidays, MilestoneScheduled
from contracts.vocabulary import Reading, Status
from services.plumbing.ids import new_id
from services.scheduler.ladders.planning import plan
from services.scheduler.ladders.subscription_ladder import subscription_ladder
from services.scheduler.reminders.records import read_record
from tests.scheduler.reminders.replanning_scenes import ME, YOU, Waiting, choice, chooses, plans, waiting
from tests.scheduler.running import END_OF_2021, THEN, Scheduler, reader_of
from tests.scheduler.scenes import ALL, NINE_SHARP, brief, changed, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys


async def test_a_readers_ladder_is_told_to_that_reader_beside_the_books(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    holidays = LadderHolidays(country="CA", subdivision="ON")
    await chooses(scheduler, choice("before-3bd", "on-the-day", holidays=holidays))

    assert await scheduler.ticks_at(utc(2021, 12, 24, 12, 59)) != []
    [mine] = await scheduler.ticks_at(utc(2021, 12, 24, 13))
    told = await scheduler.ticks_at(utc(2021, 12, 31, 16))

    assert (reader_of(mine), mine.step, mine.phase, mine.days, mine.late) == (ME, "before-3bd", "ahead", 7, False)
    assert utc(2021, 12, 31, 13) == mine.not_after or mine.not_after == mine.due_at + timedelta(days=7)
    assert {(None, "on-the-day"), (ME, "on-the-day")} == {(reader_of(e), e.step) for e in told}


async def test_a_milestone_that_is_scheduled_later_has_the_readers_ladder_too(scheduler: Scheduler) -> None:
    await chooses(scheduler, choice("before-10d"), choice("before-5d", subscription=YOU, themes=("trade",)))
    await scheduler.hears(created(), scheduled(END_OF_2021))

    assert {ME} == {audience for *_, audience, _ in await waiting(scheduler)} - {None}


async def test_who_gives_a_ladder_up_or_asks_for_something_else_is_not_reminded_by_it(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await scheduler.hears(created("other"), scheduled(milestone(date(2022, 2, 1), id_="other-one"), id_="other"))
    await chooses(scheduler, choice("before-10d"), choice("before-10d", subscription=YOU))
    await chooses(
        scheduler, choice("before-10d", seq=2, commitments=("other",)), choice(subscription=YOU, seq=2, active=False)
    )

    assert {("other-one", ME)} == {
        (name, audience) for name, _, _, audience, _ in await waiting(scheduler) if audience is not None
    }


async def test_what_is_due_by_a_ladder_that_was_given_up_is_not_told_even_before_it_is_planned_anew(
    scheduler: Scheduler,
) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d"))
    await chooses(scheduler, choice(seq=2, active=False), planned=False)

    assert {None} == {reader_of(e) for e in await scheduler.ticks_at(utc(2021, 12, 22))}
    assert {"withdrawn"} == {
        r["state"] for r in await scheduler.rows("select state from reminder where audience is not null")
    }


async def test_an_older_choice_that_arrives_late_and_a_repeat_change_nothing(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d", seq=2))
    before = await scheduler.rows("select * from reminder order by id")

    await chooses(scheduler, choice("before-20d", seq=1), choice("before-10d", seq=2))

    assert before == await scheduler.rows("select * from reminder order by id")


async def test_of_two_choices_in_one_batch_the_newer_counts(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d", seq=2), choice("before-20d", seq=1))

    assert {"before-10d"} == {step for _, _, step, audience, _ in await waiting(scheduler) if audience}


async def test_a_choice_that_cannot_be_reckoned_is_never_kept() -> None:
    event = choice("before-10d", zone="America/Nowhere")
    record = to_record(event, Envelope(new_id(), THEN, str(ME)))

    class Arrived:
        topic, key, value = record.topic, record.key.encode(), record.value
        headers = tuple((name, text.encode()) for name, text in record.headers.items())

    with pytest.raises(ValueError, match="America/Nowhere"):
        read_record(Arrived())  # type: ignore[arg-type]  # of a consumer record this is all that is read


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_readers_choose_and_the_register_says_everybody_has_what_his_ladder_gives(
    scheduler: Scheduler, seed: int
) -> None:
    """Milestones that come, move and settle, and choices that come, change and end, in any order: against the rule."""
    draw = random.Random(seed)
    sections, themes = ("climate", "health"), ("trade", "climate", "migration")
    milestones: dict[str, MilestoneScheduled] = {}
    newest: dict[UUID, LadderChosen] = {}
    settled: set[str] = set()

    def schedule(number: int) -> MilestoneScheduled:
        of = f"commitment-{number}"
        known = milestones.get(of)
        what = milestone(
            draw.choice([None, date(2022, 3, 1), date(2022, 9, 1)]),
            id_=f"{of}-one",
            parties=tuple(draw.sample(ALL, draw.randint(1, 3))),
            reading=Reading.BY,
        )
        event = scheduled(what, known.schedule_version + 1 if known else 1, of)
        about = (
            known.commitment
            if known
            else brief(of).model_copy(
                update={"section": draw.choice(sections), "themes": tuple(draw.sample(themes, draw.randint(1, 2)))}
            )
        )
        return event.model_copy(update={"commitment": about})

    def choose() -> LadderChosen:
        who = UUID(int=draw.randint(1, 3))
        return choice(
            *draw.sample(["before-90d", "before-3bd", "on-the-day", "after-1w", "before-1m"], draw.randint(0, 4)),
            subscription=who,
            seq=newest[who].seq + 1 if who in newest else 1,
            active=draw.random() < 0.8,
            parties=tuple(draw.sample(ALL, draw.choice([0, 0, 1, 2]))),
            themes=tuple(draw.sample(themes, draw.choice([0, 0, 1]))),
            sections=tuple(draw.sample(sections, draw.choice([0, 0, 1]))),
            commitments=tuple(f"commitment-{n}" for n in draw.sample(range(5), draw.choice([0, 0, 0, 3]))),
        )

    for i in range(30):
        match draw.choice(["schedule", "schedule", "choose", "status", "plan"]):
            case "schedule":
                event = schedule(draw.randrange(5))
                milestones[event.commitment.id] = event
                await scheduler.hears(event)
            case "choose":
                event_ = choose()
                newest[event_.subscription_id] = event_
                await chooses(scheduler, event_, planned=False)
            case "status":
                of = f"commitment-{draw.randrange(5)}"
                status = draw.choice([Status.MET, Status.IN_PROGRESS])
                (settled.add if status is Status.MET else settled.discard)(of)
                await scheduler.hears(changed(status, i + 1, id_=of))
            case "plan":
                await plans(scheduler)
    await plans(scheduler)

    subscription_ladders = [found for event in newest.values() if (found := subscription_ladder(event))]
    expected: Waiting = set()
    for of, event in milestones.items():
        for one in (None, *(c for c in subscription_ladders if c.asks_for(event.commitment, event.milestone))):
            if of not in settled:
                expected |= {
                    (event.milestone.id, event.schedule_version, p.step.name, one and one.subscription_id, p.due_at)
                    for p in plan(event.milestone, THEN, NINE_SHARP, own_ladder=one)
                    if p.state == "pending"
                }
    assert expected == await waiting(scheduler)


async def test_a_subscriptions_reminders_are_listed_apart_from_the_books_for_its_owner(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    """
    Its owner and an operator see them, here, in the preview and one by one; to others it is a subscription unknown.
    """
    await scheduler.hears(created(), scheduled(END_OF_2021))
    await chooses(scheduler, choice("before-10d", owner="sre"))
    keys = known_keys({"sre": ["subscriber"], "gac": ["subscriber"], "ops": ["operator"], "dos": ["reporter"]})
    app = app_of(scheduler.database, scheduler.clock, keys=keys)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler")

    async def asks(path: str, by: str | None = None) -> httpx.Response:
        return await http.get(path, headers=keys.header(by) if by else {})

    listed, unknown = f"/reminders?subscription={ME}", f"/reminders?subscription={YOU}"
    async with http:
        commitment = (await asks("/reminders")).json()["items"][0]["commitment_id"]
        preview = f"/schedule/preview?commitment={commitment}&subscription="
        assert {None} == {one["audience"] for one in (await asks("/reminders")).json()["items"]}
        [mine] = (await asks(listed, "sre")).json()["items"]
        assert ("before-10d", str(ME)) == (mine["step"], mine["audience"])
        assert (await asks(listed, "ops")).json()["items"] == [mine]
        assert (await asks(listed, "gac")).text == (await asks(unknown, "gac")).text
        for path in (listed, unknown, f"{preview}{ME}"):
            assert ((await asks(path)).status_code, (await asks(path, "dos")).status_code) == (401, 403)
        assert (await asks(f"{preview}{ME}", "sre")).json()["ladder_of"] == "subscription"
        others = (await asks(f"{preview}{ME}", "gac")).json()
        assert others | {"subscription": None} == (await asks(f"{preview}{YOU}", "gac")).json() | {"subscription": None}
        one = f"/reminders/{mine['id']}/explanation"
        assert [(await asks(one, by)).status_code for by in (None, "gac", "sre", "ops")] == [404, 404, 200, 200]


async def test_who_is_on_what_is_overdue_is_not_in_everybodys_preview(scheduler: Scheduler, tmp_path: Path) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    keys = known_keys({"mx-sre": ["reporter"]}, {"mx-sre": "mx-sre"})
    app = app_of(scheduler.database, scheduler.clock, keys=keys)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as http:
        commitment = (await http.get("/reminders")).json()["items"][0]["commitment_id"]
        path = f"/schedule/preview?commitment={commitment}"
        [open_] = (await http.get(path)).json()["milestones"]
        [reporters] = (await http.get(path, headers=keys.header("mx-sre"))).json()["milestones"]
    assert open_["escalation"] is None and reporters["escalation"] is not None
    assert open_ | {"escalation": 0} == reporters | {"escalation": 0}
