"""Addresses and signing secrets in the database: sealed, opened only to send, sealed anew while all goes on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.notifier.channels.outcomes import AttemptOutcome, Delivered
from services.notifier.delivery.cancellation import cancel_waiting
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Delivery
from services.notifier.delivery.dispatch import Dispatch
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.messages import Together
from services.notifier.delivery.resuming import resume_deferred
from services.notifier.events.published_event import PublishedEvent, Telling
from services.notifier.notices.link_requests import LinkRequests
from services.notifier.notices.shared_changes import SharedChanges
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.resealing import SecretsWatch, reseal_step, sealed_by_key
from services.notifier.subscriptions.store import AlreadySubscribed, Row, SubscriptionStore
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from services.plumbing.secrets_at_rest import SEALED, Secrets, SecretsSettings, new_key, put_new_key_in_front, read_keys
from tests.notifier.delivery.dispatching import SETTINGS
from tests.notifier.scenes import DESTINATIONS, MUCH_CAPACITY, NO_CAPACITY, NOW, incoming

OLD, NEW = new_key(), new_key()
WITH_OLD, WITH_BOTH, WITH_NEW = (Secrets(read_keys(keys)) for keys in (OLD, f"{NEW},{OLD}", NEW))
HOOK, SIGNS = "https://hooks.example.org/services/very-secret-token", "whsec_" + "c2VjcmV0" * 5 + "c2U="
MAIL = "alguien@sre.example"
BY = Actor("sre")


def store_with(database: Database, secrets: Secrets) -> SubscriptionStore:
    return SubscriptionStore(database, DESTINATIONS, cancel_waiting, resume_deferred, secrets=secrets)


async def added(store: SubscriptionStore, address: str = HOOK, channel: str = "webhook", **other: object) -> Row:
    values = {
        "owner": "sre",
        "subscriber": "A desk",
        "channel": channel,
        "address": address,
        "secret": SIGNS if channel == "webhook" else None,
        "language": "en",
        "zone": "America/Mexico_City",
        **{name: [] for name in ("events", "parties", "themes", "sections", "commitments")},
        "ladder": None,
        "level": None,
        "timing": None,
    }
    return await store.add(values | other, NOW, BY)


async def everything(database: Database) -> str:
    """All that stands in the notifier's tables, bytes as hexadecimal digits."""
    async with database.connection() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'notifier'")
        parts = [await connection.fetch(f"select t::text from {row['tablename']} t") for row in tables]
    return "\n".join(row[0] for rows in parts for row in rows)


async def test_no_table_holds_an_address_or_a_signing_secret(database: Database):
    store = store_with(database, WITH_OLD)
    hook, mail = await added(store), await added(store, MAIL, "email")
    await store.change(hook["id"], "sre", {"language": "es"}, NOW, BY)
    await FanOut(database, lease_seconds=60, secrets=WITH_OLD).apply([incoming()], NOW, NO_CAPACITY)
    await store.end(mail["id"], "sre", "ended-by-owner", NOW, BY)
    found = await everything(database)
    assert [one for one in (HOOK, "very-secret-token", SIGNS, MAIL, "alguien") if one in found] == []
    assert found.count(SEALED) == 3


async def test_who_asks_and_who_sends_have_it_in_the_clear(database: Database):
    store = store_with(database, WITH_OLD)
    id_ = (await added(store))["id"]
    mail = await added(store, MAIL, "email")
    found = await store.find(id_, "sre")
    assert found is not None
    assert found["address"] == HOOK
    assert [row["address"] for row in await store.page(None, None, None, 10)] == [HOOK, MAIL]
    await FanOut(database, lease_seconds=60, secrets=WITH_OLD).apply([incoming()], NOW, NO_CAPACITY)
    claimed = await DeliveryClaims(database, lease_seconds=60, secrets=WITH_OLD).claim(
        NOW + timedelta(1), MUCH_CAPACITY
    )
    to = {delivery.recipient.id: delivery.recipient for delivery in claimed}
    assert (to[id_].address, to[id_].secret) == (HOOK, SIGNS)
    assert (to[mail["id"]].address, to[mail["id"]].secret) == (MAIL, None)

    requests = LinkRequests(database, DESTINATIONS, WITH_OLD)
    await requests.ask(MAIL, NOW)
    (asked,) = await requests.claim(NOW)
    assert [row["address"] for row in await requests.subscriptions(asked)] == [MAIL]
    chat = await added(store, "https://hooks.slack.com/services/T/B/x", "slack")
    changes = SharedChanges(database, WITH_OLD)
    await store.change(chat["id"], None, {"language": "fr"}, NOW, BY, beside=changes.record)
    assert [row["address"] for row in await changes.claim(NOW)] == ["https://hooks.slack.com/services/T/B/x"]


