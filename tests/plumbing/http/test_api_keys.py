"""Who may call, and with what kind of body: the same answer on every route."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from fastapi import Depends
from starlette.testclient import TestClient

from services.plumbing.clock import Clock
from services.plumbing.http.api_key_text import hash_of, key_id_of, new_key
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings, Caller
from services.plumbing.http.app import web_app
from tests.stand_ins.known_keys import KnownKey

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class SetClock(Clock):
    """A clock that stands where it is put."""

    settable = True
    instant = NOW

    def now(self) -> datetime:
        return self.instant


class Door:
    """An application with two routes, and what its process knows of two clients' keys."""

    def __init__(self, **settings: float) -> None:
        self.clock = SetClock()
        self.keys = ApiKeys(ApiKeySettings.model_validate(settings), self.clock)
        self.made = {client: new_key() for client in ("desk", "mx")}
        self.facts = {
            "desk": KnownKey(self.made["desk"].id, self.made["desk"].sha256, "desk", ("editor",)),
            "mx": KnownKey(self.made["mx"].id, self.made["mx"].sha256, "mx", ("reporter", "of-a-later-release")),
        }
        self.keys.learn(self.facts.values())
        app = web_app("test", "Test", {})

        @app.post("/things")
        def make(caller: Annotated[Caller, Depends(self.keys.caller("editor"))]) -> str:
            return caller.client

        @app.get("/things")
        def read(caller: Annotated[Caller, Depends(self.keys.caller("editor", "reporter"))]) -> str:
            return caller.client

        self.client = TestClient(app)

    def learn(self, client: str, **news: object) -> None:
        self.facts[client] = replace(self.facts[client], seq=self.facts[client].seq + 1, **news)  # type: ignore[arg-type]
        self.keys.learn([self.facts[client]])

    def asks(self, text: str) -> int:
        return self.client.get("/things", headers=bearing(text)).status_code


@pytest.fixture
def door() -> Door:
    return Door()


def bearing(key: str, content_type: str = "application/json") -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": content_type}


def test_a_key_with_one_of_the_roles_is_let_in(door: Door) -> None:
    other_letters = bearing(door.made["desk"].text, "Application/JSON; charset=utf-8")

    assert door.client.post("/things", content="{}", headers=bearing(door.made["desk"].text)).json() == "desk"
    assert door.client.post("/things", content="{}", headers=other_letters).json() == "desk"
    assert door.client.get("/things", headers=bearing(door.made["mx"].text)).json() == "mx"


@pytest.mark.parametrize(
    ("by", "content_type", "status", "kind"),
    [
        (None, "application/json", 401, "unauthorized"),
        ("nobody", "application/json", 401, "unauthorized"),
        ("mx", "application/json", 403, "forbidden"),
        ("desk", "text/plain", 415, "media-type"),
        ("desk", "", 415, "media-type"),
        ("nobody", "text/plain", 415, "media-type"),
        (None, "text/plain", 415, "media-type"),
    ],
)
def test_others_are_told_what_is_missing_a_body_first(
    door: Door, by: str | None, content_type: str, status: int, kind: str
) -> None:
    headers = bearing(door.made[by].text if by in door.made else "pw_nobody_x", content_type)
    if by is None:
        del headers["Authorization"]

    answer = door.client.post("/things", content="{}", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_the_document_says_that_a_key_is_needed(door: Door) -> None:
    document = door.client.get("/openapi.json").json()

    assert document["paths"]["/things"]["post"]["security"] == [{"api-key": []}]
    assert document["components"]["securitySchemes"]["api-key"]["scheme"] == "bearer"
    assert "429" in document["paths"]["/things"]["get"]["responses"]


def test_every_key_that_is_wrong_in_some_way_has_the_same_answer(door: Door) -> None:
    """
    S22, S23: whether there is such a key, whether it was cut, has ended or is revoked, nobody is told.
    """
    right = door.made["desk"].text
    ended, revoked = new_key(), new_key()
    door.keys.learn(
        [
            KnownKey(ended.id, ended.sha256, "old", ("editor",), expires_at=NOW),
            KnownKey(revoked.id, revoked.sha256, "gone", ("editor",), revoked_at=NOW),
        ]
    )
    others_secret = f"pw_{door.made['desk'].id}_{new_key().text.split('_', 2)[2]}"
    wrong = ["", "x", right[:-1], right.swapcase(), new_key().text, others_secret, ended.text, revoked.text, "e" * 9000]
    answers = [door.client.get("/things", headers=bearing(text)) for text in wrong]
    answers.append(door.client.get("/things", headers={"Authorization": f"Basic {right}"}))
    answers.append(door.client.get("/things", headers={"Authorization": right}))

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert door.client.get("/things", params={"key": right}).status_code in (400, 401)  # never in the address


def _token(header: dict[str, str], claims: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256", "kid": "../../dev/null"},
        {"alg": "RS256", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "jwk": "{}"},
    ],
)
def test_a_token_of_another_kind_is_no_key(door: Door, header: dict[str, str]) -> None:
    """
    S24: no door takes JSON web tokens, so none of what is done to them opens one; the answer is that to any wrong key.
    """
    claims: dict[str, object] = {"sub": "desk", "roles": ["editor"], "aud": "pledgewire", "exp": 4_000_000_000}
    answer = door.client.get("/things", headers=bearing(_token(header, claims)))

    assert answer.status_code == 401
    assert answer.content == door.client.get("/things", headers=bearing("x")).content


