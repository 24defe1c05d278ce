"""Runs each with a base and with ten times as much, and prints both."""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.capacity.deliveries import grown_deliveries
from bench.capacity.history import bytes_each, filled_tables
from bench.capacity.updates import grown_updates
from bench.schedule.due import burst
from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead
from deploy.embedded.stack import EmbeddedStack
from services.plumbing.secrets_at_rest import new_key

PARTS = ("deliveries", "updates", "reminders")


async def planned_bytes(ground: Ground, reminders: int) -> dict[str, float]:
    """What a row of each of the scheduler's tables takes, with so many reminders ahead."""
    url = await ground.database()
    connection = await connect(url)
    try:
        await copy_ahead(connection, "ahead", reminders, datetime.now(UTC) + timedelta(days=1))
        await connection.execute("vacuum analyze")
        return await bytes_each(connection, await filled_tables(connection))
    finally:
        await connection.close()
        await ground.drop(url)


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench capacity", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; without any, all of them")
    parser.add_argument("--history", type=int, default=100_000, help="deliveries in the tables; then ten times as many")
    parser.add_argument("--subscriptions", type=int, default=1_000, help="to other things; then ten times as many")
    parser.add_argument("--past", type=int, default=10_000, help="updates taken in before; then ten times as many")
    parser.add_argument("--reminders", type=int, default=100_000, help="ahead; then ten times as many")
    parser.add_argument("--due", type=int, default=10_000, help="reminders due within one second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--notifiers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    parts: Sequence[str] = choices.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose {', '.join(PARTS)}")
    document: dict[str, list[object]] = {part: [] for part in parts}

    def say(part: str, one: object, told: object) -> None:
        print(told, flush=True)
        document[part].append(one)

    if "deliveries" in parts:
        with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
            os.environ["SECRETS_KEY"] = new_key()  # what is sealed at rest is opened for each delivery
            sizes = (choices.history, choices.subscriptions, choices.notifiers, choices.rounds)
            for delivered in grown_deliveries(stack, Path(folder), *sizes):
                say("deliveries", asdict(delivered), delivered)
            del os.environ["SECRETS_KEY"]  # a stack of its own brings its own
    if "updates" in parts:
        with tempfile.TemporaryDirectory() as folder:
            for taken in grown_updates(Path(folder), choices.past, choices.rounds):
                say("updates", asdict(taken), taken)
    if "reminders" in parts:
        with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder) / "state") as stack:
            ground = Ground(stack, Path(folder))
            each = run(planned_bytes(ground, choices.reminders))
            say("reminders", each, f"planned, bytes a row: { {table: round(size) for table, size in each.items()} }")
            for ahead in (choices.reminders, choices.reminders * 10):
                for one in burst(ground, ahead, choices.due, 1.0, 2, choices.rounds):
                    told = f"p50 {one.p50:,.0f} ms, p99 {one.p99:,.0f} ms"
                    say(
                        "reminders",
                        asdict(one),
                        f"{ahead:,} reminders ahead, {one.due:,} due in one second: on the topic after {told}",
                    )
    if choices.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
