"""The log of deliveries over HTTP on a real PostgreSQL."""

from uuid import uuid4

import httpx2 as httpx

from services.notifier.delivery.deliveries import Capacity
from services.notifier.delivery.fan_out import FanOut
from services.plumbing.database import Database
from tests.notifier.requests import HOOK, subscribed
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming


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
    law = (await http.get("/conservation")).json()
    assert (law["ok"], law["events"], law["owed"], law["pending"]) == (True, 3, 6, 6)
    assert law["by_channel"] == {"webhook": {"pending": 6}}


async def test_a_missing_delivery_breaks_the_law(http: httpx.AsyncClient, database: Database):
    await subscribed(http)
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, Capacity(0, 0, 0, {}))
    async with database.connection() as connection:
        await connection.execute("delete from delivery")

    assert (await http.get("/conservation")).json()["ok"] is False
