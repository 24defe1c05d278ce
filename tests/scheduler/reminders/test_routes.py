"""Reminders over HTTP."""

import json

import httpx2 as httpx
import pytest

from tests.scheduler.running import Scheduler, many
from tests.scheduler.serving import app_of


async def test_reminders_are_listed_in_the_order_in_which_they_are_due_page_by_page(scheduler: Scheduler) -> None:
    await many(scheduler, 5)
    app = app_of(scheduler.database, scheduler.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as client:
        found, cursor = [], ""
        while cursor is not None:
            answer = await client.get(f"/reminders?limit=4{cursor and '&cursor=' + cursor}")
            assert answer.status_code == 200, answer.text
            page = json.loads(answer.content)
            found += page["items"]
            cursor = page["next_cursor"]

        assert len(found) == len({one["id"] for one in found}) == 5 * 6
        assert [one["due_at"] for one in found] == sorted(one["due_at"] for one in found)
        assert {one["state"] for one in found} == {"pending"}

        until = await client.get("/reminders", params={"before": "2021-12-02T00:00:00Z", "commitment": "commitment-3"})
        assert [(one["commitment_id"], one["step"]) for one in until.json()["items"]] == [
            ("commitment-3", "before-30d")
        ]
        assert len((await client.get("/reminders?state=passed")).json()["items"]) == 5


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "state=lost",
        "commitment=Not%20a%20slug",
        "before=2021-12-02T00:00:00",
        "before=1637193600",
        "cursor=zzz",
        "cursor=WyIyMDIxIiwgMV0=",
        "cursor=W10=",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_as_a_problem(scheduler: Scheduler, query: str) -> None:
    app = app_of(scheduler.database, scheduler.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://scheduler") as client:
        answer = await client.get(f"/reminders?{query}")

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
