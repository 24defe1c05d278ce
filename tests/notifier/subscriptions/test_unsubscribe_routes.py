"""Unsubscribing by a link, over HTTP on a real PostgreSQL."""

from uuid import UUID, uuid4

import httpx2 as httpx
import pytest

from services.notifier.subscriptions.unsubscribe_links import MOST_ENDED
from tests.notifier.delivery.dispatching import links
from tests.notifier.requests import subscribed
from tests.notifier.scenes import TOKENS


async def test_an_unsubscribe_link_asks_when_opened_and_acts_when_posted(http: httpx.AsyncClient):
    made = await subscribed(http, channel="email", address="desk@example.org")
    other = await subscribed(http)
    path = links().url([UUID(made["id"])]).removeprefix("https://notices.example")

    page = await http.get(path)
    await http.head(path)
    assert page.status_code == 303
    assert page.headers["location"] == f"https://portal.example/subscriptions/{TOKENS.token(UUID(made['id']))}/stop"
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["state"] == "active"
    for _ in range(2):
        done = await http.post(
            path, content=b"List-Unsubscribe=One-Click", headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert (done.status_code, "You are unsubscribed" in done.text) == (200, True)
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["state"] == "ended"
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["reason"] == "unsubscribed"
    assert (await http.get(f"/subscriptions/{other['id']}")).json()["state"] == "active"


async def test_one_click_ends_all_that_a_message_was_sent_for(http: httpx.AsyncClient):
    first, second = [
        await subscribed(http, channel="email", address="desk@example.org", filters={"parties": [party]})
        for party in ("CA", "MX")
    ]
    path = links().url([UUID(first["id"]), UUID(second["id"])]).removeprefix("https://notices.example")

    opened = await http.get(path)
    assert opened.headers["location"].endswith(f"/subscriptions/{TOKENS.token(UUID(first['id']))}/stop")
    assert [(await http.post(path)).status_code for _ in range(2)] == [200, 200]
    for one in (first, second):
        assert (await http.get(f"/subscriptions/{one['id']}")).json()["state"] == "ended"


def test_a_link_fits_a_line_of_a_mail_however_many_it_was_sent_for():
    url = links().url([uuid4() for _ in range(100)])

    assert len(f"List-Unsubscribe: <{url}>") <= 998
    assert len(links().subscriptions(url.rpartition("/")[2])) == MOST_ENDED


async def test_what_a_mail_program_is_answered_is_in_the_readers_language(http: httpx.AsyncClient):
    made = await subscribed(http, channel="email", address="mesa@example.org", language="es")
    done = await http.post(links().url([UUID(made["id"])]).removeprefix("https://notices.example"))

    assert "<html lang=es>" in done.text and "Su suscripción ha terminado" in done.text
    assert done.headers["content-language"] == "es"


@pytest.mark.parametrize("token", ["x", "ImFiYyI.forged", "..", "%00"])
async def test_a_forged_link_opens_nothing(http: httpx.AsyncClient, token: str):
    assert (await http.post(f"/unsubscribe/{token}")).status_code == 404
    assert (await http.get(f"/unsubscribe/{token}")).status_code == 404
