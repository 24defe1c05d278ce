"""Days and instants as they are written on the command line."""

from datetime import UTC, date, datetime, time

import typer


def read_day(text: str) -> date:
    """A day; raises `typer.BadParameter`, which says how to write one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a day as 2021-11-18") from None


def read_instant(text: str) -> datetime:
    """An instant, or the beginning of a day in UTC; raises `typer.BadParameter`."""
    try:
        instant = datetime.fromisoformat(text) if "T" in text.upper() else datetime.combine(read_day(text), time(), UTC)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter("write an instant as 2026-01-01T09:00:00Z, or a day as 2026-01-01")
    return instant
