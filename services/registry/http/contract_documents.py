"""The contracts over HTTP: what `dataschema` names is served here, under the same path, and nothing from outside."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

import contracts
from services.plumbing.http.content_type import JSON
from services.plumbing.http.etags import tagged
from services.plumbing.http.problem_documents import problems
from services.plumbing.http.problems import NOT_FOUND, Problem

FOLDER = Path(contracts.__file__).parent

SCHEMA_JSON, YAML = "application/schema+json", "application/yaml"
"""Media types of JSON Schema (2020-12 core, 14) and of YAML (RFC 9512)."""

KEPT = "public, max-age=3600"
"""An hour: within its version a document gains what readers bear, and nothing else."""


def read_routes(folder: Path = FOLDER) -> APIRouter:
    """What everybody may read, without a key."""
    router = APIRouter()
    documents = _documents(folder)
    endings = {path: ending for path in documents if (ending := _ending(path, documents))}

    def answer(request: Request, path: str, media_type: str) -> Response:
        if (body := documents.get(path)) is None:
            raise Problem(NOT_FOUND)
        return tagged(request, body, media_type, kept=KEPT, more=endings.get(path))

    @router.get(
        "/contracts/schemas/{name}",
        operation_id="read_schema",
        responses={**_served(SCHEMA_JSON, "A JSON Schema 2020-12."), **problems(404)},
        response_class=Response,
    )
    async def read_schema(request: Request, name: str) -> Response:
        """The schema of an event, such as `status-changed.v1.json`: what its `dataschema` names."""
        return answer(request, f"schemas/{name}", SCHEMA_JSON)

    @router.get(
        "/contracts/examples/{name}",
        operation_id="read_example",
        responses={**_served(JSON, "A record, with headers, key and value."), **problems(404)},
        response_class=Response,
    )
    async def read_example(request: Request, name: str) -> Response:
        """A golden record of an event, as it stands on its topic."""
        return answer(request, f"examples/{name}", JSON)

    @router.get(
        "/contracts/cards",
        operation_id="read_cards",
        responses=_served(JSON, "The cards, one for each topic.", {"type": "array", "items": {"type": "object"}}),
        response_class=Response,
    )
    async def read_cards(request: Request) -> Response:
        """The card of each topic: who writes and reads it, its key, its partitions, how long records are kept."""
        return answer(request, "cards.json", JSON)

    @router.get(
        "/contracts/asyncapi.yaml",
        operation_id="read_asyncapi",
        responses=_served(YAML, "An AsyncAPI 3 document."),
        response_class=Response,
    )
    async def read_asyncapi(request: Request) -> Response:
        """All topics as one AsyncAPI document; the schemas that it refers to are served beside it."""
        return answer(request, "asyncapi.yaml", YAML)

    @router.get(
        "/contracts/openapi/{name}",
        operation_id="read_openapi",
        responses={**_served(JSON, "An OpenAPI 3.1 document."), **problems(404)},
        response_class=Response,
    )
    async def read_openapi(request: Request, name: str) -> Response:
        """The OpenAPI document of a service, such as `registry.json`."""
        return answer(request, f"openapi/{name}", JSON)

    return router


def _documents(folder: Path) -> Mapping[str, bytes]:
    """Every document by its path; they are part of the code, and are read once."""
    groups = ("schemas/*.json", "examples/*.json", "openapi/*.json", "cards.json", "asyncapi.yaml")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for pattern in groups for path in folder.glob(pattern)
    }


def _ending(path: str, documents: Mapping[str, bytes]) -> dict[str, str]:
    """How an answer says that its major version has an end: since when, when, and what takes its place.

    Sources: RFC 9745 (`Deprecation`, a date of RFC 9651), RFC 8594 (`Sunset`), RFC 5829 (`successor-version`).
    """
    group, _, name = path.partition("/")
    if group not in ("schemas", "examples"):
        return {}
    schema = "schemas/{}.{}.json".format(*name.split("."))
    cards: list[dict[str, Any]] = json.loads(documents["cards.json"])
    card = next((one for one in cards if one["schema"] == schema), {})
    if not card.get("sunset"):
        return {}
    since, sunset = (
        datetime.combine(date.fromisoformat(card[day]), time(), UTC) for day in ("superseded_since", "sunset")
    )
    event, version = name.split(".")[:2]
    successor = f"/contracts/schemas/{event}.v{int(version[1:]) + 1}.json"
    return {
        "Deprecation": f"@{int(since.timestamp())}",
        "Sunset": format_datetime(sunset, usegmt=True),
        "Link": f'<{successor}>; rel="successor-version"',
    }


def _served(media_type: str, what: str, schema: Mapping[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": dict(schema or {"type": "object"})}}
    return {200: {"description": what, "content": content}, 304: {"description": "Nothing has changed."}}
