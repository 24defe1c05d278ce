"""APScheduler, which only ticks: what is due, and whether it was told, the table knows.

A job for each reminder would lose some: APScheduler advances or removes a job before it runs, drops runs that it
notices late, and its shared stores break with two schedulers. So there is one job that ticks, in memory, and one for
each piece of housekeeping beside it.

APScheduler reckons by the wall clock. Put back by two hours, it would sleep for two hours; so it is woken by the clock
that can't be set.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.logs import log
from services.plumbing.transient_errors import is_transient


class ClockworkSettings(BaseSettings):
    """How often the scheduler looks for what is due."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULER_")

    tick_seconds: float = Field(default=1.0, gt=0, le=5)
    """Seconds of real time between two ticks; above 5 the promise to tell within 5 seconds could not be kept."""


UNDER_A_SETTABLE_CLOCK = 0.03
"""Seconds between ticks where time jumps: a year may go by in a few seconds."""

LONGEST_PAUSE = 2.0
"""Seconds between two tries while something that a tick needs is away."""

LONGEST_SLEEP = 1.0
"""Seconds after which it is seen that the wall clock was put back."""


@dataclass(frozen=True)
class Regular:
    """A piece of work that is done again and again, so many seconds of real time apart.

    It may give the seconds until it should be done again where that is sooner.
    """

    name: str
    work: Callable[[], Awaitable[float | None]]
    seconds: float


class Clockwork:
    """Does what is regular, each piece never twice at once and none in the way of another, until told to stop."""

    def __init__(self, *regular: Regular) -> None:
        self._hands = [_Hand(one) for one in regular]

    async def run(self, stopping: asyncio.Event) -> None:
        """Go on until `stopping` is set; what is under way is finished. Raises what broke a piece of work for good."""
        # A tick that takes longer than the interval is waited for, which is no news.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        # misfire_grace_time: APScheduler's default of 1 second would drop the ticks that come late.
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        broken: asyncio.Future[Literal[True]] = asyncio.get_running_loop().create_future()
        for hand in self._hands:
            hand.job = scheduler.add_job(
                hand.turn, IntervalTrigger(seconds=hand.regular.seconds, timezone=UTC), [broken], id=hand.regular.name
            )
        scheduler.start()
        stop = asyncio.create_task(stopping.wait())
        ends: list[asyncio.Future[Literal[True]]] = [stop, broken]
        try:
            while not any(end.done() for end in ends):
                await asyncio.wait(ends, timeout=LONGEST_SLEEP, return_when=asyncio.FIRST_COMPLETED)
                for hand in self._hands:
                    hand.wake()
            scheduler.pause()
            for hand in self._hands:
                await hand.idle.wait()
        finally:
            stop.cancel()
            scheduler.shutdown(wait=False)
        if broken.done():
            broken.result()


class _Hand:
    """One piece of regular work, with its job in APScheduler."""

    def __init__(self, regular: Regular) -> None:
        self.regular = regular
        self.job: Job | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self._pause = 0.0
        self._not_before = 0.0

    def wake(self) -> None:
        """Let the job run now if it means to wait longer than its interval: the wall clock has been put back."""
        if self.job and self.idle.is_set() and self._seconds_left() > self.regular.seconds + LONGEST_SLEEP:
            log.warning("the clock was put back", action="clock_put_back", job=self.regular.name)
            self.job.modify(next_run_time=datetime.now(UTC))

    def _seconds_left(self) -> float:
        next_run: datetime | None = self.job.next_run_time if self.job else None
        return (next_run - datetime.now(UTC)).total_seconds() if next_run else 0.0

    async def turn(self, broken: "asyncio.Future[Literal[True]]") -> None:
        """Do it once. APScheduler would only log what a job raises, so it is carried out of here by hand."""
        if time.monotonic() < self._not_before:
            return
        self.idle.clear()
        try:
            sooner = await self.regular.work()
            self._pause = 0.0
            if sooner is not None and sooner < self._seconds_left() and self.job:
                self.job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=sooner))
        except Exception as error:
            if is_transient(error):
                self._pause = min(max(self._pause * 2, self.regular.seconds), LONGEST_PAUSE)
                self._not_before = time.monotonic() + self._pause
                log.warning(
                    "ticks are left out", action="tick_waits", job=self.regular.name, error=str(error) or repr(error)
                )
            elif not broken.done():
                broken.set_exception(error)
        finally:
            self.idle.set()
