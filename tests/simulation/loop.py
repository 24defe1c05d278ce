"""An event loop without real time: whatever is ready runs in an order that a seed chooses, and time leaps between.

Each task belongs to the simulated process that started it, by a context variable that asyncio hands on to all that the
task starts. Within a process the order is asyncio's own, first come first served; between processes it is the seed's.
A process that is frozen keeps what it has to do; one that has died does nothing any more.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol


class Owner(Protocol):
    """To whom a task belongs."""

    @property
    def runs(self) -> bool:
        """Whether it does anything now."""
        ...


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""The simulated process that the running code belongs to; None for the world around them."""


class NothingToDo(Exception):
    """No task is ready, no timer is set: what waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks by `choose`, which gives a number below its argument; its time is virtual, in seconds."""

    def __init__(self, choose: Callable[[int], int], start: float = 1_000.0) -> None:
        super().__init__()
        self._choose = choose
        self._virtual = start
        self._queues: dict[Owner | None, deque[asyncio.Handle]] = {None: deque()}

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual

    def leap(self, seconds: float) -> None:
        """Let time pass without anybody noticing, as in a machine that sleeps; timers fall due afterwards."""
        self._virtual += seconds

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Put a call behind what its owner has to do already."""
        context = context or copy_context()
        handle = events.Handle(callback, args, self, context)
        self._put(context.get(OWNER), handle)
        return handle

    call_soon_threadsafe = call_soon  # there are no threads here

    def _put(self, owner: Owner | None, handle: asyncio.Handle) -> None:
        queue = self._queues.get(owner)
        if queue is None:
            queue = self._queues[owner] = deque()
        queue.append(handle)

    def _run_once(self) -> None:
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        while scheduled and (scheduled[0].cancelled() or scheduled[0].when() <= self._virtual):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            if not timer.cancelled():
                self._put(timer._context.get(OWNER), timer)  # type: ignore[attr-defined]
        ready = [q for owner, q in self._queues.items() if q and (owner is None or owner.runs)]
        if not ready:
            if not scheduled:
                raise NothingToDo
            self._virtual = scheduled[0].when()
            return
        handle = ready[self._choose(len(ready)) if len(ready) > 1 else 0].popleft()
        if not handle.cancelled():
            handle._run()

    def _process_events(self, event_list: Any) -> None:  # there is no input or output here
        raise NotImplementedError

    def _write_to_self(self) -> None:
        """Nobody sleeps here who would have to be woken."""
