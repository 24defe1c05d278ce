"""In a channel everybody holds the link: it ends, what it changes is told there, and is put back; on a PostgreSQL."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest

from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import ChatChannel
from services.notifier.channels.outcomes import FailureReason
from services.notifier.notices.channel_teller import ChannelTeller
from services.notifier.notices.permission import LOOK_AGAIN, MayTell, everybody
from services.notifier.notices.shared_changes import MOST_ATTEMPTS, SharedChanges
from services.notifier.notices.undo_routes import undo_link
from services.notifier.subscriptions.subscription_links import SHARED_DAYS, shared_token
from services.notifier.transport.transfers import PostFailed, Response
from services.plumbing.database import Database
from tests.notifier.requests import subscribed
from tests.notifier.scenes import NOW, TOKENS, UNDO_TOKENS
from tests.notifier.subscriptions.test_link_routes import BY_NOBODY, at_clock

CHANNEL = {"channel": "slack", "address": "http://127.0.0.1:8025/hooks/a-channel", "language": "en"}
LAST_DAY = NOW.date() + timedelta(days=SHARED_DAYS)


class Channel:
    """Stands in for the HTTP client: keeps what is posted, and answers as it is told."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.fails: PostFailed | None = None
        self.status = 200

    async def post(self, url: str, headers: list[str], body: bytes) -> Response:
        self.posted.append((url, json.loads(body)))
        if self.fails:
            raise self.fails
        return Response(self.status, {}, b"ok")


def teller(database: Database, channel: Channel, clock: Any, may_tell: MayTell = everybody) -> ChannelTeller:
    link = undo_link("https://portal.example", UNDO_TOKENS, clock)
    return ChannelTeller(SharedChanges(database), channel, link, clock, may_tell=may_tell)  # type: ignore[arg-type]  # it stands in


def path(made: dict[str, Any], last_day: date | None = LAST_DAY) -> str:
    return f"/subscription-links/{TOKENS.token(UUID(made['id']), last_day)}"


def links_in(card: Any) -> list[str]:
    """The addresses of the buttons of a card."""
    found = [card[name] for name in ("url",) if isinstance(card, dict) and name in card]
    inside = card.values() if isinstance(card, dict) else card if isinstance(card, list) else ()
    return found + [link for one in inside for link in links_in(one)]


