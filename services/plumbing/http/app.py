"""What every HTTP interface here has in common: problems, correlation, limits, health and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from services.plumbing.audit.refused_attempts import NoteRefusal
from services.plumbing.http.answer_language import ChooseLanguage, language_of_code
from services.plumbing.http.body_limits import answer_event_too_large
from services.plumbing.http.problem_documents import add_problem_schema
from services.plumbing.http.problems import (
    Problem,
    answer_http_exception,
    answer_problem,
    answer_validation_error,
)
from services.plumbing.http.request_context import RequestContext
from services.plumbing.outbox import EventTooLarge

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, or None; may raise, which is wrong too."""


def web_app(
    service: str,
    title: str,
    checks: Mapping[str, Check],
    *,
    languages: ChooseLanguage = language_of_code,
    facts: Mapping[str, Any] | None = None,
    note_refusal: NoteRefusal | None = None,
    **options: Any,
) -> FastAPI:
    """A FastAPI application with problems, `/livez`, `/readyz` and `/metrics`; routes are added by its owner.

    `facts` stand beside the checks in the answer of `/readyz`, such as the release of data that is reckoned with;
    one that changes is given as a function. `note_refusal` is told of what is refused to who may come in.
    `languages` says in which language problems are told, and how; without it all are in English.
    Its document is at `/openapi.json`.
    """
    app = FastAPI(
        title=title,
        # A redirect would lead to the host that the request names, and to http where a proxy ends TLS.
        redirect_slashes=False,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        # FastAPI's own traces, metrics and logs tell the whole path, secrets and all.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        **options,
    )
    app.add_exception_handler(Problem, answer_problem)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_exception_handler(HTTPException, answer_http_exception)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_exception_handler(RequestValidationError, answer_validation_error)  # type: ignore[arg-type]  # Starlette types all handlers by Exception
    app.add_exception_handler(EventTooLarge, answer_event_too_large)
    add_problem_schema(app)
    app.add_middleware(RequestContext, application=app, languages=languages, note_refusal=note_refusal)

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
            **{name: fact() if callable(fact) else fact for name, fact in (facts or {}).items()},
        }
        return JSONResponse(body, status, {"Retry-After": "1"} if wrong else {})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


async def _checked(check: Check) -> str | None:
    try:
        async with asyncio.timeout(3):
            return await check()
    except TimeoutError:
        return "no answer within 3 s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
