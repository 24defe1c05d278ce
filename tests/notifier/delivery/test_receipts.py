"""Receipts: what became of an event for a subscription, over HTTP on a real PostgreSQL, in three languages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest

from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.notifier.delivery import receipts
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import DeliveryResult
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.receipt_text import LEFT_OUT, RULES, receipt_text
from services.notifier.delivery.receipts import Receipt
from services.plumbing.database import Database
from tests.notifier.delivery.test_groups import MINUTE, mailed, of_an_import, record, sent
from tests.notifier.requests import by, subscribed
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, TOKENS, incoming

Asking = Callable[..., Any]


@pytest.fixture
def receipt(http: httpx.AsyncClient) -> Asking:
    async def ask(event: UUID, subscription: UUID | str, **more: str) -> dict[str, Any]:
        answer = await http.get(
            "/receipts",
            params={"event": str(event), "subscription": str(subscription), **more},
            headers=by(http, "watch"),
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


async def test_a_receipt_says_what_waits_and_in_which_message_it_was_told(database: Database, receipt: Asking):
    to = await mailed(database)
    claims = DeliveryClaims(database, lease_seconds=60)
    events = [of_an_import("a"), of_an_import("b")]
    await FanOut(database, lease_seconds=60).apply(events, NOW, NO_CAPACITY)
    waiting = await receipt(events[0].event.id, to)
    assert (waiting["outcome"], waiting["rule"], waiting["until"]) == ("waiting", "window", "2023-07-24T15:31:00Z")
    assert waiting["text"].replace("\u202f", " ") == (
        "It waits until July 24, 2023, 9:31 AM (Mexico City). What belongs together goes out together."
    )

    (message,) = await claims.claim(NOW + MINUTE, MUCH_CAPACITY)
    assert (await receipt(events[0].event.id, to))["rule"] == "sending"
    await record(database, sent(message, NOW + MINUTE))

    told = [await receipt(event.event.id, to, lang="es") for event in events]
    assert {one["outcome"] for one in told} == {"delivered"}
    assert {one["message"] for one in told} == {str(message.id)}
    assert {one["others"] for one in told} == {1}
    assert all(one["text"].startswith("Entregado: ") and str(message.id) in one["text"] for one in told)


async def test_a_receipt_names_the_reason_of_an_end(database: Database, receipt: Asking):
    paused, to = await mailed(database, state="paused"), await mailed(database, "other@example.org")
    event = incoming("a", not_after=NOW + MINUTE)
    out = await FanOut(database, lease_seconds=60).apply([event], NOW, MUCH_CAPACITY)
    end = DeliveryResult(out.claimed[0], "expired", NOW + MINUTE, reason="not-after-passed")
    await record(database, end)

    assert (await receipt(event.event.id, to))["rule"] == "not-after-passed"
    found = await receipt(event.event.id, paused, lang="fr")
    assert (found["outcome"], found["rule"], found["message"]) == ("suppressed", "paused", None)
    assert "l’abonnement était en pause" in found["text"]


async def test_a_receipt_says_that_all_sending_is_stopped(database: Database, receipt: Asking, http: httpx.AsyncClient):
    to, event = await mailed(database), incoming()
    await FanOut(database, lease_seconds=60).apply([event], NOW, NO_CAPACITY)
    stopped = await http.post("/sending/stop", json={"reason": "A wrong import"}, headers=by(http, "ops"))
    assert stopped.status_code == 200
    assert (await receipt(event.event.id, to))["rule"] == "stopped"
    await http.post("/sending/start", headers=by(http, "ops"))
    assert (await receipt(event.event.id, to))["rule"] == "sending"


async def test_a_receipt_of_nothing_names_what_left_the_subscription_out(
    http: httpx.AsyncClient, database: Database, receipt: Asking
):
    mine = await subscribed(http, filters={"themes": ["space"], "events": ["milestone-due"]})
    event = incoming("a")
    await FanOut(database, lease_seconds=60).apply([event], NOW + timedelta(days=1), NO_CAPACITY)
    late = await mailed(database)
    async with database.connection() as connection:
        await connection.execute("update subscription set created_at = $1 where id = $2", NOW + MINUTE * 3000, late)

    found = await receipt(event.event.id, mine["id"])
    assert (found["outcome"], found["left_out_by"]) == ("not-owed", ["events", "themes"])
    assert found["text"] == (
        "Not sent. The subscription does not ask for this kind of event."
        " The event is about none of the themes that the subscription asks for."
    )
    assert (await receipt(event.event.id, late))["rule"] == "newer-subscription"


async def test_receipts_are_for_owners_operators_and_who_has_the_link(http: httpx.AsyncClient, database: Database):
    mine = await subscribed(http)
    event = incoming("a")
    await FanOut(database, lease_seconds=60).apply([event], NOW, NO_CAPACITY)
    about = {"event": str(event.event.id), "subscription": mine["id"]}

    assert (await http.get("/receipts", params=about)).status_code == 200
    assert (await http.get("/receipts", params=about, headers={"authorization": ""})).status_code == 401
    assert (await http.get("/receipts", params=about, headers=by(http, "dos"))).status_code == 403
    assert (await http.get("/receipts", params=about, headers=by(http, "gac"))).status_code == 404
    assert (await http.get("/receipts", params=about | {"event": str(uuid4())})).status_code == 404
    link = f"/subscription-links/{TOKENS.token(UUID(mine['id']))}/receipts"
    linked = await http.get(link, params={"event": about["event"]}, headers={"authorization": ""})
    assert (linked.status_code, linked.json()["outcome"]) == (200, "waiting")
    forged = await http.get("/subscription-links/x.y/receipts", params={"event": about["event"]})
    assert forged.status_code == 404


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_outcome_and_every_rule_has_its_sentence(language: str) -> None:
    words = words_in(language)
    ended = Receipt("delivered", None, at=NOW, message=uuid4(), others=2, reason="paused")
    kinds: list[Any] = ["delivered", "failed", "expired", "suppressed", "cancelled"]
    ends = {receipt_text(replace(ended, outcome=outcome), words, "America/Mexico_City") for outcome in kinds}
    waits = {receipt_text(Receipt("waiting", rule, NOW), words, "America/Toronto") for rule in (*RULES, "later-rule")}
    nothing = {receipt_text(Receipt("not-owed", rule, left_out_by=(rule,)), words, "UTC") for rule in LEFT_OUT}
    assert (len(ends), len(waits), len(nothing)) == (5, len(RULES) + 1, len(LEFT_OUT))
    assert all("%(" not in text for text in (*ends, *waits, *nothing))


def test_a_row_is_read_by_what_holds_it_up() -> None:
    row: dict[str, Any] = {
        "state": "pending",
        "next_at": NOW + MINUTE,
        "deferrals": 0,
        "attempts": 0,
        "rule": None,
        "reason": None,
        "behind": False,
    }
    cases = {
        receipts.RETRY: {"attempts": 1, "reason": "timeout"},
        receipts.THROTTLED: {"attempts": 1, "deferrals": 1, "reason": "throttled"},
        "quiet-hours": {"rule": "quiet-hours"},
        receipts.BEHIND: {"next_at": NOW, "behind": True, "rule": "window"},
        receipts.SENDING: {"next_at": NOW},
    }
    for rule, values in cases.items():
        assert receipts.receipt_of(row | values, NOW).rule == rule
