"""Silences: who may make which, how long they last, and how it stands with them."""

from datetime import datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest

from services.notifier.delivery.resuming import resume_deferred
from services.notifier.silences.silence import mutes_for, notice_at, state_at
from services.notifier.silences.store import SilenceStore, holding_silences
from services.plumbing.database import Database
from tests.notifier.requests import by, subscribed
from tests.notifier.scenes import NOW


def new(**changes: Any) -> dict[str, Any]:
    return {"reason": "The summit's press office asks for it", "ends": after(hours=4)} | changes


def after(**length: float) -> str:
    return (NOW + timedelta(**length)).isoformat()


async def added(http: httpx.AsyncClient, client: str = "sre", **changes: Any) -> dict[str, Any]:
    answer = await http.post("/silences", json=new(**changes), headers=by(http, client))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(http: httpx.AsyncClient, client: str) -> list[str]:
    return [one["id"] for one in (await http.get("/silences", headers=by(http, client))).json()["items"]]


async def test_a_subscriber_silences_its_own_and_an_operator_everybody(
    http: httpx.AsyncClient, database: Database
) -> None:
    mine, theirs = (
        await subscribed(http),
        await http.post(
            "/subscriptions",
            json={"subscriber": "b", "channel": "email", "address": "b@gac.example"},
            headers=by(http, "gac"),
        ),
    )
    own = await added(http, filters={"themes": ["climate"]})
    everybody = await added(http, "watch")
    assert (own["author"], own["owner"], own["state"]) == ("sre", "sre", "active")
    assert (everybody["author"], everybody["owner"]) == ("watch", None)

    async with database.connection() as connection:
        held = await holding_silences(connection, NOW)
    assert [one.subscriptions is None for one in held] == [False, True]
    from uuid import UUID

    assert len(mutes_for(held, UUID(mine["id"]))) == 2
    assert len(mutes_for(held, UUID(theirs.json()["id"]))) == 1
    assert await listed(http, "sre") == [own["id"]]
    assert await listed(http, "gac") == []
    assert await listed(http, "watch") == [everybody["id"], own["id"]]


async def test_what_belongs_to_another_is_silenced_and_ended_by_nobody_else(http: httpx.AsyncClient) -> None:
    mine = await subscribed(http)
    foreign = await http.post("/silences", json=new(subscription=mine["id"]), headers=by(http, "gac"))
    assert foreign.status_code == 404
    own = await added(http, subscription=mine["id"])
    assert own["subscription"] == mine["id"]
    assert (await http.delete(f"/silences/{own['id']}", headers=by(http, "gac"))).status_code == 404
    assert (await http.post("/silences", json=new(), headers=by(http, "dos"))).status_code == 403
    assert (await http.delete(f"/silences/{own['id']}", headers=by(http, "watch"))).status_code == 204
    items = (await http.get("/silences")).json()["items"]
    assert [(one["state"], one["ended_by"]) for one in items] == [("ended", "watch")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends": after()},
        {"ends": None},
        {"minutes": 60},
        {"ends": None, "minutes": 0},
        {"ends": None, "minutes": 366 * 24 * 60 + 1},
        {"ends": None, "minutes": 366 * 24 * 60, "begins": after(hours=1)},
        {"ends": after(hours=-1)},
        {"ends": after(days=367)},
        {"begins": after(hours=5)},
        {"reason": " "},
        {"reason": None},
        {"ends": "tomorrow"},
        {"ends": 1772323200},
        {"filters": {"event": ["milestone-due"]}},
    ],
)
async def test_a_silence_has_a_reason_and_an_end(http: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await http.post("/silences", json=new(**wrong))).status_code == 422


async def test_a_length_is_counted_from_the_beginning_by_the_notifiers_clock(http: httpx.AsyncClient) -> None:
    at_once = await added(http, ends=None, minutes=90)
    later = await added(http, ends=None, minutes=90, begins=after(hours=2))
    ends = [datetime.fromisoformat(one["ends"]) for one in (at_once, later)]
    assert ends == [NOW + timedelta(minutes=90), NOW + timedelta(minutes=210)]


async def test_notice_is_given_once_before_a_silence_ends(http: httpx.AsyncClient, database: Database) -> None:
    """
    A day before, or in its last quarter; in the log, in the audit log and in the list. No message is sent.
    """
    await added(http, ends=after(days=10))
    short = await added(http, ends=after(hours=4))
    store = SilenceStore(database, resume_deferred)
    assert await store.notice_ends(NOW + timedelta(hours=2)) == 0
    assert await store.notice_ends(NOW + timedelta(hours=3)) == 1
    assert await store.notice_ends(NOW + timedelta(hours=3)) == 0
    async with database.connection() as connection:
        subject = await connection.fetchval(
            "select subject from audit_pending where action = 'silence.ending' order by id desc limit 1"
        )
    assert subject == f"silence/{short['id']}"
    assert await store.notice_ends(NOW + timedelta(days=9)) == 1
    assert await store.notice_ends(NOW + timedelta(days=11)) == 0


def test_the_states_of_a_silence_follow_each_other() -> None:
    begins, ends = NOW, NOW + timedelta(days=10)
    told = {
        state_at(now, begins, ends, None): now
        for now in (NOW - timedelta(1), NOW, notice_at(begins, ends), ends - timedelta(seconds=1), ends)
    }
    assert list(told) == ["upcoming", "active", "ending", "ended"]
    assert notice_at(begins, ends) == ends - timedelta(days=1)
    assert state_at(NOW, begins, ends, NOW) == "ended"


async def test_a_silence_that_is_to_come_and_one_that_is_over_are_told_apart(
    http: httpx.AsyncClient, database: Database
) -> None:
    coming = await added(http, begins=after(hours=1))
    assert coming["state"] == "upcoming"

    async def holding(now: datetime) -> int:
        async with database.connection() as connection:
            return len(await holding_silences(connection, now))

    assert [await holding(NOW + timedelta(hours=n)) for n in (0, 3, 4)] == [1, 1, 0]
