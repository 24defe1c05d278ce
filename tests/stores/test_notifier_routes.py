"""The notifier over HTTP on a real PostgreSQL: subscriptions, the log, and unsubscribing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest

from services.notifier.addresses import Allowed
from services.notifier.deliveries import Room
from services.notifier.interface import check_secret
from services.notifier.migrations import VERSIONS
from services.notifier.register import Register
from services.notifier.routes import build_http
from services.notifier.store import DeliveryStore
from services.plumbing.api_keys import ApiKeys, ApiKeySettings, new_key
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.conftest import FreshDatabase
from tests.stores.dispatching import links
from tests.stores.notifier_scenes import NO_ROOM, NOW, database_at, empty, heard

HOOK = "http://127.0.0.1:8025/hooks/very-secret-token"


@pytest.fixture(scope="module")
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database({"notifier": VERSIONS})


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = database_at(url)
    await opened.open()
    await empty(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def http(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key of `sre`; the other keys are in its `keys`."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    keys, entries = {}, {}
    for client, roles in (
        ("sre", ["subscriber"]),
        ("gac", ["subscriber"]),
        ("ops", ["subscriber", "operator"]),
        ("dos", ["reporter"]),
    ):
        keys[client], digest = new_key(client)
        entries[client] = {"sha256": digest, "roles": roles}
    (tmp_path / "keys.json").write_text(json.dumps(entries))
    app = build_http(
        Register(database),
        ApiKeys(ApiKeySettings(file=tmp_path / "keys.json")),
        links(),
        Allowed.of(["127.0.0.1"]),
        clock,
        {},
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        client.headers["authorization"] = f"Bearer {keys['sre']}"
        client.keys = keys  # type: ignore[attr-defined]
        yield client


def by(http: httpx.AsyncClient, client: str) -> dict[str, str]:
    return {"authorization": f"Bearer {http.keys[client]}"}  # type: ignore[attr-defined]


def form(**changes: Any) -> dict[str, Any]:
    return {"subscriber": "Climate desk", "channel": "webhook", "address": HOOK} | changes


async def subscribed(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/subscriptions", json=form(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_subscription_shows_its_key_once_and_its_address_never(http: httpx.AsyncClient):
    made = await subscribed(http, filters={"countries": ["MX"], "themes": ["climate"]}, zone="America/Mexico_City")

    check_secret(made["secret"])
    assert made["address"] == "127.0.0.1/…oken"
    shown = await http.get(f"/subscriptions/{made['id']}")
    assert "secret" not in shown.json()
    everything = made | {"secret": ""}, shown.text, (await http.get("/subscriptions")).text
    assert "very-secret" not in str(everything)


async def test_anybody_may_see_what_a_subscription_asks_for_but_not_where_it_goes_nor_whose_it_is(
    http: httpx.AsyncClient,
):
    hook = await subscribed(http, filters={"countries": ["MX"], "themes": ["climate"]}, zone="America/Mexico_City")
    mail = await subscribed(http, channel="email", address="desk@sre.example", language="es")
    nobody = {"authorization": ""}

    seen = await http.get(f"/subscriptions/{hook['id']}/summary", headers=nobody)
    hidden = {"address", "secret", "owner"}
    assert seen.json() == {name: value for name, value in hook.items() if name not in hidden}
    seen_mail = await http.get(f"/subscriptions/{mail['id']}/summary", headers=nobody)
    for answer, made in ((seen, hook), (seen_mail, mail)):
        for secret in ("very-secret", "oken", "127.0.0.1", "@", "sre", made["address"], hook["secret"], "whsec_"):
            assert secret not in answer.text, secret
    await http.delete(f"/subscriptions/{hook['id']}")
    ended = (await http.get(f"/subscriptions/{hook['id']}/summary", headers=nobody)).json()
    assert (ended["state"], ended["reason"], ended["ended_at"][:10]) == ("ended", "ended-by-owner", f"{NOW:%Y-%m-%d}")


async def test_a_summary_of_nothing_is_a_problem(http: httpx.AsyncClient):
    assert (await http.get(f"/subscriptions/{uuid4()}/summary")).status_code == 404
    assert (await http.get("/subscriptions/1/summary")).status_code == 422


async def test_the_same_twice_is_refused_until_the_first_has_ended(http: httpx.AsyncClient):
    first = await subscribed(http, filters={"themes": ["climate", "energy"]})
    again = form(filters={"themes": ["energy", "climate"]})

    assert (await http.post("/subscriptions", json=again)).status_code == 409
    assert (await http.post("/subscriptions", json=form())).status_code == 201, "other filters are another one"
    assert (await http.delete(f"/subscriptions/{first['id']}")).status_code == 204
    assert (await http.delete(f"/subscriptions/{first['id']}")).status_code == 204
    assert (await http.post("/subscriptions", json=again)).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "https://10.0.0.1/x"},
        {"address": "https://169.254.169.254/latest"},
        {"address": "http://example.org/x"},
        {"address": "https://me:you@example.org/x"},
        {"channel": "email", "address": "two@example.org,three@example.org"},
        {"channel": "email", "address": "a@example.org\r\nBcc: b@example.org"},
        {"channel": "pigeon"},
        {"language": "de"},
        {"zone": "../etc/passwd"},
        {"filters": {"events": ["delivery-settled"]}},
        {"filters": {"countries": ["FR"]}},
        {"filters": {"themes": ["(a+)+$"]}},
        {"filters": {"themes": [f"t-{n}" for n in range(101)]}},
        {"secret": "whsec_short"},
        {"channel": "slack", "secret": "whsec_" + "A" * 44},
        {"owner": "gac"},
        {"state": "active"},
        {"subscriber": "two\nlines"},
    ],
)
async def test_what_makes_no_sense_is_refused(http: httpx.AsyncClient, changes: dict[str, Any]):
    answer = await http.post("/subscriptions", json=form(**changes))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "very-secret" not in answer.text


async def test_subscriptions_are_their_owners(http: httpx.AsyncClient):
    made = await subscribed(http)
    path = f"/subscriptions/{made['id']}"

    assert (await http.get(path, headers={"authorization": ""})).status_code == 401
    assert (await http.get(path, headers=by(http, "dos"))).status_code == 403
    for method, headers in (("GET", by(http, "gac")), ("DELETE", by(http, "gac"))):
        assert (await http.request(method, path, headers=headers)).status_code == 404
    assert (await http.patch(path, json={"language": "fr"}, headers=by(http, "gac"))).status_code == 404
    assert (await http.get("/subscriptions", headers=by(http, "gac"))).json()["items"] == []
    assert (await http.get(path, headers=by(http, "ops"))).status_code == 200


async def test_language_filters_and_rest_may_change(http: httpx.AsyncClient):
    made = await subscribed(http)
    path = f"/subscriptions/{made['id']}"

    changed = (
        await http.patch(path, json={"language": "es", "filters": {"countries": ["CA"]}, "state": "paused"})
    ).json()

    assert (changed["language"], changed["filters"]["countries"], changed["state"]) == ("es", ["CA"], "paused")
    assert (await http.patch(path, json={"address": "https://example.org/"})).status_code == 422
    assert (await http.patch(path, json={"state": "ended"})).status_code == 422
    await http.delete(path)
    assert (await http.patch(path, json={"state": "active"})).status_code == 409


async def test_an_unsubscribe_link_asks_when_opened_and_acts_when_posted(http: httpx.AsyncClient):
    made = await subscribed(http, channel="email", address="desk@example.org")
    other = await subscribed(http)
    path = links().url(UUID(made["id"])).removeprefix("https://notices.example")

    page = await http.get(path)
    await http.head(path)
    assert '<form method="post"' in page.text
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["state"] == "active"
    for _ in range(2):
        done = await http.post(
            path, content=b"List-Unsubscribe=One-Click", headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert done.status_code == 200
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["state"] == "ended"
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["reason"] == "unsubscribed"
    assert (await http.get(f"/subscriptions/{other['id']}")).json()["state"] == "active"


@pytest.mark.parametrize("token", ["x", "ImFiYyI.forged", "..", "%00"])
async def test_a_forged_link_opens_nothing(http: httpx.AsyncClient, token: str):
    assert (await http.post(f"/unsubscribe/{token}")).status_code == 404
    assert (await http.get(f"/unsubscribe/{token}")).status_code == 404


async def test_the_log_is_paged_filtered_and_adds_up(http: httpx.AsyncClient, database: Database):
    ids = [(await subscribed(http, address=f"{HOOK}{n}", language="es"))["id"] for n in range(2)]
    await DeliveryStore(database, lease_seconds=60).fan_out([heard(f"c-{n}") for n in range(3)], NOW, NO_ROOM)

    seen: list[str] = []
    cursor = ""
    while True:
        page = (await http.get(f"/deliveries?limit=4{cursor}")).json()
        seen += [d["id"] for d in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(seen) == len(set(seen)) == 6
    assert len((await http.get(f"/deliveries?subscription={ids[0]}")).json()["items"]) == 3
    assert len((await http.get("/deliveries?commitment=c-1&state=pending")).json()["items"]) == 2
    assert (await http.get("/deliveries?state=failed")).json()["items"] == []
    told = await http.get(f"/deliveries?subscription={ids[1]}&limit=1")
    assert {d["language"] for d in told.json()["items"]} == {"es"}
    assert "very-secret" not in told.text
    assert (await http.get("/deliveries?cursor=forged")).status_code == 400
    assert (await http.get("/deliveries?limit=100000")).status_code == 422
    one = (await http.get(f"/deliveries/{seen[0]}")).json()
    assert (one["state"], one["tries"]) == ("pending", [])
    assert (await http.get(f"/deliveries/{uuid4()}")).status_code == 404
    law = (await http.get("/conservation")).json()
    assert (law["ok"], law["events"], law["owed"], law["pending"]) == (True, 3, 6, 6)
    assert law["by_channel"] == {"webhook": {"pending": 6}}


async def test_a_missing_delivery_breaks_the_law(http: httpx.AsyncClient, database: Database):
    await subscribed(http)
    await DeliveryStore(database, lease_seconds=60).fan_out([heard()], NOW, Room(0, 0, 0, {}))
    async with database.connection() as connection:
        await connection.execute("delete from delivery")

    assert (await http.get("/conservation")).json()["ok"] is False
