"""What a caller is answered where something is not there, does not fit, or is away."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.registry.scenes import Register


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/commitments?limit=0", 422),
        ("/commitments?limit=201", 422),
        ("/commitments?cursor=forged", 400),
        ("/commitments?cursor=Im5vd2hlcmUi", 400),  # well formed, and nowhere
        ("/commitments?due_from=1637193600", 422),
        ("/commitments?q=%00", 422),
        ("/commitments?theme=__class__", 422),
        ("/commitments/no-such-thing", 404),
        ("/commitments/%00", 404),
        ("/commitments/..%2Fanchors", 404),
        ("/anchors/{x}", 404),
        ("/statements/nobody", 404),
    ],
)
async def test_what_is_not_there_is_a_problem(register: Register, path: str, status: int) -> None:
    answer = await register.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"status": "announced"}, 422, "status-not-allowed"),
        ({"status": "on-fire"}, 422, "invalid"),
        ({"status": "met", "expected_version": "1"}, 422, "invalid"),
        ({"status": "met", "ministry": "us-dos"}, 422, "invalid"),
        ({"status": "met", "note": "a\x00b"}, 422, "invalid"),
        ({"status": "met", "note": "\ud800"}, 400, "not-json"),
        ({"status": "met", "evidence": {"url": "javascript:alert(1)"}}, 422, "invalid"),
        ([], 422, "invalid"),
    ],
)
async def test_what_does_not_fit_is_refused(register: Register, joint: str, body: Any, status: int, kind: str) -> None:
    headers = {
        "authorization": f"Bearer {register.keys['mx']}", "idempotency-key": "k", "content-type": "application/json"
    }  # fmt: skip
    answer = await register.client.post(
        f"/commitments/{joint}/status-updates", content=json.dumps(body), headers=headers
    )
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await register.count("status_update") == 0
    assert await register.count("api_request") == 0


async def test_without_a_database_the_answer_is_come_again(register: Register, joint: str) -> None:
    await register.database.close()
    for answer in (await register.client.get("/commitments"), await register.report(joint, status="met")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.headers["x-correlation-id"]
    await register.database.open()


async def test_a_milestone_that_is_not_there_has_no_version(register: Register) -> None:
    assert (await register.client.get("/milestones/no-such/schedule-version")).status_code == 404
    assert (await register.client.get("/milestones/%00/schedule-version")).status_code == 404


SQL = (
    *("'", "''", "' or '1'='1", "'; drop table commitment; --", "\\'; select pg_sleep(9); --", "%", "_", "\\", "$1"),
    *("%' escape '%", "{climate,trade}", "climate' or true --", "1; select 1", "/**/", "\u02bc or 1=1", "$$ $$"),
)


@pytest.mark.parametrize("text", SQL)
async def test_what_is_sql_elsewhere_is_looked_for_as_it_is_written(register: Register, joint: str, text: str) -> None:
    """
    In every parameter of every route that reads: nothing is found by it, nothing changes, and nothing breaks.
    """
    document = register.client._transport.app.openapi()  # type: ignore[attr-defined]
    before = await register.count("commitment"), await register.count("status_update")
    for path, operations in document["paths"].items():
        parameters = operations.get("get", {}).get("parameters", ())
        known = {"commitment_id": joint, "anchor_id": "nals-2022", "statement_id": "nals-2021", "code": "mx-sre"}
        named = {one["name"]: known.get(one["name"], "x") for one in parameters if one["in"] == "path"}
        for one in parameters:
            headers = {"authorization": f"Bearer {register.keys['operators']}"}
            query = {}
            at = path.format(**named)
            if one["in"] == "query":
                query = {one["name"]: text}
            elif one["in"] == "header":
                headers[one["name"]] = text.encode("ascii", "ignore").decode() or "x"
            else:
                at = path.format(**named | {one["name"]: quote(text, safe="")})
            answer = await register.client.get(at, params=query, headers=headers)
            assert answer.status_code in (200, 304, 400, 401, 403, 404, 412, 422), (path, one["name"], answer.text)
            if one["in"] == "query" and answer.status_code == 200 and "items" in answer.json() and one["name"] == "q":
                # What stands in a text is found by what stands in it: a quotation mark, a percent sign.
                assert all(text in str(item) or text.strip("'") in str(item) for item in answer.json()["items"])
    assert (await register.count("commitment"), await register.count("status_update")) == before
