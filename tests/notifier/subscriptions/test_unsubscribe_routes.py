"""Unsubscribing by a link, over HTTP on a real PostgreSQL."""

from uuid import UUID

import httpx2 as httpx
import pytest

from tests.notifier.delivery.dispatching import links
from tests.notifier.requests import subscribed
from tests.notifier.scenes import TOKENS


async def test_an_unsubscribe_link_asks_when_opened_and_acts_when_posted(http: httpx.AsyncClient):
    made = await subscribed(http, channel="email", address="desk@example.org")
    other = await subscribed(http)
    path = links().url(UUID(made["id"])).removeprefix("https://notices.example")

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


async def test_what_a_mail_program_is_answered_is_in_the_readers_language(http: httpx.AsyncClient):
    made = await subscribed(http, channel="email", address="mesa@example.org", language="es")
    done = await http.post(links().url(UUID(made["id"])).removeprefix("https://notices.example"))

    assert "<html lang=es>" in done.text and "Su suscripción ha terminado" in done.text
    assert done.headers["content-language"] == "es"


@pytest.mark.parametrize("token", ["x", "ImFiYyI.forged", "..", "%00"])
async def test_a_forged_link_opens_nothing(http: httpx.AsyncClient, token: str):
    assert (await http.post(f"/unsubscribe/{token}")).status_code == 404
    assert (await http.get(f"/unsubscribe/{token}")).status_code == 404
