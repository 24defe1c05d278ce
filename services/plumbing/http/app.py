"""What every HTTP interface here has in common: problems, correlation, limits and health."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.plumbing.audit.refused_attempts import NoteRefusal
from services.plumbing.http.answer_language import ChooseLanguage, language_of_code
from services.plumbing.http.body_limits import answer_event_too_large
from services.plumbing.http.health import Check, Health, add_admin_health, add_public_health
from services.plumbing.http.problem_documents import add_problem_schema
from services.plumbing.http.problems import (
    Problem,
    answer_http_exception,
    answer_problem,
    answer_validation_error,
)
from services.plumbing.http.request_context import RequestContext
from services.plumbing.http.request_limits import KeyOf, RequestLimits, RequestLimitSettings
from services.plumbing.outbox import EventTooLarge


def web_app(
    service: str,
    title: str,
    checks: Mapping[str, Check],
    *,
    languages: ChooseLanguage = language_of_code,
    facts: Mapping[str, Any] | None = None,
    note_refusal: NoteRefusal | None = None,
    key_of: KeyOf = lambda _: None,
    **options: Any,
) -> FastAPI:
    """A FastAPI application with problems, `/livez` and `/readyz`; routes are added by its owner.

    `facts` stand beside the checks in what the admin port says at `/readyz`, such as the release of data that is
    reckoned with; one that changes is given as a function. `note_refusal` is told of what is refused to those who may
    come in. `languages` says in which language problems are told, and how; without it all are in English.
    Its document is at `/openapi.json`. `key_of` says whose requests are counted by their key (`limit_requests`).
    """
    app = _application(title, languages, note_refusal, **options)
    app.state.health = Health(service, checks, facts or {})
    add_public_health(app, app.state.health)
    app.state.key_of, app.state.limits = key_of, None
    return app


def limit_requests(served: FastAPI, settings: RequestLimitSettings) -> None:
    """Count the requests that come from now on, by key and by address."""
    served.state.limits = RequestLimits(settings, served.state.key_of)


def admin_app(served: FastAPI) -> FastAPI:
    """What the operators of a service ask beside its public interface: each check, the facts, and the metrics."""
    app = _application(f"{served.title}, for its operators", language_of_code, None, openapi_url=None)
    add_admin_health(app, served.state.health)
    return app


def _application(title: str, languages: ChooseLanguage, note_refusal: NoteRefusal | None, **options: Any) -> FastAPI:
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
    return app
