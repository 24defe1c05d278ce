"""Subscriptions over HTTP on a real PostgreSQL."""

import re
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from pydantic import SecretStr, TypeAdapter

from services.i18n.languages import LANGUAGES
from services.notifier.rendering.page_links import PageLinks
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import SignedIds, page_tokens
from services.notifier.subscriptions.signing_keys import SigningKey
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import links
from tests.notifier.requests import by, form, subscribed
from tests.notifier.scenes import LINK_SETTINGS, NOW, TOKENS, published_ladders


async def test_a_subscription_shows_its_key_once_and_its_address_never(http: httpx.AsyncClient):
    made = await subscribed(http, filters={"parties": ["MX"], "themes": ["climate"]}, zone="America/Mexico_City")

    assert TypeAdapter(SigningKey).validate_python(made["secret"])
    assert made["address"] == "127.0.0.1/…oken"
    shown = await http.get(f"/subscriptions/{made['id']}")
    assert "secret" not in shown.json()
    everything = made | {"secret": ""}, shown.text, (await http.get("/subscriptions")).text
    assert "very-secret" not in str(everything)


async def test_who_has_the_link_of_a_message_sees_what_it_asks_for_but_not_where_it_goes_nor_whose_it_is(
    http: httpx.AsyncClient,
):
    hook = await subscribed(http, filters={"parties": ["MX"], "themes": ["climate"]}, zone="America/Mexico_City")
    mail = await subscribed(http, channel="email", address="desk@sre.example", language="es")
    nobody = {"authorization": ""}

    seen = await http.get(link(hook), headers=nobody)
    hidden = {"address", "secret", "owner"}
    shown = {name: value for name, value in hook.items() if name not in hidden}
    assert seen.json() == shown | {"is_shared": False, "is_for_people": False}
    seen_mail = await http.get(link(mail), headers=nobody)
    for answer, made in ((seen, hook), (seen_mail, mail)):
        for secret in ("very-secret", "oken", "127.0.0.1", "@", "sre", made["address"], hook["secret"], "whsec_"):
            assert secret not in answer.text, secret
    await http.delete(f"/subscriptions/{hook['id']}")
    ended = (await http.get(link(hook), headers=nobody)).json()
    assert (ended["state"], ended["reason"], ended["ended_at"][:10]) == ("ended", "ended-by-owner", f"{NOW:%Y-%m-%d}")


async def test_nothing_is_behind_a_link_that_we_did_not_sign_for_this(http: httpx.AsyncClient):
    """
    Not behind an id, another purpose's token, one with another key, a cut or a changed one: the answer is the same.
    """
    made = await subscribed(http)
    token = link(made).rpartition("/")[2]
    other = SignedIds(LINK_SETTINGS, "another-purpose").token(UUID(made["id"]))
    foreign = page_tokens(LinkSettings(link_keys=(SecretStr("x" * 40),))).token(UUID(made["id"]))  # type: ignore[call-arg]
    never = page_tokens(LINK_SETTINGS).token(uuid4())
    unsubscribe = links().url([UUID(made["id"])]).rpartition("/")[2]
    changed = (token[:-1], token + "A", token.swapcase(), *other_spellings(token))
    answers = [
        (await http.get(f"/subscription-links/{wrong}")).text
        for wrong in (made["id"], "1", other, foreign, never, unsubscribe, *changed)
    ]
    lists = [
        (await http.get(f"/subscription-links/{wrong}/deliveries")).status_code
        for wrong in (made["id"], "1", other, foreign, unsubscribe, *changed)
    ]
    assert len(set(answers)) == 1 and "/problems/not-found" in answers[0]
    assert set(lists) == {404}
    assert (await http.post(f"/unsubscribe/{token}")).status_code == 404, "what shows does not act"


