"""The log of deliveries over HTTP on a real PostgreSQL."""

import json
from uuid import UUID, uuid4

import httpx2 as httpx

from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import FanOut
from services.plumbing.database import Database
from tests.notifier.requests import HOOK, by, subscribed
from tests.notifier.scenes import NO_CAPACITY, NOW, TOKENS, incoming


async def test_the_log_is_paged_filtered_and_adds_up(http: httpx.AsyncClient, database: Database):
    ids = [(await subscribed(http, address=f"{HOOK}{n}", language="es"))["id"] for n in range(2)]
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(3)], NOW, NO_CAPACITY)

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
    for forged in ("MA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):  # 0, -1 and more than a bigint holds
        assert (await http.get(f"/deliveries?cursor={forged}")).status_code in (200, 400)
    law = (await http.get("/conservation")).json()
    assert (law["ok"], law["events"], law["owed"], law["pending"]) == (True, 3, 6, 6)
    assert law["by_channel"] == {"webhook": {"pending": 6}}


async def test_the_log_is_for_owners_operators_and_who_has_the_link_of_a_message(
    http: httpx.AsyncClient, database: Database
):
    mine = await subscribed(http)
    await FanOut(database, lease_seconds=60).apply([incoming("c-1")], NOW, NO_CAPACITY)
    [one] = (await http.get("/deliveries")).json()["items"]
    token = TOKENS.token(UUID(mine["id"]))

    for path in ("/deliveries", f"/deliveries/{one['id']}"):
        assert (await http.get(path, headers={"authorization": ""})).status_code == 401
        assert (await http.get(path, headers=by(http, "dos"))).status_code == 403
        assert (await http.get(path, headers=by(http, "watch"))).status_code == 200
    for query in ("", f"?subscription={mine['id']}", f"?event={one['event_id']}", "?commitment=c-1"):
        assert (await http.get(f"/deliveries{query}", headers=by(http, "gac"))).json()["items"] == [], query
        assert (await http.get(f"/deliveries{query}", headers=by(http, "watch"))).json()["items"] == [one], query
    assert (await http.get(f"/deliveries/{one['id']}", headers=by(http, "gac"))).status_code == 404
    linked = await http.get(f"/subscription-links/{token}/deliveries", headers={"authorization": ""})
    assert linked.json() == {"items": [one], "next_cursor": None}


async def test_an_event_is_shown_as_a_webhook_gets_it_to_those_who_were_to_be_told(
    http: httpx.AsyncClient, database: Database
):
    await subscribed(http)
    told = incoming("c-1")
    await FanOut(database, lease_seconds=60).apply([told], NOW, NO_CAPACITY)
    path = f"/events/{told.event.id}"

    seen = await http.get(path)
    assert (seen.json()["id"], seen.json()["type"]) == (str(told.event.id), "org.pledgewire.status-changed.v1")
    assert seen.json()["data"] == json.loads(told.event.value)
    assert (await http.get(path, headers={"authorization": ""})).status_code == 401
    assert (await http.get(path, headers=by(http, "gac"))).status_code == 404, "of none of its subscriptions"
    assert (await http.get(path, headers=by(http, "watch"))).json() == seen.json(), "an operator sees all"
    assert (await http.get(f"/events/{uuid4()}")).status_code == 404


async def test_a_missing_delivery_breaks_the_law(http: httpx.AsyncClient, database: Database):
    await subscribed(http)
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, Capacity(0, 0, 0, {}))
    async with database.connection() as connection:
        await connection.execute("delete from delivery")

    assert (await http.get("/conservation")).json()["ok"] is False
