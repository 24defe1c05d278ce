"""The rehearsal as tables in a terminal: all that the picture shows, in words and figures."""

from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.rehearse.rehearsal import PHASES, Rehearsal, busiest_day, by_month
from services.plumbing.zones import zone_named
from services.scheduler.reminders.rules.simulation import MovedReminder, SimulatedReminder

MOST_ROWS = 40
"""Differences that are listed; the document has all."""
SIGNS = {"+": ("+", "green"), "-": ("−", "red"), "~": ("~", "blue")}
"""How each kind of change is written, and in which colour."""
_WIDTHS = {"": 1, "when": 20, "step": 11, "says": 18}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def show(rehearsal: Rehearsal, console: Console) -> None:
    """Print it: a summary, the months, and what is told otherwise."""
    console.print(Text(rehearsal.summary, style="bold"), soft_wrap=True)
    for name, reminders in (("by today's plan", rehearsal.before), ("rehearsed", rehearsal.after)):
        if found := busiest_day(reminders):
            day, count = found
            console.print(f"Busiest day {name}: {day:%A} {day.day} {day:%B %Y}, {count:,}", highlight=False)
    if rehearsal.before or rehearsal.after:
        console.print()
        console.print(_phases(rehearsal))
        console.print(_months(rehearsal))
        console.print()
    if rehearsal.difference.is_none:
        console.print("Nothing would be told otherwise.")
        return
    console.print(_changes(rehearsal, console.width))
    if (more := len(rehearsal.changes) - MOST_ROWS) > 0:
        console.print(f"and {more:,} more; --json has all")


def says(reminder: SimulatedReminder) -> str:
    """What a reminder says of its milestone."""
    days = f"{reminder.days:,} day" if reminder.days == 1 else f"{reminder.days:,} days"
    match reminder.phase:
        case "ahead":
            return f"{days} ahead"
        case "overdue":
            return f"{days} overdue"
        case "asked":
            return f"asked, {days} after"
        case "today":
            return "today"
        case "review":
            return "review"


def _phases(rehearsal: Rehearsal) -> Table:
    table = Table(title="By what they say", title_justify="left", box=SIMPLE_HEAD)
    for name in ("", "today's plan", "rehearsed", "added", "removed", "moved"):
        table.add_column(name, justify="right" if name else "left")
    found = rehearsal.difference
    for phase in PHASES:
        columns = [
            rehearsal.before,
            rehearsal.after,
            found.added,
            found.removed,
            [moved.after for moved in found.moved],
        ]
        counts = [sum(one.phase == phase for one in reminders) for reminders in columns]
        if any(counts):
            table.add_row(phase, *(f"{count:,}" for count in counts))
    return table


def _months(rehearsal: Rehearsal) -> Table:
    """Years down, months across: today's count, the rehearsed one, and how many come on its busiest day."""
    table = Table(title="By month, as UTC has them", title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("", no_wrap=True, width=10)
    for name in _MONTHS:
        table.add_column(name, justify="right", min_width=4)
    months = by_month(rehearsal.before, rehearsal.after)
    for year in sorted({year for year, _ in months}):
        cells = [months.get((year, month), ([], [])) for month in range(1, 13)]
        table.add_row(f"{year} today", *(_count(len(before)) for before, _ in cells))
        table.add_row("     new", *(_changed(len(before), len(after)) for before, after in cells))
        table.add_row("     most", *(_most(after) for _, after in cells), style="dim", end_section=True)
    table.caption = "today: by today's plan; new: rehearsed; most: on its busiest day"
    table.caption_justify = "left"
    return table


def _count(count: int) -> str:
    return f"{count}" if count else "·"


def _changed(before: int, after: int) -> Text:
    style = "green" if after > before else "red" if after < before else ""
    return Text(_count(after), style=style)


def _most(reminders: list[SimulatedReminder]) -> str:
    found = busiest_day(reminders)
    return f"{found[1]}" if found else ""


def _changes(rehearsal: Rehearsal, width: int) -> Table:
    table = Table(title="What would be told otherwise", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, wide in _WIDTHS.items():
        table.add_column(name, no_wrap=True, width=wide)
    table.add_column("of", no_wrap=True, overflow="ellipsis", width=max(20, width - sum(_WIDTHS.values()) - 10))
    for _, kind, one in rehearsal.changes[:MOST_ROWS]:
        sign, colour = SIGNS[kind]
        reminder = one.after if isinstance(one, MovedReminder) else one
        was = (
            f"\n[dim]was {_local(one.before, rehearsal):%Y-%m-%d %H:%M}[/dim]" if isinstance(one, MovedReminder) else ""
        )
        whose = "a reader's own ladder: " if reminder.audience else ""
        table.add_row(
            Text(sign, style=f"bold {colour}"),
            when(reminder, rehearsal) + was,
            reminder.step.name,
            says(reminder),
            Text(whose + rehearsal.title_of(reminder.milestone_id)),
        )
    return table


def when(reminder: SimulatedReminder, rehearsal: Rehearsal) -> str:
    """The instant on the clocks of the milestone's zone."""
    return f"{_local(reminder, rehearsal):%Y-%m-%d %H:%M %Z}"


def _local(reminder: SimulatedReminder, rehearsal: Rehearsal) -> datetime:
    return reminder.at.astimezone(zone_named(rehearsal.schedules[reminder.milestone_id].milestone.zone))
