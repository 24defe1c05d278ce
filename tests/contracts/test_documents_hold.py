"""What our OpenAPI documents promise holds: Schemathesis asks each operation of each service, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from services.notifier.application import http_app as notifier_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.migrations import VERSIONS as NOTIFIER
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings, new_key
from services.registry.http.app import http_app as registry_app
from services.registry.migrations import VERSIONS as REGISTRY
from services.scheduler.migrations import VERSIONS as SCHEDULER
from tests.architecture.applications import applications
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import DESTINATIONS, TOKENS
from tests.portal.serving import Served
from tests.scheduler.serving import app_of

EXAMPLES = 2
"""Drawn for each operation and kind of data, besides those that go to the edges of each schema."""
STREAMS = {"/events"}
"""What has no end, and would be waited for; `tests/portal/test_stream.py` reads it."""
ROLES = ["editor", "reporter", "subscriber", "operator", "holder"]
LONGEST_DRAWN = 5000
"""Characters: Hypothesis takes minutes to draw a longer text, so that bounds beyond it are not gone to here."""


def drawable(schema: Any) -> Any:
    """A document without the bounds that Hypothesis can't reach."""
    if isinstance(schema, list):
        return [drawable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    is_out_of_reach = isinstance(longest := schema.get("maxLength"), int) and longest > LONGEST_DRAWN
    return {name: drawable(one) for name, one in schema.items() if not (is_out_of_reach and name == "maxLength")}


DOCUMENTS = {service: drawable(app.openapi()) for service, app in applications().items()}
OPERATIONS = [
    (service, method, path)
    for service, document in DOCUMENTS.items()
    for path, operations in document["paths"].items()
    for method in operations
    if path not in STREAMS
]
CONFIG = SchemathesisConfig.from_dict(
    {
        # The door counts bytes, the schema characters, so that what is too long may be too large first.
        "checks": {"negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "413", "415", "422"]}},
        "generation": {"deterministic": True, "database": "none"},
    }
)
load_all_checks()
CHECKED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    )
]


@dataclass(frozen=True)
class Asked:
    """Where the services answer, and the key of somebody who may do everything."""

    urls: dict[str, str]
    key: str


@pytest.fixture(scope="module")
async def asked(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    url = await fresh_database({"registry": REGISTRY, "scheduler": SCHEDULER, "notifier": NOTIFIER})
    database = {
        service: Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), service)
        for service in ("registry", "scheduler", "notifier")
    }
    key, digest = new_key("all")
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_text(json.dumps({"all": {"sha256": digest, "ministry": None, "roles": ROLES}}))
    apps = {
        "registry": registry_app(database["registry"], SystemClock(), keys_in(file), {}),
        "scheduler": app_of(database["scheduler"], SystemClock(), keys_file=file),
        "notifier": notifier_app(
            database["notifier"],
            SystemClock(),
            keys_in(file),
            {},
            links=links(),
            tokens=TOKENS,
            destinations=DESTINATIONS,
            allowed=AllowList.of(["127.0.0.1"]),
        ),
    }
    with ExitStack() as serving:
        served = {service: serving.enter_context(Served(app)) for service, app in apps.items()}
        for service, opened in database.items():
            served[service].run(opened.open())
        await asyncio.to_thread(take_in, served["registry"].url, key)
        yield Asked({service: one.url for service, one in served.items()}, key)
        for service, opened in database.items():
            served[service].run(opened.close())


def take_in(registry: str, key: str) -> None:
    """The statement, so that lists and records have something in them."""
    headers = {"Authorization": f"Bearer {key}"}
    requests.post(
        f"{registry}/statements/import", json={"catalogue": "nals-2021"}, headers=headers, timeout=60
    ).raise_for_status()


def keys_in(file: Path) -> ApiKeys:
    return ApiKeys(ApiKeySettings(file=file))


def operation_of(service: str, method: str, path: str) -> APIOperation:
    return schemathesis.openapi.from_dict(DOCUMENTS[service], config=CONFIG)[path][method]


def has_the_form(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE


@pytest.mark.slow
@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS, ids=lambda part: part)
def test_an_operation_keeps_what_its_document_says(asked: Asked, service: str, method: str, path: str) -> None:
    """
    Each answer is of a status, media type and form that the document names, and each problem of a kind that it names
    for the status. What violates the schema is refused; what has the schema's form is never told otherwise.
    """
    operation = operation_of(service, method, path)
    headers = {"Authorization": f"Bearer {asked.key}"}
    modes = [GenerationMode.NEGATIVE, GenerationMode.POSITIVE]

    with requests.Session() as session:

        def ask(case: Case) -> None:
            answer = case.call(asked.urls[service], session=session, headers=headers, timeout=20)
            case.validate_response(answer, checks=CHECKED, headers=headers)
            if has_the_form(case) and 400 <= answer.status_code < 500 and case.method == method.upper():
                assert answer.json()["type"] not in ("/problems/invalid", "/problems/not-json"), answer.text

        edges = operation.schema.iter_coverage_cases(
            operation, generation_modes=modes, generation_config=operation.schema.config.generation_for()
        )
        for case in edges:
            ask(case)
        for mode in modes:
            drawn = hypothesis.given(case=operation.as_strategy(mode))(ask)
            settings = hypothesis.settings(
                derandomize=True,
                database=None,
                max_examples=EXAMPLES,
                suppress_health_check=list(hypothesis.HealthCheck),
                phases=[hypothesis.Phase.generate],
            )
            # Where every text is taken, nothing violates the schema.
            with suppress(hypothesis.errors.Unsatisfiable) if mode == GenerationMode.NEGATIVE else nullcontext():
                settings(drawn)()
