"""What every request meets first: limits, a correlation id, and an answer to every fault."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from fastapi import Request
from starlette.testclient import TestClient

from services.plumbing.http.app import web_app
from services.plumbing.http.body_limits import LONGEST_BODY
from services.plumbing.outbox import EventTooLarge
from services.plumbing.strict_json import DEEPEST
from services.plumbing.transient_errors import Unavailable


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = web_app("test", "Test", {})

    @app.post("/things")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.post("/texts", openapi_extra={"requestBody": {"content": {"application/yaml": {}}}})
    async def take_yaml(request: Request) -> int:
        return len(await request.body())

    @app.get("/away")
    def away() -> None:
        raise Unavailable("the database is away")

    @app.get("/older")
    def older() -> None:
        raise asyncpg.UndefinedColumnError("the schema is older than the code")

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    @app.get("/large")
    def large() -> None:
        raise EventTooLarge

    @app.get("/secret/{token}/{rest:path}")
    def secret(request: Request) -> str:
        return str(request.state.shown_path)

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b'{"a": 1, "a": 2}', {}, 400, "duplicate-key"),
        (b'{"a": {"b": 1, "b": 1}}', {}, 400, "duplicate-key"),
        (nested(DEEPEST + 1), {}, 400, "too-deep"),
        (nested(100_000), {}, 400, "too-deep"),
        (b"[NaN]", {}, 400, "not-json"),
        (b"{", {}, 400, "not-json"),
        (b"\xff", {}, 400, "not-json"),
        (b" " * (LONGEST_BODY + 1), {}, 413, "too-large"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "content-coding"),
        (b'{"a": 1, "a": 2}', {"Content-Type": "application/problem+json; v=1"}, 415, "media-type"),
        (b'"' + b'\\"' * 100_000, {}, 400, "not-json"),
    ],
)
def test_a_body_that_parsers_could_misread_is_refused(
    client: TestClient, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = client.post("/things", content=body, headers={"Content-Type": "application/json"} | headers)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"]


@pytest.mark.parametrize("body", [nested(DEEPEST), b'{"a": {"a": 1}}', b'"' + b"x" * (LONGEST_BODY - 2) + b'"'])
def test_a_body_within_the_limits_comes_through_whole(client: TestClient, body: bytes) -> None:
    answer = client.post("/things", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()) == (200, len(body))


def test_what_is_no_json_is_not_read_as_such(client: TestClient) -> None:
    assert client.post("/texts", content=b"{", headers={"Content-Type": "application/yaml"}).status_code == 200


@pytest.mark.parametrize(("given", "kept"), [("a b-1", True), ("", False), ("x" * 129, False), ("a\tb", False)])
def test_a_callers_correlation_id_is_kept_where_it_can_stand_in_a_log(
    client: TestClient, given: str, kept: bool
) -> None:
    answered = client.get("/livez", headers={"X-Correlation-Id": given}).headers["x-correlation-id"]

    assert (answered == given) is kept
    assert 0 < len(answered) <= 128


@pytest.mark.parametrize(
    ("path", "status", "kind", "more"),
    [
        ("/away", 503, "unavailable", {"retry-after": "2"}),
        ("/older", 503, "unavailable", {"retry-after": "2"}),
        ("/broken", 500, "fault", {}),
        ("/large", 413, "event-too-large", {}),
        ("/nowhere", 404, "not-found", {}),
        ("/things", 405, "method-not-allowed", {"allow": "OPTIONS, POST"}),
    ],
)
def test_every_fault_is_a_problem_with_its_correlation_id(
    client: TestClient, path: str, status: int, kind: str, more: dict[str, str]
) -> None:
    answer = client.get(path, headers={"X-Correlation-Id": "thread"})

    document: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, document["status"], document["type"]) == (status, status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"] == "thread"
    assert more.items() <= dict(answer.headers).items()
    assert "a fault of ours" not in answer.text


@pytest.mark.parametrize("path", ["/secret/abc/calendar.ics", "/secret/abc/"])
def test_of_a_path_only_its_template_is_shown(client: TestClient, path: str) -> None:
    assert client.get(path).json() == "/secret/{token}/{rest}"
