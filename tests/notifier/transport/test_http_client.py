"""The HTTP client against servers that listen and misbehave; and what it never connects to."""

import asyncio
import contextlib
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.notifier.channels.outcomes import FailureReason
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.transfers import PostFailed

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DEADLINE = 0.6
OPEN = AllowList.of(["127.0.0.0/8", "::1"])


class Server:
    """Reads requests whole, counts them, and answers each as it was told to."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self._behaviour(reader, writer)
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-path"


@contextlib.asynccontextmanager
async def listening(behaviour: Behaviour) -> AsyncIterator[Server]:
    server = Server(behaviour)
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def answering(answer: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return behave


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(HttpClientSettings(deadline=DEADLINE), OPEN)
    yield made
    await made.close()


async def failing(client: HttpClient, url: str) -> PostFailed:
    with pytest.raises(PostFailed) as caught:
        async with asyncio.timeout(DEADLINE * 10):  # or a client without a deadline of its own would hang, not fail
            await client.post(url, ["a: b"], b"{}")
    assert "secret-path" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"
    return caught.value


async def test_it_posts_what_it_is_given_and_keeps_the_connection(client: HttpClient):
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy"
    async with listening(answering(answer)) as server:
        answers = [await client.post(server.url, ["webhook-id: 1", "content-type: a/b"], b"x" * 3000) for _ in range(5)]

    assert {(a.status, a.headers["retry-after"], a.body) for a in answers} == {(503, "7", b"busy")}
    assert server.connections == 1
    request = server.requests[0].lower()
    assert request.startswith(b"post /hook/secret-path http/1.1\r\n")
    assert b"webhook-id: 1\r\n" in request
    assert request.endswith(b"x" * 3000)
    assert b"expect:" not in request


async def test_many_posts_at_once_get_each_its_own_answer():
    client = HttpClient(HttpClientSettings(deadline=20), OPEN)

    async def echo(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = server.requests[-1].split(b"\r\n\r\n", 1)[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async with listening(echo) as server:
        bodies = [str(n).encode() for n in range(300)]
        answers = await asyncio.gather(*(client.post(server.url, [], body) for body in bodies))
    await client.close()

    assert bodies == [answer.body for answer in answers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_a_way(client: HttpClient, status: int):
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as inside:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(answering(moved)) as server:
            answer = await client.post(server.url, [], b"{}")

    assert answer.status == status
    assert inside.requests == []


async def test_an_endless_body_is_cut_and_its_status_counts(client: HttpClient):
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()

    async with listening(endless) as server:
        answer = await client.post(server.url, [], b"{}")

    assert (answer.status, len(answer.body)) == (200, 65_536)


async def test_a_gzip_bomb_stays_as_small_as_it_came(client: HttpClient):
    bomb = gzip.compress(b"\0" * 20_000_000)
    head = b"HTTP/1.1 400 Bad\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with listening(answering(head + bomb)) as server:
        answer = await client.post(server.url, [], b"{}")

    assert answer.body == bomb[:65_536]


async def test_a_dripping_answer_ends_at_the_deadline_and_its_status_counts(client: HttpClient):
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = time.monotonic()
    async with listening(drip) as server, asyncio.timeout(DEADLINE * 10):
        answer = await client.post(server.url, [], b"{}")

    assert answer.status == 200
    assert time.monotonic() - started < DEADLINE * 2


async def test_slow_headers_end_at_the_deadline(client: HttpClient):
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\n":
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.1)

    async with listening(slow) as server:
        failure = await failing(client, server.url)

    assert (failure.reason, failure.sent) == (FailureReason.TIMEOUT, True)


async def test_headers_without_end_fail_and_fill_no_memory(client: HttpClient):
    async def headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 8000 + b"\r\n")
            await writer.drain()

    async with listening(headers) as server:
        assert (await failing(client, server.url)).sent


async def test_a_reset_after_the_request_leaves_it_unknown(client: HttpClient):
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.close()

    async with listening(reset) as server:
        failure = await failing(client, server.url)

    assert (failure.reason, failure.sent) == (FailureReason.RESET, True)


async def test_silence_times_out_as_unknown(client: HttpClient):
    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with listening(silent) as server:
        failure = await failing(client, server.url)

    assert (failure.reason, failure.sent) == (FailureReason.TIMEOUT, True)


async def test_nobody_there_means_nothing_was_sent(client: HttpClient):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failure = await failing(client, f"http://127.0.0.1:{taken.getsockname()[1]}/secret-path")

    assert (failure.reason, failure.sent) == (FailureReason.CONNECTION, False)


async def test_a_name_that_does_not_resolve(client: HttpClient):
    failure = await failing(client, "http://nobody.invalid/secret-path")

    # A resolver that is itself away may take until the deadline.
    assert failure.reason in (FailureReason.NAME, FailureReason.TIMEOUT)
    assert not failure.sent


async def test_plain_text_where_tls_is_due(client: HttpClient):
    async with listening(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        listener = await asyncio.start_server(_rude, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        failure = await failing(client, f"https://127.0.0.1:{port}/secret-path")
        listener.close()

    assert (failure.reason, failure.sent) == (FailureReason.TLS, False)
    assert server.requests == []


async def _rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433"])
async def test_nothing_inside_is_connected_to_however_it_is_written(host: str):
    guarded = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList())
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as canary:
        with pytest.raises(PostFailed) as caught:
            await guarded.post(f"http://{host}:{canary.port}/", [], b"{}")
    await guarded.close()

    assert (caught.value.reason, caught.value.sent) == (FailureReason.BLOCKED, False)
    assert canary.connections == 0


async def test_a_name_that_comes_to_mean_the_inside_is_not_followed():
    """`localhost` is a name; what counts is what it resolves to when the connection is made."""
    guarded = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList.of(["other.example"]))
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as canary:
        for _ in range(50):
            with pytest.raises(PostFailed):
                await guarded.post(f"http://localhost:{canary.port}/", [], b"{}")
    await guarded.close()

    assert canary.connections == 0


async def test_the_operator_may_name_a_host_inside():
    listed = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList.of(["localhost"]))
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        answer = await listed.post(f"http://localhost:{server.port}/", [], b"{}")
        with pytest.raises(PostFailed):
            await listed.post(server.url, [], b"{}")  # by its number it was not listed
    await listed.close()

    assert answer.status == 200


async def test_the_environments_proxy_is_not_heard(client: HttpClient, monkeypatch: pytest.MonkeyPatch):
    async with listening(answering(b"HTTP/1.1 502 Proxy\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{proxy.port}")
        async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
            answer = await client.post(server.url, [], b"{}")

    assert (answer.status, proxy.requests) == (200, [])


async def test_a_cancelled_post_disturbs_nobody(client: HttpClient):
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = server.requests[-1].split(b"\r\n\r\n", 1)[1]
        arrived.set()
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async with listening(slow) as server:
        doomed = asyncio.create_task(client.post(server.url, [], b"doomed"))
        await asyncio.wait_for(arrived.wait(), 10)
        doomed.cancel()
        go_on.set()
        answer = await client.post(server.url, [], b"kept")

    assert answer.body == b"kept"
    assert doomed.cancelled()


async def test_a_destination_that_hangs_holds_up_nobody_else(client: HttpClient):
    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with (
        listening(silent) as hanging,
        listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as healthy,
    ):
        stuck = [asyncio.create_task(failing(client, hanging.url)) for _ in range(20)]
        started = time.monotonic()
        for _ in range(50):
            await client.post(healthy.url, [], b"{}")
        took = time.monotonic() - started
        await asyncio.gather(*stuck)

    assert took < DEADLINE
