"""Trying again: pauses that double from try to try, up to a longest one, and start anew after a success."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.plumbing.transient_errors import is_transient

T = TypeVar("T")

FIRST_PAUSE = 0.1
"""Seconds; long enough not to keep a processor busy, short enough for a connection that only hiccupped."""


async def pause_until(seconds: float, *events: asyncio.Event) -> None:
    """Wait so many seconds, or until the first of these events is set; there has to be one."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class Backoff:
    """Pauses in seconds: each is twice the one before, up to `longest`; a success starts them anew.

    Without a random part: those who wait here are the few processes of one service, not a crowd of clients.
    """

    def __init__(self, longest: float, first: float = FIRST_PAUSE) -> None:
        if not 0 < first <= longest:
            raise ValueError("pauses grow from `first` to `longest`")
        self._first, self._longest = first, longest
        self.pause = first
        """How long to wait after the next failure."""

    def grow(self) -> None:
        """A pause was taken; the next one is twice as long."""
        self.pause = min(self.pause * 2, self._longest)

    def reset(self) -> None:
        """It worked; the next pause is the first one again."""
        self.pause = self._first

    async def wait(self, until: asyncio.Event | None = None) -> None:
        """Take the pause, or the part of it before an event is set; the next one is twice as long."""
        pause = self.pause
        self.grow()
        if until is None:
            await asyncio.sleep(pause)
        else:
            await pause_until(pause, until)


async def until_it_works(
    attempt: Callable[[], Awaitable[T]],
    backoff: Backoff,
    failed: Callable[[Exception, float], Awaitable[None] | None],
    *,
    passes: Callable[[BaseException], bool] = is_transient,
) -> T:
    """Try until an attempt works; its result. Raises at once what does not pass by itself.

    `failed` is told of each failure that passes, and of the seconds that are waited then.
    """
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not passes(error):
                raise
            told = failed(error, backoff.pause)
            if told is not None:
                await told
        await backoff.wait()
