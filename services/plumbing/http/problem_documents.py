"""How an OpenAPI document says errors: by status, and in each status the kinds of problem that a caller may meet.

FastAPI would promise them as its own kind of application/json.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from services.plumbing.http.api_keys import TOO_MANY_WRONG_KEYS
from services.plumbing.http.body_limits import EVENT_TOO_LARGE, REPEATED_HEADER, TOO_LARGE, TOO_SLOW
from services.plumbing.http.content_type import BODY_TYPES, EMPTY_BODY, JSON, UNREADABLE_JSON
from services.plumbing.http.etags import CHANGED, IF_MATCH, MALFORMED_CONDITION, NO_VERSION
from services.plumbing.http.faults import MOST_FAULTS
from services.plumbing.http.idempotency import IDEMPOTENCY_KEY, KEY_PROBLEMS
from services.plumbing.http.problems import (
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    PROBLEM_JSON,
    REFUSED_BY_RULE,
    UNAUTHORIZED,
    UNAVAILABLE,
    ProblemKind,
)
from services.plumbing.http.request_limits import TOO_MANY_REQUESTS
from services.plumbing.http.request_target import AMBIGUOUS_QUERY, UNKNOWN_PARAMETER

PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An error, as RFC 9457 has it; further members depend on its type.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Its kind, which never changes."},
        "title": {
            "type": "string",
            "description": "What is the matter, for people, in the language that `Accept-Language` asks for where it is"
            " one of ours; `Content-Language` says which it is.",
        },
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is the matter with this request."},
        "errors": {
            "type": "array",
            "description": "Each fault, without the value, where it lies in one place.",
            "maxItems": MOST_FAULTS,
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "pattern": "^#(/.*)?$",
                        "description": "Where in the body: a JSON pointer as a fragment (RFC 6901, 6).",
                    },
                    "parameter": {"type": "string", "description": "The parameter of the path or the query."},
                    "header": {"type": "string", "description": "The header."},
                    "code": {"type": "string", "description": "What is wrong, for programs; it never changes."},
                    "detail": {"type": "string", "description": "What is wrong, for people."},
                },
                "oneOf": [{"required": ["pointer"]}, {"required": ["parameter"]}, {"required": ["header"]}],
            },
        },
    },
}
"""The component `Problem` of every OpenAPI document here."""

_USUAL: Mapping[int, tuple[ProblemKind, ...]] = {
    401: (UNAUTHORIZED,),
    403: (FORBIDDEN,),
    404: (NOT_FOUND,),
    422: (INVALID,),
    503: (UNAVAILABLE,),
}
_KINDS = "x-problem-kinds"
"""Where a response keeps its kinds until the document is put together."""


def problems(*answers: int | ProblemKind) -> dict[int | str, dict[str, Any]]:
    """How a route's document shows errors: of some statuses by their usual kind, and by kinds of the route's own."""
    kinds = [kind for answer in answers for kind in (_USUAL[answer] if isinstance(answer, int) else (answer,))]
    return {status: {_KINDS: chosen} for status, chosen in _by_status(kinds).items()}


def add_problem_schema(app: FastAPI) -> None:
    """Let the application's document have the component `Problem`, and every operation the problems of the door.

    Whoever wrote a route: what the door refuses is decided for all of them, and so is what the document says of it.
    """
    written = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = written()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = dict(PROBLEM_SCHEMA)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for operations in document.get("paths", {}).values():
            for method, operation in operations.items():
                operation.setdefault("security", [])  # whoever needs no key is told so
                if method == "get" and JSON in operation["responses"].get("200", {}).get("content", {}):
                    operation["responses"].setdefault("304", {"description": "It is as you have it (`If-None-Match`)"})
                _say_problems(method, operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it


def _say_problems(method: str, operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    if "422" in responses and _KINDS not in responses["422"]:
        responses["422"] = {_KINDS: {INVALID.name: INVALID.title}}
    for status, kinds in _by_status(_door_kinds(method, operation)).items():
        said = responses.setdefault(str(status), {}).setdefault(_KINDS, {})
        responses[str(status)][_KINDS] = kinds | said
    for status, response in responses.items():
        if kinds := response.pop(_KINDS, None):
            responses[status] = _response(int(status), kinds)
    operation["responses"] = dict(sorted(responses.items()))


def _door_kinds(method: str, operation: Mapping[str, Any]) -> Iterable[ProblemKind]:
    """What the door itself answers to an operation, before or in place of its route."""
    yield AMBIGUOUS_QUERY
    yield UNKNOWN_PARAMETER
    yield REPEATED_HEADER
    yield NO_VERSION
    if _takes(IF_MATCH, operation):
        yield from (CHANGED, MALFORMED_CONDITION)
    yield UNAVAILABLE
    yield TOO_MANY_REQUESTS
    if operation["security"]:
        yield TOO_MANY_WRONG_KEYS
    if _takes(IDEMPOTENCY_KEY, operation):
        yield from KEY_PROBLEMS
    if method == "get":
        return
    # A body that nobody asked for is checked as well, as JSON.
    content = operation.get("requestBody", {}).get("content", {JSON: None})
    yield from (TOO_SLOW, TOO_LARGE, EVENT_TOO_LARGE, *BODY_TYPES)
    if operation.get("requestBody", {}).get("required"):
        yield EMPTY_BODY
    if JSON in content:
        yield from UNREADABLE_JSON.values()
    if "requestBody" in operation and JSON in content:
        yield from (INVALID, REFUSED_BY_RULE)


def _takes(header: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    return any(parameter.get("name") == header["name"] for parameter in operation.get("parameters", ()))


def _by_status(kinds: Iterable[ProblemKind]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for kind in kinds:
        found.setdefault(kind.status, {})[kind.name] = kind.title
    return found


def _response(status: int, kinds: Mapping[str, str]) -> dict[str, Any]:
    said = "".join(f"\n- `{name}`: {title}" for name, title in kinds.items())
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"type": {"enum": [f"/problems/{name}" for name in kinds]}, "status": {"const": status}}},
        ]
    }
    return {"description": HTTPStatus(status).phrase + "\n" + said, "content": {PROBLEM_JSON: {"schema": schema}}}
