"""Plays, measures and prints what came of it."""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.rehearsal.commitments import END, LADDERS, START, agendas
from services.scheduler.agenda import BY_THE_BOOK, Agenda, Rules, replanned
from services.scheduler.ladder_book import read_book
from services.scheduler.rehearsal import Difference, Telling, difference, play
from services.scheduler.zones import instant_at, zone_named

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench rehearsal", description=__doc__)
    parser.add_argument("--commitments", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=3, help="how often both are run in turn")
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    today, others = agendas(choices.commitments), Rules(read_book(LADDERS))
    zones = {name: one.milestone.zone for agenda in today for name, one in agenda.schedules.items()}
    bares, wholes = [], []
    for _ in range(choices.pairs):
        seconds, (before, after, found) = _timed(lambda: _whole(today, others))
        wholes.append(seconds)
        told = [*before, *after]
        seconds, _ = _timed(lambda told=told: _bare(told, zones))  # type: ignore[misc]
        bares.append(seconds)
        print(
            f"{choices.commitments:,} commitments, {len(zones):,} milestones, five years: {len(before):,} reminders by"
            f" today's rules, {len(after):,} by others, both with their difference in {wholes[-1]:.2f} s;"
            f" bare {bares[-1]:.2f} s, ratio {bares[-1] / wholes[-1]:.2f}",
            flush=True,
        )
    document = {
        "commitments": choices.commitments,
        "milestones": len(zones),
        "before": len(before),
        "after": len(after),
        "added": len(found.added),
        "removed": len(found.removed),
        "moved": len(found.moved),
        "whole_seconds": statistics.median(wholes),
        "bare_seconds": statistics.median(bares),
        "ratio": statistics.median(b / w for b, w in zip(bares, wholes, strict=True)),
    }
    print(f"median: {document['whole_seconds']:.2f} s, ratio {document['ratio']:.2f}")
    if choices.json:
        print(json.dumps(document, indent=2))


def _whole(today: Sequence[Agenda], others: Rules) -> tuple[Sequence[Telling], Sequence[Telling], Difference]:
    before = play(today, BY_THE_BOOK, START, END)
    after = play([replanned(agenda, START, others) for agenda in today], others, START, END)
    return before, after, difference(before, after)


def _bare(told: Sequence[Telling], zones: dict[str, str]) -> None:
    for telling in told:
        zone = zone_named(zones[telling.milestone_id])
        local = telling.due_at.astimezone(zone)
        instant_at(local.date(), local.time(), zone)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    gc.disable()  # as the command does
    started = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - started
    gc.enable()
    return seconds, done


if __name__ == "__main__":
    main()