def other_spellings(token: str) -> list[str]:
    """Texts that decoders of base64 take for the same: with padding, spare bits, or letters that they skip."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = letters[letters.index(token[-1]) ^ 1]
    return [token + "=", token + "==", token + "!", token[:-1] + spare, token[:-2] + "*" + token[-2:]]


def link(made: dict[str, Any]) -> str:
    """Where the portal asks for who has the link of a message."""
    address = PageLinks("https://portal.example", TOKENS.token).subscription(UUID(made["id"]))
    assert re.fullmatch(r"https://portal\.example/subscriptions/[A-Za-z0-9_.-]{1,200}", address)
    return f"/subscription-links/{address.rpartition('/')[2]}"


async def test_the_same_twice_is_refused_until_the_first_has_ended(http: httpx.AsyncClient):
    first = await subscribed(http, filters={"themes": ["climate", "energy"]})
    again = form(filters={"themes": ["energy", "climate"]})

    assert (await http.post("/subscriptions", json=again)).status_code == 409
    assert (await http.post("/subscriptions", json=form())).status_code == 201, "other filters are another one"
    assert (await http.delete(f"/subscriptions/{first['id']}")).status_code == 204
    assert (await http.delete(f"/subscriptions/{first['id']}")).status_code == 204
    assert (await http.post("/subscriptions", json=again)).status_code == 201


async def test_what_was_read_is_what_is_changed_or_ended(http: httpx.AsyncClient):
    """
    `If-Match` with the tag of what was read; another one changes nothing.
    """
    path = f"/subscriptions/{(await subscribed(http))['id']}"
    old = (await http.get(path)).headers["etag"]
    first = await http.patch(path, json={"language": "es"}, headers={"if-match": old})
    late = [
        await http.patch(path, json={"language": "fr"}, headers={"if-match": old}),
        await http.delete(path, headers={"if-match": old}),
    ]
    now = await http.get(path)
    others = await http.patch(path, json={"language": "fr"}, headers={"if-match": old, **by(http, "gac")})
    ended = await http.delete(path, headers={"if-match": now.headers["etag"]})

    assert first.status_code == 200, first.text
    assert [(one.status_code, one.json()["type"]) for one in late] == [(412, "/problems/changed")] * 2
    assert (now.json()["language"], others.status_code, ended.status_code) == ("es", 404, 204)


async def test_whether_somebody_else_has_subscribed_an_address_is_not_told(http: httpx.AsyncClient):
    """
    Making, changing and ending answer as for an address that nobody has.
    """
    await subscribed(http)
    answers = []
    for address in (form()["address"], form()["address"] + "-of-nobody"):
        made = await http.post("/subscriptions", json=form(address=address), headers=by(http, "gac"))
        again = await http.post("/subscriptions", json=form(address=address), headers=by(http, "gac"))
        path = f"/subscriptions/{made.json()['id']}"
        changed = await http.patch(path, json={"filters": {"parties": ["MX"]}}, headers=by(http, "gac"))
        back = await http.patch(path, json={"filters": {}}, headers=by(http, "gac"))
        ended = await http.delete(path, headers=by(http, "gac"))
        answers.append(
            [(one.status_code, one.json().keys() if one.content else "") for one in (made, again, changed, back, ended)]
        )
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [201, 409, 200, 200, 204]


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
        {"filters": {"parties": ["Mexico"]}},
        {"filters": {"parties": ["european-union"]}},
        {"filters": {"themes": ["(a+)+$"]}},
        {"filters": {"themes": [f"t-{n}" for n in range(101)]}},
        {"secret": "whsec_short"},
        {"channel": "slack", "secret": "whsec_" + "A" * 44},
        {"owner": "gac"},
        {"state": "active"},
        {"subscriber": "two\nlines"},
        {"level": "Director"},
        {"ladder": {"rungs": []}},
        {"ladder": {"rungs": "-3bd, 3w"}},
        {"ladder": {"rungs": "-3bd 09:00, -3bd 10:00"}},
        {"ladder": {"rungs": [{"step": "review-1"}]}},
        {"ladder": {"rungs": [{"step": "before-9999d"}]}},
        {"ladder": {"rungs": [{"step": "before-1d", "at": "25:00"}]}},
        {"ladder": {"rungs": [{"step": f"before-{n}d"} for n in range(1, 22)]}},
        {"ladder": {"rungs": "-3bd", "holidays": {"country": "XX"}}},
        {"ladder": {"rungs": "-3bd", "holidays": {"country": "CA", "subdivision": "TX"}}},
        {"ladder": {"rungs": "-3bd", "holidays": {"country": "MX", "subdivision": "JAL"}}},
        {"ladder": {"rungs": "-3bd"}, "filters": {"events": ["status-changed"]}},
        {"level": "director", "filters": {"events": ["milestone-due"]}},
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


async def test_an_operators_key_reads_all_and_changes_nothing(http: httpx.AsyncClient):
    made = await subscribed(http)
    path, watch = f"/subscriptions/{made['id']}", by(http, "watch")

    assert (await http.get(path, headers=watch)).json()["id"] == made["id"]
    assert [one["id"] for one in (await http.get("/subscriptions", headers=watch)).json()["items"]] == [made["id"]]
    assert (await http.delete(path, headers=watch)).status_code == 403
    assert (await http.patch(path, json={"language": "fr"}, headers=watch)).status_code == 403
    assert (await http.post("/subscriptions", json=form(), headers=watch)).status_code == 403


async def test_any_party_may_be_asked_for_and_any_of_our_languages(http: httpx.AsyncClient):
    for language in LANGUAGES:
        address = f"https://127.0.0.1/{language}/token"
        made = await subscribed(
            http, address=address, language=language, filters={"parties": ["org-african-union", "BR"]}
        )

        assert made["language"] == language
        assert made["filters"]["parties"] == ["BR", "org-african-union"]


async def test_a_language_that_nobody_is_written_to_in_is_refused_where_it_stands(http: httpx.AsyncClient):
    made = await subscribed(http)
    answers = [
        await http.post("/subscriptions", json=form(language="tlh")),
        await http.patch(f"/subscriptions/{made['id']}", json={"language": "tlh"}),
    ]

    for answer in answers:
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == "#/language"
        assert "en, en-US, en-CA, es, es-MX, fr, fr-CA" in fault["detail"]


async def test_language_filters_and_rest_may_change(http: httpx.AsyncClient):
    made = await subscribed(http)
    path = f"/subscriptions/{made['id']}"

    changed = (
        await http.patch(path, json={"language": "es", "filters": {"parties": ["CA"]}, "state": "paused"})
    ).json()

    assert (changed["language"], changed["filters"]["parties"], changed["state"]) == ("es", ["CA"], "paused")
    assert (await http.patch(path, json={"address": "https://example.org/"})).status_code == 422
    assert (await http.patch(path, json={"state": "ended"})).status_code == 422
    await http.delete(path)
    assert (await http.patch(path, json={"state": "active"})).status_code == 409


SHORT = "-2w, -3bd 08:30, 0"
LONG = {
    "rungs": [
        {"step": "before-2w", "at": "09:00"},
        {"step": "before-3bd", "at": "08:30"},
        {"step": "on-the-day", "at": "09:00"},
    ],
    "holidays": {"country": "CA", "subdivision": "QC"},
}


async def test_a_ladder_may_be_written_in_short_and_is_shown_in_full(http: httpx.AsyncClient):
    holidays = {"country": "CA", "subdivision": "QC"}
    made = await subscribed(http, ladder={"rungs": SHORT, "holidays": holidays}, level="focal-point")

    assert (made["ladder"], made["level"]) == (LONG, "focal-point")
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["ladder"] == LONG


async def test_the_scheduler_hears_of_a_ladder_and_of_every_change_that_it_has_to_know(
    http: httpx.AsyncClient, database: Database
):
    """Each line is a change and what the scheduler is told of it: nothing, or whether it is to remind."""
    made = await subscribed(http, channel="email", address="desk@sre.example", ladder={"rungs": SHORT})
    path = f"/subscriptions/{made['id']}"
    told = [True]
    for change, published in (
        ({"language": "es"}, []),
        ({"zone": "America/Mexico_City"}, [True]),
        ({"zone": "America/Mexico_City", "state": "active"}, []),
        ({"filters": {"parties": ["MX"]}}, [True]),
        ({"filters": {"parties": ["MX"], "events": ["milestone-due"]}}, []),
        ({"ladder": LONG}, [True]),
        ({"state": "paused"}, [False]),
        ({"zone": "America/Toronto"}, []),
        ({"ladder": None}, []),
        ({"state": "active"}, []),
        ({"ladder": {"rungs": "-1m 07:00"}}, [True]),
        ({"ladder": None}, [False]),
        ({"ladder": LONG}, [True]),
    ):
        assert (await http.patch(path, json=change)).status_code == 200, change
        told += published
        assert [event.active for event in await published_ladders(database)] == told, change

    token = links().url([UUID(made["id"])]).removeprefix("https://notices.example")
    for _ in range(2):
        assert (await http.post(token)).status_code == 200
    events = await published_ladders(database)
    assert [event.active for event in events] == [*told, False]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {str(event.subscription_id) for event in events} == {made["id"]}
    assert (events[-2].zone, [str(c) for c in events[-2].parties]) == ("America/Toronto", ["MX"])
    assert [(rung.step, rung.at) for rung in events[-2].rungs] == [(r["step"], r["at"]) for r in LONG["rungs"]]


async def test_who_never_had_a_ladder_is_nothing_to_the_scheduler(http: httpx.AsyncClient, database: Database):
    made = await subscribed(http, level="director")
    path = f"/subscriptions/{made['id']}"
    for change in ({"zone": "America/Toronto"}, {"state": "paused"}, {"state": "active"}, {"level": None}):
        assert (await http.patch(path, json=change)).status_code == 200
    await http.delete(path)

    assert await published_ladders(database) == []


async def test_a_ladder_or_level_that_would_tell_nothing_is_refused_when_it_is_changed_too(http: httpx.AsyncClient):
    made = await subscribed(http, ladder={"rungs": SHORT}, level="director")
    path = f"/subscriptions/{made['id']}"

    for events, missing in ((["milestone-due"], "milestone-escalated"), (["milestone-escalated"], "milestone-due")):
        answer = await http.patch(path, json={"filters": {"events": events}})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert missing in answer.json()["detail"]
    given_up = {"filters": {"events": ["status-changed"]}, "ladder": None, "level": None}
    assert (await http.patch(path, json=given_up)).status_code == 200


async def test_two_levels_at_one_address_are_two_subscriptions(http: httpx.AsyncClient):
    only = {"events": ["milestone-escalated"]}
    await subscribed(http, filters=only, level="director")

    assert (await http.post("/subscriptions", json=form(filters=only, level="focal-point"))).status_code == 201
    assert (await http.post("/subscriptions", json=form(filters=only, level="director"))).status_code == 409