async def test_the_same_address_with_the_same_filters_is_still_known(database: Database):
    """Sealed texts of one address differ, and what tells that two are the same can't be made without the link keys."""
    store = store_with(database, WITH_OLD)
    await added(store, MAIL, "email")
    with pytest.raises(AlreadySubscribed):
        await added(store, MAIL.upper(), "email")
    await added(store, MAIL, "email", themes=["climate"])


async def test_rows_from_before_get_a_fingerprint_that_nobody_can_guess(database: Database):
    store = store_with(database, WITH_OLD)
    row = await added(store, MAIL, "email")
    async with database.connection() as connection:
        await connection.execute("update subscription set fingerprint = sha256('as it was')")
        assert await DESTINATIONS.refresh(database, WITH_OLD) == 1
        kept = await connection.fetchval("select fingerprint from subscription where id = $1", row["id"])
    assert await DESTINATIONS.refresh(database, WITH_OLD) == 0
    with pytest.raises(AlreadySubscribed):
        await added(store, MAIL, "email")
    assert kept is not None


class Sent:
    """Sends nothing, and remembers where to."""

    def __init__(self) -> None:
        self.to: list[str] = []

    async def send(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling | None = None, together: Together = ()
    ) -> AttemptOutcome:
        self.to.append(delivery.recipient.address)
        return Delivered(200)


@contextlib.asynccontextmanager
async def sending(database: Database, clock: SharedClock, secrets: Secrets) -> AsyncIterator[Sent]:
    sent, stopping = Sent(), asyncio.Event()
    dispatch = Dispatch(database, {"webhook": sent}, clock, SETTINGS, secrets=secrets)
    running = asyncio.create_task(dispatch.run(stopping))
    try:
        yield sent
    finally:
        stopping.set()
        await asyncio.wait_for(running, 20)


async def reached(database: Database, condition: str) -> None:
    async with asyncio.timeout(20):
        while True:
            async with database.connection() as connection:
                if await connection.fetchval(f"select count(*) > 0 and bool_and({condition}) from delivery"):
                    return
            await asyncio.sleep(0.02)


