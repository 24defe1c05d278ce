"""What a terminal shows while a file is sent, and afterwards."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.plumbing.sentences import Sentence, Translate

PATIENCE = 1.0
"""Seconds without a sign."""


class Advance(Protocol):
    """Told how many rows have been answered."""

    def __call__(self, rows: int) -> None: ...


@contextmanager
def progress_of(console: Console, total: int, translate: Translate) -> Iterator[Advance]:
    """A bar over the rows, on a terminal, once it takes its time."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task(Sentence("Reporting").said(translate), total=total)
    shown_from = time.monotonic() + PATIENCE

    def advance(rows: int) -> None:
        progress.advance(task, rows)
        if console.is_terminal and not progress.live.is_started and time.monotonic() > shown_from:
            progress.start()

    try:
        yield advance
    finally:
        if progress.live.is_started:
            progress.stop()


def show(console: Console, results: Sequence[dict[str, Any]], translate: Translate, *, is_dry_run: bool) -> None:
    """What is to be mended, row by row, and the numbers."""
    for line in results:
        if line["result"] == "refused":
            row = Sentence("row %(number)s", number=line["row"]).said(translate)
            place = f", {line['column']}" if line.get("column") else ""
            console.print(Text(f"{row}{place}: {line['detail']}"))
    count = Counter(line["result"] for line in results)
    summary = Sentence(
        "%(recorded)s recorded, %(known)s recorded before, %(refused)s refused",
        recorded=count["recorded"],
        known=count["known"],
        refused=count["refused"],
    )
    console.print(Text(summary.said(translate)))
    if is_dry_run:
        console.print(Text(Sentence("This was a dry run: nothing was recorded").said(translate)))
