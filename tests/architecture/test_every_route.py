"""What holds of every route of every service, whoever wrote it: bodies, methods, redirects, pages."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from services.plumbing.http.route_table import PlacedRoute, RouteTable
from services.plumbing.strict_json import DEEPEST
from tests.architecture.applications import applications

ROUTES = [
    pytest.param(service, route, id=f"{service} {' '.join(sorted(route.methods))} {route.template}")
    for service, app in applications().items()
    for route in RouteTable(app).routes
]
WRITING = [one for one in ROUTES if one.values[1].methods & {"POST", "PUT", "PATCH"}]  # type: ignore[union-attr]  # pytest's values
READING = [one for one in ROUTES if "GET" in one.values[1].methods]  # type: ignore[union-attr]  # pytest's values
TAKING_JSON = [one for one in WRITING if "application/json" in one.values[1].accepted_body.media_types]  # type: ignore[union-attr]  # pytest's values
JSON = {"content-type": "application/json"}


def values(parameters: Any) -> tuple[str, PlacedRoute]:
    """What pytest was given of a route."""
    service, route = parameters.values
    return service, route


def at(route: PlacedRoute) -> str:
    """An address of a route: something in place of each parameter."""
    return "/".join("x" if "{" in part else part for part in route.template.split("/"))


@pytest.fixture(scope="module")
def clients() -> dict[str, httpx.AsyncClient]:
    return {
        service: httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://evil.example")
        for service, app in applications().items()
    }


async def send(client: httpx.AsyncClient, route: PlacedRoute, body: bytes, **headers: str) -> tuple[int, str]:
    (method,) = route.methods & {"POST", "PUT", "PATCH"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.request(method, at(route), content=body, headers=named)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


@pytest.mark.parametrize(("service", "route"), WRITING)
@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "text/html", "application/jsonp", "application/json, text/plain", "*/*", "json"]
)
async def test_a_body_of_another_type_is_refused_alike(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute, media_type: str
) -> None:
    headers = {"content_type": media_type} if media_type else {}
    refused = await send(clients[service], route, b'{"a": 1}', **headers)
    assert refused == (415, "/problems/media-type")


@pytest.mark.parametrize(("service", "route"), WRITING)
async def test_a_body_in_another_encoding_is_refused_alike(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    media_type = route.accepted_body.media_types[0]
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        refused = await send(clients[service], route, '{"a": "ü"}'.encode(encoding), content_type=media_type)
        assert refused == (415, "/problems/encoding"), encoding
    latin = await send(clients[service], route, b"{}", content_type=f"{media_type}; charset=latin-1")
    coded = await send(clients[service], route, b"{}", content_type=media_type, content_encoding="gzip")
    assert (latin, coded) == ((415, "/problems/encoding"), (415, "/problems/content-coding"))


AMBIGUOUS = {
    b'{"a": 1, "a": 2}': "duplicate-key",
    b'{"a": [{"b": 1, "\\u0062": 2}]}': "duplicate-key",
    b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1): "too-deep",
    b"[" * 100_000: "too-deep",
    b"NaN": "not-json",
    b'{"a": -Infinity}': "not-json",
    b'{"a": 1e400}': "not-json",
    b'{"a": ' + b"9" * 5000 + b"}": "not-json",
    b'{"a": "\\ud800"}': "not-json",
    b'{"\\udfff": 1}': "not-json",
    b'{"a": "\xff"}': "not-json",
    b"{'a': 1}": "not-json",
    b"{} {}": "not-json",
    b" ": "not-json",
    b'"' + b'\\"' * 50_000: "not-json",
}


@pytest.mark.parametrize(("service", "route"), TAKING_JSON)
async def test_json_that_could_be_read_in_two_ways_is_refused_alike(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    for body, kind in AMBIGUOUS.items():
        refused = await send(clients[service], route, body, content_type="application/json")
        assert refused == (400, f"/problems/{kind}"), body[:40]


@pytest.mark.parametrize(("service", "route"), [one for one in WRITING if one.values[1].accepted_body.is_required])  # type: ignore[union-attr]  # pytest's values
async def test_an_empty_body_is_refused_alike(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    media_type = route.accepted_body.media_types[0]
    assert await send(clients[service], route, b"", content_type=media_type) == (400, "/problems/empty-body")
    assert await send(clients[service], route, b"") == (415, "/problems/media-type")


@pytest.mark.parametrize(("service", "route"), WRITING)
async def test_a_header_that_has_one_value_may_not_stand_twice(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    (method,) = route.methods & {"POST", "PUT", "PATCH"}
    for name in ("content-type", "content-encoding", "authorization", "idempotency-key"):
        answer = await clients[service].request(method, at(route), content=b"{}", headers=[(name, "a"), (name, "b")])
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/repeated-header"), name


@pytest.mark.parametrize(("service", "route"), ROUTES)
async def test_an_address_that_could_be_read_in_two_ways_is_refused_alike(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    """
    A parameter twice, bytes that are no UTF-8, a slash in an id's place or a line end behind the path.
    """
    method = min(route.methods - {"HEAD"})
    for query in ("limit=1&limit=2", "x=&x=", "a=1&%61=2", "q=%ff", "%c3=1"):
        answer = await clients[service].request(method, f"{at(route)}?{query}")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/ambiguous-query"), query
    for path in (f"{at(route)}%2fx", f"{at(route)}%2F", f"{at(route)}%0a", f"{at(route)}%00"):
        assert (await clients[service].request(method, path)).status_code == 404, path


@pytest.mark.parametrize(("service", "route"), READING)
async def test_a_number_is_written_in_digits(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    operation = applications()[service].openapi()["paths"].get(route.template, {}).get("get", {})
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["schema"].get("type") == "integer":
            for written in ("1_0", "%201", "%2b1", "1.0", "1e1", "%d9%a3", ""):
                answer = await clients[service].get(f"{at(route)}?{parameter['name']}={written}")
                assert answer.status_code in (401, 422), written
    if service == "scheduler" and route.template == "/reminders/{id_}/explanation":
        assert (await clients[service].get("/reminders/1_0/explanation")).status_code == 422


@pytest.mark.parametrize(("service", "route"), [one for one in READING if "{token}" in one.values[1].template])  # type: ignore[union-attr]  # pytest's values
async def test_no_cache_keeps_what_is_at_a_secret_address(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    for path in (at(route), f"{at(route)}?a=1&a=2"):
        assert (await clients[service].get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("service", "route"), ROUTES)
async def test_no_answer_leads_to_the_host_that_was_named(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    named = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"}
    for path in (at(route) + "/", at(route).rstrip("/") + "//", "/" + at(route)):
        answer = await clients[service].request(min(route.methods - {"HEAD"}), path, headers=named | JSON)
        assert not 300 <= answer.status_code < 400, path
        assert "evil.example" not in answer.text and "evil.example" not in str(answer.headers), path


@pytest.mark.parametrize(("service", "route"), ROUTES)
async def test_what_a_path_allows_is_said_in_full(
    clients: dict[str, httpx.AsyncClient], service: str, route: PlacedRoute
) -> None:
    fitting = [other for of, other in map(values, ROUTES) if of == service and other.pattern.match(at(route))]
    # A path that stands in the document as it is hides those with parameters.
    here = [other for other in fitting if other.template == at(route)] or fitting
    known = {method for other in here for method in other.methods}
    allow = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))
    refused = await clients[service].request("PROPFIND", at(route))
    asked = await clients[service].request("OPTIONS", at(route))
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        assert (await clients[service].request(method, at(route), headers=JSON)).status_code == 405, method
    assert (refused.status_code, refused.headers["allow"]) == (405, allow)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")


def test_no_service_serves_a_viewer_of_its_document_that_loads_scripts_from_elsewhere() -> None:
    served = {route.values[1].template for route in ROUTES}  # type: ignore[union-attr]  # pytest's values
    assert not {path for path in served if "docs" in path or "redoc" in path}
    assert "/openapi.json" in served


def pages() -> Iterator[str]:
    """Addresses that answer with HTML although nothing is connected."""
    yield from ("/nowhere", "/live", "/commitments/No Id")


async def test_every_page_says_what_it_may_load(clients: dict[str, httpx.AsyncClient]) -> None:
    for path in pages():
        answer = await clients["portal"].get(path, headers={"accept": "text/html"})
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"], path


async def test_a_document_is_json(clients: dict[str, httpx.AsyncClient]) -> None:
    for client in clients.values():
        answer = await client.get("/openapi.json")
        head = await client.head("/openapi.json")
        assert json.loads(answer.content)["openapi"].startswith("3.1")
        assert (head.status_code, head.content, head.headers["content-length"]) == (
            200,
            b"",
            answer.headers["content-length"],
        )
