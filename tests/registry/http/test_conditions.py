"""`If-Match` at the routes that write: what was read is what is changed, or nothing is."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.registry.scenes import Register

SOURCE = {"text": "Reuters, 2022-01-10"}
MOVE = {"edtf": "2023-01", "source": SOURCE, "known_on": "2022-01-10"}
CASES: dict[str, tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = {
    "a status": (
        "POST",
        "/commitments/{joint}/status-updates",
        "/commitments/{joint}",
        {"status": "in-progress", "party": "CA"},
        {"status": "at-risk", "party": "CA"},
        "desk",
    ),
    "a ministry": (
        "PUT",
        "/ministries/mx-sre",
        "/ministries/mx-sre",
        {"party": "MX", "name": {"es": "La Secretaría"}},
        {"party": "MX", "name": {"es": "Otra"}},
        "operators",
    ),
    "an anchor": (
        "PUT",
        "/anchors/nals-2022",
        "/anchors/nals-2022",
        MOVE,
        MOVE | {"edtf": "2023-02"},
        "desk",
    ),
    "an outcome": (
        "POST",
        "/anchors/nals-2022/outcome",
        "/anchors/nals-2022",
        {"outcome": "held", "edtf": "2022-12-10", "source": SOURCE, "known_on": "2022-12-11"},
        {"outcome": "held", "edtf": "2022-12-11", "source": SOURCE, "known_on": "2022-12-12"},
        "desk",
    ),
    "a reading policy": (
        "PUT",
        "/statements/nals-2021/reading-policy",
        "/statements/nals-2021",
        {"policy": {"hemisphere": "south"}},
        {"policy": {"hemisphere": "south", "parts": "whole"}},
        "desk",
    ),
    "a schedule": (
        "PUT",
        "/milestones/{milestone}/schedule",
        "/milestones/{milestone}/schedule-version",
        MOVE | {"edtf": "2023-03-01"},
        MOVE | {"edtf": "2023-03-02"},
        "desk",
    ),
}


async def send(
    register: Register, method: str, path: str, body: dict[str, Any], by: str, if_match: str, key: str = ""
) -> httpx2.Response:
    headers = register.keys.header(by) | {"idempotency-key": key or uuid4().hex, "if-match": if_match}
    return await register.client.request(method, path, json=body, headers=headers)


@pytest.fixture
async def places(register: Register, joint: str) -> dict[str, str]:
    """A commitment, and a milestone that hangs on nothing."""
    for one in (await register.get("/commitments", limit=200))["items"]:
        for milestone in (await register.get(f"/commitments/{one['id']}"))["milestones"]:
            if milestone["anchor_id"] is None and milestone["span"]["latest"]:
                return {"joint": joint, "milestone": milestone["id"]}
    raise AssertionError("every milestone hangs on something")


@pytest.mark.parametrize("case", CASES)
async def test_what_was_read_is_what_is_changed(case: str, register: Register, places: dict[str, str]) -> None:
    """
    The tag of GET lets the first writer pass; the second has read what is no longer there. A repeat of the first hears
    the first answer again, though what it names has changed since.
    """
    method, path, shown, first, second, by = CASES[case]
    path, shown = path.format(**places), shown.format(**places)
    tag = (await register.client.get(shown)).headers["etag"]

    wrong = await send(register, method, path, first, by, '"another"')
    done = await send(register, method, path, first, by, f'"another", {tag}', key="first")
    late = await send(register, method, path, second, by, tag)
    again = await send(register, method, path, first, by, f'"another", {tag}', key="first")
    after = await register.client.get(shown)
    freed = await send(register, method, path, second, by, after.headers["etag"])

    assert (wrong.status_code, wrong.json()["type"]) == (412, "/problems/changed")
    assert done.status_code in (200, 201), done.text
    assert (late.status_code, late.json()["type"]) == (412, "/problems/changed")
    assert (again.status_code, again.json()) == (done.status_code, done.json())
    assert (await register.client.get(shown, headers={"if-none-match": tag})).status_code == 200
    assert freed.status_code in (200, 201, 409, 422), freed.text  # the condition is met; a rule may refuse it


async def test_of_twenty_who_read_the_same_one_writes(register: Register, joint: str) -> None:
    """
    The row is held from the look to the change: no update is lost.
    """
    tag = (await register.client.get(f"/commitments/{joint}")).headers["etag"]
    path = f"/commitments/{joint}/status-updates"
    answers = await asyncio.gather(
        *(send(register, "POST", path, {"status": "in-progress", "party": "CA"}, "desk", tag) for _ in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 19
    assert len(await register.events("status-changed")) == 1


async def test_what_is_new_or_has_no_version_takes_no_condition(register: Register) -> None:
    for method, path, by in (
        ("POST", "/commitments", "desk"),
        ("POST", "/anchors", "desk"),
        ("POST", "/ministries", "operators"),
    ):
        answer = await send(register, method, path, {}, by, '"x"')
        assert (answer.status_code, answer.json()["type"]) == (412, "/problems/no-version")


async def test_who_asks_for_another_time_or_a_dry_run_where_there_is_none_is_told(register: Register) -> None:
    answer = await register.client.get("/milestones/x/schedule-version", params={"as_of": "2022-01-01"})

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "as_of")
