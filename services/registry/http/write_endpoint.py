"""What every route of the register shares: who may write, once and in one transaction; ids, dates and problems."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from contracts.vocabulary import Span
from services.plumbing.clock import Clock
from services.plumbing.database import Connection, Database
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.http.problems import Problem
from services.plumbing.tracing import current_traceparent
from services.registry.actions.events import Occasion
from services.registry.actions.scheduler_holds import Holds
from services.registry.http import idempotency as answers
from services.registry.http.forms import ProblemDocument
from services.registry.http.paging import is_slug
from services.registry.rules.edtf_dates import UnreadableDate, span_of
from services.registry.rules.errors import Invalid, Unknown

T = TypeVar("T")
Act = Callable[[Connection, Occasion], Awaitable[BaseModel]]
Responses = dict[int | str, dict[str, Any]]

BEARER = HTTPBearer(auto_error=False, scheme_name="api-key", description="`pw_<client>_<secret>`")

KEYED = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Made up by the caller, a new one for each new request. The same request again has the"
            " same answer and no second effect, for at least 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}


class Door:
    """What every writing route goes through: who may, once, and in one transaction."""

    def __init__(self, database: Database, clock: Clock, keys: ApiKeys, holds: Holds | None) -> None:
        self.database = database
        self._clock = clock
        self._keys = keys
        self._holds = holds

    def role(self, role: str) -> Callable[[Request], Caller]:
        """A dependency: the caller, who must have the role and send JSON."""

        def caller(request: Request) -> Caller:
            caller = self._keys.require(request, role)
            media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != "application/json":
                raise Problem(415, "media-type", "Send the body as application/json")
            return caller

        return caller

    def occasion(self, request: Request, caller: Caller) -> Occasion:
        """Now, by whom, in which thread."""
        return Occasion(
            now=self._clock.now(),
            client=caller.client,
            ministry=caller.ministry,
            correlation_id=request.state.correlation_id,
            traceparent=current_traceparent(),
            holds=self._holds,
        )

    async def once(self, request: Request, caller: Caller, status: int, act: Act) -> Response:
        """Act once for this request's key; whoever asks again has the same answer."""
        key = request.headers.get("idempotency-key", "")
        if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
            raise Problem(400, "idempotency-key", "Send an `Idempotency-Key` of 1 to 255 printable ASCII characters")
        digest = answers.digest_of(request.method, request.url.path, await request.body())
        occasion = self.occasion(request, caller)
        answer = await answers.once(
            self.database,
            answers.Request(caller.client, key, digest),
            status,
            lambda connection: act(connection, occasion),
        )
        return JSONResponse(answer.body, answer.status)


def id_of(text: str, what: str) -> str:
    """The id in a path; raises `Unknown` for what can't be one."""
    # It names nothing, and is not sent to the database or back to the asker.
    if not is_slug(text):
        raise Unknown(f"There is no such {what}")
    return text


def found_or_404(thing: T | None, what: str) -> T:
    """The thing; raises `Unknown` where there is none."""
    if thing is None:
        raise Unknown(f"There is no such {what}")
    return thing


def span_said(edtf: str | None) -> Span:
    """The days of a date in a body; raises `Invalid`."""
    try:
        return span_of(edtf)
    except UnreadableDate as error:
        raise Invalid(str(error), field="edtf") from None


def problems(*statuses: int) -> Responses:
    """How the document shows the errors of a route."""
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}
