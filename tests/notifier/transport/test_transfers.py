"""Every way in which an answer may end, over a bare socket: whole headers are the receiver's word, less is unknown."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.notifier.channels.outcomes import FailureReason
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.transfers import PostFailed, Response

ENDINGS = ("close", "half-close", "reset", "silence", "drip")
"""What becomes of the connection behind what was answered."""
WITHOUT_AN_END = ("silence", "drip")
"""Of these, those that only the client's deadline ends; the others end by themselves, however slow the machine is."""
PATIENCE = 30.0
DEADLINES = (0.5, 2.0, 8.0)
"""Seconds; a longer one is taken where the machine left the client no time to hear what was said."""
TABLE = Path("/proc/net/tcp")
STATUSES = (200, 202, 204, 205, 301, 404, 410, 429, 500, 503)

BODIES = {
    "short of its length": (b"Content-Length: 20\r\n", b"ok"),
    "none of its length": (b"Content-Length: 20\r\n", b""),
    "cut between chunks": (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n"),
    "cut in a chunk": (b"Transfer-Encoding: chunked\r\n", b"ff\r\nhello"),
    "cut in a chunk's size": (b"Transfer-Encoding: chunked\r\n", b"f"),
    "no chunk's size": (b"Transfer-Encoding: chunked\r\n", b"zz\r\nhello\r\n"),
    "cut in its trailers": (b"Transfer-Encoding: chunked\r\n", b"0\r\nHTTP/1.1 500 no: \r\nX-More"),
    "without a length": (b"", b"ok"),
    "longer than its length": (b"Content-Length: 2\r\n", b"ok and more"),
    "no gzip": (b"Content-Encoding: gzip\r\nContent-Length: 4\r\n", b"okok"),
    "over what is read": (b"Content-Length: 300000\r\n", b"x" * 200_000),
}
"""Header lines of a body, and what comes of it."""

UNFINISHED = {
    "nothing": b"",
    "half a word": b"HTT",
    "half a status": b"HTTP/1.1 20",
    "a status line without its end": b"HTTP/1.1 200 OK",
    "a status line": b"HTTP/1.1 200 OK\r\n",
    "half a header's name": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Length: ",
    "headers without their end": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    "half of the empty line": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r",
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "two interim answers": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "an interim answer and a status line": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
    "no HTTP": b"OK, thank you\r\n\r\n",
}


class Answering:
    """Reads one request, says what it was given, and ends the connection as it was told."""

    def __init__(self, said: bytes, ending: str) -> None:
        self._said, self._ending = said, ending
        self.requests = 0
        self.port = 0
        self.said_at: float | None = None
        """When all was said, by the event loop's clock."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"CONNECT"):
                await reader.readexactly(2)
            self.requests += 1
            writer.write(self._said)
            with contextlib.suppress(TimeoutError):  # who reads no further is not waited for
                await asyncio.wait_for(writer.drain(), DEADLINES[0])
            self.said_at = asyncio.get_running_loop().time()
            await self._end(reader, writer)
        writer.close()

    async def _end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._ending:
            case "half-close":
                writer.write_eof()
                await reader.read()
            case "reset":
                connection: socket.socket = writer.get_extra_info("socket")
                await heard(connection)  # or the reset overtakes what was said
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            case "silence":
                await reader.read()
            case "drip":
                while not reader.at_eof():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def answering(said: bytes, ending: str) -> AsyncIterator[Answering]:
    made = Answering(said, ending)
    server = await asyncio.start_server(made, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def heard(connection: socket.socket) -> None:
    """Return once the other end has taken everything out of its socket, or has closed it.

    By Linux's own table of connections; elsewhere after a while.
    """
    if not TABLE.exists():  # noqa: ASYNC240 - no disk is behind it
        return await asyncio.sleep(0.5)
    ends = [f"0100007F:{name[1]:04X}" for name in (connection.getpeername(), connection.getsockname())]
    while True:
        rows = [line.split() for line in TABLE.read_text().splitlines()]  # noqa: ASYNC240
        waiting = [row[4].partition(":")[2] for row in rows if row[1:3] == ends]
        if all(int(one, 16) == 0 for one in waiting):
            return None
        await asyncio.sleep(0.01)


async def posted(said: bytes, ending: str, *, proxied: bool = False) -> Response | PostFailed:
    """What came of one post to somebody who says this; `proxied`, to a proxy that says this to CONNECT."""
    if ending not in WITHOUT_AN_END:
        return (await posted_once(said, ending, PATIENCE, proxied=proxied))[0]
    for deadline in DEADLINES:
        found, had_time = await posted_once(said, ending, deadline, proxied=proxied)
        if isinstance(found, Response) or found.reason is not FailureReason.TIMEOUT or had_time:
            return found
    raise AssertionError(f"the machine is too slow to answer within {DEADLINES[-1]} s")


async def posted_once(
    said: bytes, ending: str, deadline: float, *, proxied: bool
) -> tuple[Response | PostFailed, bool]:
    """The same within a deadline, and whether the client had half of it left when all had been said."""
    async with answering(said, ending) as server:
        proxy = f"http://127.0.0.1:{server.port}" if proxied else ""
        allowed = AllowList.of(["127.0.0.1"])
        client = HttpClient(HttpClientSettings(deadline=deadline, proxy=proxy), allowed)
        found: Response | PostFailed
        try:
            async with asyncio.timeout(deadline * 20):
                scheme = "https" if proxied else "http"
                found = await client.post(f"{scheme}://127.0.0.1:{server.port}/hook", [], b"{}")
        except PostFailed as failure:
            found = failure
        finally:
            await client.close()
            assert server.requests <= 1, "libcurl sent it again by itself"
        now = asyncio.get_running_loop().time()
        return found, server.said_at is not None and now - server.said_at >= deadline / 2


async def all_posted(what: dict[tuple[str, str], bytes]) -> dict[tuple[str, str], Response | PostFailed]:
    """All of them at once: each with its own server, client and end."""
    found = await asyncio.gather(*(posted(said, ending) for (_, ending), said in what.items()))
    return dict(zip(what, found, strict=True))


@pytest.mark.parametrize("status", STATUSES)
async def test_whole_headers_are_the_receivers_word_whatever_the_body_does(status: int):
    said = {
        (name, ending): b"HTTP/1.1 %d As told\r\nRetry-After: 7\r\n%s\r\n%s" % (status, lines, body)
        for name, (lines, body) in BODIES.items()
        for ending in ENDINGS
    }
    said |= {
        (f"interim, then {name}", ending): b"HTTP/1.1 100 Continue\r\n\r\n" + s for (name, ending), s in said.items()
    }

    found = await all_posted(said)

    wrong = {way: one for way, one in found.items() if not isinstance(one, Response) or one.status != status}
    assert wrong == {}
    assert {one.headers["retry-after"] for one in found.values() if isinstance(one, Response)} == {"7"}


async def test_less_than_whole_headers_is_unknown_and_never_delivered():
    said = {(name, ending): what for name, what in UNFINISHED.items() for ending in ENDINGS if ending != "drip"}

    found = await all_posted(said)

    assert {way: one for way, one in found.items() if not (isinstance(one, PostFailed) and one.sent)} == {}
    reasons = {one.reason for (_, ending), one in found.items() if isinstance(one, PostFailed) and ending == "silence"}
    assert reasons <= {FailureReason.TIMEOUT, FailureReason.RESET}


async def test_what_an_answer_before_said_is_no_part_of_the_next():
    """One handle serves many posts: a whole answer must not stand in for the next one, which is cut."""
    answers = iter([b"HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\n"])

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in answers:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(behave, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    client = HttpClient(HttpClientSettings(deadline=PATIENCE), AllowList.of(["127.0.0.1"]))
    first = await client.post(url, [], b"{}")
    with pytest.raises(PostFailed) as caught:
        await client.post(url, [], b"{}")
    await client.close()
    server.close()

    assert (first.status, first.body) == (200, b"ok")
    assert (caught.value.reason, caught.value.sent) == (FailureReason.RESET, True)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_proxys_word_is_not_the_receivers(ending: str):
    """A proxy answers CONNECT with a 200 of its own, and then the way may break."""
    found = await posted(b"HTTP/1.1 200 Connection established\r\n\r\n", ending, proxied=True)

    assert isinstance(found, PostFailed)
