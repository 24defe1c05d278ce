"""uvicorn and FastStream, waiting for their end where they would look for it ten times a second.

In four services at rest these looks were a tenth of what all of it may cost, and the `Date` that uvicorn writes once a
second for each port as much again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import anyio
import uvicorn
from faststream import FastStream
from faststream._internal.cli.supervisors.utils import set_exit


class _State(uvicorn.server.ServerState):
    """uvicorn's, which writes the `Date` of answers when they are given."""

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """What every answer says."""
        return [(b"date", formatdate(usegmt=True).encode()), *self._others]

    @default_headers.setter
    def default_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        self._others = [header for header in headers if header[0] != b"date"]


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the process has its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state = _State()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Answer what has been asked, and end."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.on_tick(0)  # the tick at which uvicorn reads what every answer is to say
        await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class QuietFastStream(FastStream):
    """FastStream's application; it ends at a signal as FastStream's own does."""

    def __init__(self, *brokers: Any, **options: Any) -> None:
        super().__init__(*brokers, **options)
        self._leaving = asyncio.Event()

    def exit(self) -> None:
        """Stop the brokers, drain, and end."""
        super().exit()
        self._leaving.set()

    async def run(
        self, log_level: int = logging.INFO, run_extra_options: dict[str, Any] | None = None, sleep_time: float = 0.1
    ) -> None:
        """Run until `exit` or a signal; `sleep_time` is FastStream's, and nothing here."""
        set_exit(lambda *_: self.exit(), sync=False)
        async with self.lifespan_context(**(run_extra_options or {})):
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._startup, log_level, run_extra_options)
                    await self._leaving.wait()
                    await self._shutdown(log_level)
                    group.cancel_scope.cancel()
            except ExceptionGroup as errors:
                for error in errors.exceptions:
                    raise error from None
