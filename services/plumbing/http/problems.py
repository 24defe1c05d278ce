"""Errors for callers, as RFC 9457 has them: one class, one media type, one way into the OpenAPI documents."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

PROBLEM_JSON = "application/problem+json"
_MOST_ERRORS = 20
"""Faults of one body that its problem lists."""


class Problem(Exception):
    """An error for the caller.

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
        return JSONResponse(body | self.members, self.status, self.headers, media_type=PROBLEM_JSON)


def not_found(what: str) -> Problem:
    """Nothing of this kind has the name that was asked for; the answer does not repeat the name."""
    return Problem(404, "not-found", f"There is no such {what}")


PROBLEM_SCHEMA: Mapping[str, Any] = {
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
"""The component `Problem` of every OpenAPI document here."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route's document shows errors: FastAPI would promise them as its own kind of application/json."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in statuses
    }


def add_problem_schema(app: FastAPI) -> None:
    """Let the application's document have the component `Problem`, and every operation the problems of the door.

    Whoever wrote a route: a repeated header is answered with 400, a body with 408, 413 or 415, what has not its form
    with 422; FastAPI would promise that as another kind of JSON.
    """
    written = app.openapi

    def openapi() -> dict[str, Any]:
        document = written()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = dict(PROBLEM_SCHEMA)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for operations in document.get("paths", {}).values():
            for operation in operations.values():
                _add_door_problems(operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it


def _add_door_problems(operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    if "422" in responses and PROBLEM_JSON not in responses["422"].get("content", {}):
        del responses["422"]
        responses.update(_by_text(problems(422)))
    answered = (400, 408, 413, 415) if "requestBody" in operation else (400,)
    for status, response in _by_text(problems(*answered)).items():
        responses.setdefault(status, response)
    operation["responses"] = dict(sorted(responses.items()))


def _by_text(responses: Mapping[int | str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(status): response for status, response in responses.items()}


def http_problem(error: HTTPException) -> Problem:
    """What the framework refuses by a status alone: an unknown path, another method."""
    title = HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, title.lower().replace(" ", "-"), title, headers=error.headers)


def validation_problem(error: RequestValidationError) -> Problem:
    """What a request lacks of the form that is asked for, fault by fault and without the values."""
    faults = [
        {"where": "/".join(str(part) for part in fault["loc"]), "what": fault["msg"]}
        for fault in error.errors()[:_MOST_ERRORS]
    ]
    return Problem(422, "invalid", "The request does not have the form that is asked for", errors=faults)


def fault_problem(request: Request, error: Exception) -> Problem:
    """A fault of ours: 503 for what passes by itself, 500 for what does not; it is logged here."""
    if is_transient(error):
        log.warning("not available", action="unavailable", error=str(error))
        return Problem(503, "unavailable", "Something that this needs is away; try again", headers={"Retry-After": "2"})
    log.error("a request failed", action="request_failed", path=request.state.shown_path, exc_info=error)
    return Problem(500, "fault", "Something went wrong here; it has been logged")


async def answer_problem(_: Request, error: Problem) -> Response:
    """FastAPI's handler for `Problem`."""
    return error.response()


async def answer_http_exception(_: Request, error: HTTPException) -> Response:
    """FastAPI's handler for what the framework refuses."""
    return http_problem(error).response()


async def answer_validation_error(_: Request, error: RequestValidationError) -> Response:
    """FastAPI's handler for a request that is not of its form."""
    return validation_problem(error).response()
