"""What every service tells a collector that listens: one span a request, its route, and no more of it."""

import httpx2 as httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import generate_latest

from tests.architecture.applications import applications
from tests.architecture.test_every_route import ROUTES, at
from tests.stand_ins.collector import collecting

SECRET = "kLW3Zq-the-rest-of-a-secret"


@pytest.mark.parametrize("service", ["registry", "scheduler", "notifier", "portal"])
async def test_no_span_or_metric_tells_a_path_a_query_a_header_a_body_a_method_or_the_text_of_an_error(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Every route is asked with a secret in each place; nothing is connected, so most of them fail on the way.
    """
    app = applications()[service]
    routes = [one.values[1] for one in ROUTES if one.values[0] == service]  # type: ignore[union-attr]  # pytest's values
    headers = {
        "authorization": f"Bearer {SECRET}",
        "cookie": f"session={SECRET}",
        "referer": f"https://x.example/{SECRET}",
        "user-agent": SECRET,
        "x-correlation-id": SECRET,
        "tracestate": f"k={SECRET}",
        "baggage": f"k={SECRET}",
        "idempotency-key": SECRET,
    }
    body = f'{{"address": "https://x.example/{SECRET}", "{SECRET}": 1}}'.encode()
    kinds = ("application/json", "application/x-www-form-urlencoded")
    requests, statuses = 0, set[int]()
    with collecting(monkeypatch, service) as collector:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            for route in routes:
                if route.template in ("/events", "/readyz"):
                    continue
                path = "/".join(SECRET if "{" in part and len(part) > 1 else part for part in route.template.split("/"))
                for method in (*(route.methods - {"HEAD"}), SECRET):
                    for number, asked in enumerate(
                        (f"{path}?token={SECRET}", f"{path}/{SECRET}", f"/{SECRET}{at(route)}")
                    ):
                        sent = headers | {"content-type": kinds[number % 2]}
                        answer = await client.request(method, asked, headers=sent, content=body)
                        requests += 1
                        statuses.add(answer.status_code)
    spans = collector.spans()
    names = {span.name.partition(" ")[2] for span in spans}
    assert names <= {route.template for route in routes} | {"(unknown path)"}
    assert "(unknown path)" in names and len(names) > 3
    servers = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert len(servers) == requests
    failed = [span for span in servers if span.status.code == span.status.STATUS_CODE_ERROR]
    told = [
        one.value.int_value for span in servers for one in span.attributes if one.key == "http.response.status_code"
    ]
    assert set(told) == statuses
    assert len(failed) == sum(status >= 500 for status in told)
    for said in (*collector.received, generate_latest()):
        assert SECRET[:6].lower().encode() not in said.lower()
