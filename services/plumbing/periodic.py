"""Periodic work on APScheduler, which only ticks: what is due, and whether it was done, a table knows.

A job for each thing that is due would lose some: APScheduler advances or removes a job before it runs, drops runs that
it notices late, and its shared stores break with two processes. So each piece of work has one job, in memory.

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

from services.plumbing.logs import log
from services.plumbing.retry import Backoff
from services.plumbing.transient_errors import is_transient

UNDER_A_SETTABLE_CLOCK = 0.03
"""Seconds of real time between two runs where time jumps: a year may go by in a few seconds."""

LONGEST_PAUSE = 2.0
"""Seconds between two tries while something that the work needs is away."""

LONGEST_SLEEP = 1.0
"""Seconds after which it is seen that the wall clock was put back, or that a task is called."""


@dataclass(frozen=True)
class PeriodicTask:
    """A piece of work that is done again and again, so many seconds of real time apart.

    It may give the seconds until it should be done again where that is sooner.
    """

    name: str
    work: Callable[[], Awaitable[float | None]]
    seconds: float
    is_called: Callable[[], bool] = lambda: False
    """Whether it should be done within `LONGEST_SLEEP`, whatever it said when it was done last."""


class Clockwork:
    """Runs periodic tasks, each never twice at once and none in the way of another, until told to stop."""

    def __init__(self, *tasks: PeriodicTask) -> None:
        self._jobs = [_PeriodicJob(task) for task in tasks]

    async def run(self, stopping: asyncio.Event) -> None:
        """Go on until `stopping` is set; what is under way is finished. Raises what broke a task for good."""
        # A run that takes longer than the interval is waited for: APScheduler need not warn of it.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        # misfire_grace_time: APScheduler's default of 1 second would drop the runs that come late.
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        broken: asyncio.Future[Literal[True]] = asyncio.get_running_loop().create_future()
        for job in self._jobs:
            job.start(scheduler, broken)
        scheduler.start()
        stop = asyncio.create_task(stopping.wait())
        ends: list[asyncio.Future[Literal[True]]] = [stop, broken]
        try:
            while not any(end.done() for end in ends):
                await asyncio.wait(ends, timeout=LONGEST_SLEEP, return_when=asyncio.FIRST_COMPLETED)
                for job in self._jobs:
                    job.wake()
            scheduler.pause()
            for job in self._jobs:
                await job.idle.wait()
        finally:
            stop.cancel()
            scheduler.shutdown(wait=False)
        if broken.done():
            broken.result()


class _PeriodicJob:
    """One periodic task, with its job in APScheduler."""

    def __init__(self, task: PeriodicTask) -> None:
        self._task = task
        self._job: Job | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self._backoff = Backoff(LONGEST_PAUSE, first=min(task.seconds, LONGEST_PAUSE))
        self._not_before = 0.0

    def start(self, scheduler: AsyncIOScheduler, broken: "asyncio.Future[Literal[True]]") -> None:
        """Add the job; `broken` is to hold what ends the task for good."""
        trigger = IntervalTrigger(seconds=self._task.seconds, timezone=UTC)
        self._job = scheduler.add_job(self._run, trigger, [broken], id=self._task.name)

    def wake(self) -> None:
        """Let the job run now if it is called, or means to wait longer than its interval: the clock was put back."""
        if not self._job or not self.idle.is_set():
            return
        is_put_back = self._seconds_left() > self._task.seconds + LONGEST_SLEEP
        if is_put_back:
            log.warning("the clock was put back", action="clock_put_back", job=self._task.name)
        if is_put_back or self._task.is_called():
            self._job.modify(next_run_time=datetime.now(UTC))

    def _seconds_left(self) -> float:
        next_run: datetime | None = self._job.next_run_time if self._job else None
        return (next_run - datetime.now(UTC)).total_seconds() if next_run else 0.0

    async def _run(self, broken: "asyncio.Future[Literal[True]]") -> None:
        """Do it once. APScheduler would only log what a job raises, so it is handed over by `broken`."""
        if time.monotonic() < self._not_before:
            return
        self.idle.clear()
        try:
            sooner = await self._task.work()
            self._backoff.reset()
            if sooner is not None and sooner < self._seconds_left() and self._job:
                self._job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=sooner))
        except Exception as error:
            if is_transient(error):
                self._not_before = time.monotonic() + self._backoff.pause
                self._backoff.grow()
                log.warning(
                    "periodic work waits", action="tick_waits", job=self._task.name, error=str(error) or repr(error)
                )
            elif not broken.done():
                broken.set_exception(error)
        finally:
            self.idle.set()
