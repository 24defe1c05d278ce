"""What every HTTP interface here has in common: problems as RFC 9457, correlation, limits, health and metrics."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.plumbing.logs import log
from services.plumbing.tracing import traced
from services.plumbing.transient_errors import is_transient

PROBLEM = "application/problem+json"
LONGEST_BODY = 256 * 1024
"""Bytes; well under the broker's limit for a record, which holds the body and its envelope."""
DEEPEST_JSON = 32

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, or None; may raise, which is wrong too."""


class Problem(Exception):
    """An error for the caller, as RFC 9457 has it.

    `kind` is the last part of the problem's type and never changes; `title` and `detail` are for people.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(title)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.headers, self.members = dict(headers or {}), members

    def response(self) -> JSONResponse:
        """The problem document."""
        body = {"type": f"/problems/{self.kind}", "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        return JSONResponse(body | self.members, self.status, self.headers, media_type=PROBLEM)


def web_app(
    service: str,
    title: str,
    checks: Mapping[str, Check],
    *,
    facts: Mapping[str, Any] | None = None,
    secret_behind: Sequence[str] = (),
    **options: Any,
) -> FastAPI:
    """A FastAPI application with problems, `/livez`, `/readyz` and `/metrics`; routes are added by its owner.

    `facts` stand beside the checks in the answer of `/readyz`, such as the release of data that is reckoned with.
    `secret_behind` names the beginnings of paths (`/feeds/`) whose next part is a secret: no log and no trace tells it.
    """
    # FastAPI's own traces, metrics and logs are off: they tell the whole path, secrets and all. `Door` traces instead.
    app = FastAPI(
        title=title,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        **options,
    )
    app.add_exception_handler(Problem, _problem)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_exception_handler(HTTPException, _http_problem)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_exception_handler(RequestValidationError, _validation_problem)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_middleware(Door, secret_behind=tuple(secret_behind))

    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive", "service": service}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        found = await asyncio.gather(*(_checked(check) for check in checks.values()))
        wrong = {name: result for name, result in zip(checks, found, strict=True) if result is not None}
        status = 503 if wrong else 200
        body = {
            "status": "waiting" if wrong else "ready",
            "checks": {name: wrong.get(name, "ok") for name in checks},
            **(facts or {}),
        }
        return JSONResponse(body, status, {"Retry-After": "1"} if wrong else {})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How the document shows errors: FastAPI would promise them as its own kind of application/json."""
    schema = {
        "type": "object",
        "title": "Problem",
        "description": "An error, as RFC 9457 has it; further members depend on its type.",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {PROBLEM: {"schema": schema}}}
        for status in statuses
    }


async def _checked(check: Check) -> str | None:
    try:
        async with asyncio.timeout(3):
            return await check()
    except TimeoutError:
        return "no answer within 3 s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


class Door:
    """The first thing a request meets: limits on its body, its correlation id and its trace.

    Duplicate JSON keys, too deep nesting and content codings are refused here, once for every route: the parsers
    behind it would let the last key win, run out of stack or inflate without bound.
    """

    def __init__(self, app: ASGIApp, secret_behind: tuple[str, ...] = ()) -> None:
        self._app = app
        self._secret_behind = secret_behind

    def _told(self, path: str) -> str:
        """The path as it may be told."""
        for beginning in self._secret_behind:
            if path.startswith(beginning):
                _, slash, rest = path.removeprefix(beginning).partition("/")
                return f"{beginning}…{slash}{rest}"
        return path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        correlation = headers.get("x-correlation-id", "")
        if not (0 < len(correlation) <= 128 and correlation.isascii() and correlation.isprintable()):
            correlation = str(uuid4())
        scope.setdefault("state", {})["correlation_id"] = correlation

        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation.encode())]
            await send(message)

        scope["state"]["told_path"] = self._told(scope["path"])
        route = f"{scope['method']} {scope['state']['told_path']}"
        with bound_contextvars(correlation_id=correlation), traced(route, headers.get("traceparent")):
            try:
                if scope["method"] in ("POST", "PUT", "PATCH"):
                    receive = await _whole_body(headers, receive)
            except Problem as problem:
                await problem.response()(scope, receive, send_with_id)
                return
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                # Answered here and not by Starlette's outermost layer, which knows no correlation id and raises again.
                if started:
                    raise
                response = await _fault(Request(scope), error)
                await response(scope, receive, send_with_id)


async def _whole_body(headers: Mapping[str, str], receive: Receive) -> Receive:
    if headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "content-coding", "Send the body without a content coding")
    body = b""
    more = True
    while more:
        try:
            message = await asyncio.wait_for(receive(), 15)
        except TimeoutError:
            raise Problem(408, "too-slow", "The body did not arrive within 15 seconds") from None
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LONGEST_BODY:
            raise Problem(413, "too-large", f"A body has at most {LONGEST_BODY} bytes")
    media = headers.get("content-type", "").split(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        _refuse_bad_json(body)

    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _refuse_bad_json(body: bytes) -> None:
    depth = deepest = 0
    for byte in body:  # brackets inside strings count too: nobody's prose holds 32 of them unclosed
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > DEEPEST_JSON:
        raise Problem(400, "too-deep", f"JSON may be nested at most {DEEPEST_JSON} levels deep")
    try:
        json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except Problem:
        raise
    except (ValueError, RecursionError) as error:
        raise Problem(400, "not-json", "The body is not JSON", str(error)[:200]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Problem(400, "duplicate-key", "A JSON object has the same key twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise Problem(400, "not-json", f"{name} is no JSON")


async def _problem(_: Request, error: Problem) -> Response:
    return error.response()


async def _http_problem(_: Request, error: HTTPException) -> Response:
    title = HTTPStatus(error.status_code).phrase
    kind = title.lower().replace(" ", "-")
    return Problem(error.status_code, kind, title, headers=error.headers).response()


async def _validation_problem(_: Request, error: RequestValidationError) -> Response:
    faults = [
        {"where": "/".join(str(part) for part in fault["loc"]), "what": fault["msg"]} for fault in error.errors()[:20]
    ]
    return Problem(422, "invalid", "The request does not have the form that is asked for", errors=faults).response()


async def _fault(request: Request, error: Exception) -> Response:
    if is_transient(error):
        log.warning("not available", action="unavailable", error=str(error))
        return Problem(
            503, "unavailable", "Something that this needs is away; try again", headers={"Retry-After": "2"}
        ).response()
    log.error("a request failed", action="request_failed", path=request.state.told_path, exc_info=error)
    return Problem(500, "fault", "Something went wrong here; it has been logged").response()
