"""APScheduler, which only ticks: what is due, and whether it was told, the table knows.

A job for each reminder would lose some: APScheduler advances or removes a job before it runs, drops runs that it
notices late, and its shared stores break with two schedulers. So there is one job, in memory.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Literal

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.faults import is_passing
from services.plumbing.logs import log


class ClockworkSettings(BaseSettings):
    """How often the scheduler looks for what is due."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    tick_seconds: float = Field(default=1.0, gt=0, le=5)
    """Seconds of real time between two ticks; above 5 the promise to tell within 5 seconds could not be kept."""


UNDER_A_SETTABLE_CLOCK = 0.03
"""Seconds between ticks where time jumps: a year may go by in a few seconds."""


LONGEST_PAUSE = 2.0
"""Seconds between two tries while something that a tick needs is away."""


class Clockwork:
    """Calls `tick` at regular intervals, never twice at once, until told to stop."""

    def __init__(self, tick: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._tick = tick
        self._seconds = seconds
        self._idle = asyncio.Event()
        self._idle.set()
        self._pause = 0.0
        self._not_before = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Tick until `stopping` is set; the tick under way is finished. Raises what broke a tick for good."""
        # A tick that takes longer than the interval is waited for, which is no news.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        # misfire_grace_time: APScheduler's default of 1 second would drop the ticks that come late.
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
        """One tick. APScheduler would only log what a job raises, so it is carried out of here by hand."""
        if time.monotonic() < self._not_before:
            return
        self._idle.clear()
        try:
            await self._tick()
            self._pause = 0.0
        except Exception as error:
            if is_passing(error):
                self._pause = min(max(self._pause * 2, self._seconds), LONGEST_PAUSE)
                self._not_before = time.monotonic() + self._pause
                log.warning("ticks are left out", action="tick_waits", error=str(error) or repr(error))
            elif not broken.done():
                broken.set_exception(error)
        finally:
            self._idle.set()