async def test_two_addresses_that_were_swapped_are_sent_nothing_and_nothing_is_lost(database: Database, tmp_path: Path):
    """Who may write to the table can't have one reader's messages sent to another."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    store = store_with(database, WITH_OLD)
    rows = [await added(store, f"https://hooks.example.org/{n}") for n in range(2)]
    swap = "update subscription s set address = o.address from subscription o where o.id <> s.id"
    async with database.connection() as connection:
        await connection.execute(swap)
    async with sending(database, clock, Secrets(read_keys(OLD))) as sent:
        await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
        await reached(database, "attempts = 1 and reason = 'fault-on-our-side'")
        assert sent.to == []
        async with database.connection() as connection:
            await connection.execute(swap)
        clock.set(NOW + timedelta(minutes=1))
        await reached(database, "state = 'delivered'")
    assert sorted(sent.to) == sorted(row["address"] for row in rows)


async def rotated(database: Database, secrets: Secrets) -> None:
    after: UUID | None = None
    while True:
        async with database.transaction() as connection:
            step = await reseal_step(connection, secrets, after)
        if (after := step.last) is None:
            return


async def test_a_key_is_exchanged_while_subscriptions_are_made_and_messages_sent(database: Database):
    before, now = store_with(database, WITH_OLD), store_with(database, WITH_BOTH)
    for n in range(250):
        await added(before, f"https://hooks.example.org/{n}")

    async def go_on() -> None:
        for n in range(250, 290):
            await added(now, f"https://hooks.example.org/{n}")

    claims = DeliveryClaims(database, lease_seconds=60, secrets=Secrets(read_keys(f"{NEW},{OLD}")))
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
    _, _, claimed = await asyncio.gather(rotated(database, WITH_BOTH), go_on(), claims.claim(NOW, MUCH_CAPACITY))
    assert {delivery.recipient.address for delivery in claimed} == {
        f"https://hooks.example.org/{n}" for n in range(250)
    }
    async with database.connection() as connection:
        assert await sealed_by_key(connection) == {WITH_NEW.key_ids[0]: 580}
    after = store_with(database, WITH_NEW)
    assert {row["address"].rpartition("/")[2] for row in await after.page(None, None, None, 300)} == {
        str(n) for n in range(290)
    }


async def test_a_service_says_what_it_can_not_open_until_it_has_the_key(database: Database, tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text(NEW)
    settings = SecretsSettings(key_file=file)
    watch = SecretsWatch(database, settings, secrets := Secrets.from_settings(settings))
    await added(store_with(database, WITH_OLD))
    await watch.beat()
    assert f"2 with {WITH_OLD.key_ids[0]}" in (await watch.check() or "")
    (row,) = await store_with(database, secrets).page(None, None, None, 10)
    assert row["address"] == "unreadable"
    file.write_text(f"{NEW}\n{OLD}\n")
    await watch.beat()
    assert await watch.check() is None
    (row,) = await store_with(database, secrets).page(None, None, None, 10)
    assert row["address"] == HOOK


async def test_who_holds_another_link_key_sees_other_destinations_of_sealed_addresses(database: Database):
    from tests.notifier.subscriptions.test_destinations import keyed

    await added(store_with(database, WITH_OLD))
    other: Destinations = keyed("another")
    assert await other.refresh(database, WITH_NEW) == 0  # what can't be opened is left as it is
    assert await other.refresh(database, WITH_OLD) == 1


async def command(url: str, keys: Path | None, *words: str) -> tuple[int, str, BaseException | None]:
    env = {"DATABASE_URL": url} | ({"SECRETS_KEY_FILE": str(keys)} if keys else {})
    done = await asyncio.to_thread(CliRunner().invoke, app, ["secrets", *words], env=env)
    return done.exit_code, done.stdout, done.exception


async def test_the_commands_make_a_key_seal_exchange_it_and_put_all_in_the_clear_again(
    database: Database, url: str, tmp_path: Path
):
    clear = store_with(database, Secrets())
    for n in range(3):
        await added(clear, f"https://hooks.example.org/{n}")
    file = tmp_path / "secrets.key"
    code, told, _ = await command(url, None, "new-key", str(file))
    assert (code, file.read_text().count("pwsk_")) == (0, 1), told
    assert (await command(url, file, "status"))[1].splitlines()[-1] == "6 in the clear"
    assert "3 of 3 subscriptions were sealed anew" in (await command(url, file, "rotate"))[1]
    assert "0 of 3" in (await command(url, file, "rotate"))[1]
    put_new_key_in_front(file)
    assert "3 of 3" in (await command(url, file, "rotate"))[1]
    shown = json.loads((await command(url, file, "status", "--json"))[1])
    assert (shown["sealed"], shown["in_the_clear"], shown["unknown"]) == ({shown["keys"][0]: 6}, 0, [])

    other = tmp_path / "other.key"
    put_new_key_in_front(other)
    assert (await command(url, other, "status"))[0] == 1
    error = (await command(url, other, "rotate"))[2]
    assert isinstance(error, EmbeddedError)
    assert "3 can't be opened" in str(error)

    assert "3 of 3 subscriptions were opened" in (await command(url, file, "rotate", "--to-clear"))[1]
    assert [row["address"][-1] for row in await clear.page(None, None, None, 10)] == ["0", "1", "2"]