def test_what_becomes_known_of_a_key_holds_from_the_next_request_on_and_nothing_older_does(door: Door) -> None:
    older = door.facts["mx"]
    assert door.asks(door.made["mx"].text) == 200
    door.learn("mx", revoked_at=NOW)
    assert door.asks(door.made["mx"].text) == 401
    door.keys.learn([older])  # a record that comes once more
    assert door.asks(door.made["mx"].text) == 401


def test_a_key_ends_by_itself_and_says_so_a_month_before(door: Door) -> None:
    door.learn("mx", expires_at=NOW + timedelta(days=31))
    text = door.made["mx"].text
    assert "pledgewire-key-expires" not in door.client.get("/things", headers=bearing(text)).headers
    door.clock.instant = NOW + timedelta(days=2)
    warned = door.client.get("/things", headers=bearing(text))
    assert warned.headers["pledgewire-key-expires"] == "2026-12-30T12:00:00Z"
    door.clock.instant = NOW + timedelta(days=31)
    assert door.asks(text) == 401


def test_who_guesses_is_told_to_wait_and_locks_nobody_out() -> None:
    """
    S22: so many wrong keys in a minute of an address and of a key id; a right one is let in all the while.
    """
    door = Door(wrong_per_minute=5)
    statuses = [door.asks(new_key().text) for _ in range(8)]
    answer = door.client.get("/things", headers=bearing(new_key().text))

    assert statuses == [401] * 5 + [429] * 3
    assert answer.json()["type"] == "/problems/too-many-wrong-keys"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert door.asks(door.made["mx"].text) == 200
    assert door.client.get("/things").status_code == 401  # without a key nothing is guessed


def test_known_keys_hold_for_a_while_without_news_and_then_nobody_is_let_in() -> None:
    """
    While it can't be known whether a key was revoked, an hour passes; then the answer is 503 and not 401. Before the
    first news it is the same.
    """
    door = Door(longest_silence=60)
    for silence, status in ((float("inf"), 503), (0.0, 200), (60.0, 200), (61.0, 503)):
        door.keys.silence = lambda silence=silence: silence
        assert door.asks(door.made["mx"].text) == status
        assert door.client.get("/things").status_code == 401


async def test_the_age_of_news_is_shown(door: Door) -> None:
    assert await door.keys.check() is None
    door.keys.silence = lambda: 13.0
    assert "13 s" in str(await door.keys.check())
    door.keys.silence = lambda: float("inf")
    assert "not all API keys have been read" in str(await door.keys.check())
    assert door.keys.facts() == {"known": 2, "seconds_unheard": None}


def test_a_client_speaks_for_a_ministry_as_its_live_keys_say_alike(door: Door) -> None:
    def made(client: str, ministry: str | None, revoked_at: datetime | None = None) -> KnownKey:
        key = new_key()
        return KnownKey(key.id, key.sha256, client, ("reporter",), ministry, revoked_at=revoked_at)

    door.keys.learn([made("sre", "mx-sre"), made("sre", "mx-sre"), made("sre", "mx-old", NOW)])
    door.keys.learn([made("both", "mx-sre"), made("both", "ca-gac")])

    asked = ("sre", "both", "desk", "nobody")
    assert [door.keys.ministry_of(client) for client in asked] == ["mx-sre", None, None, None]


def test_the_last_use_is_known_to_a_minute(door: Door) -> None:
    for seconds in (0, 30, 61):
        door.clock.instant = NOW + timedelta(seconds=seconds)
        door.asks(door.made["mx"].text)
        used = door.keys.take_uses()
        assert used == ({} if seconds == 30 else {door.made["mx"].id: door.clock.instant})


def test_a_key_has_its_form_and_a_slip_is_seen() -> None:
    keys = [new_key() for _ in range(50)]
    for key in keys:
        assert key_id_of(key.text) == key.id
        assert key.sha256 == hash_of(key.text)
        assert len(key.text) == len("pw__") + 16 + 43 + 1 + 6
        for place in (4, 30, 65):
            other = "a" if key.text[place] != "a" else "b"
            assert key_id_of(key.text[:place] + other + key.text[place + 1 :]) is None
    assert len({key.id for key in keys}) == len({key.text for key in keys}) == 50
