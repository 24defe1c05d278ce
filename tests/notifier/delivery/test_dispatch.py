"""Dispatch from the table to receivers that listen: nothing lost, nothing doubled without a reason on record."""

import asyncio
import contextlib
import email.message
import json
import os
import re
import signal
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Mailing
from standardwebhooks import Webhook

from contracts.envelope import from_record
from contracts.events import DeliverySettled
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.dispatch import Dispatch, DispatchSettings
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.sending_stop import start_sending, stop_sending
from services.notifier.delivery.standing_orders import StandingOrders
from services.notifier.subscriptions.unsubscribe_routes import BY_LINK
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.smtp import SmtpPool, SmtpSettings
from services.plumbing.audit.entries import Actor
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.delivery.dispatching import DEADLINE, SETTINGS, dispatch_at, links
from tests.notifier.scenes import MUCH_CAPACITY, NO_CAPACITY, NOW, incoming, states, subscribe, subscriptions

Answer = Callable[[UUID, int], int | None]
"""The status for the nth request of a delivery; None for silence."""


class Receiver:
    """Takes signed posts, and remembers for each delivery what it answered."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _id, _n: 200
        self.answers: defaultdict[UUID, list[int | None]] = defaultdict(list)
        self.bodies: dict[UUID, bytes] = {}
        self.order: list[UUID] = []
        """What was taken, as it came."""
        self.heads: dict[UUID, dict[str, str]] = {}
        self.port = 0
        self.silence = DEADLINE * 2
        """Seconds until a connection without an answer is closed, unless all are released before."""
        self.released = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
                head = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(head["content-length"]))
                id_ = UUID(head["webhook-id"])
                self.bodies[id_], self.heads[id_] = body, head
                status = self.answer(id_, len(self.answers[id_]) + 1)
                self.answers[id_].append(status)
                if status is not None and status < 300:
                    self.order.append(id_)
                if status is None:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.released.wait(), self.silence)
                    break
                writer.write(f"HTTP/1.1 {status} As told\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    @property
    def delivered(self) -> Counter[UUID]:
        """How often each delivery was answered with 2xx."""
        return Counter({id_: sum(1 for s in answers if s and s < 300) for id_, answers in self.answers.items()})

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    made = SharedClock(tmp_path / "clock")
    made.set(NOW)
    return made


@contextlib.asynccontextmanager
async def dispatching(
    database: Database, clock: SharedClock, deadline: float = DEADLINE, settings: DispatchSettings = SETTINGS
) -> AsyncIterator[None]:
    """A dispatch in this process, stopped as SIGTERM would stop it."""
    http = HttpClient(HttpClientSettings(deadline=deadline), AllowList.of(["127.0.0.1"]))
    stopping = asyncio.Event()
    running = asyncio.create_task(dispatch_at(database, clock, http, settings=settings).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(running, 20)
        await http.close()


@contextlib.asynccontextmanager
async def obeying(database: Database, clock: SharedClock) -> AsyncIterator[None]:
    """A dispatch that sends only while nobody has stopped it."""
    http, stopping, orders = (
        HttpClient(HttpClientSettings(), AllowList.of(["127.0.0.1"])),
        asyncio.Event(),
        StandingOrders(database, clock),
    )
    dispatch = dispatch_at(database, clock, http, settings=DispatchSettings(), may_send=lambda: orders.may_send)
    running = asyncio.gather(orders.run(stopping), dispatch.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(running, 20)
        await http.close()


@contextlib.asynccontextmanager
async def passing(clock: SharedClock, seconds_per_tick: float) -> AsyncIterator[None]:
    """Business time runs, a step every 20 ms."""

    async def run() -> None:
        while True:
            await asyncio.sleep(0.02)
            clock.set(clock.now() + timedelta(seconds=seconds_per_tick))

    running = asyncio.create_task(run())
    yield
    running.cancel()


async def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  what is waited for happens in other processes
            await asyncio.sleep(0.01)


async def settled(database: Database, count: int, within: float = 60.0) -> dict[str, int]:
    """Wait until so many deliveries have ended; the states then."""
    async with asyncio.timeout(within):
        while True:
            found = await states(database)
            if sum(n for state, n in found.items() if state not in ("pending", "sending")) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_a_post_is_signed_and_says_the_event(database: Database, clock: SharedClock, receiver: Receiver):
    await subscribe(database, receiver.url("a"))
    async with dispatching(database, clock):
        await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
        await settled(database, 1)

    ((id_, body),) = receiver.bodies.items()
    async with database.connection() as connection:
        secret = await connection.fetchval("select secret from subscription")
    told = Webhook(secret).verify(body, receiver.heads[id_])
    assert (told["type"], told["data"]["commitment"]["id"]) == ("org.pledgewire.status-changed.v1", "coal")


async def test_a_retry_has_the_same_id_and_waits_by_the_table(
    database: Database, clock: SharedClock, receiver: Receiver
):
    receiver.answer = lambda _, n: 503 if n == 1 else 204
    await subscribe(database, receiver.url("a"))
    async with dispatching(database, clock):
        await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
        await until(lambda: bool(receiver.answers))
        async with asyncio.timeout(20):
            while await states(database) != {"pending": 1}:  # noqa: ASYNC110  until the answer is recorded, a row
                await asyncio.sleep(0.01)
        clock.set(NOW + timedelta(seconds=3.9))
        assert await DeliveryClaims(database, lease_seconds=60).claim(clock.now(), MUCH_CAPACITY) == []
        clock.set(NOW + timedelta(seconds=6.1))
        await settled(database, 1)

    assert list(receiver.answers.values()) == [[503, 204]]


async def test_after_an_unsubscription_nothing_more_is_sent(database: Database, clock: SharedClock, receiver: Receiver):
    receiver.answer = lambda _id, _n: 503
    ids = [await subscribe(database, receiver.url(str(n))) for n in range(5)]
    async with dispatching(database, clock):
        await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(20)], NOW, NO_CAPACITY)
        await until(lambda: sum(map(len, receiver.answers.values())) >= 100)
        for id_ in ids:
            await subscriptions(database).end(id_, None, "unsubscribed", NOW, BY_LINK)
        before = sum(map(len, receiver.answers.values()))
        clock.set(NOW + timedelta(days=1))
        found = await settled(database, 100)

    assert found == {"cancelled": 100}
    assert sum(map(len, receiver.answers.values())) == before


async def test_what_has_become_stale_is_not_sent(database: Database, clock: SharedClock, receiver: Receiver):
    await subscribe(database, receiver.url("a"))
    clock.set(NOW + timedelta(hours=6))
    async with dispatching(database, clock):
        old = [incoming(seq=n, not_after=NOW + timedelta(hours=1)) for n in range(1, 11)]
        await FanOut(database, lease_seconds=60).apply(old, NOW, NO_CAPACITY)
        found = await settled(database, 10)

    assert found == {"expired": 10}
    assert receiver.answers == {}


async def test_a_backlog_larger_than_what_is_kept_in_memory_is_sent_whole(
    database: Database, clock: SharedClock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    """An event may be pushed out of memory between its delivery and the record of it."""
    monkeypatch.setattr("services.notifier.delivery.event_cache._MOST", 3)
    for name in ("a", "b"):
        await subscribe(database, receiver.url(name))
    async with dispatching(database, clock):
        await FanOut(database, lease_seconds=60).apply([incoming(seq=n) for n in range(1, 201)], NOW, NO_CAPACITY)
        found = await settled(database, 400)

    async with database.connection() as connection:
        told = await connection.fetchval(
            "select sum(json_array_length(convert_from(value, 'UTF8')::json -> 'deliveries')) from outbox"
        )
    assert (found, told) == ({"delivered": 400}, 400)
    assert set(receiver.delivered.values()) == {1}


async def test_a_hanging_destination_holds_up_nobody_else(database: Database, clock: SharedClock, receiver: Receiver):
    """
    A destination that answers nothing takes its own four places of eight, though hundreds wait for it.

    It keeps its connections open, and what is in hand is never given back: nothing but its bounds makes way.
    """
    hanging = await subscribe(database, receiver.url("hanging"))
    fan_out = FanOut(database, lease_seconds=60)
    await fan_out.apply([incoming(f"c-{n}") for n in range(300)], NOW, NO_CAPACITY)
    async with database.connection() as connection:
        stuck = {row["id"] for row in await connection.fetch("select id from delivery")}
    healthy = await subscribe(database, receiver.url("healthy"))
    receiver.answer = lambda id_, _: None if id_ in stuck else 200
    receiver.silence = 60
    settings = DispatchSettings(pool=8, hold=64, per_destination=4).model_copy(update={"hold_seconds": 3600.0})

    async with dispatching(database, clock, deadline=30, settings=settings):
        try:
            await until(lambda: len(receiver.answers) == 4)
            async with database.connection() as connection:
                await connection.execute("update subscription set commitments = '{none}' where id = $1", hanging)
            await fan_out.apply([incoming(f"c-{n}", 2) for n in range(50)], NOW, NO_CAPACITY)
            await until(lambda: sum(receiver.delivered.values()) >= 50)
            asked, delivered = set(receiver.answers), +receiver.delivered
        finally:
            receiver.released.set()

    async with database.connection() as connection:
        rows = await connection.fetch("select id from delivery where subscription_id = $1", healthy)
    assert delivered == {row["id"]: 1 for row in rows}
    assert len(asked & stuck) == 4


async def test_a_channel_that_nobody_can_send_on_is_an_attempt_and_no_lost_lease(
    database: Database, clock: SharedClock
):
    """
    A row of a newer version may name a channel that this one doesn't know: it waits for one that does.
    """
    await subscribe(database)
    dispatch = Dispatch(database, {}, clock, SETTINGS)
    stopping = asyncio.Event()
    running = asyncio.create_task(dispatch.run(stopping))
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
    async with asyncio.timeout(20):
        while not (rows := await attempts(database)):  # noqa: ASYNC110  until the attempt is recorded, a row
            await asyncio.sleep(0.01)
    stopping.set()
    await running

    assert rows == [(1, "refused", "fault-on-our-side")]
    assert await states(database) == {"pending": 1}


async def attempts(database: Database) -> list[tuple[int, str, str]]:
    """The attempts on record: number, outcome and reason."""
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch("select n, outcome, reason from delivery_attempt")]


async def test_stopping_gives_back_what_has_not_started(database: Database, clock: SharedClock, receiver: Receiver):
    receiver.answer = lambda _id, _n: None
    await subscribe(database, receiver.url("a"))
    await FanOut(database, lease_seconds=60).apply([incoming(f"c-{n}") for n in range(100)], NOW, NO_CAPACITY)
    async with dispatching(database, clock):
        await until(lambda: bool(receiver.answers))

    assert await states(database) == {"pending": 100}
    async with database.connection() as connection:
        tried = await connection.fetchval("select count(*) from delivery where attempts > 0")
    assert 1 <= tried <= 8, "those on their way were waited for, and are unknown"


async def test_an_orderly_restart_under_load_turns_no_thread_around(
    database: Database, clock: SharedClock, receiver: Receiver
):
    """Two notifiers, 20 subscriptions, some answers of 503; each of the two is stopped and started again meanwhile."""
    receiver.answer = lambda id_, n: 503 if n == 1 and id_.int % 11 == 0 else 200
    for n in range(20):
        await subscribe(database, receiver.url(str(n)))
    fan_out = FanOut(database, lease_seconds=60)
    events = [incoming(f"c-{n % 4}", n // 4 + 1) for n in range(40)]

    async def restarted_at(*counts: int) -> None:
        # Time enough for each answer and lease: on a busy machine it would else be repeated, which is not the question.
        patient = partial(dispatching, database, clock, deadline=30.0, settings=DispatchSettings())
        for count in counts:
            async with patient():
                await until(lambda count=count: len(receiver.order) >= count, within=60)  # type: ignore[misc]
        async with patient():
            assert await settled(database, 800, within=120) == {"delivered": 800}

    async with passing(clock, 1.0), asyncio.TaskGroup() as running:
        running.create_task(restarted_at(150, 400))
        running.create_task(restarted_at(250, 600))
        for start in range(0, len(events), 5):
            await fan_out.apply(events[start : start + 5], NOW, NO_CAPACITY)

    async with database.connection() as connection:
        rows = await connection.fetch("select id, thread, position from delivery")
    places = {row["id"]: (row["thread"], row["position"]) for row in rows}
    told: defaultdict[UUID, list[int]] = defaultdict(list)
    for id_ in receiver.order:
        thread, position = places[id_]
        told[thread].append(position)
    assert len(told) == 80
    assert [positions for positions in told.values() if positions != sorted(positions)] == []
    assert set(receiver.delivered.values()) == {1}


class Process:
    """A dispatch as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, url: str, clock_file: Path) -> "Process":
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.notifier.delivery.dispatching",
                str(clock_file),
                env=os.environ | {"DATABASE_URL": url},
            )
        )

    async def end(self, how: signal.Signals) -> int:
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled_though_a_process_is_killed(
    url: str, database: Database, clock: SharedClock, receiver: Receiver, tmp_path: Path
):
    """1,000 events for 3 subscriptions, 15 % answered 503, some not at all, two processes, one of them killed."""
    silent = set(range(0, 1000, 97))

    def answer(id_: UUID, n: int) -> int | None:
        if n > 1:
            return 200
        luck = id_.int % 1000
        return None if luck in silent else 503 if luck < 150 else 200

    receiver.answer = answer
    for name in "abc":
        await subscribe(database, receiver.url(name))
    fan_out = FanOut(database, lease_seconds=60)
    first, second = [await Process.start(url, tmp_path / "clock") for _ in range(2)]
    try:
        async with passing(clock, 1.0):
            for start in range(0, 1000, 100):
                await fan_out.apply(
                    [incoming(f"c-{n % 50}", n // 50 + 1) for n in range(start, start + 100)], NOW, NO_CAPACITY
                )
            await until(lambda: sum(receiver.delivered.values()) >= 800, within=60)
            await first.end(signal.SIGKILL)
            found = await settled(database, 3000, within=120)
        assert await second.end(signal.SIGTERM) == 0
    finally:
        await first.end(signal.SIGKILL)
        await second.end(signal.SIGKILL)

    assert found == {"delivered": 3000}
    async with database.connection() as connection:
        ids = {row["id"] for row in await connection.fetch("select id from delivery")}
        unknown = {
            row["delivery_id"]
            for row in await connection.fetch("select delivery_id from delivery_attempt where outcome = 'unknown'")
        }
        records = await connection.fetch("select * from outbox order by id")
    assert set(receiver.delivered) == ids, "lost"
    doubled = {id_ for id_, times in receiver.delivered.items() if times > 1}
    assert doubled - unknown == set(), "doubled without an attempt on record whose end nobody saw"
    _, owed, rows = await DeliveryLog(database).conservation()
    assert (owed, sum(n for *_, n in rows)) == (3000, 3000)

    told: list[UUID] = []
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    for record in records:
        headers = [(k, v.encode()) for k, v in record["headers"].items()]
        _, event = from_record(DeliverySettled, record["key"].encode(), headers, record["value"])
        seqs[record["key"]].append(event.seq)
        told += [delivery.delivery_id for delivery in event.deliveries]
    assert sorted(told) == sorted(ids), "each end is told exactly once"
    assert all(list(range(1, len(s) + 1)) == s for s in seqs.values())


async def test_capacity_that_is_given_at_the_fan_out_saves_the_claim(
    database: Database, clock: SharedClock, receiver: Receiver
):
    await subscribe(database, receiver.url("a"))
    http = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList.of(["127.0.0.1"]))
    dispatch = dispatch_at(database, clock, http)
    batch = [incoming(f"c-{n}") for n in range(10)]
    out = await FanOut(database, lease_seconds=60).apply(batch, NOW, MUCH_CAPACITY)
    dispatch.remember(one.event for one in batch)
    dispatch.take(out.claimed)
    await until(lambda: sum(receiver.delivered.values()) >= 10)
    stopping = asyncio.Event()
    stopping.set()
    await dispatch.run(stopping)
    await http.close()

    assert await states(database) == {"delivered": 10}


async def test_each_channel_gets_what_it_reads(database: Database, clock: SharedClock, tmp_path: Path):
    """Mail over SMTP with its one-click link, cards for the chats in the reader's language."""
    posts: dict[str, dict[str, Any]] = {}

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.findall(r"(?i)content-length: *(\d+)", head)[0])
        posts[head.split()[1]] = json.loads(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mail_port = free.getsockname()[1]
    mailbox = Controller(inbox := Inbox(), hostname="127.0.0.1", port=mail_port)
    mailbox.start()
    reader_of_mail = await subscribe(database, "desk@example.org", channel="email", language="fr")
    await subscribe(database, f"http://127.0.0.1:{port}/slack", channel="slack", language="es")
    await subscribe(database, f"http://127.0.0.1:{port}/teams", channel="teams")
    http = HttpClient(HttpClientSettings(deadline=5), AllowList.of(["127.0.0.1"]))
    pool = SmtpPool(SmtpSettings(host="127.0.0.1", port=mail_port, tls="none"))
    stopping = asyncio.Event()
    running = asyncio.create_task(dispatch_at(database, clock, http, pool).run(stopping))
    await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
    found = await settled(database, 3)
    stopping.set()
    await running
    await http.close()
    await pool.close()
    mailbox.stop()
    server.close()

    assert found == {"delivered": 3}
    (mail,) = inbox.mails
    assert mail["To"] == "desk@example.org"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"] == f"<{links().url([reader_of_mail])}>", "as it is, however long: no encoding"
    assert mail["Content-Language"] == "fr"
    assert set(posts) == {"/slack", "/teams"}
    assert "blocks" in posts["/slack"]
    assert posts["/teams"]["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"


class Inbox(Mailing):
    """Keeps the mails."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[email.message.Message] = []

    def handle_message(self, message: email.message.Message) -> None:
        self.mails.append(message)


async def test_a_stop_holds_every_process_within_five_seconds_and_nothing_is_lost(
    database: Database, receiver: Receiver, clock: SharedClock
) -> None:
    """
    Two processes are in the midst of it. What waits goes out once after the start, also from one that began meanwhile.
    """
    arrived: list[float] = []

    def slowly(_id: UUID, _n: int) -> int:
        arrived.append(time.monotonic())
        time.sleep(0.005)
        return 200

    receiver.answer = slowly
    await subscribe(database, receiver.url("all"))
    events = [incoming(f"commitment-{n}") for n in range(600)]
    await FanOut(database, lease_seconds=60).apply(events, NOW, NO_CAPACITY)
    by = Actor("ops")
    async with obeying(database, clock), obeying(database, clock):
        await until(lambda: len(arrived) >= 40)
        async with database.transaction() as connection:
            await stop_sending(connection, by, "Mails to the wrong desk", NOW)
        stopped = time.monotonic()
        await asyncio.sleep(6)
        assert len(arrived) < 600
        assert max(arrived) - stopped < 5
        held = len(arrived)
        async with obeying(database, clock):
            await asyncio.sleep(1.5)
            assert len(arrived) == held
            assert (await states(database)).keys() <= {"pending", "delivered"}
            async with database.transaction() as connection:
                assert await start_sending(connection, by, NOW) == 600 - held
            assert await settled(database, 600) == {"delivered": 600}
    assert set(receiver.delivered.values()) == {1}
    assert len(receiver.delivered) == 600
