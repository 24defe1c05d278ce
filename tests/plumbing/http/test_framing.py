"""Messages on the wire of which two programs could see different ends are refused, and the connection is closed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from services.plumbing.http.body_limits import LONGEST_BODY
from tests.plumbing.http.test_connections import serving, streaming

POST = b"POST /things HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
SECOND = b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n"
"""What would be answered, too, by who takes the shorter message for the whole."""
CHUNKED = b"transfer-encoding: chunked\r\n"


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    app, _ = streaming()
    async with serving(app) as port:
        yield port


async def answers(port: int, sent: bytes) -> list[bytes]:
    """The status of each answer until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(30):
            said = await reader.read()
    writer.close()
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", said)


@pytest.mark.parametrize(
    "framed",
    [
        POST + b"content-length: 2\r\ncontent-length: 40\r\n\r\n{}",
        POST + b"content-length: 2, 40\r\n\r\n{}",
        POST + b"content-length: 2\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + CHUNKED + b"content-length: 2\r\n\r\n0\r\n\r\n",
        POST + CHUNKED + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"transfer-encoding: identity\r\n\r\n",
        POST + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"transfer-encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"content-length: +2\r\n\r\n{}",
        POST + b"content-length: 0x2\r\n\r\n{}",
        POST + b"content-length: -2\r\n\r\n{}",
        POST + b"content-length: 2_0\r\n\r\n{}",
        POST + b"content-length: \xd9\xa2\r\n\r\n{}",
        POST + b"x: a\r\n b\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"x: a\r\n\tcontent-length: 2\r\n\r\n",
        POST + b"x: a\x00b\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"x: a\rcontent-length: 2\r\n\r\n{}",
        POST.replace(b"\r\n", b"\n") + b"content-length: 2\n\n{}",
        POST + b"x: a\ncontent-length: 2\r\n\r\n{}",
        POST + CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n",
        POST + CHUNKED + b"\r\n2\n{}\n0\n\n",
        POST + CHUNKED + b"\r\nffffffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET  /livez HTTP/1.1\r\nhost: here\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: here\r\nhost: there\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_could_end_in_two_places_is_refused_and_nothing_behind_it_answered(port: int, framed: bytes) -> None:
    """
    Two lengths, a length beside chunks, folded headers, bare line ends, codings that nobody asked for (RFC 9112, 6).
    """
    (status,) = await answers(port, framed + SECOND)

    assert status in (b"400", b"431", b"501")


async def test_more_than_was_announced_is_another_request_and_none(port: int) -> None:
    assert await answers(port, POST + b'content-length: 2\r\n\r\n{}{"a": 1}\r\n\r\n') == [b"200", b"400"]


@pytest.mark.parametrize("announced", [CHUNKED, b"content-length: 104857600\r\n"])
async def test_a_hundred_megabytes_are_refused_as_they_come(port: int, announced: bytes) -> None:
    """
    Neither their announcement nor its lack matters: 413 after the bound, and no more is read.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST + announced + b"\r\n")
    part = b"x" * 65_536
    sent = 0

    async def send() -> None:
        nonlocal sent
        with contextlib.suppress(ConnectionError):
            while sent < 104_857_600:
                writer.write(b"10000\r\n" + part + b"\r\n" if announced is CHUNKED else part)
                await writer.drain()
                sent += len(part)

    sending = asyncio.create_task(send())
    async with asyncio.timeout(30):
        status = await reader.readline()
        await sending
    writer.close()

    assert status.split(b" ")[1] == b"413"
    assert sent < 40 * LONGEST_BODY, "what the sockets' buffers hold, and no more"
