"""Connections on real sockets: those that ask nothing make room, those that work or listen stay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from services.plumbing.http.app import web_app
from services.plumbing.http.connections import ConnectionBounds, most_connections, server_config

QUICK = ConnectionBounds(request_seconds=0.5, idle_seconds=1, unread_seconds=0.5, most=150)
HALF = b"GET /livez HTTP/1.1\r\nhost: here\r\nx-half: "
WHOLE = b"GET /livez HTTP/1.1\r\nhost: here\r\n\r\n"
STEPS = 8


def streaming() -> tuple[FastAPI, asyncio.Event]:
    """An application with a stream that goes on for longer than any bound, and one that never ends."""
    app, opened = web_app("test", "Test", {}), asyncio.Event()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def steps() -> AsyncIterator[bytes]:
            opened.set()
            for _ in range(STEPS):
                yield b"step\n"
                await asyncio.sleep(QUICK.request_seconds / 4)

        return StreamingResponse(steps())

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def bytes_() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)  # so that it can be cancelled

        return StreamingResponse(bytes_())

    @app.post("/things")
    async def take(request: Request) -> Response:
        return Response(await request.body())

    return app, opened


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0, QUICK))
    with server.capture_signals():
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side ends the connection; whether it ever does."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(30):
            await reader.read()
    return reader.at_eof() or reader.exception() is not None


async def asks(port: int, what: bytes = WHOLE) -> bytes:
    """The status line that a good client gets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(what)
    line = await reader.readline()
    writer.close()
    return line.strip()


async def test_half_sent_and_idle_connections_are_closed_and_others_served_beside_them() -> None:
    app, opened = streaming()
    async with serving(app) as port:
        stream, sender = await asyncio.open_connection("127.0.0.1", port)
        sender.write(b"GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        await opened.wait()
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(65)]
        half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(65)]
        for _, writer in half:
            writer.write(HALF)

        assert await asks(port) == b"HTTP/1.1 200 OK"
        assert all(await asyncio.gather(*(closed(reader) for reader, _ in [*silent, *half])))
        assert await asks(port) == b"HTTP/1.1 200 OK"
        whole = await asyncio.wait_for(stream.readuntil(b"\r\n0\r\n\r\n"), 30)
        assert whole.count(b"step\n") == STEPS, "a stream outlives the bounds"
        sender.close()
        for _, writer in (*silent, *half):
            writer.close()


@pytest.mark.parametrize(
    "first",
    [
        WHOLE,  # and then half of another request
        b"GET /livez HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\n",  # and then the body, which nobody reads
    ],
)
async def test_a_client_that_drips_after_its_answer_is_closed(first: bytes) -> None:
    app, _ = streaming()
    async with serving(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"

        async def drip() -> None:
            for byte in HALF * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(QUICK.request_seconds / 10)

        dripping = asyncio.create_task(drip())
        assert await closed(reader)
        dripping.cancel()
        writer.close()


async def test_a_reader_who_takes_nothing_is_let_go() -> None:
    app, _ = streaming()
    async with serving(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /endless HTTP/1.1\r\nhost: here\r\n\r\n")
        await asyncio.sleep(QUICK.unread_seconds * 3)  # reads nothing meanwhile: the other side can't send on
        assert await closed(reader)
        writer.close()


async def test_beyond_the_cap_whoever_has_waited_longest_makes_room() -> None:
    app, _ = streaming()
    async with serving(app) as port:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(QUICK.most + 1)]
        assert await asks(port) == b"HTTP/1.1 200 OK"
        assert await closed(crowd[0][0])
        for _, writer in crowd:
            writer.close()


@pytest.mark.parametrize(("wanted", "files", "most"), [(2000, 1024, 824), (2000, 65_536, 2000), (2000, 256, 100)])
def test_there_are_no_more_connections_than_files(wanted: int, files: int, most: int) -> None:
    assert most_connections(wanted, files) == most
