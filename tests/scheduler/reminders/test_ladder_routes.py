"""The ladder book over HTTP: read, put in place of the one that holds, and refused."""

from datetime import date, datetime
from pathlib import Path

import pytest

from contracts.vocabulary import Reading
from services.scheduler.ladders.book_reader import read_ladder_book
from tests.scheduler.reminders.replanning_scenes import LATE_ONES, client
from tests.scheduler.running import END_OF_2021, THEN, Scheduler
from tests.scheduler.scenes import NINE_SHARP, created, milestone, scheduled, utc


async def test_the_shipped_book_holds_until_another_is_applied(scheduler: Scheduler, tmp_path: Path) -> None:
    http, _ = await client(scheduler, tmp_path)
    async with http:
        before = (await http.get("/ladders")).json()
        applied = await http.put("/ladders", content=LATE_ONES)
        after = (await http.get("/ladders")).json()

    assert (0, None, NINE_SHARP.text) == (before["version"], before["applied_by"], before["text"])
    assert applied.status_code == 200, applied.text
    assert (after["version"], after["applied_by"], after["text"]) == (1, "desk", LATE_ONES)
    assert read_ladder_book(LATE_ONES).sha256 == after["sha256"] == applied.json()["sha256"]
    assert [ladder["name"] for ladder in after["ladders"]] == ["deadlines", "others"]
    assert datetime.fromisoformat(after["applied_at"]) == THEN


async def test_another_book_replans_what_is_to_come_and_says_how_much(scheduler: Scheduler, tmp_path: Path) -> None:
    summit = milestone(date(2022, 6, 10), id_="summit", reading=Reading.ON)
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(summit))
    await scheduler.ticks_at(utc(2021, 12, 1, 15))
    scheduler.clock.set(utc(2021, 12, 20))
    http, _ = await client(scheduler, tmp_path)
    async with http:
        applied = (await http.put("/ladders", content=LATE_ONES)).json()
        again = (await http.put("/ladders", content=LATE_ONES)).json()

    # Of the deadline before-7d moves, before-1d and after-7d go; of the summit all but before-90d go.
    assert {"milestones": 2, "added": 0, "withdrawn": 8, "moved": 1, "passed": 0}.items() <= applied.items()
    assert {"version": 1, "milestones": 0, "withdrawn": 0}.items() <= again.items()
    assert await scheduler.states() == {
        "before-90d": "passed",
        "before-30d": "fired",
        "before-14d": "passed",
        "before-7d": "pending",
        "before-1d": "withdrawn",
        "on-the-day": "pending",
        "after-1d": "pending",
        "after-7d": "withdrawn",
    }
    told = await scheduler.ticks_at(utc(2022, 2, 1))
    assert {("after-1m", ("before-7d", "on-the-day", "after-1d"))} == {(e.step, e.merged_steps) for e in told}


async def test_every_scheduler_plans_by_the_new_book_from_then_on(scheduler: Scheduler, tmp_path: Path) -> None:
    elsewhere = scheduler.another()
    await elsewhere.once()
    http, _ = await client(scheduler, tmp_path)
    async with http:
        await http.put("/ladders", content=LATE_ONES)

    await scheduler.hears(created(), scheduled(END_OF_2021))
    scheduler.clock.set(utc(2022, 1, 2))
    await elsewhere.once()

    assert {"before-14d": "merged", "before-7d": "merged", "on-the-day": "merged", "after-1d": "fired"}.items() <= (
        await scheduler.states()
    ).items()
    assert (await scheduler.states())["after-1m"] == "pending"


@pytest.mark.parametrize(
    ("headers", "content", "status", "what"),
    [
        ({"Authorization": ""}, LATE_ONES, 401, "Send a valid API key"),
        ({"Authorization": "reader"}, LATE_ONES, 403, "none of these roles: `editor`"),
        ({"Content-Type": "application/json"}, "{}", 415, "application/yaml"),
        ({}, "ladders: []", 422, "line 1: ladders: there are 1 to 100 ladders"),
        ({}, b"\xff", 422, "UTF-8"),
        ({}, "x" * 70_000, 422, "at most 65536 characters"),
        ({}, "x" * 300_000, 413, "262144"),
    ],
)
async def test_what_may_not_or_cannot_be_applied_is_refused_and_changes_nothing(
    scheduler: Scheduler, tmp_path: Path, headers: dict[str, str], content: str | bytes, status: int, what: str
) -> None:
    http, reader = await client(scheduler, tmp_path)
    headers = {name: f"Bearer {reader}" if value == "reader" else value for name, value in headers.items()}
    async with http:
        answer = await http.put("/ladders", content=content, headers=headers)

        assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
        assert what in answer.text
        assert (await http.get("/ladders")).json()["version"] == 0


async def test_a_book_takes_the_place_of_the_one_that_was_read_and_of_no_other(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    """
    `If-Match` with the tag of the book that somebody has looked at; who comes second has looked at another one.
    """
    http, _ = await client(scheduler, tmp_path)
    async with http:
        tag = (await http.get("/ladders")).headers["etag"]
        first = await http.put("/ladders", content=LATE_ONES, headers={"if-match": tag})
        second = await http.put("/ladders", content=LATE_ONES.replace("09", "10"), headers={"if-match": tag})
        version = (await http.get("/ladders")).json()["version"]

    assert (first.status_code, second.status_code, second.json()["type"]) == (200, 412, "/problems/changed")
    assert version == 1
