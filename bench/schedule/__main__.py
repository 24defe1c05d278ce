"""Runs what was asked for and prints a table of it."""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from bench import schedule
from bench.schedule.apscheduling import against_apscheduler
from bench.schedule.claiming import claim_rounds
from bench.schedule.due import burst
from bench.schedule.faults import SIZES, p5
from bench.schedule.ground import Ground
from bench.schedule.horizon import costs
from bench.schedule.planning import plan_many
from deploy.embedded.stack import EmbeddedStack
from services.plumbing.process import spare_garbage_collection

Choices = argparse.Namespace
Figures = list[dict[str, Any]]


def due(ground: Ground, choices: Choices) -> Figures:
    """Due to on the topic, all of it within one second."""
    found = []
    for one in burst(ground, choices.ahead, choices.due, 1.0, choices.schedulers, choices.rounds):
        cpu = ", ".join(f"{part} {round(micro)}" for part, micro in one.cpu.items())
        say(
            f"due        {one.due:,} within a second, {one.ahead:,} ahead: on the topic after"
            f" p50 {one.p50:,.0f} ms, p99 {one.p99:,.0f} ms, last {one.longest:,.0f} ms; CPU µs an event: {cpu}"
        )
        found.append(asdict(one))
    return found


def claim(ground: Ground, choices: Choices) -> Figures:
    """The claim against a bare SKIP LOCKED loop."""
    found = claim_rounds(ground, choices.ahead, choices.due, choices.rounds)
    for one in found:
        say(f"claim      bare loop {one.bare:,.0f}/s, claim {one.ours:,.0f}/s: {one.ratio:.0%}; {one.ahead:,} ahead")
    say(f"claim      median {statistics.median(one.ratio for one in found):.0%} of the bare loop")
    return [asdict(one) | {"ratio": one.ratio} for one in found]


def planning(ground: Ground, choices: Choices) -> Figures:
    """The intake's path."""
    one = plan_many(ground, choices.milestones)
    say(
        f"planning   {one.milestones:,} milestones, {one.reminders:,} reminders in {one.seconds:.1f} s:"
        f" {one.milestones / one.seconds:,.0f} milestones/s, {one.reminders / one.seconds:,.0f} reminders/s;"
        f" CPU {one.cpu:.0f} µs a milestone"
    )
    return [asdict(one)]


def apscheduler(ground: Ground, choices: Choices) -> Figures:
    """APScheduler alone."""
    found = against_apscheduler(ground, min(choices.ahead, 100_000), choices.due, choices.rounds)
    for one in found:
        say(
            f"apscheduler a job for each {one.apscheduler:,.0f}/s, the tick with its events {one.tick:,.0f}/s:"
            f" {one.ratio:.0f} times; {one.ahead:,} ahead"
        )
    return [asdict(one) | {"ratio": one.ratio} for one in found]


def horizon(ground: Ground, choices: Choices) -> Figures:
    """The tick at three horizons."""
    found = costs(ground, (1_000, 100_000, choices.ahead))
    for one in found:
        say(f"horizon    {one.ahead:>9,} ahead: a tick {one.idle:.1f} ms, one that tells fifty {one.telling:.1f} ms")
    return [asdict(one) for one in found]


def faults(ground: Ground, choices: Choices) -> Figures:
    """P5; ends with 1 where it does not hold."""
    one = p5(ground, SIZES[choices.size], choices.seed)
    say(
        f"p5         {one.reminders:,} reminders in {one.events:,} events, faults {dict(one.faults)},"
        f" {one.moves} moves, {one.repeats} repeats with the same id, {one.seconds:.0f} s: doubled {len(one.doubled)},"
        f" missed {len(one.missed)}, old after a move {len(one.old)}, seq gaps {len(one.gaps)}"
    )
    if not one.holds:
        raise SystemExit(json.dumps(asdict(one), indent=2))
    return [asdict(one)]


PARTS: dict[str, Callable[[Ground, Choices], Figures]] = {
    "due": due,
    "claim": claim,
    "planning": planning,
    "apscheduler": apscheduler,
    "horizon": horizon,
    "p5": faults,
}


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench schedule", description=schedule.__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[], metavar="|".join(PARTS))
    parser.add_argument("--ahead", type=int, default=1_000_000, help="reminders that are planned and lie ahead")
    parser.add_argument("--due", type=int, default=10_000, help="reminders that come due")
    parser.add_argument("--milestones", type=int, default=100_000, help="milestones to be planned")
    parser.add_argument("--schedulers", type=int, default=2, help="scheduler processes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=SIZES, default="q", help="of p5: F is 200,000 reminders and 200 faults")
    parser.add_argument("--seed", type=int, default=1, help="of p5")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON behind the table")
    choices = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # what is measured in this process logs nothing
    spare_garbage_collection()  # as the services do
    document: dict[str, Any] = {"load_before": os.getloadavg()[0], "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
        ground = Ground(stack, Path(folder))
        for name in choices.parts or [name for name in PARTS if name != "p5"]:
            document[name] = PARTS[name](ground, choices)
    document["load_after"] = os.getloadavg()[0]
    loads = document["load_before"], document["load_after"]
    say(f"load       {loads[0]:.1f} before, {loads[1]:.1f} after, {document['cores']} cores")
    if choices.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
