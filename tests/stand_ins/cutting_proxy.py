"""A proxy that hands every request on and cuts half of the answers: before their first byte, or in their midst."""

import asyncio
import contextlib
from random import Random
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Listens on a free port of the loopback interface; one request a connection. The seed says which are cut."""

    def __init__(self, port: int, seed: int) -> None:
        """`port` is where the requests go, on this machine."""
        self._port = port
        self._random = Random(seed)
        self._server: asyncio.Server | None = None
        self.asked = 0
        self.cut = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        is_cut, share = self._random.random() < 0.5, self._random.random()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            answer = await self._answer(await _whole_request(reader))
            if is_cut:
                self.cut += 1
                answer = answer[: int(len(answer) * share)]
            writer.write(answer)
            await writer.drain()
        writer.close()

    async def _answer(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            return await reader.read(-1)
        finally:
            writer.close()


async def _whole_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    [length] = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")] or [0]
    return head + await reader.readexactly(length)
