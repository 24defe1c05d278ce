"""The first thing that a request meets: its correlation id, its trace, the limits on its body, and its faults."""

from uuid import uuid4

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.plumbing.http.body_limits import checked_body, refuse_repeated_headers
from services.plumbing.http.problems import Problem, fault_problem, http_problem
from services.plumbing.http.request_target import refuse_ambiguous_target
from services.plumbing.http.route_table import Resource, RouteTable
from services.plumbing.tracing import traced

LONGEST_CORRELATION_ID = 128


class RequestContext:
    """Middleware around all routes.

    Gives a request its correlation id (the caller's own, where it is printable ASCII) and its trace, refuses bodies
    beyond the limits or of another type than its route takes, answers HEAD wherever there is GET, and OPTIONS, and
    answers what a route lets through as a fault. Logs and traces are told the route's template, never the path.
    """

    def __init__(self, app: ASGIApp, application: FastAPI) -> None:
        self._app = app
        self._table = RouteTable(application)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation = _correlation_id(headers.get("x-correlation-id", ""))
        resource = self._table.resource(scope["path"])
        answer = _Answer(send, scope["method"], resource, correlation)
        method = "GET" if answer.is_head else scope["method"]
        shown = resource.template_for(method)
        # A copy: the server goes by the method that was sent.
        scope = {**scope, "method": method, "state": {**scope.get("state", {})}}
        scope["state"] |= {"correlation_id": correlation, "shown_path": shown}
        with bound_contextvars(correlation_id=correlation), traced(f"{method} {shown}", headers.get("traceparent")):
            try:
                refuse_ambiguous_target(scope)
                refuse_repeated_headers(headers)
                if method == "OPTIONS" and resource.routes:
                    await Response(status_code=204, headers={"Allow": resource.allow})(scope, receive, answer.send)
                    return
                if resource.hides(method):
                    raise http_problem(HTTPException(405))
                if resource.route(method) and method in ("POST", "PUT", "PATCH", "DELETE"):
                    receive = await checked_body(headers, receive, resource.accepted_body(method))
            except Problem as problem:
                await problem.response()(scope, receive, answer.send)
                return
            try:
                await self._app(scope, receive, answer.send)
            except Exception as error:
                # Answered here and not by Starlette's outermost layer, which knows no correlation id and raises again.
                if answer.started:
                    raise
                response = fault_problem(Request(scope), error).response()
                await response(scope, receive, answer.send)


class _Answer:
    """What goes out, with what every answer has; to HEAD the head alone."""

    def __init__(self, send: Send, method: str, resource: Resource, correlation: str) -> None:
        self.is_head = method == "HEAD" and "GET" in resource.methods
        self.started = False
        self._send = send
        self._allow = resource.allow
        self._is_secret = resource.is_secret
        self._correlation = correlation

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = [*message["headers"], (b"x-correlation-id", self._correlation.encode())]
            if message["status"] == 405:  # the route that refused knows its own methods only
                headers = [(name, value) for name, value in headers if name.lower() != b"allow"]
                headers.append((b"allow", self._allow.encode()))
            if self._is_secret:
                headers = _uncached(headers)
            message["headers"] = headers
            await self._send(message)
            if self.is_head:
                # At once: a stream would never come to its end.
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not self.is_head:
            await self._send(message)


def _uncached(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that no shared cache may keep, and no other either unless its route says `private`."""
    if any(name.lower() == b"cache-control" and b"private" in value for name, value in headers):
        return headers
    return [(name, value) for name, value in headers if name.lower() != b"cache-control"] + [
        (b"cache-control", b"no-store")
    ]


def _correlation_id(given: str) -> str:
    """The caller's own id where it can stand in a header and a log; otherwise a new one."""
    is_fit = 0 < len(given) <= LONGEST_CORRELATION_ID and given.isascii() and given.isprintable()
    return given if is_fit else str(uuid4())
