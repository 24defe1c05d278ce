"""Ladders that subscriptions choose, and planning by them."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx

from contracts.envelope import Envelope
from contracts.events import LadderChosen, LadderRung
from services.plumbing.ids import new_id
from services.scheduler.ladders.book import LadderBook
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedLadderChoice
from services.scheduler.reminders.replanning import Replanner
from tests.scheduler.running import Scheduler
from tests.scheduler.scenes import NINE_SHARP
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

ME, YOU = UUID(int=1), UUID(int=2)


LATE_ONES = """\
ladders:
  - name: deadlines
    when: {kinds: [deadline]}
    rungs: [before-14d, {step: before-7d, at: "17:00"}, on-the-day, after-1d]
    every: 1m
  - name: others
    rungs: [before-90d]
"""


def choice(
    *steps: str, subscription: UUID = ME, seq: int = 1, active: bool = True, at: str = "08:00", **more: Any
) -> LadderChosen:
    return LadderChosen(
        seq=seq,
        subscription_id=subscription,
        active=active,
        rungs=tuple(LadderRung(step=step, at=at) for step in steps),
        **{
            "zone": "America/Toronto",
            "holidays": None,
            "parties": (),
            "themes": (),
            "sections": (),
            "commitments": (),
            **more,
        },
    )


async def chooses(scheduler: Scheduler, *events: LadderChosen, planned: bool = True) -> None:
    """Hear choices, and plan by them as far as that is to be done."""
    received = [
        ReceivedLadderChoice(Envelope(new_id(), scheduler.clock.now(), str(e.subscription_id)), e) for e in events
    ]
    await scheduler.planner.apply(received)
    if planned:
        await plans(scheduler)


async def plans(scheduler: Scheduler, book: LadderBook = NINE_SHARP) -> int:
    """Work off all that is to be planned anew; in how many steps."""
    replanner, count = Replanner(scheduler.database, RulesCache(book)), 0
    while await replanner.once():
        count += 1
    return count


Waiting = set[tuple[str, int, str, UUID | None, datetime]]


async def waiting(scheduler: Scheduler) -> Waiting:
    rows = await scheduler.rows(
        "select milestone_id, schedule_version, step, audience, due_at from reminder where state = 'pending'"
    )
    return {tuple(row) for row in rows}


async def client(scheduler: Scheduler, folder: Path) -> tuple[httpx.AsyncClient, str]:
    """Somebody who calls the scheduler, with a key of an editor."""
    keys = known_keys({"desk": ["editor", "operator"], "reader": ["reader"]})
    app = app_of(
        scheduler.database,
        scheduler.clock,
        keys=keys,
        checks={"database": scheduler.database.ping},
        rules_cache=RulesCache(NINE_SHARP),
    )
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://scheduler",
        headers={**keys.header("desk"), "Content-Type": "application/yaml"},
    )
    return http, keys["reader"]
