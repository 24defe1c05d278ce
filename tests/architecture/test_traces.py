"""What every service tells a collector that listens: routes, and nothing of what stands in a request."""

import httpx2 as httpx
import pytest

from tests.architecture.applications import applications
from tests.architecture.test_every_route import ROUTES, at
from tests.stand_ins.collector import collecting

SECRET = "kLW3Zq-the-rest-of-a-secret"


@pytest.mark.parametrize("service", ["registry", "scheduler", "notifier", "portal"])
async def test_no_span_tells_a_path_a_query_a_header_or_the_text_of_an_error(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Every route is asked with a secret in each parameter; nothing is connected, so most of them fail on the way.
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
    }
    with collecting(monkeypatch, service) as collector:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            for route in routes:
                if route.template in ("/events", "/readyz"):
                    continue
                path = "/".join(SECRET if "{" in part and len(part) > 1 else part for part in route.template.split("/"))
                for method in route.methods - {"HEAD"}:
                    for asked in (f"{path}?token={SECRET}", f"{path}/{SECRET}", f"/{SECRET}{at(route)}"):
                        await client.request(method, asked, headers=headers)
    names = {span.name.partition(" ")[2] for span in collector.spans()}
    assert names <= {route.template for route in routes} | {"(unknown path)"}
    assert "(unknown path)" in names and len(names) > 3
    assert not [body for body in collector.received if SECRET[:6].encode() in body]
