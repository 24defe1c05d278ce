"""Errors for callers, as RFC 9457 has them: one class, one media type, and one value for each kind of problem.

How the OpenAPI documents say them is in `problem_documents.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from services.plumbing.http.answer_language import kept_language
from services.plumbing.http.faults import Fault, faults_of, is_of_its_form
from services.plumbing.logs import log
from services.plumbing.sentences import Sentence, Translate, said
from services.plumbing.transient_errors import is_transient

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem: what is raised and what the documents say are one value, so that they can't differ."""

    status: int
    name: str
    """The last part of the problem's type; it never changes."""
    title: Sentence
    """For people: what is the matter, whatever the request was."""

    @property
    def type(self) -> str:
        """The problem's type (RFC 9457, 3.1.1): an address relative to the interface."""
        return f"/problems/{self.name}"


UNAUTHORIZED = ProblemKind(401, "unauthorized", Sentence("Send a valid API key: `Authorization: Bearer …`"))
FORBIDDEN = ProblemKind(403, "forbidden", Sentence("This key has none of the roles that may do this"))
NOT_FOUND = ProblemKind(404, "not-found", Sentence("There is no such thing"))
INVALID = ProblemKind(422, "invalid", Sentence("The request does not have the form that is asked for"))
REFUSED_BY_RULE = ProblemKind(
    422, "refused-by-rule", Sentence("The request has its form, and a rule beyond it refuses it")
)
UNAVAILABLE = ProblemKind(503, "unavailable", Sentence("Something that this needs is away; try again"))
METHOD_NOT_ALLOWED = ProblemKind(405, "method-not-allowed", Sentence("What is here does not take this method"))
FAULT = ProblemKind(500, "fault", Sentence("Something went wrong here; it has been logged"))

_BY_STATUS = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED)}


class Problem(Exception):
    """An error for the caller. `title` stands in place of the kind's own, where it can say more.

    `faults` are what it lies in, part by part; they stand in the document's `errors`.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: Sentence | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        title: Sentence | None = None,
        faults: Sequence[Fault] = (),
        **members: Any,
    ) -> None:
        self.kind, self.title, self.detail = kind, title or kind.title, detail
        super().__init__(self.title)
        self.headers, self.faults, self.members = dict(headers or {}), tuple(faults), members

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.kind.status

    def document(self, translate: Translate = str) -> dict[str, Any]:
        """The problem document, what is for people in the language of the translation."""
        body = {"type": self.kind.type, "title": said(self.title, translate), "status": self.status}
        if self.detail:
            body["detail"] = said(self.detail, translate)
        if self.faults:
            body["errors"] = [fault.document(translate) for fault in self.faults]
        return body | self.members

    def response(self, scope: Scope) -> JSONResponse:
        """The answer that carries the document, in the language of the request."""
        tag, translate = kept_language(scope)
        headers = {"Content-Language": tag, "Vary": "Accept-Language"} | self.headers
        return JSONResponse(self.document(translate), self.status, headers, media_type=PROBLEM_JSON)


def not_found(title: Sentence) -> Problem:
    """Nothing has the name that was asked for; the answer does not repeat the name."""
    return Problem(NOT_FOUND, title=title)


def http_problem(error: HTTPException) -> Problem:
    """What the framework refuses by a status alone: an unknown path, another method."""
    phrase = HTTPStatus(error.status_code).phrase
    kind = _BY_STATUS.get(error.status_code) or ProblemKind(
        error.status_code, phrase.lower().replace(" ", "-"), Sentence(phrase)
    )
    return Problem(kind, headers=error.headers)


def validation_problem(error: RequestValidationError) -> Problem:
    """What a request lacks, fault by fault and without the values.

    `invalid` is what the document's schema refuses too. Where nothing but our own validators refuses it, whose
    `ValueError` says a rule that no schema can, it is `refused-by-rule`.
    """
    return Problem(REFUSED_BY_RULE if is_of_its_form(error) else INVALID, faults=faults_of(error))


def fault_problem(request: Request, error: Exception) -> Problem:
    """A fault of ours: 503 for what passes by itself, 500 for what does not; it is logged here."""
    if is_transient(error):
        log.warning("not available", action="unavailable", error=str(error))
        return Problem(UNAVAILABLE, headers={"Retry-After": "2"})
    log.error("a request failed", action="request_failed", path=request.state.shown_path, exc_info=error)
    return Problem(FAULT)


async def answer_problem(request: Request, error: Problem) -> Response:
    """FastAPI's handler for `Problem`."""
    return error.response(request.scope)


async def answer_http_exception(request: Request, error: HTTPException) -> Response:
    """FastAPI's handler for what the framework refuses."""
    return http_problem(error).response(request.scope)


async def answer_validation_error(request: Request, error: RequestValidationError) -> Response:
    """FastAPI's handler for a request that is not of its form."""
    return validation_problem(error).response(request.scope)
