"""The first thing that a request meets: its correlation id, its trace, the limits on its body, and its faults."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import uuid4

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars

from services.plumbing.audit.refused_attempts import NoteRefusal
from services.plumbing.http.answer_language import ChooseLanguage, keep_language
from services.plumbing.http.answer_metrics import known_method, observe_answer
from services.plumbing.http.body_limits import checked_body, refuse_repeated_headers
from services.plumbing.http.etags import refuse_unmet_conditions
from services.plumbing.http.problems import Problem, fault_problem, http_problem
from services.plumbing.http.request_limits import RequestLimits
from services.plumbing.http.request_target import refuse_ambiguous_target, refuse_unknown_parameters
from services.plumbing.http.route_table import PlacedRoute, Resource, RouteTable
from services.plumbing.http.tagged_answers import TaggedAnswer
from services.plumbing.logs import log
from services.plumbing.tracing import mark_failed, tell_span, traced

LONGEST_CORRELATION_ID = 128
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_PLAIN_PATH = re.compile("[a-z0-9/-]{1,200}")


class RequestContext:
    """Middleware around all routes.

    Gives a request its correlation id (the caller's own, where it is printable ASCII), its language and its trace,
    refuses bodies beyond the limits or of another type than its route takes, answers HEAD wherever there is GET, and
    OPTIONS, and answers what a route lets through as a fault. Logs, traces and metrics are told the route's template,
    never the path, and no method that HTTP doesn't name.
    """

    def __init__(
        self,
        app: ASGIApp,
        application: FastAPI,
        languages: ChooseLanguage,
        note_refusal: NoteRefusal | None = None,
    ) -> None:
        """`note_refusal` is told what was refused to a caller who is known, before the answer goes out."""
        self._app = app
        self._languages = languages
        self._note_refusal = note_refusal
        self._table = RouteTable(application)
        self._state = application.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation = _correlation_id(headers.get("x-correlation-id", ""))
        resource = self._table.resource(scope["path"])
        own_headers: list[tuple[str, str]] = []
        answer = _Answer(send, scope["method"], resource, correlation, own_headers)
        method = "GET" if answer.is_head else scope["method"]
        shown = resource.template_for(method)
        # A copy: the server goes by the method that was sent.
        scope = {**scope, "method": method, "state": {**scope.get("state", {})}}
        scope["state"] |= {"correlation_id": correlation, "shown_path": shown, "answer_headers": own_headers}
        if self._note_refusal and method in _CHANGING:
            answer.before_refusal = partial(self._tell_refusal, scope, resource, f"{method} {shown}")
        keep_language(scope, self._languages(headers.get("accept-language")))
        attributes = dict(zip(("http.request.method", "http.route"), answer.told_as, strict=True))
        try:
            with (
                bound_contextvars(correlation_id=correlation),
                traced(" ".join(answer.told_as), headers.get("traceparent"), "server", **attributes),
            ):
                await self._respond(scope, receive, headers, resource, answer)
                self._log_refusal(scope, answer)
        except Exception:
            # It has begun to answer, so the server can only break off, and says so: with the id, too.
            bind_contextvars(correlation_id=correlation)
            raise

    async def _respond(
        self, scope: Scope, receive: Receive, headers: Headers, resource: Resource, answer: "_Answer"
    ) -> None:
        """Check what is asked, have it answered by its route, and answer its faults."""
        method = scope["method"]
        try:
            if limits := self._limits:
                limits.check(scope, headers)
            refuse_ambiguous_target(scope)
            refuse_repeated_headers(headers)
            if method == "OPTIONS" and resource.routes:
                await Response(status_code=204, headers={"Allow": resource.allow})(scope, receive, answer.send)
                return
            if resource.hides(method):
                raise http_problem(HTTPException(405))
            if route := resource.route(method):
                self._check_asked(scope, headers, route)
            if route and method in _CHANGING:
                receive = await checked_body(headers, receive, resource.accepted_body(method))
        except Problem as problem:
            await problem.response(scope)(scope, receive, answer.send)
            return
        is_tagged = method == "GET" and route is not None and route.parameters is not None
        send_answer = TaggedAnswer(headers, answer.send).send if is_tagged else answer.send
        try:
            await self._app(scope, receive, send_answer)
        except Exception as error:
            # Answered here and not by Starlette's outermost layer, which knows no correlation id and raises again.
            if answer.status:
                raise
            response = fault_problem(Request(scope), error).response(scope)
            await response(scope, receive, answer.send)

    @staticmethod
    def _log_refusal(scope: Scope, answer: "_Answer") -> None:
        """Say what was refused to a caller who is known, who may ask why by the id of the request."""
        if 400 <= answer.status < 500 and scope["state"].get("caller") is not None:
            method, route = answer.told_as
            log.info("a request was refused", action="request_refused", method=method, path=route, status=answer.status)

    @property
    def _limits(self) -> RequestLimits | None:
        """They are set where a process serves the application; none where only the admin port is."""
        return getattr(self._state, "limits", None)

    @staticmethod
    def _check_asked(scope: Scope, headers: Headers, route: PlacedRoute) -> None:
        """Raise a problem for what a route would pass over: parameters and conditions that it doesn't know."""
        if route.parameters is not None:
            refuse_unknown_parameters(scope, route.parameters)
        refuse_unmet_conditions(headers, writes=scope["method"] in _CHANGING, takes_if_match=route.takes_if_match)

    async def _tell_refusal(self, scope: Scope, resource: Resource, what: str, status: int) -> None:
        """Note who was refused what; of the path no more than can be an id of ours, and no secret."""
        caller = scope["state"].get("caller")
        if caller is not None and self._note_refusal:
            path = scope["path"]
            subject = path if _PLAIN_PATH.fullmatch(path) and not resource.is_secret else scope["state"]["shown_path"]
            await self._note_refusal(caller.actor, what, subject, status)


class _Answer:
    """What goes out, with what every answer has; to HEAD the head alone."""

    def __init__(
        self, send: Send, method: str, resource: Resource, correlation: str, own_headers: Sequence[tuple[str, str]]
    ) -> None:
        """`own_headers` are what a route, or a check before it, adds to whatever the answer is."""
        self.is_head = method == "HEAD" and "GET" in resource.methods
        self.status = 0
        """0 until it has begun."""
        asked = "GET" if self.is_head else method
        self.told_as = known_method(asked), resource.template_for(asked)
        """Its method and its route, as metrics may show them."""
        self._began = time.monotonic()
        self._send = send
        self._allow = resource.allow
        self._is_secret = resource.is_secret
        self._correlation = correlation
        self._own_headers = own_headers
        self.before_refusal: Callable[[int], Awaitable[None]] | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            if self.before_refusal and message["status"] in (403, 404):
                await self.before_refusal(message["status"])
            self.status = message["status"]
            self._tell()
            headers = [*message["headers"], (b"x-correlation-id", self._correlation.encode())]
            headers += [(name.lower().encode(), text.encode()) for name, text in self._own_headers]
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

    def _tell(self) -> None:
        observe_answer(*self.told_as, self.status, time.monotonic() - self._began)
        tell_span(**{"http.response.status_code": self.status})
        if self.status >= 500:
            mark_failed(str(self.status))


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
