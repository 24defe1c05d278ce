"""A subscription by the link of a message, over HTTP on a real PostgreSQL: what it changes, and what it can't."""

from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest

from services.notifier.subscriptions.link_routes import CHANGES_PER_MINUTE
from services.plumbing.clock import SharedClock
from tests.notifier.requests import subscribed
from tests.notifier.scenes import ACKNOWLEDGEMENT_TOKENS, NOW, TOKENS

BY_NOBODY = {"authorization": ""}


def at_clock(http: httpx.AsyncClient) -> SharedClock:
    return http.clock  # type: ignore[attr-defined,no-any-return]


def path(made: dict[str, Any]) -> str:
    return f"/subscription-links/{TOKENS.token(UUID(made['id']))}"


async def mailed(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    return await subscribed(http, channel="email", address="ana@sre.example", **changes)


async def test_what_is_named_is_changed_and_the_rest_stays(http: httpx.AsyncClient) -> None:
    made = await mailed(http, filters={"themes": ["climate"]}, ladder={"rungs": "-3bd"}, zone="America/Toronto")
    change = {"language": "fr", "events": ["milestone-due"], "ladder": None, "state": "paused"}
    answer = await http.patch(path(made), json=change, headers=BY_NOBODY)
    now = (await http.get(f"/subscriptions/{made['id']}")).json()

    assert answer.status_code == 200
    assert answer.json() == (await http.get(path(made), headers=BY_NOBODY)).json()
    assert (now["language"], now["zone"], now["ladder"], now["state"]) == ("fr", "America/Toronto", None, "paused")
    assert (now["filters"]["events"], now["filters"]["themes"]) == (["milestone-due"], ["climate"])


@pytest.mark.parametrize(
    "change",
    [
        {"address": "eve@evil.example"},
        {"subscriber": "Eve"},
        {"owner": "eve"},
        {"channel": "webhook"},
        {"filters": {"themes": []}},
        {"level": "director"},
        {"state": "ended"},
        {"state": "disabled"},
        {"language": "tlh"},
        {"zone": "Mars/Olympus"},
        {"events": ["delivery-settled"]},
    ],
)
async def test_where_it_goes_and_whose_it_is_stays(http: httpx.AsyncClient, change: dict[str, Any]) -> None:
    made = await mailed(http)
    before = (await http.get(f"/subscriptions/{made['id']}")).json()

    assert (await http.patch(path(made), json=change, headers=BY_NOBODY)).status_code == 422
    assert (await http.get(f"/subscriptions/{made['id']}")).json() == before


async def test_what_was_read_is_what_is_changed_or_ended_by_the_link(http: httpx.AsyncClient) -> None:
    made = await mailed(http)
    old = (await http.get(path(made))).headers["etag"]
    first = await http.patch(path(made), json={"language": "es"}, headers={"if-match": old, **BY_NOBODY})
    late = [
        await http.patch(path(made), json={"language": "fr"}, headers={"if-match": old, **BY_NOBODY}),
        await http.delete(path(made), headers={"if-match": old, **BY_NOBODY}),
    ]
    ended = await http.delete(path(made), headers=BY_NOBODY)

    assert first.status_code == 200
    assert [(one.status_code, one.json()["type"]) for one in late] == [(412, "/problems/changed")] * 2
    assert (ended.status_code, (await http.delete(path(made), headers=BY_NOBODY)).status_code) == (204, 204)
    assert (await http.patch(path(made), json={"language": "fr"})).json()["type"] == "/problems/ended"


async def test_a_ladder_or_level_without_effect_is_refused_by_the_link_too(http: httpx.AsyncClient) -> None:
    made = await mailed(http, ladder={"rungs": "-3bd"}, level="director")
    refused = await http.patch(path(made), json={"events": ["milestone-due"]}, headers=BY_NOBODY)
    given_up = await http.patch(path(made), json={"events": ["milestone-due"], "level": None}, headers=BY_NOBODY)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/never-told")
    assert (given_up.status_code, given_up.json()["level"]) == (200, None)


async def test_nobody_changes_more_than_by_hand(http: httpx.AsyncClient) -> None:
    made, other = await mailed(http), await mailed(http, filters={"themes": ["trade"]})
    answers = [await http.patch(path(made), json={"language": "es"}) for _ in range(CHANGES_PER_MINUTE + 3)]

    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    assert (await http.patch(path(other), json={"language": "es"})).status_code == 200


async def test_the_link_of_an_escalation_says_who_may_answer_to_what(http: httpx.AsyncClient) -> None:
    made = await mailed(http, level="director", language="es", zone="America/Mexico_City")
    token = ACKNOWLEDGEMENT_TOKENS.token(UUID(made["id"]), "coal-ends")
    seen = await http.get(f"/acknowledgement-links/{token}", headers=BY_NOBODY)
    over = ACKNOWLEDGEMENT_TOKENS.token(UUID(made["id"]), "coal-ends", NOW.date().replace(year=2021))
    await http.delete(f"/subscriptions/{made['id']}")

    assert seen.json() == {
        "milestone_id": "coal-ends",
        "subscription_id": made["id"],
        "subscriber": "Climate desk",
        "channel": "email",
        "is_shared": False,
        "language": "es",
        "zone": "America/Mexico_City",
        "ministry": None,
    }
    wrong = {name: await http.get(f"/acknowledgement-links/{name}") for name in (TOKENS.token(UUID(made["id"])), "x")}
    assert {one.status_code for one in wrong.values()} == {404}
    for name in (over, token):  # with the subscription, too
        assert (await http.get(f"/acknowledgement-links/{name}")).json()["type"] == "/problems/link-ended"
