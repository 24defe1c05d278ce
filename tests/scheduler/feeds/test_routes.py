"""Feeds over HTTP: made, listed, revoked and rotated by their owners."""

from datetime import timedelta
from typing import Any

import pytest

from services.scheduler.feeds import routes
from tests.scheduler.feeds.serving import END_OF_2021, KINDS, PUBLIC, THEN, LiveScheduler
from tests.scheduler.scenes import created, scheduled


async def test_addresses_are_shown_once_and_only_a_hash_is_kept(scheduler: LiveScheduler) -> None:
    made = await scheduler.makes(
        name="Clima", language="es", zone="America/Mexico_City", filters={"themes": ["climate"]}
    )
    tokens = {path.split("/")[2] for path in made["paths"]}
    [token] = tokens

    assert made["addresses"] == {
        "calendar": f"{PUBLIC}/feeds/{token}/calendar.ics",
        "atom": f"{PUBLIC}/feeds/{token}/events.atom",
        "rss": f"{PUBLIC}/feeds/{token}/events.rss",
    }
    assert len(token) == 43  # 256 bits in base64
    listed = await scheduler.http.get("/feeds")
    [shown] = listed.json()["items"]
    assert shown == {name: value for name, value in made.items() if name not in ("addresses", "paths")}
    kept = str([dict(row) for row in await scheduler.sql("select * from feed")])
    assert token not in kept + listed.text
    assert len({(await scheduler.makes())["paths"][0] for _ in range(5)}) == 5


async def test_who_has_an_address_may_read_and_nobody_else(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    made = await scheduler.makes()

    for path, media in zip(
        made["paths"], ("text/calendar", "application/atom+xml", "application/rss+xml"), strict=True
    ):
        answer = await scheduler.reads(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert path.split("/")[2] not in answer.text, "what is read may be passed on"
    for path in ("/feeds/x/calendar.ics", f"/feeds/{made['id']}/calendar.ics", "/feeds/%00/events.rss"):
        assert (await scheduler.reads(path)).status_code == 404


async def test_a_revoked_address_is_unknown_at_once(scheduler: LiveScheduler) -> None:
    """
    From the answer to the revocation on, it gives the same bytes as an address that never was, whatever is known of it.
    """
    await scheduler.hears(created(), scheduled(END_OF_2021))
    made, kept = await scheduler.makes(), await scheduler.makes()
    tags = [(await scheduler.reads(path)).headers["etag"] for path in made["paths"]]

    assert (await scheduler.http.delete(f"/feeds/{made['id']}")).status_code == 204
    assert (await scheduler.http.delete(f"/feeds/{made['id']}")).status_code == 204, "again does no harm"

    for path, tag, kind in zip(made["paths"], tags, KINDS, strict=True):
        never_was = await scheduler.reads(f"/feeds/{'A' * 43}/{kind}")
        for gone in (await scheduler.reads(path), await scheduler.reads(path, **{"if-none-match": tag})):
            assert (gone.status_code, gone.content) == (never_was.status_code, never_was.content) == (404, gone.content)
            hidden = {"x-correlation-id"}
            assert {n: v for n, v in gone.headers.items() if n not in hidden} == {
                n: v for n, v in never_was.headers.items() if n not in hidden
            }
    assert [item["id"] for item in (await scheduler.http.get("/feeds")).json()["items"]] == [kept["id"]]
    assert (await scheduler.http.post(f"/feeds/{made['id']}/rotate")).status_code == 404, "it stays dead"


async def test_a_rotated_feed_is_read_at_its_new_address_only(scheduler: LiveScheduler) -> None:
    made = await scheduler.makes(name="Cumbres")
    tag = (await scheduler.reads(made["paths"][0])).headers["etag"]

    answer = await scheduler.http.post(f"/feeds/{made['id']}/rotate")

    rotated = answer.json()
    path = rotated["addresses"]["calendar"].removeprefix(PUBLIC)
    assert (answer.status_code, rotated["id"], rotated["name"]) == (200, made["id"], "Cumbres")
    assert path != made["paths"][0]
    assert [(await scheduler.reads(old)).status_code for old in made["paths"]] == [404, 404, 404]
    assert (await scheduler.reads(path)).headers["etag"] == tag, "what it holds is the same"


async def test_feeds_are_their_owners(scheduler: LiveScheduler) -> None:
    made = await scheduler.makes()

    assert (await scheduler.http.get("/feeds", headers={"authorization": ""})).status_code == 401
    assert (await scheduler.http.post("/feeds", json={}, headers=scheduler.by("dos"))).status_code == 403
    assert (await scheduler.http.get("/feeds", headers=scheduler.by("gac"))).json() == {"items": []}
    assert (await scheduler.http.delete(f"/feeds/{made['id']}", headers=scheduler.by("gac"))).status_code == 404
    assert (await scheduler.http.post(f"/feeds/{made['id']}/rotate", headers=scheduler.by("gac"))).status_code == 404
    assert (await scheduler.reads(made["paths"][0])).status_code == 200
    assert (await scheduler.http.post("/feeds", json={}, headers=scheduler.by("gac"))).status_code == 201, (
        "editors may, too"
    )
    assert (await scheduler.http.delete("/feeds/1")).status_code == 422


async def test_a_client_has_a_hundred_feeds_at_most(scheduler: LiveScheduler) -> None:
    made = [await scheduler.makes() for _ in range(routes.MOST_FEEDS)]

    assert (await scheduler.http.post("/feeds", json={})).status_code == 409
    await scheduler.http.delete(f"/feeds/{made[0]['id']}")
    assert (await scheduler.http.post("/feeds", json={})).status_code == 201


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "\u202e"},
        {"name": "x" * 101},
        {"language": "de"},
        {"zone": "../etc/passwd"},
        {"zone": "Mars/Olympus"},
        {"filters": {"parties": ["Francia"]}},
        {"filters": {"parties": ["org-"]}},
        {"filters": {"countries": ["MX"]}},
        {"filters": {"events": ["milestone-due"]}},
        {"filters": {"themes": ["Climate"]}},
        {"alarms": [-1]},
        {"alarms": [367]},
        {"alarms": ["7"]},
        {"alarms": [1, 2, 3, 4, 5, 6]},
        {"owner": "gac"},
    ],
)
async def test_what_makes_no_sense_is_refused(scheduler: LiveScheduler, form: dict[str, Any]) -> None:
    answer = await scheduler.http.post("/feeds", json=form)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_it_is_noted_on_which_day_a_feed_was_last_read(scheduler: LiveScheduler) -> None:
    made = await scheduler.makes()
    noted = []
    for hours in (0, 3, 24):
        scheduler.clock.set(THEN + timedelta(hours=hours))
        await scheduler.reads(made["paths"][1])
        noted.append((await scheduler.http.get("/feeds")).json()["items"][0]["last_read_on"])

    assert made["last_read_on"] is None
    assert noted == ["2021-11-18", "2021-11-18", "2021-11-19"]
