"""Two dispatchers and a receiver that takes only so many: each message once, none of them failed."""

import asyncio
import contextlib
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.fan_out import FanOut
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import dispatch_at
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming, states, subscribe


class Receiver:
    """Below /slow it has a bucket of three that fills with twenty a second; it asks to wait a fifth of a second."""

    def __init__(self) -> None:
        self.tokens, self.at = 3.0, time.monotonic()
        self.answers: list[tuple[str, str, int]] = []
        """Path, delivery and status of each request."""
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                await reader.readexactly(int(head["content-length"]))
                path = lines[0].split()[1]
                status = 204 if path != "/slow" or self._takes() else 429
                self.answers.append((path, head["webhook-id"], status))
                writer.write(f"HTTP/1.1 {status} So\r\nRetry-After: 0.2\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    def _takes(self) -> bool:
        now = time.monotonic()
        self.tokens, self.at = min(3.0, self.tokens + 20 * (now - self.at)), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


async def test_who_says_to_wait_gets_every_message_once_and_nobody_else_waits(database: Database, tmp_path: Path):
    receiver = Receiver()
    server = await asyncio.start_server(receiver, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    clock = SharedClock(tmp_path / "clock")
    clock.set(NOW)
    for path in ("slow", "quick"):
        await subscribe(database, f"http://127.0.0.1:{receiver.port}/{path}")
    clients = [HttpClient(HttpClientSettings(deadline=5), AllowList.of(["127.0.0.1"])) for _ in range(2)]
    stopping = asyncio.Event()
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(20)], NOW, NO_CAPACITY)

    running = [asyncio.create_task(dispatch_at(database, clock, http).run(stopping)) for http in clients]
    async with asyncio.timeout(60):
        while (await states(database)).get("delivered") != 40:
            await asyncio.sleep(0.1)
            clock.set(clock.now() + timedelta(seconds=0.1))
    stopping.set()
    await asyncio.gather(*running)
    for http in clients:
        await http.close()
    server.close()

    taken = Counter(delivery for _, delivery, status in receiver.answers if status == 204)
    assert len(taken) == 40
    assert set(taken.values()) == {1}
    slow = [status for path, _, status in receiver.answers if path == "/slow"]
    assert 1 <= slow.count(429) <= 12, "the first four of each at most, and some while its pace is found"
    async with database.connection() as connection:
        rows = await connection.fetch("select attempts, count(*), sum(deferrals) as deferrals from delivery group by 1")
    assert [(row["attempts"], row["count"], row["deferrals"]) for row in rows] == [(1, 40, slow.count(429))]
