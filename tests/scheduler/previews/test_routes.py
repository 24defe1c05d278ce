"""The preview over HTTP on a real PostgreSQL: what it shows is what the table holds, and what ticking on plans."""

import random
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from contracts.commitments import Milestone
from contracts.events import LadderHolidays
from contracts.vocabulary import Precision, Reading, Status
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.reminders import ladder_store, replanning
from tests.scheduler.previews.asking import DUE, TORONTO, Preview, at
from tests.scheduler.reminders.replanning_scenes import LATE_ONES, ME, YOU, choice, chooses, plans
from tests.scheduler.running import COAL, END_OF_2021, THEN, Scheduler
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc

# The preview


async def test_every_instant_is_shown_with_its_state_and_its_reason(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(utc(2021, 12, 1, 15))

    shown = (await preview.of(zone=TORONTO, limit=2))[DUE.id]

    assert [(m["step"], m["state"], m["local"]) for m in shown["moments"]] == [
        ("before-90d", "passed", "2021-10-02T10:00:00-04:00"),
        ("before-30d", "fired", "2021-12-01T10:00:00-05:00"),
        ("before-7d", "pending", "2021-12-24T10:00:00-05:00"),
        ("before-1d", "pending", "2021-12-30T10:00:00-05:00"),
        ("on-the-day", "pending", "2021-12-31T10:00:00-05:00"),
        ("after-1d", "pending", "2022-01-01T10:00:00-05:00"),
        ("after-7d", "pending", "2022-01-07T10:00:00-05:00"),
        ("after-30d", "planned-later", "2022-01-30T10:00:00-05:00"),
        ("after-60d", "planned-later", "2022-03-01T10:00:00-05:00"),
    ]
    week = shown["moments"][2]
    assert (week["local_there"], week["due_at"]) == ("2021-12-24T09:00:00-06:00", "2021-12-24T15:00:00Z")
    assert {
        "ladder": "every-milestone",
        "at": "09:00",
        "zone": "America/Mexico_City",
        "counted_from": "2021-12-31",
        "counted_from_is": "last-day",
        "day": "2021-12-24",
        "clock": "as-told",
        "jitter_seconds": 0,
        "why": "ahead",
        "due_at": week["due_at"],
    }.items() <= week["reason"].items()
    assert week["sentence"].startswith("7 days before December 31, 2021 (the last day): Friday, December 24, 2021;")
    assert shown["moments"][0]["reason"]["why"] == "before-it-was-planned"
    assert (
        shown["reader_zone"],
        shown["ladder"],
        shown["left_out"],
        shown["hold"],
    ) == (TORONTO, "every-milestone", [], None)


@pytest.mark.parametrize(
    ("language", "when", "why"),
    [
        ("en", "by 2021, that is by December 31, 2021", "90 days after December 31, 2021 (the last day): "),
        ("es", "para 2021, es decir, a más tardar el 31 de diciembre de 2021", "90 días después del 31 de diciembre "),
        ("fr", "d’ici 2021, c’est-à-dire au plus tard le 31 décembre 2021", "90 jours après le 31 décembre 2021 ("),
    ],
)
async def test_it_is_said_in_the_readers_language(
    scheduler: Scheduler, preview: Preview, language: str, when: str, why: str
) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))

    shown = (await preview.of(language=language))[END_OF_2021.id]

    assert shown["when"] == when
    assert shown["moments"][-1]["sentence"].startswith(why)


async def test_rungs_that_are_left_out_and_reviews_are_told(scheduler: Scheduler, preview: Preview) -> None:
    summit = milestone(date(2022, 12, 31), id_="summit", precision=Precision.YEAR, reading=Reading.ON)
    someday = milestone(None, id_="someday", reading=Reading.UNDATED, review_months=3)
    await scheduler.hears(created(), scheduled(summit), scheduled(someday))

    shown = await preview.of()

    assert [(one["step"], one["why"], one["shortest_notice_days"]) for one in shown["summit"]["left_out"][:2]] == [
        ("before-7d", "finer-than-the-date", 30),
        ("before-1d", "finer-than-the-date", 30),
    ]
    assert list(shown) == ["summit", "someday"]  # what has no last day stands at the end
    assert {"no-last-day"} == {one["why"] for one in shown["someday"]["left_out"]}
    assert (
        shown["someday"]["review"],
        shown["summit"]["review"],
    ) == ({"every_months": 3, "counted_from": "2021-11-18"}, None)
    assert [m["step"] for m in shown["someday"]["moments"]] == ["review-1", "review-2", "review-3", "review-4"]


