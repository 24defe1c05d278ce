"""What our OpenAPI documents promise holds: Schemathesis asks each operation of each service, over real HTTP.

Who may do everything goes to the edges of each schema. What is drawn is asked by everybody: without a key, with a key
of each role that there is, and with one of each role that speaks for a ministry.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
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
from services.plumbing.http.api_keys import ApiKeys
from services.registry.http.app import http_app as registry_app
from services.registry.migrations import VERSIONS as REGISTRY
from services.registry.rules.api_keys import ROLES
from services.scheduler.migrations import VERSIONS as SCHEDULER
from tests.architecture.applications import applications
from tests.conftest import FreshDatabase
from tests.notifier.delivery.dispatching import links
from tests.notifier.scenes import ACKNOWLEDGEMENT_TOKENS, DESTINATIONS, PAGES, TOKENS, UNDO_TOKENS
from tests.portal.serving import Served
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

EXAMPLES = 2
"""Drawn for each operation and kind of data, besides those that go to the edges of each schema."""
STREAMS = {"/events"}
"""What has no end, and would be waited for; `tests/portal/test_stream.py` reads it."""
EVERYTHING = "everything"
"""The client that has every role."""
MINISTRY = "mx-sre"
CALLERS = {
    EVERYTHING: list(ROLES),
    **{role: [role] for role in ROLES},
    **{f"{role}-of-{MINISTRY}": [role] for role in ROLES},
}
"""The roles of each client, from the registry's list: a new role is tried by itself."""
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
CHECKED_OF_ALL = [check for check in CHECKED if check.__name__ != "ignored_auth"]


@dataclass(frozen=True)
class Asked:
    """Where the services answer, and what a request of each client carries."""

    urls: dict[str, str]
    headers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
async def asked(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    url = await fresh_database({"registry": REGISTRY, "scheduler": SCHEDULER, "notifier": NOTIFIER})
    database = {
        service: Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), service)
        for service in ("registry", "scheduler", "notifier")
    }
    keys = known_keys(CALLERS, {client: MINISTRY for client in CALLERS if client.endswith(MINISTRY)})
    apps = {
        "registry": registry_app(database["registry"], SystemClock(), keys.keys, {}),
        "scheduler": app_of(database["scheduler"], SystemClock(), keys=keys),
        "notifier": notifier_app(
            database["notifier"],
            SystemClock(),
            keys.keys,
            {},
            links=links(),
            pages=PAGES,
            tokens=TOKENS,
            acknowledgement_tokens=ACKNOWLEDGEMENT_TOKENS,
            undo_tokens=UNDO_TOKENS,
            destinations=DESTINATIONS,
            allowed=AllowList.of(["127.0.0.1"]),
        ),
    }
    with ExitStack() as serving:
        served = {service: serving.enter_context(Served(app)) for service, app in apps.items()}
        for service, opened in database.items():
            served[service].run(opened.open())
        await asyncio.to_thread(take_in, served["registry"].url, keys.header(EVERYTHING))
        headers = {"nobody": {}} | {client: keys.header(client) for client in CALLERS}
        yield Asked({service: one.url for service, one in served.items()}, headers)
        for service, opened in database.items():
            served[service].run(opened.close())


def take_in(registry: str, headers: dict[str, str]) -> None:
    """The statement, so that lists and records have something in them."""
    requests.post(
        f"{registry}/statements/import", json={"catalogue": "nals-2021"}, headers=headers, timeout=60
    ).raise_for_status()


def operation_of(service: str, method: str, path: str) -> APIOperation:
    return schemathesis.openapi.from_dict(DOCUMENTS[service], config=CONFIG)[path][method]


def has_the_form(case: Case) -> bool:
    return (
        case.meta is not None
        and case.meta.generation.mode == GenerationMode.POSITIVE
        # JSON Schema calls 12.0 an integer. We ask for digits, which no schema can say.
        and not any(isinstance(one, float) and one.is_integer() for one in leaves(case.body))
    )


def leaves(value: Any) -> Iterator[Any]:
    """Every value in JSON that holds no others."""
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)
    else:
        yield value


@pytest.mark.slow
@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS, ids=lambda part: part)
def test_an_operation_keeps_what_its_document_says(asked: Asked, service: str, method: str, path: str) -> None:
    """
    Each answer is of a status, media type and form that the document names, and each problem of a kind that it names
    for the status. What violates the schema is refused; what has the schema's form is never told otherwise. That holds
    for everybody: nobody's role brings about a fault of ours, or an answer that the document does not have.
    """
    operation = operation_of(service, method, path)
    modes = [GenerationMode.NEGATIVE, GenerationMode.POSITIVE]

    with requests.Session() as session:

        def ask(case: Case, client: str = EVERYTHING) -> None:
            headers = asked.headers[client]
            answer = case.call(asked.urls[service], session=session, headers=headers, timeout=20)
            # Who may do everything has been asked whether a key that is left out is missed.
            checks = CHECKED if client == EVERYTHING else CHECKED_OF_ALL
            case.validate_response(answer, checks=checks, headers=headers)
            if has_the_form(case) and 400 <= answer.status_code < 500 and case.method == method.upper():
                assert answer.json()["type"] not in ("/problems/invalid", "/problems/not-json"), answer.text

        def ask_as_everybody(case: Case) -> None:
            for client in asked.headers:
                ask(case, client)

        edges = operation.schema.iter_coverage_cases(
            operation, generation_modes=modes, generation_config=operation.schema.config.generation_for()
        )
        for case in edges:
            ask(case)
        for mode in modes:
            drawn = hypothesis.given(case=operation.as_strategy(mode))(ask_as_everybody)
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


def test_every_role_that_a_door_asks_for_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A role that no key can have is a door that nobody can open, and that nobody would try above.
    """
    asked_for: set[str] = set()
    made = ApiKeys.caller

    def noted(keys: ApiKeys, *roles: str) -> Any:
        asked_for.update(roles)
        return made(keys, *roles)

    monkeypatch.setattr(ApiKeys, "caller", noted)
    applications()

    assert asked_for and asked_for <= set(ROLES)
