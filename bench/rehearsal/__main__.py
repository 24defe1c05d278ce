"""Plays, measures and prints what came of it."""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from bench.rehearsal.commitments import END, LADDERS, START, agendas
from services.plumbing.zones import instant_at, zone_named
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.reminders.rules.agenda import SHIPPED_RULES, Agenda, PlanningRules, replanned
from services.scheduler.reminders.rules.simulation import (
    SimulatedReminder,
    SimulationDifference,
    compare_simulations,
    simulate,
)

T = TypeVar("T")


class Took(NamedTuple):
    """Seconds by the clock on the wall, and of this process's own work: others may be at work on the same cores."""

    wall: float
    cpu: float


class Plays(NamedTuple):
    """Both plays and their difference."""

    before: Sequence[SimulatedReminder]
    after: Sequence[SimulatedReminder]
    found: SimulationDifference


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench rehearsal", description=__doc__)
    parser.add_argument("--commitments", type=int, default=1000)
    parser.add_argument("--pairs", type=int, choices=range(1, 100), default=3, help="how often both are run in turn")
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    today, others = agendas(choices.commitments), PlanningRules(read_ladder_book(LADDERS))
    zones = {name: one.milestone.zone for agenda in today for name, one in agenda.schedules.items()}
    bares, wholes = [], []
    for _ in range(choices.pairs):
        whole, plays = _timed(lambda: _whole(today, others))
        told = [*plays.before, *plays.after]
        bare, _ = _timed(lambda told=told: _bare(told, zones))
        wholes.append(whole)
        bares.append(bare)
        print(
            f"whole {whole.wall:.2f} s ({whole.cpu:.2f} s of work), bare {bare.wall:.2f} s ({bare.cpu:.2f} s),"
            f" ratio {bare.cpu / whole.cpu:.2f}",
            flush=True,
        )
    document = {
        "commitments": choices.commitments,
        "milestones": len(zones),
        "before": len(plays.before),
        "after": len(plays.after),
        "added": len(plays.found.added),
        "removed": len(plays.found.removed),
        "moved": len(plays.found.moved),
        "whole_seconds": round(statistics.median(took.wall for took in wholes), 3),
        "whole_cpu_seconds": round(statistics.median(took.cpu for took in wholes), 3),
        "bare_cpu_seconds": round(statistics.median(took.cpu for took in bares), 3),
        "ratio": round(statistics.median(b.cpu / w.cpu for b, w in zip(bares, wholes, strict=True)), 3),
    }
    print(
        f"{choices.commitments:,} commitments with {len(zones):,} milestones, five years:"
        f" {len(plays.before):,} reminders by today's rules and {len(plays.after):,} by others, with their difference"
        f" in {document['whole_seconds']:.2f} s ({document['whole_cpu_seconds']:.2f} s of work),"
        f" median ratio {document['ratio']:.2f}"
    )
    if choices.json:
        print(json.dumps(document, indent=2))


def _whole(today: Sequence[Agenda], others: PlanningRules) -> Plays:
    before = simulate(today, SHIPPED_RULES, START, END)
    after = simulate([replanned(agenda, START, others) for agenda in today], others, START, END)
    return Plays(before, after, compare_simulations(before, after))


def _bare(told: Sequence[SimulatedReminder], zones: dict[str, str]) -> None:
    for reminder in told:
        zone = zone_named(zones[reminder.milestone_id])
        local = reminder.due_at.astimezone(zone)
        instant_at(local.date(), local.time(), zone)


def _timed(work: Callable[[], T]) -> tuple[Took, T]:
    gc.collect()
    gc.disable()  # as the command does
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    took = Took(time.perf_counter() - wall, time.process_time() - cpu)
    gc.enable()
    return took, done


if __name__ == "__main__":
    main()