async def test_it_is_told_when_it_becomes_overdue_and_who_hears_then(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    ahead = (await preview.of(zone=TORONTO))[DUE.id]["escalation"]
    scheduler.clock.set(utc(2022, 1, 1, 15))
    await Escalator(scheduler.database, scheduler.clock, EscalationStore(read_escalation_book())).once()
    climbing = (await preview.of(zone=TORONTO))[DUE.id]["escalation"]

    assert (ahead["state"], ahead["overdue_at_local"]) == ("dormant", "2022-01-01T01:00:00-05:00")
    levels = [(one["level"], one["local"][:16]) for one in ahead["hearings"]]
    assert levels == [
        ("focal-point", "2022-01-01T10:00"),
        ("director", "2022-01-08T10:00"),
        ("ministers-office", "2022-01-22T10:00"),
        ("ministers-office", "2022-02-21T10:00"),
    ]
    assert climbing["state"] == "climbing"
    assert levels[1:] == [(one["level"], one["local"][:16]) for one in climbing["hearings"]][:3]


async def test_a_hold_and_a_planning_anew_are_told(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    assert False is (await preview.get("/schedule/preview", commitment=COAL))["being_planned_anew"]
    await scheduler.rows("insert into hold (milestone_id, schedule_version) values ($1, 1)", DUE.id)
    assert (await preview.of())[DUE.id]["hold"] is None  # what it was taken for has come
    await scheduler.rows("update hold set schedule_version = 2")
    async with scheduler.database.transaction() as connection:
        await replanning.begin(connection, "book", THEN)

    seen = await preview.get("/schedule/preview", commitment=COAL)

    assert (seen["being_planned_anew"], seen["milestones"][0]["hold"]["schedule_version"]) == (True, 2)


async def test_of_a_settled_commitment_nothing_is_to_come(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE), changed(Status.MET))

    shown = (await preview.of())[DUE.id]

    assert ({"passed", "withdrawn"}, True) == ({m["state"] for m in shown["moments"]}, shown["settled"])
    assert (shown["escalation"]["state"], shown["escalation"]["hearings"]) == ("settled", [])


async def test_after_a_move_the_told_of_the_old_date_are_shown_beside_the_new(
    scheduler: Scheduler, preview: Preview
) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(utc(2021, 12, 24, 15))
    await scheduler.hears(scheduled(milestone(date(2021, 12, 30)), 2, change="moved"))

    shown = (await preview.of())[DUE.id]["moments"]

    old = [m for m in shown if m["schedule_version"] == 1]
    assert {"before-7d": "fired", "before-1d": "withdrawn"}.items() <= {m["step"]: m["state"] for m in old}.items()
    assert {None} == {m["reason"] for m in old}
    assert {"By version 1 of the date: what it was counted from is not kept."} == {m["sentence"] for m in old}
    [late] = [m for m in shown if m["schedule_version"] == 2 and m["step"] == "before-7d"]
    assert (late["state"], late["reason"]["why"]) == ("pending", "put-into-the-past-by-a-move")


async def test_a_subscription_sees_its_own_ladder_in_its_own_zone(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(
        created(), scheduled(DUE), scheduled(milestone(date(2022, 2, 1), id_="mexican", parties=("MX",)))
    )
    ontario = LadderHolidays(country="CA", subdivision="ON")
    await chooses(scheduler, choice("before-3bd", "after-1d", holidays=ontario, parties=("CA",)))

    seen = await preview.get("/schedule/preview", commitment=COAL, subscription=ME)
    mine, not_mine = seen["milestones"]

    assert ("subscription", str(ME)) == (seen["ladder_of"], seen["subscription"])
    assert (mine["reader_zone"], mine["ladder"]) == (TORONTO, "chosen")
    assert [(m["step"], m["local"]) for m in mine["moments"]] == [
        ("before-3bd", "2021-12-24T08:00:00-05:00"),
        ("after-1d", "2022-01-01T08:00:00-05:00"),
    ]
    reason = mine["moments"][0]["reason"]
    assert (reason["business_days"], reason["counted_from"]) == ("CA-ON", "2021-12-31")
    skipped = [tuple(one[k] for k in ("day", "why", "calendar", "name", "name_language")) for one in reason["skipped"]]
    assert skipped == [
        ("2021-12-28", "holiday", "CA-ON", "Boxing Day, observed", "en"),
        ("2021-12-27", "holiday", "CA-ON", "Christmas Day, observed", "en"),
        ("2021-12-26", "weekend", None, None, None),
        ("2021-12-25", "weekend", None, None, None),
    ]
    assert tuple(not_mine[k] for k in ("milestone_id", "asked_for", "ladder", "moments")) == (
        "mexican",
        False,
        None,
        [],
    )


async def test_a_subscription_without_a_ladder_sees_the_books(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await chooses(scheduler, choice("before-3d"), choice("before-4d", subscription=YOU))
    await chooses(scheduler, choice("before-3d", seq=2, active=False))

    seen = await preview.get("/schedule/preview", commitment=COAL, subscription=ME)

    assert seen["ladder_of"] == "book"
    assert (await preview.of())[DUE.id] == seen["milestones"][0]


@pytest.mark.parametrize(
    ("path", "wanted", "status", "what"),
    [
        ("/schedule/preview", {"commitment": "nobody-knows-it"}, 404, "no such commitment"),
        ("/schedule/preview", {"commitment": "No Id"}, 422, "commitment"),
        ("/schedule/preview", {}, 422, "commitment"),
        ("/schedule/preview", {"commitment": COAL, "zone": "Mars/Olympus"}, 422, '"code":"not-zone"'),
        ("/schedule/preview", {"commitment": COAL, "zone": "../etc/passwd"}, 422, '"code":"not-zone"'),
        ("/schedule/preview", {"commitment": COAL, "language": "de"}, 422, "language"),
        ("/schedule/preview", {"commitment": COAL, "subscription": "me"}, 422, "subscription"),
        ("/schedule/preview", {"commitment": COAL, "limit": 101}, 422, "limit"),
        ("/reminders/99/explanation", {}, 404, "no such reminder"),
        ("/reminders/0/explanation", {}, 422, "id_"),
        (f"/reminders/{2**63}/explanation", {}, 422, "id_"),
        ("/reminders/1/explanation", {"zone": "Mars/Olympus"}, 422, '"code":"not-zone"'),
    ],
)
async def test_what_there_is_not_or_makes_no_sense_is_refused(
    scheduler: Scheduler, preview: Preview, path: str, wanted: dict[str, Any], status: int, what: str
) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    answer = await preview.http.get(path, params=wanted)

    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert what in answer.text


async def test_a_commitment_without_milestones_has_an_empty_preview(scheduler: Scheduler, preview: Preview) -> None:
    await scheduler.hears(created())

    seen = await preview.get("/schedule/preview", commitment=COAL)

    assert (seen["milestones"], seen["title"]) == ([], None)


# What it shows is what there is

BOUND = [("CA",), ("MX", "US"), ("CA", "MX", "US")]
ZONES = ["America/Mexico_City", TORONTO, "America/St_Johns", "America/Tijuana", "America/New_York"]


def any_milestone(chance: random.Random, id_: str) -> Milestone:
    latest = date(2021, 6, 1) + timedelta(days=chance.randrange(900))
    reading = chance.choice([Reading.BY, Reading.DURING, Reading.ON, Reading.UNDATED])
    if reading is Reading.UNDATED:
        return milestone(None, id_=id_, reading=reading, parties=chance.choice(BOUND), zone=chance.choice(ZONES))
    precision = chance.choice([Precision.DAY, Precision.DAY, Precision.MONTH, Precision.YEAR])
    return milestone(
        latest,
        id_=id_,
        earliest=latest - timedelta(days=chance.choice([0, 1, 30])),
        precision=precision,
        reading=reading,
        parties=chance.choice(BOUND),
        zone=chance.choice(ZONES),
    )


def any_steps(chance: random.Random) -> list[str]:
    """Steps of a subscription's own ladder, each once."""
    steps = {"on-the-day"}
    while len(steps) < 6:
        steps.add(f"{chance.choice(['before', 'after'])}-{chance.randint(1, 40)}{chance.choice(['d', 'bd', 'w', 'm'])}")
    return sorted(steps)


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_pending_in_a_preview_is_what_is_pending_in_the_table(
    scheduler: Scheduler, preview: Preview, seed: int
) -> None:
    """For any commitments and chosen ladders, after ticks, moves and another book; and each reason leads there."""
    chance = random.Random(seed)
    commitments = [f"any-{number}" for number in range(4)]
    readers = [uuid4() for _ in range(3)]
    milestones = {f"{id_}-{n}": id_ for id_ in commitments for n in range(2)}
    for id_ in commitments:
        await scheduler.hears(created(id_))
    for name, id_ in milestones.items():
        await scheduler.hears(scheduled(any_milestone(chance, name), id_=id_))
    for reader in readers:
        bound = chance.choice([(), ("MX",), ("CA",)])
        zone = chance.choice(ZONES)
        await chooses(scheduler, choice(*any_steps(chance), subscription=reader, parties=bound, zone=zone, at="02:30"))
    await scheduler.ticks_at(THEN + timedelta(days=chance.randrange(400)))
    for name in chance.sample(sorted(milestones), 3):
        await scheduler.hears(scheduled(any_milestone(chance, name), 2, milestones[name], change="moved"))
    if chance.random() < 0.5:
        async with scheduler.database.transaction() as connection:
            await ladder_store.write_ladder_book(connection, read_ladder_book(LATE_ONES), scheduler.clock.now(), "desk")
            await replanning.begin(connection, "book", scheduler.clock.now())
        await plans(scheduler)
    await scheduler.ticks_at(scheduler.clock.now() + timedelta(days=chance.randrange(60)))

    shown: set[tuple[Any, ...]] = set()
    foreseen: dict[tuple[str, UUID | None], list[tuple[str, datetime]]] = {}
    for id_ in commitments:
        for reader in (None, *readers):
            wanted = {"subscription": reader} if reader else {}
            for name, one in (await preview.of(id_, zone="Asia/Kathmandu", **wanted)).items():
                for moment in one["moments"]:
                    assert at(moment) == datetime.fromisoformat(moment["local"])
                    assert moment["local"].endswith("+05:45")
                    if moment["state"] == "pending":
                        shown.add((moment["id"], name, one["schedule_version"], moment["step"], reader, at(moment)))
                        assert moment["due_at"] == moment["reason"]["due_at"]
                        assert moment["reason"]["on_the_ladder"]
                        day = date.fromisoformat(moment["reason"]["day"])
                        there = at(moment).astimezone(ZoneInfo(moment["reason"]["zone"]))
                        assert day == there.date()
                foreseen[name, reader] = [(m["step"], at(m)) for m in one["moments"] if m["state"] == "planned-later"]
    rows = await scheduler.rows(
        "select id, milestone_id, schedule_version, step, audience, due_at from reminder where state = 'pending'"
    )
    assert {tuple(row) for row in rows} == shown
    assert shown

    # And the first of what is planned later is in the table once what is pending has been told.
    (name, reader), later = chance.choice([item for item in foreseen.items() if item[1]])
    await scheduler.ticks_at(
        max(due_at for _, milestone_id, *_, who, due_at in shown if (milestone_id, who) == (name, reader))
    )
    [found] = await scheduler.rows(
        "select due_at from reminder where milestone_id = $1 and step = $2 and audience is not distinct from $3::uuid"
        " and state = 'pending'",
        name,
        later[0][0],
        reader,
    )
    assert later[0][1] == found["due_at"]
