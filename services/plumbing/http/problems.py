"""Errors for callers, as RFC 9457 has them: one class, one media type, and one value for each kind of problem.

How the OpenAPI documents say them is in `problem_documents.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

PROBLEM_JSON = "application/problem+json"
_MOST_ERRORS = 20
"""Faults of one body that its problem lists."""


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem: what is raised and what the documents say are one value, so that they can't differ."""

    status: int
    name: str
    """The last part of the problem's type; it never changes."""
    title: str
    """For people: what is the matter, whatever the request was."""

    @property
    def type(self) -> str:
        """The problem's type (RFC 9457, 3.1.1): an address relative to the interface."""
        return f"/problems/{self.name}"


UNAUTHORIZED = ProblemKind(401, "unauthorized", "Send a valid API key: `Authorization: Bearer …`")
FORBIDDEN = ProblemKind(403, "forbidden", "This key has none of the roles that may do this")
NOT_FOUND = ProblemKind(404, "not-found", "There is no such thing")
INVALID = ProblemKind(422, "invalid", "The request does not have the form that is asked for")
REFUSED_BY_RULE = ProblemKind(422, "refused-by-rule", "The request has its form, and a rule beyond it refuses it")
UNAVAILABLE = ProblemKind(503, "unavailable", "Something that this needs is away; try again")
FAULT = ProblemKind(500, "fault", "Something went wrong here; it has been logged")


class Problem(Exception):
    """An error for the caller. `title` stands in place of the kind's own, where it can say more."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        title: str = "",
        **members: Any,
    ) -> None:
        self.kind, self.title, self.detail = kind, title or kind.title, detail
        super().__init__(self.title)
        self.headers, self.members = dict(headers or {}), members

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.kind.status

    def document(self) -> dict[str, Any]:
        """The problem document."""
        body = {"type": self.kind.type, "title": self.title, "status": self.status}
        return body | ({"detail": self.detail} if self.detail else {}) | self.members

    def response(self) -> JSONResponse:
        """The answer that carries the document."""
        return JSONResponse(self.document(), self.status, self.headers, media_type=PROBLEM_JSON)


def not_found(what: str) -> Problem:
    """Nothing of this kind has the name that was asked for; the answer does not repeat the name."""
    return Problem(NOT_FOUND, title=f"There is no such {what}")


def http_problem(error: HTTPException) -> Problem:
    """What the framework refuses by a status alone: an unknown path, another method."""
    title = HTTPStatus(error.status_code).phrase
    return Problem(ProblemKind(error.status_code, title.lower().replace(" ", "-"), title), headers=error.headers)


def validation_problem(error: RequestValidationError) -> Problem:
    """What a request lacks, fault by fault and without the values.

    `invalid` is what the document's schema refuses too. Where nothing but our own validators refuses it, whose
    `ValueError` says a rule that no schema can, it is `refused-by-rule`.
    """
    errors = error.errors()
    # A list all of whose items are refused is too short as well for pydantic, which says it of no fault of its own.
    found = [
        fault
        for fault in errors
        if fault["type"] != "too_short" or not any(_is_within(other["loc"], fault["loc"]) for other in errors)
    ]
    faults = [
        {"where": "/".join(str(part) for part in fault["loc"]), "what": fault["msg"].removeprefix("Value error, ")}
        for fault in found[:_MOST_ERRORS]
    ]
    is_of_its_form = all(fault["type"] == "value_error" for fault in found)
    return Problem(REFUSED_BY_RULE if is_of_its_form else INVALID, errors=faults)


def _is_within(place: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def fault_problem(request: Request, error: Exception) -> Problem:
    """A fault of ours: 503 for what passes by itself, 500 for what does not; it is logged here."""
    if is_transient(error):
        log.warning("not available", action="unavailable", error=str(error))
        return Problem(UNAVAILABLE, headers={"Retry-After": "2"})
    log.error("a request failed", action="request_failed", path=request.state.shown_path, exc_info=error)
    return Problem(FAULT)


async def answer_problem(_: Request, error: Problem) -> Response:
    """FastAPI's handler for `Problem`."""
    return error.response()


async def answer_http_exception(_: Request, error: HTTPException) -> Response:
    """FastAPI's handler for what the framework refuses."""
    return http_problem(error).response()


async def answer_validation_error(_: Request, error: RequestValidationError) -> Response:
    """FastAPI's handler for a request that is not of its form."""
    return validation_problem(error).response()
