"""What every HTTP interface shares, over HTTP, without a database."""

import httpx2 as httpx
import pytest

from services.plumbing.http.app import admin_app, web_app
from services.plumbing.process import AdminSettings
from tests.stand_ins.collector import collecting

SECRET = "kLW3-the-rest-of-a-secret"


async def test_what_is_wrong_is_told_at_the_admin_port_and_to_nobody_else() -> None:
    """
    The public door has a word; names of checks, reasons, facts and metrics are for operators.
    """

    async def broken() -> str:
        return "the database at db.inside:5432 does not answer"

    async def raises() -> None:
        raise ConnectionError("no route to kafka-1.inside")

    async def fine() -> None:
        return None

    checks = {"database": broken, "kafka": raises, "keys": fine}
    public = web_app("registry", "Test", checks, facts={"recovery": lambda: "ok", "zone_data": "2026a"})
    at = httpx.ASGITransport
    async with (
        httpx.AsyncClient(transport=at(app=public), base_url="http://here") as people,
        httpx.AsyncClient(transport=at(app=admin_app(public)), base_url="http://here") as operators,
    ):
        word, details = await people.get("/readyz"), await operators.get("/readyz")
        metrics = [(await one.get("/metrics")).status_code for one in (people, operators)]
        alive = [(await one.get("/livez")).json() for one in (people, operators)]
        document = await operators.get("/openapi.json")

    assert (word.status_code, word.json(), word.headers["retry-after"]) == (503, {"status": "waiting"}, "1")
    assert (details.status_code, details.json()) == (
        503,
        {
            "status": "waiting",
            "checks": {
                "database": "the database at db.inside:5432 does not answer",
                "kafka": "ConnectionError: no route to kafka-1.inside",
                "keys": "ok",
            },
            "recovery": "ok",
            "zone_data": "2026a",
        },
    )
    assert metrics == [404, 200]
    assert alive == [{"status": "alive", "service": "registry"}] * 2
    assert document.status_code == 404


async def test_who_is_ready_says_so_at_both_doors() -> None:
    public = web_app("registry", "Test", {})
    for app in (public, admin_app(public)):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as client:
            answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"], "retry-after" in answer.headers) == (200, "ready", False)


@pytest.mark.parametrize(
    ("settings", "public", "port"),
    [({}, 8000, 8010), ({}, 0, 0), ({}, 65530, 0), ({"port": 9000}, 8000, 9000), ({"port": 0}, 8000, 0)],
)
def test_the_admin_port_stands_ten_above_the_public_one_unless_it_is_set(
    settings: dict[str, int], public: int, port: int
) -> None:
    assert AdminSettings.model_validate(settings).port_beside(public) == port


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
