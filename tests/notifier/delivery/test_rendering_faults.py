"""What can't be rendered is settled at once; a healthy delivery beside it goes out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.notifier.channels.outcomes import Accepted
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.fan_out import FanOut
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import DEADLINE, dispatch_at
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, subscribe


class MailServer:
    """Takes every mail."""

    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def send(self, mail: bytes, sender: str, recipient: str, read_reply: object) -> Accepted:
        self.recipients.append(recipient)
        return Accepted(250)


@contextlib.asynccontextmanager
async def dispatching(database: Database, clock: SharedClock, mail: MailServer) -> AsyncIterator[None]:
    http, stopping = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList()), asyncio.Event()
    running = asyncio.create_task(dispatch_at(database, clock, http, mail=mail).run(stopping))  # type: ignore[arg-type]
    yield
    stopping.set()
    await asyncio.wait_for(running, 20)
    await http.close()


async def ends(database: Database, count: int) -> dict[str, tuple[str, str | None, int]]:
    """State, reason and attempts of each delivery by its address, once so many have ended."""
    async with asyncio.timeout(20):
        while True:
            async with database.connection() as connection:
                rows = await connection.fetch(
                    "select s.address, d.state, d.reason, d.attempts from delivery d"
                    " join subscription s on s.id = d.subscription_id where d.state not in ('pending', 'sending')"
                )
            if len(rows) >= count:
                return {row["address"]: (row["state"], row["reason"], row["attempts"]) for row in rows}
            await asyncio.sleep(0.05)


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    made = SharedClock(tmp_path / "clock")
    made.set(NOW)
    return made


def counted() -> float:
    return REGISTRY.get_sample_value("pledgewire_rendering_faults_total", {"channel": "email"}) or 0.0


async def test_an_address_of_an_older_row_that_can_not_be_mailed_fails_at_once(database: Database, clock: SharedClock):
    for address in ("jörg@example.org", "a" * 65 + "@example.org", "=?utf-8?q?x?=@example.org"):
        await subscribe(database, address, channel="email")
    await subscribe(database, "info@behörde.example", channel="email")
    server, before = MailServer(), counted()
    async with dispatching(database, clock, server):
        await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
        found = await ends(database, 4)

    assert server.recipients == ["info@xn--behrde-yxa.example"]
    assert found.pop("info@behörde.example")[0] == "delivered"
    assert set(found.values()) == {("failed", "can-not-be-rendered", 1)}
    assert counted() - before == 3


async def test_an_event_that_can_not_be_read_fails_at_once_and_holds_nothing_up(database: Database, clock: SharedClock):
    await subscribe(database, "desk@example.org", channel="email")
    unreadable = replace(incoming(), event=replace(incoming().event, value=b'{"of": "a newer contract"}'))
    server = MailServer()
    async with dispatching(database, clock, server):
        await FanOut(database, lease_seconds=60).apply([unreadable], NOW, NO_CAPACITY)
        found = await ends(database, 1)
        await FanOut(database, lease_seconds=60).apply([incoming(seq=2)], NOW, NO_CAPACITY)
        await ends(database, 2)

    assert found == {"desk@example.org": ("failed", "can-not-be-rendered", 1)}
    assert server.recipients == ["desk@example.org"]
