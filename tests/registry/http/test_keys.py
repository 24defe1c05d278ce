"""API keys over HTTP: who makes and revokes which, what is kept, and what the other services hear."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from contracts.events import ApiKeyChanged
from contracts.topics import API_KEY_CHANGED
from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.http.api_key_text import hash_of, key_id_of
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.outbox import Outgoing
from services.registry.actions.taking_over import MissedRegistryEvents
from services.registry.http.app import http_app
from services.registry.key_table import KeyTable
from tests.registry.scenes import Register
from tests.stand_ins.known_keys import KnownKey

ROOT = ("admin", "editor", "reporter", "subscriber", "operator")


@pytest.fixture
async def keyed(register: Register) -> Any:
    """The registry with its own table of keys: `root` may do everything, `mx` is the admin of its ministry."""
    table = KeyTable(register.database, ApiKeys(ApiKeySettings()))
    app = http_app(register.database, register.clock, table.keys, {}, reread_keys=table.read)
    await table.read()
    for client, roles in (("root", ROOT), ("mx", ("admin", "reporter"))):
        ministry = "mx-sre" if client == "mx" else None
        table.keys.learn(
            [KnownKey(str(key_id_of(register.keys[client])), hash_of(register.keys[client]), client, roles, ministry)]
            if client in register.keys.texts
            else []
        )
    desk = register.keys["desk"]
    table.keys.learn([KnownKey(str(key_id_of(desk)), hash_of(desk), "root", ROOT)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://registry") as client:
        yield Register(register.database, client, register.keys, register.holds, register.clock)


async def makes(keyed: Register, by: str = "desk", key: str | None = None, **form: Any) -> httpx2.Response:
    return await keyed.send("POST", "/keys", {"client": "tracker", "roles": ["reporter"], **form}, by=by, key=key)


async def asks(keyed: Register, text: str, path: str = "/keys") -> int:
    answer = await keyed.client.get(path, headers={"authorization": f"Bearer {text}"})
    return answer.status_code


async def heard(keyed: Register) -> list[ApiKeyChanged]:
    return [event for _, event in await keyed.events(API_KEY_CHANGED.name)]


async def test_a_key_is_shown_once_and_kept_by_its_hash_alone(keyed: Register) -> None:
    """
    Who asks again with the same idempotency key hears which key it was, and not the key.
    """
    first = await makes(keyed, key="k1")
    again = await makes(keyed, key="k1")
    text = first.json()["key"]

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"key": None}
    assert key_id_of(text) == first.json()["key_id"]
    async with keyed.database.connection() as connection:
        everything = [
            json.dumps([str(value) for row in await connection.fetch(f"select * from {table}") for value in row])
            for table in ("api_key", "api_request", "outbox")
        ]
    assert not any(text in kept or text.split("_")[2] in kept for kept in everything)
    [event] = await heard(keyed)
    assert (event.key_id, event.sha256, event.seq, event.roles) == (key_id_of(text), hash_of(text), 1, ("reporter",))
    assert await asks(keyed, text) == 403  # it is known, and no admin's


async def test_two_keys_of_a_client_are_live_and_a_third_waits_for_one_to_end(keyed: Register) -> None:
    """
    Even where twenty are asked for at once.
    """
    answers = await asyncio.gather(*(makes(keyed) for _ in range(20)))
    made = [answer.json() for answer in answers if answer.status_code == 201]
    refused = [answer.json() for answer in answers if answer.status_code != 201]

    assert len(made) == 2
    assert {problem["type"] for problem in refused} == {"/problems/too-many-live-keys"}
    assert made[0]["key_id"] in refused[0]["detail"]
    ended = await keyed.send("DELETE", f"/keys/{made[0]['key_id']}", None)
    assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
    assert (await makes(keyed)).status_code == 201


async def test_a_revoked_key_is_refused_at_once_and_for_ever(keyed: Register) -> None:
    made = (await makes(keyed, roles=["admin"])).json()
    assert await asks(keyed, made["key"]) == 200
    first = await keyed.send("DELETE", f"/keys/{made['key_id']}", None)
    again = await keyed.send("DELETE", f"/keys/{made['key_id']}", None)

    assert await asks(keyed, made["key"]) == 401
    assert first.json() == again.json()
    assert [(event.seq, event.revoked_at is not None) for event in await heard(keyed)] == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("form", "status", "kind"),
    [
        ({"roles": ["holder"]}, 403, "key-not-allowed"),
        ({"ministry": "nobody-knows-it"}, 422, "refused-by-rule"),
        ({"roles": ["wizard"]}, 422, "invalid"),
        ({"roles": []}, 422, "invalid"),
        ({"days": 0}, 422, "invalid"),
        ({"days": 4000}, 422, "invalid"),
        ({"days": "12"}, 422, "invalid"),
        ({"client": "A B"}, 422, "invalid"),
        ({"key_id": "0000000000000000"}, 422, "invalid"),
    ],
)
async def test_a_key_that_can_t_be_is_refused(keyed: Register, form: dict[str, Any], status: int, kind: str) -> None:
    answer = await makes(keyed, **form)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await heard(keyed) == []


async def test_an_admin_of_a_ministry_sees_makes_and_ends_its_own_alone(keyed: Register) -> None:
    """
    And nobody becomes more than they are: no role that they haven't, and no client of somebody else.
    """
    others = (await makes(keyed)).json()
    own = await makes(keyed, by="mx", client="mx-bot", ministry="mx-sre")
    refused = [
        await makes(keyed, by="mx", client="x", ministry="ca-gac"),
        await makes(keyed, by="mx", client="x"),
        await makes(keyed, by="mx", client="x", ministry="mx-sre", roles=["editor"]),
        await makes(keyed, by="mx", client="tracker", ministry="mx-sre"),
        await keyed.send("DELETE", f"/keys/{others['key_id']}", None, by="mx"),
        await keyed.send("DELETE", "/keys/0000000000000000", None, by="mx"),
    ]

    assert own.status_code == 201
    assert [answer.status_code for answer in refused] == [403, 403, 403, 409, 404, 404]
    assert refused[4].content == refused[5].content
    listed = await keyed.client.get("/keys", headers=keyed.keys.header("mx"))
    assert [one["client"] for one in listed.json()["items"]] == ["mx-bot"]
    assert (await makes(keyed, by="operators")).status_code == 401  # it is not in the table
    assert (await keyed.client.get("/keys", headers=keyed.keys.header("desk"))).json()["items"][0]["client"] == "mx-bot"


async def test_a_later_process_knows_what_the_table_says_and_writes_what_was_used(keyed: Register) -> None:
    made = (await makes(keyed, roles=["admin"])).json()
    other = KeyTable(keyed.database, ApiKeys(ApiKeySettings()))
    assert other.silence() > 10
    await other.read()
    assert other.silence() < 10
    app = http_app(keyed.database, keyed.clock, other.keys, {}, reread_keys=other.read)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://registry") as client:
        first = await client.get("/keys", headers={"authorization": f"Bearer {made['key']}"})
        stopping = asyncio.Event()
        stopping.set()
        await other.run(stopping)
        second = await client.get("/keys", headers={"authorization": f"Bearer {made['key']}"})

    assert first.json()["items"][0]["last_used_at"] is None
    assert second.json()["items"][0]["last_used_at"] is not None


async def test_a_key_that_was_revoked_after_the_backup_stays_revoked(keyed: Register) -> None:
    """
    What the topic knows of keys is taken over, like everything else.
    """
    made = (await makes(keyed, roles=["admin"])).json()
    await keyed.send("DELETE", f"/keys/{made['key_id']}", None)
    async with keyed.database.transaction() as connection:
        rows = await connection.fetch("select event_id, topic, key, headers, value from outbox order by id")
        missed = [Outgoing(**dict(row)) for row in rows if row["topic"] == API_KEY_CHANGED.name]
        await connection.execute("delete from api_key")
        effects = await MissedRegistryEvents().take_over(connection, API_KEY_CHANGED.name, missed, [])
    table = KeyTable(keyed.database, ApiKeys(ApiKeySettings()))
    await table.read()

    assert effects.remarks == []
    listed = await keyed.client.get("/keys", headers=keyed.keys.header("desk"))
    [one] = listed.json()["items"]
    assert (one["key_id"], one["state"], one["client"]) == (made["key_id"], "revoked", "tracker")
    assert MACHINE_CLOCK.now().isoformat() > one["revoked_at"]
