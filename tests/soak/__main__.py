"""A whole Pledgewire under load and faults for as long as is asked for; nothing may be lost, doubled or out of order.

`python -m tests.soak --minutes 30` is the long form: 5 updates a second to about 20 readers each, a SIGKILL every 20
seconds, partitions added at a quarter, an old backup put back in the middle. `--short` is the form of the test command:
a minute, with a kill every 5 seconds. `--seed` draws whom it hits. 1 when a promise did not hold.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.soak.evidence import Evidence
from tests.soak.invariants import broken, reasons, taken_and_turned_away
from tests.soak.plan import Plan, draw
from tests.soak.running import soak

SHORT_SECONDS = 50.0
COMMAND = "python -m tests.soak"


def main() -> int:
    """Soak; 1 when a promise did not hold."""
    options = _options()
    with ExitStack() as closing:
        if options.state:
            folder = options.state.absolute()
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(closing.enter_context(TemporaryDirectory()))
            folder.chmod(0o711)
        seconds = SHORT_SECONDS if options.short else options.minutes * 60
        every = options.kill_every or (5.0 if options.short else 20.0)
        plan = draw(options.seed, seconds=seconds, rate=options.rate, kill_every=every)
        begun = time.monotonic()
        evidence = asyncio.run(soak(plan, folder, _Line().show))
        wrong = {name: sentences for name, sentences in broken(evidence).items() if sentences}
        found = figures(plan, evidence, time.monotonic() - begun)
    if options.json:
        print(json.dumps({"broken": wrong, "figures": found}))
    else:
        for name, value in found.items():
            print(f"{name:34} {value}")
        for name, sentences in wrong.items():
            print(f"{name}: {len(sentences)}, such as: {sentences[0]}")
        arguments = " ".join(sys.argv[1:])
        print("ok" if not wrong else f"broken; again: {COMMAND} {arguments} --state FOLDER (logs in FOLDER/fleet)")
    return 1 if wrong else 0


def figures(plan: Plan, e: Evidence, took: float) -> dict[str, Any]:
    """What happened, in numbers."""
    states = Counter(
        row.state if row.reason is None else f"{row.state} ({row.reason})" for row in e.deliveries.values()
    )
    again = reasons(e)
    throttled = {
        reader.name: "{} taken, {} turned away".format(*taken_and_turned_away(e, reader.name))
        for reader in e.readers.values()
        if reader.rate
    }
    accepted = {update.event_id: update.accepted_at for update in e.updates}
    told = [(receipt.at, e.deliveries[receipt.delivery_id].event_id) for receipt in e.receipts]
    waits = sorted(at - accepted[event_id] for at, event_id in told if event_id in accepted)
    return {
        "seed": plan.seed,
        "seconds of load, in all": f"{plan.seconds:.0f}, {took:.0f}",
        "updates accepted": f"{len(e.updates)} {dict(Counter(update.way for update in e.updates))}",
        "deliveries": dict(states),
        "messages received": len(e.receipts),
        "accepted to received, p50 and p99": f"{_at(waits, 0.5):.2f} s, {_at(waits, 0.99):.1f} s",
        "kills": dict(Counter(outage.name for outage in e.outages)),
        "partitions added to": plan.raised_topic,
        "held after the restore": e.restore.held,
        "repeats explained": {name: count for name, count in again.items() if name != "unexplained"},
        **{f"receiver with a limit: {name}": text for name, text in throttled.items()},
        "deferred by the one that defers": e.turned_away["deferring", 503],
        **{name: len(sentences) for name, sentences in broken(e).items()},
    }


def _at(ordered: list[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of load; the end takes some more")
    parser.add_argument("--short", action="store_true", help="the form of the test command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=5.0, help="updates a second")
    parser.add_argument("--kill-every", type=float, help="seconds; 20, or 5 in the short form")
    parser.add_argument("--state", type=Path, help="keep logs and data in this folder; it is emptied first")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser.parse_args()


class _Line:
    """A line on a terminal, each second; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._shown = 0.0

    def show(self, text: str, share: float) -> None:
        """What is going on."""
        bar = f"[{'#' * int(share * 30):<30}]"
        if sys.stderr.isatty():
            print(f"\r{bar} {text:<80}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._shown > 10:
            self._shown = time.monotonic()
            print(f"{bar} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