@pytest.fixture(autouse=True)
async def untold(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from shared_change")


async def test_the_link_of_a_channel_ends_and_each_message_has_a_new_one(http: httpx.AsyncClient) -> None:
    made = await subscribed(http, **CHANNEL)
    token = shared_token(TOKENS, at_clock(http))(UUID(made["id"]))
    good, endless = f"/subscription-links/{token}", path(made, None)
    first = [(await http.get(one, headers=BY_NOBODY)).status_code for one in (good, endless)]
    at_clock(http).set(NOW + timedelta(days=SHARED_DAYS))
    last = await http.get(good, headers=BY_NOBODY)
    at_clock(http).set(NOW + timedelta(days=SHARED_DAYS + 1))
    over = [
        await http.get(good, headers=BY_NOBODY),
        await http.patch(good, json={"language": "fr"}, headers=BY_NOBODY),
        await http.delete(good, headers=BY_NOBODY),
        await http.get(f"{good}/deliveries", headers=BY_NOBODY),
    ]
    newer = f"/subscription-links/{shared_token(TOKENS, at_clock(http))(UUID(made['id']))}"

    assert first == [200, 410], "a link without an end is none of a channel's"
    assert last.status_code == 200
    assert {(one.status_code, one.json()["type"]) for one in over} == {(410, "/problems/link-ended")}
    assert (await http.get(newer, headers=BY_NOBODY)).json()["language"] == "en"


@pytest.mark.parametrize("channel", ["slack", "teams"])
async def test_the_channel_is_told_what_was_changed_and_puts_it_back(
    http: httpx.AsyncClient, database: Database, channel: str
) -> None:
    made = await subscribed(http, **CHANNEL | {"channel": channel}, filters={"events": ["milestone-due"]})
    await http.patch(path(made), json={"language": "es", "events": []}, headers=BY_NOBODY)
    told = Channel()
    for _ in range(2):
        await teller(database, told, at_clock(http)).beat()

    [(url, card)] = told.posted
    text = json.dumps(card, ensure_ascii=False)
    assert url == CHANNEL["address"]
    assert "Alguien de este canal cambió lo que recibe (Climate desk)." in text
    assert "Idioma: inglés → español" in text and "hooks/" not in text
    [link] = links_in(card)
    undo = "/undo-links/" + link.removeprefix("https://portal.example/undo/")
    shown = (await http.get(undo, headers=BY_NOBODY)).json()
    assert (shown["was"]["language"], shown["now"]["language"], shown["can_be_undone"]) == ("en", "es", True)
    assert "address" not in str(shown)

    done, again = [(await http.post(undo, headers=BY_NOBODY)).json() for _ in range(2)]
    now = (await http.get(f"/subscriptions/{made['id']}")).json()
    assert (now["language"], now["filters"]["events"]) == ("en", ["milestone-due"])
    assert done == again and done["is_undone"] and not done["can_be_undone"]
    await teller(database, told, at_clock(http)).beat()
    assert len(told.posted) == 2, "the channel is told of this, too"


async def test_a_channel_that_was_stopped_by_its_link_goes_on_when_it_is_put_back(
    http: httpx.AsyncClient, database: Database
) -> None:
    made = await subscribed(http, **CHANNEL)
    assert (await http.delete(path(made), headers=BY_NOBODY)).status_code == 204
    told = Channel()
    await teller(database, told, at_clock(http)).beat()
    [link] = links_in(told.posted[0][1])
    await http.post("/undo-links/" + link.rpartition("/")[2], headers=BY_NOBODY)
    now = (await http.get(f"/subscriptions/{made['id']}")).json()

    assert (now["state"], now["reason"], now["ended_at"]) == ("active", None, None)


async def test_what_was_changed_again_is_not_put_back(http: httpx.AsyncClient, database: Database) -> None:
    made = await subscribed(http, **CHANNEL)
    await http.patch(path(made), json={"language": "es"}, headers=BY_NOBODY)
    told = Channel()
    await teller(database, told, at_clock(http)).beat()
    await http.patch(f"/subscriptions/{made['id']}", json={"language": "fr"})
    undo = "/undo-links/" + links_in(told.posted[0][1])[0].rpartition("/")[2]
    refused = await http.post(undo, headers=BY_NOBODY)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/overtaken")
    assert not (await http.get(undo, headers=BY_NOBODY)).json()["can_be_undone"]
    assert (await http.get(f"/subscriptions/{made['id']}")).json()["language"] == "fr"


async def test_what_its_owner_changes_and_what_a_mails_reader_changes_is_told_to_nobody(
    http: httpx.AsyncClient, database: Database
) -> None:
    made = await subscribed(http, **CHANNEL)
    mail = await subscribed(http, channel="email", address="desk@sre.example")
    await http.patch(f"/subscriptions/{made['id']}", json={"language": "es"})
    await http.patch(path(made), json={"language": "es"}, headers=BY_NOBODY)  # nothing differs
    await http.patch(path(mail, None), json={"language": "es"}, headers=BY_NOBODY)
    told = Channel()
    await teller(database, told, at_clock(http)).beat()

    assert told.posted == []


async def test_a_channel_that_does_not_answer_is_told_later_and_not_for_ever(
    http: httpx.AsyncClient, database: Database
) -> None:
    made = await subscribed(http, **CHANNEL)
    await http.patch(path(made), json={"language": "es"}, headers=BY_NOBODY)
    told = Channel()
    told.status = 503
    for hours in range(10):
        at_clock(http).set(NOW + timedelta(hours=hours))
        await teller(database, told, at_clock(http)).beat()
    assert len(told.posted) == MOST_ATTEMPTS

    told.fails = PostFailed(FailureReason.BLOCKED, sent=False)
    await http.patch(path(made), json={"language": "fr"}, headers=BY_NOBODY)
    for hours in range(10, 20):
        at_clock(http).set(NOW + timedelta(hours=hours))
        await teller(database, told, at_clock(http)).beat()
    assert len(told.posted) == MOST_ATTEMPTS + 1, "an address that may not be posted to is tried once"


async def test_nothing_is_behind_an_undo_link_that_we_did_not_make(http: httpx.AsyncClient) -> None:
    made = await subscribed(http, **CHANNEL)
    for token in ("x", TOKENS.token(UUID(made["id"]), LAST_DAY), UNDO_TOKENS.token(uuid4(), LAST_DAY)):
        for answer in (await http.get(f"/undo-links/{token}"), await http.post(f"/undo-links/{token}")):
            assert answer.status_code == 404


async def test_a_channel_is_not_flooded_by_changes(http: httpx.AsyncClient) -> None:
    made = await subscribed(http, **CHANNEL)
    answers = [
        await http.patch(path(made), json={"language": ("es", "fr")[n % 2]}, headers=BY_NOBODY) for n in range(20)
    ]
    assert answers[0].status_code == 200
    assert (answers[-1].status_code, answers[-1].json()["type"]) == (429, "/problems/too-many-changes")


def test_every_channel_in_which_all_read_the_same_is_told_so() -> None:
    assert {name for name, one in CHANNELS.items() if one.is_shared} == {
        name for name, one in CHANNELS.items() if isinstance(one, ChatChannel)
    }


async def test_a_channel_that_may_not_be_told_yet_is_told_once_it_may(
    http: httpx.AsyncClient, database: Database
) -> None:
    """
    A trial holds this as it holds deliveries; holding it back is no attempt.
    """
    made = await subscribed(http, **CHANNEL)
    await http.patch(path(made), json={"language": "es"}, headers=BY_NOBODY)
    told, allowed, clock = Channel(), set[UUID](), at_clock(http)
    held = teller(database, told, clock, may_tell=lambda subscription, _, __: subscription in allowed)
    for _ in range(MOST_ATTEMPTS + 2):
        await held.beat()
        clock.set(clock.now() + LOOK_AGAIN)
    assert told.posted == []
    allowed.add(UUID(made["id"]))
    await held.beat()
    assert [url for url, _ in told.posted] == [CHANNEL["address"]]
