"""The id of a request: in its answer, in every line that is logged about it, and nowhere where it counts as a label."""

import asyncio
import contextlib
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from prometheus_client import generate_latest

from services.plumbing.http.api_keys import Caller
from services.plumbing.http.app import web_app
from services.plumbing.http.problems import NOT_FOUND, Problem
from services.plumbing.logs import configure_logs, log
from services.plumbing.transient_errors import Unavailable
from tests.cli.programs import listening
from tests.plumbing.http.test_connections import serving


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes to standard error."""
    root, before, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # the logger keeps how it was set up when it is used first
    configure_logs("tests")
    yield written
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()
    vars(log).pop("bind", None)


def app() -> FastAPI:
    made = web_app("test", "Test", {})

    @made.get("/told")
    async def told() -> None:
        log.info("a line of ours", action="told")
        logging.getLogger("another.library").warning("a line of theirs")
        await asyncio.to_thread(log.info, "a line of a thread", action="told_elsewhere")

    @made.get("/broken")
    async def broken() -> None:
        raise KeyError("a fault of ours")

    @made.get("/away")
    async def away() -> None:
        raise Unavailable("the database is away")

    @made.get("/breaks-off")
    async def breaks_off() -> StreamingResponse:
        async def half() -> AsyncIterator[bytes]:
            yield b"half an"
            raise KeyError("answer")

        return StreamingResponse(half())

    @made.get("/refused")
    async def refused(request: Request) -> None:
        request.state.caller = Caller("tracker", None, frozenset())
        raise Problem(NOT_FOUND)

    return made


@pytest.mark.parametrize(
    ("path", "actions"),
    [
        ("/told", ["told", None, "told_elsewhere"]),
        ("/broken", ["request_failed"]),
        ("/away", ["unavailable"]),
        ("/breaks-off", [None]),
        ("/refused", ["request_refused"]),
    ],
)
@pytest.mark.parametrize("own", [True, False])
async def test_the_id_of_a_request_is_in_its_answer_and_in_every_line_about_it(
    path: str, actions: list[str | None], own: bool, lines: io.StringIO
) -> None:
    given = {"x-correlation-id": "case 7/b"} if own else {}
    async with listening(app()) as url, httpx.AsyncClient() as client:
        async with client.stream("GET", url + path, headers=given) as answer:
            with contextlib.suppress(httpx.RemoteProtocolError):  # of the one that breaks off
                await answer.aread()

    found: list[dict[str, Any]] = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line.get("action") for line in found] == actions
    assert {line["correlation_id"] for line in found} == {answer.headers["x-correlation-id"]}
    assert not own or answer.headers["x-correlation-id"] == "case 7/b"


async def test_what_is_no_request_gets_an_id_all_the_same(lines: io.StringIO) -> None:
    async with serving(app()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /told HTTP/1.1\r\nhost here\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()

    (line,) = [json.loads(one) for one in lines.getvalue().splitlines() if "request_unreadable" in one]
    assert f"x-correlation-id: {line['correlation_id']}\r\n" in answer


async def test_an_answer_counts_under_its_route_whatever_was_asked_for() -> None:
    """
    Methods, paths, parameters, ids and hosts that a caller may choose make no series.
    """
    async with listening(app()) as url, httpx.AsyncClient() as client:
        before = len(generate_latest().splitlines())
        for number in range(60):
            await client.request(
                f"M{number}", f"{url}/told{number}?a={number}", headers={"x-correlation-id": str(number)}
            )
            await client.get(f"{url}/away", params={"n": str(number)}, headers={"host": f"h{number}.example"})
        text = generate_latest().decode()

    assert 'pledgewire_http_answer_seconds_count{method="_OTHER",route="(unknown path)",status="4xx"}' in text
    assert 'pledgewire_http_answer_seconds_count{method="GET",route="/away",status="5xx"}' in text
    assert len(text.splitlines()) - before < 40
