"""From due to on the topic: many reminders that come due in one second, with very many more that lie ahead."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.processes import Meter
from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead, copy_due

LEAD = 12
"""Seconds that the rows are there before they are due; in life it is months."""


@dataclass(frozen=True)
class Burst:
    """How one second went; milliseconds from due to the broker's own timestamp, CPU in microseconds an event."""

    ahead: int
    due: int
    within: float
    schedulers: int
    p50: float
    p99: float
    longest: float
    cpu: dict[str, float]


def burst(ground: Ground, ahead: int, due: int, within: float, schedulers: int, rounds: int) -> list[Burst]:
    """Let so many come due within some seconds, on schedulers that wait for them; several times."""
    url = run(ground.database())
    run(_fill(url, ahead))
    with ground.schedulers(url, schedulers) as fleet:
        pids = fleet.pids() | ground.stack.processes()
        run(_round(ground, url, pids, "warm", due // 10, within))
        found = [run(_round(ground, url, pids, f"round-{number}", due, within)) for number in range(rounds)]
    run(ground.drop(url))
    return [Burst(ahead, due, within, schedulers, *figures) for figures in found]


async def _fill(url: str, ahead: int) -> None:
    connection = await connect(url)
    await copy_ahead(connection, "ahead", ahead, datetime.now(UTC) + timedelta(days=1))
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()


async def _round(
    ground: Ground, url: str, pids: dict[str, int], name: str, due: int, within: float
) -> tuple[float, float, float, dict[str, float]]:
    start = await ground.ends()
    connection = await connect(url)
    # Rows that are there in good time, as they are: the planning was done when the milestone was heard of.
    first = datetime.fromtimestamp(int(time.time()) + LEAD + due // 8000, UTC)
    await copy_due(connection, name, due, first, timedelta(seconds=within))
    if datetime.now(UTC) > first:
        raise SystemExit("the reminders were due before they were written: this machine is too busy to measure on")
    await asyncio.sleep(max(0.0, first.timestamp() - time.time() - 0.2))
    meter = Meter(pids)
    end = time.monotonic() + 120
    while await connection.fetchval("select exists (select from outbox where published_at is null)") or (
        await connection.fetchval(
            "select exists (select from reminder where state = 'pending' and due_at < $1)",
            first + timedelta(seconds=within + 1),
        )
    ):
        if time.monotonic() > end:
            raise SystemExit("not all reminders were told within two minutes")
        await asyncio.sleep(0.1)
    cpu = {part: seconds / due * 1e6 for part, seconds in meter.spent().items()}
    await connection.close()
    records = await ground.behind(start)
    events = [json.loads(record.value or b"") for record in records]
    if len({(e["milestone"]["id"], e["step"]) for e in events}) != due or len(events) != due:
        raise SystemExit(f"{len(events)} events instead of {due}: lost or doubled")
    late = sorted(
        record.timestamp - datetime.fromisoformat(event["due_at"]).timestamp() * 1000
        for record, event in zip(records, events, strict=True)
    )
    return statistics.median(late), late[int(len(late) * 0.99)], late[-1], cpu
