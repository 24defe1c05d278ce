"""A sign of progress for who waits longer than a moment."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from services.scheduler.reminders.rules.simulation import SimulatedReminder

PATIENCE = 1.0
"""Seconds, of real time, without a sign."""
_EVERY = 500
"""Reminders between two looks at the time."""

Collect = Callable[[str, Iterable[SimulatedReminder]], list[SimulatedReminder]]


@contextmanager
def watching(console: Console, start: datetime, end: datetime) -> Iterator[Collect]:
    """Collects plays of one period; on a terminal, a bar follows their virtual clock once it takes its time."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    progress = Progress(*columns, console=console, transient=True)
    shown_from = time.monotonic() + PATIENCE

    def collect(name: str, play: Iterable[SimulatedReminder]) -> list[SimulatedReminder]:
        reminders: list[SimulatedReminder] = []
        task: TaskID | None = None
        for number, reminder in enumerate(play):
            reminders.append(reminder)
            if number % _EVERY == 0 and console.is_terminal and time.monotonic() > shown_from:
                progress.start()
                task = progress.add_task(name, total=1.0) if task is None else task
                progress.update(task, completed=(reminder.at - start) / (end - start))
        if task is not None:
            progress.update(task, completed=1.0)
        return reminders

    try:
        yield collect
    finally:
        if progress.live.is_started:
            progress.stop()
