"""Previews and explanations as tables that stay readable at 80 columns."""

from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.texts import shown

STATES = {
    "pending": "to come",
    "planned-later": "later",
    "fired": "told",
    "merged": "merged",
    "passed": "passed",
    "withdrawn": "withdrawn",
    "failed": "FAILED",
}


def show_preview(seen: dict[str, Any]) -> None:
    """Print a commitment's milestones, each with its instants."""
    console = Console(highlight=False)
    language = seen["language"]
    title = shown(seen["title"], language) if seen["title"] else "no milestones yet"
    console.print(Text(f"{seen['commitment_id']}: {title}", style="bold"))
    whose = "the subscription's own ladder" if seen["ladder_of"] == "subscription" else "the ladder book"
    console.print(Text(f"as of {_clock(seen['at'])} UTC, by {whose}"))
    if seen["being_planned_anew"]:
        console.print(Text("Rules have just changed: what is to come is being planned anew."))
    for milestone in seen["milestones"]:
        console.print()
        _show_milestone(console, milestone, language)


def _show_milestone(console: Console, milestone: dict[str, Any], language: str) -> None:
    console.print(Text(f"{milestone['milestone_id']}: {shown(milestone['title'], language)}", style="bold"))
    console.print(Text(f"{milestone['when']}; version {milestone['schedule_version']} of the date"))
    here, there = milestone["reader_zone"], milestone["zone"]
    console.print(Text(f"times of {here}" + (f"; in brackets those of {there}" if here != there else "")))
    if not milestone["asked_for"]:
        console.print(Text("The subscription does not ask for this milestone: it is not reminded of it."))
    if milestone["settled"]:
        console.print(Text("Met or withdrawn for all whom it binds: nothing is told any more."))
    if hold := milestone["hold"]:
        console.print(Text(f"Held: version {hold['schedule_version']} of the date is being written."))
    if milestone["moments"]:
        console.print(_moments(milestone))
    _show_left_out(console, milestone["left_out"])
    if review := milestone["review"]:
        console.print(Text(f"Looked at every {review['every_months']} months from {review['counted_from']} on."))
    if milestone["escalation"]:
        _show_escalation(console, milestone["escalation"], language)


def _moments(milestone: dict[str, Any]) -> Table:
    table = _table(("when", 16), ("no.", None), ("step", None), ("", None), ("why", None))
    now = milestone["schedule_version"]
    for moment in milestone["moments"]:
        when = _clock(moment["local"])
        if moment["local"] != moment["local_there"]:
            when += f"\n({_shortly(moment['local_there'], moment['local'])})"
        why = moment["sentence"] + (f" {moment['failure']}" if moment["failure"] else "")
        state = STATES[moment["state"]]
        if moment["schedule_version"] != now:
            state += f"\nversion {moment['schedule_version']}"
        number = str(moment["id"]) if moment["id"] else ""
        table.add_row(when, number, moment["step"], state, Text(why))
    return table


def _show_left_out(console: Console, left_out: list[dict[str, Any]]) -> None:
    """Steps with one reason stand together."""
    together: dict[str, list[str]] = {}
    for one in left_out:
        together.setdefault(one["sentence"], []).append(one["step"])
    for sentence, steps in together.items():
        console.print(Text(f"{', '.join(steps)}: {sentence[0].lower()}{sentence[1:]}"))


def _show_escalation(console: Console, escalation: dict[str, Any], language: str) -> None:
    match escalation["state"]:
        case "settled":
            return
        case "owned":
            made = escalation["acknowledged"]
            console.print(Text(f"{_open_as(escalation)}, and {made['name']} is on it. Unless evidence follows:"))
        case "climbing":
            console.print(Text(f"{_open_as(escalation)}, and nobody is on it. Unless somebody is:"))
        case "asked" | "dormant" if escalation["asked_at_local"]:
            at = _clock(escalation["asked_at_local"])
            asked = f"From {at} on it is asked whether it has taken place."
            console.print(Text(f"{asked} Unless that is recorded, or somebody is on it:"))
        case _ if escalation["overdue_at_local"]:
            at = _clock(escalation["overdue_at_local"])
            console.print(Text(f"Overdue from {at} on. Unless it is met, or somebody is on it:"))
        case _:
            console.print(Text("Never overdue."))
    for one in escalation["hearings"]:
        console.print(Text(f"  {_clock(one['local'])}  {shown(one['title'], language)} hears (round {one['round']})"))


def _open_as(escalation: dict[str, Any]) -> str:
    return "Overdue" if escalation["overdue_at_local"] else "Nobody has recorded whether it has taken place"


def show_next(items: list[dict[str, Any]], zone: str | None) -> None:
    """Print reminders to come, each on the clocks of its milestone's zone, or of the one that is given."""
    from services.plumbing.zones import zone_named

    console = Console(highlight=False)
    table = _table(("when", 16), ("no.", None), ("step", None), ("milestone", None), ("commitment", None))
    for item in items:
        due_at = datetime.fromisoformat(item["due_at"]).astimezone(zone_named(zone or item["zone"]))
        table.add_row(
            f"{due_at:%Y-%m-%d %H:%M}", str(item["id"]), item["step"], item["milestone_id"], item["commitment_id"]
        )
    console.print(Text(f"times of {zone}" if zone else "times of each milestone's own zone"))
    console.print(table)


def show_explanation(found: dict[str, Any]) -> None:
    """Print what is known of one reminder, a line or two for each question."""
    console = Console(highlight=False)
    moment, fate = found["moment"], found["fate"]
    here, there = found["reader_zone"], found["zone"]
    console.print(Text(found["what"], style="bold"))
    console.print(Text(f"{found['commitment_id']} / {found['milestone_id']}, version {moment['schedule_version']}"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("when", f"{_clock(moment['local'])} {here}")
    if here != there:
        table.add_row("", f"{_clock(moment['local_there'])} {there}")
    table.add_row("why then", Text(moment["sentence"]))
    if found["audience"]:
        table.add_row("for", f"subscription {found['audience']} alone")
    table.add_row("what became", Text(fate["sentence"]))
    if fate["event_id"]:
        table.add_row("event", fate["event_id"])
    if fate["merged_into"]:
        table.add_row("merged into", f"{fate['merged_into_step']}, no. {fate['merged_into']}")
    table.add_row("what next", Text(found["next_sentence"]))
    console.print(table)


def _table(*columns: tuple[str, int | None]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for number, (name, width) in enumerate(columns):
        table.add_column(name, width=width, no_wrap=number < 3, overflow="fold")
    return table


def _clock(instant: str) -> str:
    """`2021-12-24 09:00`, as it stands."""
    return instant[:16].replace("T", " ")


def _shortly(there: str, here: str) -> str:
    """The same instant on other clocks: `09:00`, or `12-25 01:00` where it is another day there."""
    return there[11:16] if there[:10] == here[:10] else _clock(there)[5:]
