"""Every way in which an answer may end, over a bare socket: whole headers are the receiver's word, less is unknown."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from services.notifier.channels.outcomes import FailureReason
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.transfers import PostFailed, Response

DEADLINE = 0.5
ENDINGS = ("close", "half-close", "reset", "silence", "drip")
"""What becomes of the connection behind what was answered."""
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

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"CONNECT"):
                await reader.readexactly(2)
            self.requests += 1
            writer.write(self._said)
            with contextlib.suppress(TimeoutError):  # who reads no further is not waited for
                await asyncio.wait_for(writer.drain(), DEADLINE)
            await self._end(reader, writer)
        writer.close()

    async def _end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._ending:
            case "half-close":
                writer.write_eof()
                await reader.read()
            case "reset":
                await asyncio.sleep(0.02)  # or the reset overtakes what was said
                connection: socket.socket = writer.get_extra_info("socket")
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


async def posted(said: bytes, ending: str, *, proxied: bool = False) -> Response | PostFailed:
    """What came of one post to somebody who says this; `proxied`, to a proxy that says this to CONNECT."""
    async with answering(said, ending) as server:
        proxy = f"http://127.0.0.1:{server.port}" if proxied else ""
        allowed = AllowList.of(["127.0.0.1"])
        client = HttpClient(HttpClientSettings(deadline=DEADLINE, proxy=proxy), allowed)
        try:
            async with asyncio.timeout(DEADLINE * 20):
                scheme = "https" if proxied else "http"
                return await client.post(f"{scheme}://127.0.0.1:{server.port}/hook", [], b"{}")
        except PostFailed as failure:
            return failure
        finally:
            await client.close()
            assert server.requests <= 1, "libcurl sent it again by itself"


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
    client = HttpClient(HttpClientSettings(deadline=DEADLINE), AllowList.of(["127.0.0.1"]))
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
