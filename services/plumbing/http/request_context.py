"""The first thing that a request meets: its correlation id, its trace, the limits on its body, and its faults."""

from uuid import uuid4

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.plumbing.http.body_limits import checked_body
from services.plumbing.http.problems import Problem, fault_problem
from services.plumbing.tracing import traced

LONGEST_CORRELATION_ID = 128


class RequestContext:
    """Middleware around all routes.

    Gives a request its correlation id (the caller's own, where it is printable ASCII) and its trace, refuses bodies
    beyond the limits, and answers what a route lets through as a fault.
    """

    def __init__(self, app: ASGIApp, secret_behind: tuple[str, ...] = ()) -> None:
        self._app = app
        self._secret_behind = secret_behind

    def _shown(self, path: str) -> str:
        """The path as logs and traces may show it."""
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
        correlation = _correlation_id(headers.get("x-correlation-id", ""))
        scope.setdefault("state", {})["correlation_id"] = correlation

        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation.encode())]
            await send(message)

        scope["state"]["shown_path"] = self._shown(scope["path"])
        route = f"{scope['method']} {scope['state']['shown_path']}"
        with bound_contextvars(correlation_id=correlation), traced(route, headers.get("traceparent")):
            try:
                if scope["method"] in ("POST", "PUT", "PATCH"):
                    receive = await checked_body(headers, receive)
            except Problem as problem:
                await problem.response()(scope, receive, send_with_id)
                return
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                # Answered here and not by Starlette's outermost layer, which knows no correlation id and raises again.
                if started:
                    raise
                response = fault_problem(Request(scope), error).response()
                await response(scope, receive, send_with_id)


def _correlation_id(given: str) -> str:
    """The caller's own id where it can stand in a header and a log; otherwise a new one."""
    is_fit = 0 < len(given) <= LONGEST_CORRELATION_ID and given.isascii() and given.isprintable()
    return given if is_fit else str(uuid4())
