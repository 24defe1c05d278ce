"""A real HTTP server for a test, in a thread of its own, so that browsers and blocking clients can use it too."""

import asyncio
import socket
import threading
from collections.abc import Awaitable
from types import TracebackType
from typing import Self, TypeVar

import uvicorn
from fastapi import FastAPI

T = TypeVar("T")

IDLE_SECONDS = 300
"""Of real time, for which a connection may lie unused."""


class Served:
    """An application on a free port of the loopback interface."""

    def __init__(self, app: FastAPI) -> None:
        # With its protocol named, asyncio sets TCP_NODELAY; without it every answer comes 40 ms late.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        # A client that draws its next request for seconds, on a busy machine, is not to meet a connection as it closes.
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, timeout_keep_alive=IDLE_SECONDS
        )
        self._server = uvicorn.Server(config)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._loop: asyncio.AbstractEventLoop

    def run(self, work: Awaitable[T]) -> T:
        """Do something on the server's own loop, where its state lives."""

        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            serving = asyncio.create_task(self._server.serve([self._socket]))
            while not self._server.started and not serving.done():  # noqa: ASYNC110  uvicorn has no event to wait for
                await asyncio.sleep(0.01)
            self._ready.set()
            await serving

        asyncio.run(serve())
