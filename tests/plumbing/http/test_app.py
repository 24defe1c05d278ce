"""What every HTTP interface shares, over HTTP, without a database."""

import httpx2 as httpx
import pytest

from services.plumbing.http.app import web_app
from tests.stand_ins.collector import collecting

SECRET = "kLW3-the-rest-of-a-secret"


async def test_no_trace_tells_what_stands_behind_a_secret_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A request is one span, under its route without the secret, whether it is answered, unknown or fails.
    """
    app = web_app("scheduler", "Test", {})

    @app.get("/feeds/{token}/calendar.ics")
    async def calendar(token: str) -> dict[str, str]:
        return {"token": token}

    @app.get("/feeds/{token}/broken")
    async def broken(token: str) -> None:
        raise KeyError(token)

    with collecting(monkeypatch, "scheduler") as collector:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            answers = [
                (await client.get(f"/feeds/{SECRET}/{name}?also={SECRET}")).status_code
                for name in ("calendar.ics", "broken", "nothing")
            ]

    assert answers == [200, 500, 404]
    assert [span.name for span in collector.spans()] == [
        "GET /feeds/{token}/calendar.ics",
        "GET /feeds/{token}/broken",
        "GET (unknown path)",
    ]
    assert collector.received
    assert not [body for body in collector.received if SECRET[:4].encode() in body]
