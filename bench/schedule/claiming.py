"""How fast reminders are claimed and marked, against a bare SKIP LOCKED loop over the same table in the same run.

Both take 500 at a time in the order in which they are due, mark them as told with an event's id, and commit with fsync.
The bare loop does nothing else. The claim locks the milestones and not the reminders, reads what the events need, sees
holds, and gathers the steps for one audience: what it takes to tell nothing twice.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import copy_ahead, copy_due
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.ladders.due_reminder import DueReminder
from services.scheduler.ladders.ladder import Step
from services.scheduler.reminders import claims, fired_reminders
from services.scheduler.reminders.fired_reminders import FiredReminder
from services.scheduler.reminders.tick import AT_ONCE

FIRST = datetime(2030, 1, 1, 9, tzinfo=UTC)
NOW = FIRST + timedelta(seconds=1)
CLAIMED = DueReminder(Step.named("before-7d"), FIRST, {}, "ahead", 7, False, NOW + timedelta(days=6), None)
"""What is told is not what is measured here."""

Loop = Callable[[Database], Awaitable[int]]


@dataclass(frozen=True)
class Claims:
    """One round of both, in reminders a second."""

    ahead: int
    claimed: int
    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        """How much of the bare loop's rate is left."""
        return self.ours / self.bare


def claim_rounds(ground: Ground, ahead: int, due: int, rounds: int) -> list[Claims]:
    """Both ways in turn over the same table, beginning with another one each time."""
    return run(_rounds(ground, ahead, due, rounds))


async def _rounds(ground: Ground, ahead: int, due: int, rounds: int) -> list[Claims]:
    url = await ground.database()
    connection = await connect(url)
    await copy_ahead(connection, "ahead", ahead, FIRST + timedelta(days=1))
    await connection.execute("vacuum analyze")
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    found = []
    for number in range(rounds + 1):
        rates = {}
        ways: list[tuple[str, Loop]] = [("bare", _bare), ("ours", _ours)]
        for name, loop in ways if number % 2 else ways[::-1]:
            await copy_due(connection, f"{name}-{number}", due, FIRST, timedelta(seconds=1))
            await connection.execute("checkpoint")
            began = time.perf_counter()
            claimed = await loop(database)
            rates[name] = claimed / (time.perf_counter() - began)
            if claimed != due:
                raise SystemExit(f"{name} claimed {claimed} of {due}")
        if number:  # the first one warms up
            found.append(Claims(ahead, due, rates["bare"], rates["ours"]))
    await database.close()
    await connection.close()
    await ground.drop(url)
    return found


async def _bare(database: Database) -> int:
    claimed = 0
    while True:
        async with database.transaction() as connection:
            rows = await connection.fetch(
                "select id from reminder where state = 'pending' and due_at <= $1"
                " order by due_at, id limit $2 for update skip locked",
                NOW,
                AT_ONCE,
            )
            if not rows:
                return claimed
            await connection.execute(
                "update reminder r set state = 'fired', fired_at = $3, event_id = n.e"
                " from unnest($1::bigint[], $2::uuid[]) as n(id, e) where r.id = n.id",
                [row["id"] for row in rows],
                [uuid4() for _ in rows],
                NOW,
            )
            claimed += len(rows)


async def _ours(database: Database) -> int:
    claimed = 0
    while True:
        async with database.transaction() as connection:
            _, due = await claims.claim(connection, NOW, AT_ONCE)
            if not due:
                return claimed
            await fired_reminders.record_fired(connection, [FiredReminder(one, CLAIMED) for one in due], NOW)
            claimed += len(due)
