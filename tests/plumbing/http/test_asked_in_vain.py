"""What a request asks for and its route doesn't know is refused, never passed over: parameters and conditions."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, Query, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from services.plumbing.http.app import web_app
from services.plumbing.http.etags import IF_MATCH, check_if_match, etag_of
from tests.architecture.applications import applications


class Thing(BaseModel):
    name: str


THING = Thing(name="ñandú")


def _paged(limit: int = 5, cursor: Annotated[str | None, Query(alias="after")] = None) -> int:
    return limit


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = web_app("test", "Test", {})

    @app.get("/things")
    async def read(limit: Annotated[int, Depends(_paged)], q: str | None = None) -> Thing:
        return THING

    @app.get("/pieces")
    async def pieces() -> StreamingResponse:
        return StreamingResponse(iter([b"{", b"}"]), media_type="application/json")

    @app.get("/pages/{token}", openapi_extra={})
    async def page(token: str) -> Thing:
        return THING

    @app.get("/people", include_in_schema=False)
    async def people() -> Thing:
        return THING

    @app.post("/things")
    async def make() -> str:
        return "made"

    @app.put("/things", openapi_extra={"parameters": [IF_MATCH]})
    async def change(request: Request) -> str:
        check_if_match(request.headers, THING)
        return "changed"

    return TestClient(app)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/things?limit=3&after=x&q=%20", 200),
        ("/things?limit=3&as_of=2026-01-01", 400),
        ("/things?LIMIT=3", 400),
        ("/things?cursor=x", 400),  # its name is another here
        ("/things?dry_run", 400),
        ("/things?=", 400),
        ("/things?%00=1", 400),
        ("/pages/abc?utm_source=mail", 200),
        ("/people?fbclid=1", 200),
        ("/readyz?x=1", 200),
        ("/nowhere?x=1", 404),
    ],
)
def test_a_parameter_that_a_route_does_not_declare_is_refused_by_name(
    client: TestClient, path: str, status: int
) -> None:
    """
    Those that its dependencies declare are its own. Addresses for people bear what mail programs put behind them.
    """
    answer = client.get(path)

    assert answer.status_code == status
    if status == 400:
        problem = answer.json()
        assert problem["type"] == "/problems/unknown-parameter"
        assert [fault["code"] for fault in problem["errors"]] == ["unknown-parameter"]
        assert problem["errors"][0]["parameter"].isprintable()


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_the_same_holds_for_every_method(client: TestClient, method: str) -> None:
    answer = client.request(method, "/things?dry_run=true", headers={"content-type": "application/json"})
    assert answer.status_code == (204 if method == "OPTIONS" else 400)


def test_every_route_of_ours_says_which_parameters_it_knows() -> None:
    """
    In the document of each service every operation may answer 400 for one that it doesn't.
    """
    for name, app in applications().items():
        if name == "portal":
            continue
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                said = operation["responses"]["400"]["description"]
                assert "unknown-parameter" in said, (path, method)


TAG = etag_of(THING)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (None, 200),
        (TAG, 200),
        ("*", 200),
        (f'"other", {TAG}', 200),
        (f' , "other" ,, {TAG},', 200),
        ('"other"', 412),
        (f"W/{TAG}", 412),  # compared strongly
        (f'W/{TAG}, "a,b"', 412),
        ("", 400),
        (",", 400),
        (TAG.strip('"'), 400),
        (TAG + TAG, 400),
        (f"*, {TAG}", 400),
        (f"w/{TAG}", 400),
        (TAG[:-1], 400),
    ],
)
def test_if_match_is_read_and_compared_as_rfc_9110_says(client: TestClient, given: str | None, status: int) -> None:
    headers = {"content-type": "application/json"} | ({} if given is None else {"if-match": given})
    answer = client.put("/things", headers=headers)

    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["type"] == f"/problems/{'changed' if status == 412 else 'malformed-condition'}"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_if_match_is_a_fault_of_ours(client: TestClient, text: str) -> None:
    assert client.put("/things", headers={"if-match": text}).status_code in (200, 400, 412)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_condition_that_a_route_can_t_hold_against_anything_is_refused(client: TestClient, method: str) -> None:
    answer = client.request(method, "/things", headers={"if-match": TAG, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (412, "/problems/no-version")


def test_if_none_match_of_who_writes_is_refused_and_of_who_reads_spares_the_body(client: TestClient) -> None:
    written = client.put("/things", headers={"if-none-match": "*", "content-type": "application/json"})
    first = client.get("/things")
    again = client.get("/things", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    head = client.head("/things")

    assert (written.status_code, written.json()["type"]) == (412, "/problems/no-version")
    assert (first.headers["etag"], first.headers["cache-control"]) == (TAG, "no-cache")
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", TAG)
    assert "content-length" not in again.headers
    assert (head.status_code, head.headers["etag"], head.content) == (200, TAG, b"")
    keyed: Any = client.get("/things", headers={"authorization": "Bearer x"})
    assert keyed.headers["cache-control"] == "private, no-cache"


def test_what_comes_in_pieces_goes_out_without_a_tag(client: TestClient) -> None:
    answer = client.get("/pieces")
    assert (answer.content, "etag" in answer.headers) == (b"{}", False)
