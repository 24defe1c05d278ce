"""APScheduler, which only ticks: which day has been looked at, the table knows.

The day is one of business time, which may come from a settable clock, so the timer can't wait for six in the morning:
it asks, at short intervals, whether another day is due, and that costs nothing while none is.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Literal

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient

SECONDS = 30.0
"""Between two looks at the clock."""
SECONDS_UNDER_A_SETTABLE_CLOCK = 0.03
"""Where time jumps: a year may go by in a few seconds."""
PAUSE = 2.0
"""Seconds to the next try while something that a look needs is away."""


class Daily:
    """Calls `look` at regular intervals, never twice at once, until told to stop."""

    def __init__(self, look: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._idle = asyncio.Event()
        self._idle.set()
        self._not_before = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until `stopping` is set; a look under way is finished. Raises what broke one for good."""
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)  # a look that takes longer is no news
        # misfire_grace_time: APScheduler's default of 1 second would drop the runs that come late.
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        broken: asyncio.Future[Literal[True]] = asyncio.get_running_loop().create_future()
        scheduler.add_job(self._guarded, IntervalTrigger(seconds=self._seconds, timezone=UTC), [broken])
        scheduler.start()
        stop = asyncio.create_task(stopping.wait())
        ends: list[asyncio.Future[Literal[True]]] = [stop, broken]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            scheduler.pause()
            await self._idle.wait()
        finally:
            stop.cancel()
            scheduler.shutdown(wait=False)
        if broken.done():
            broken.result()

    async def _guarded(self, broken: "asyncio.Future[Literal[True]]") -> None:
        """One look. APScheduler would only log what a job raises, so it is carried out of here by hand."""
        if time.monotonic() < self._not_before:
            return
        self._idle.clear()
        try:
            await self._look()
        except Exception as error:
            if is_transient(error):
                self._not_before = time.monotonic() + PAUSE
                log.warning("the daily look waits", action="consistency_waits", error=str(error) or repr(error))
            elif not broken.done():
                broken.set_exception(error)
        finally:
            self._idle.set()
