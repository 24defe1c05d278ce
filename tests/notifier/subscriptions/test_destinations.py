"""Destinations on a real PostgreSQL: one place for one receiver, whoever asks, and none for who has no key."""

import pytest
from pydantic import SecretStr

from services.notifier.delivery.fan_out import FanOut
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.link_settings import LinkSettings
from services.plumbing.database import Database
from tests.notifier.scenes import DESTINATIONS, NO_CAPACITY, NOW, incoming, subscribe


def keyed(*keys: str) -> Destinations:
    return Destinations(LinkSettings(link_keys=tuple(SecretStr(key.ljust(32, "-")) for key in keys)))  # type: ignore[call-arg]


def test_a_destination_is_the_receiver_and_not_the_spelling_of_its_address():
    assert DESTINATIONS.of("email", "ana@Example.org") == DESTINATIONS.of("email", "ana@example.org")
    assert DESTINATIONS.of("email", "ana@example.org") != DESTINATIONS.of("email", "eva@example.org")
    assert DESTINATIONS.of("slack", "https://a.example/x") != DESTINATIONS.of("webhook", "https://a.example/x")


def test_a_new_key_in_front_changes_nothing_and_a_retired_one_everything():
    address = ("slack", "https://hooks.example.org/x")
    assert keyed("new", "old").of(*address) == keyed("old").of(*address) != keyed("new").of(*address)


@pytest.mark.parametrize("before", [DESTINATIONS, None])
async def test_what_waits_gets_the_destination_of_the_key_of_now(database: Database, before: Destinations | None):
    """After a key was retired, and where the rows are older than destinations."""
    for n in range(3):
        await subscribe(database, f"https://hooks.example.org/{n}")
    await FanOut(database, lease_seconds=60).apply([incoming(seq=1), incoming(seq=2)], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        if before is None:
            await connection.execute("update subscription set destination = null")
            await connection.execute("update delivery set destination = null")
        now = keyed("another")
        assert await now.refresh(database) == 3
        assert await now.refresh(database) == 0
        rows = await connection.fetch(
            "select s.address, s.destination, d.destination as of_delivery from subscription s"
            " join delivery d on d.subscription_id = s.id"
        )
    assert len(rows) == 6
    for row in rows:
        assert row["destination"] == row["of_delivery"] == now.of("webhook", row["address"])
