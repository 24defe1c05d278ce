"""What came of it, as tables for people and as one document for programs."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cli.conservation import InvariantCheck
from services.cli.observing import MessageCount

STATES = ("delivered", "failed", "expired", "suppressed", "cancelled", "pending", "sending")


@dataclass(frozen=True)
class Played:
    """What was played, and how long it took; seconds are real time."""

    first: date
    last: date
    days: int
    seconds: float
    ready_seconds: float
    revived: dict[str, int]
    """How often a service had died on the way and was started again."""


@dataclass(frozen=True)
class DemoResult:
    """Everything that the demo counted; latencies are real time, in seconds."""

    played: Played
    resident_mib: float
    events: dict[str, int]
    phases: dict[str, int]
    reminders: dict[str, int]
    deliveries: dict[tuple[str, str], int]
    messages: list[MessageCount]
    latency_p50: float
    latency_p99: float
    checks: list[InvariantCheck]

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled or left unexplained."""
        return all(check.ok for check in self.checks)

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        by_channel: dict[str, dict[str, int]] = {}
        for (channel, state), count in sorted(self.deliveries.items()):
            by_channel.setdefault(channel, {})[state] = count
        return {
            "first": self.played.first.isoformat(),
            "last": self.played.last.isoformat(),
            "days": self.played.days,
            "seconds": round(self.played.seconds, 2),
            "ready_seconds": round(self.played.ready_seconds, 2),
            "resident_mib": round(self.resident_mib),
            "events": self.events,
            "reminders": {"by_phase": self.phases, "by_state": self.reminders},
            "deliveries": by_channel,
            "messages": [vars(one) | {"worst_day": one.worst_day.isoformat()} for one in self.messages],
            "latency_ms": {"p50": round(self.latency_p50 * 1000, 1), "p99": round(self.latency_p99 * 1000, 1)},
            "checks": [{"name": c.name, "ok": c.ok, "found": c.found} for c in self.checks],
            "restarted": self.played.revived,
            "sound": self.sound,
        }


def show(result: DemoResult, console: Console) -> None:
    """Print the tables."""
    events = Table(title="Events", title_justify="left")
    events.add_column("topic")
    events.add_column("events", justify="right")
    for topic, count in result.events.items():
        note = f" ({', '.join(f'{n} {p}' for p, n in result.phases.items())})" if topic == "milestone-due" else ""
        events.add_row(f"{topic}{note}", f"{count:,}")
    deliveries = Table(title="Deliveries", title_justify="left")
    deliveries.add_column("channel")
    states = [s for s in STATES if any(state == s for _, state in result.deliveries)]
    for state in states:
        deliveries.add_column(state, justify="right")
    for channel in sorted({channel for channel, _ in result.deliveries}):
        deliveries.add_row(channel, *(f"{result.deliveries.get((channel, state), 0):,}" for state in states))
    messages = Table(title="Messages to people", title_justify="left")
    for column in ("subscriber", "channel"):
        messages.add_column(column)
    for column in ("events", "most on a day", "messages", "most on a day", "that day"):
        messages.add_column(column, justify="right")
    for one in result.messages:
        counts = (one.events, one.worst_events, one.messages, one.worst)
        messages.add_row(one.subscriber, one.channel, *(f"{n:,}" for n in counts), one.worst_day.isoformat())
    laws = Table(title="Conservation", title_justify="left")
    laws.add_column("law")
    laws.add_column("holds")
    laws.add_column("found")
    for check in result.checks:
        laws.add_row(check.name, "[green]yes[/]" if check.ok else "[red]NO[/]", check.found)
    for table in (events, deliveries, messages, laws):
        console.print(table)
    console.print(
        f"{result.played.days} days, {result.played.first} to {result.played.last}, in {result.played.seconds:.1f} s"
        f" (ready after {result.played.ready_seconds:.1f} s, {result.resident_mib:.0f} MiB resident);"
        f" from commit to delivery p50 {result.latency_p50 * 1000:.0f} ms, p99 {result.latency_p99 * 1000:.0f} ms",
        highlight=False,
    )
    if result.played.revived:
        console.print(f"restarted on the way: {', '.join(f'{n} {c}×' for n, c in result.played.revived.items())}")
