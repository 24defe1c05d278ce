"""Schedulers as processes, two at a time: killed, frozen, thawed, and back after a downtime. The topic is the judge."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bench.schedule.faults import SIZES, START, p5, scheduled
from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import rows
from deploy.embedded.stack import EmbeddedStack
from services.cli.fleet import Fleet
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.scheduler.intake import Planner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("schedulers")
    # A stack of its own: the topic of reminders is real, and others read its end.
    with EmbeddedStack(folder / "stack") as stack:
        yield Ground(stack, folder)


class Yard:
    """Schedulers on a database and a clock of their own."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.ground = ground
        self.url = run(ground.database())
        self.clock = SharedClock(folder / "clock")
        self.clock.set(START)
        self.settings = {"PLEDGEWIRE_CLOCK_FILE": str(folder / "clock"), "OUTBOX_LEASE_SECONDS": "1"}
        self._start = run(ground.ends())

    def plan(self, prefix: str, count: int, day: date) -> None:
        """Let so many milestones have been heard of at the beginning."""

        async def heard() -> None:
            database = Database(DatabaseSettings.model_validate({"DATABASE_URL": self.url}), "scheduler")
            await database.open()
            planner = Planner(database, self.clock)
            some = list(islice(rows(prefix, day), count))
            for place in range(0, count, 200):
                await planner.apply([scheduled(row, 1, START) for row in some[place : place + 200]])
            await database.close()

        run(heard())

    def ask(self, question: str, *values: object) -> Any:
        """One value from the scheduler's tables."""

        async def asked() -> Any:
            connection = await connect(self.url)
            try:
                return await connection.fetchval(question, *values)
            finally:
                await connection.close()

        return run(asked())

    def wait_until(self, question: str, *values: object, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not self.ask(question, *values):
            assert time.monotonic() < end, f"not within {seconds} s: {question}"
            time.sleep(0.02)

    def rest(self) -> None:
        """Wait until all that is due is on the topic."""
        self.wait_until(
            "select not exists (select from reminder where state = 'pending' and due_at <= $1)"
            " and not exists (select from outbox where published_at is null)",
            self.clock.now(),
        )

    def events(self) -> list[dict[str, Any]]:
        """What is on the topic of this yard; a repeat with the same id is one event."""
        records = run(self.ground.behind(self._start))
        return list({dict(r.headers)["ce_id"]: json.loads(r.value or b"") for r in records}.values())


@pytest.fixture
def yard(ground: Ground, tmp_path: Path) -> Iterator[Yard]:
    made = Yard(ground, tmp_path)
    yield made
    run(ground.drop(made.url))


def send(fleet: Fleet, name: str, number: int) -> None:
    child = fleet.members[name].child
    assert child
    child.identity.signal(number)


def test_with_two_schedulers_killed_and_frozen_nothing_is_doubled_and_nothing_missed(ground: Ground) -> None:
    """P5 in its small size; `pledgewire bench schedule p5 --size F` plays the large one."""
    verdict = p5(ground, SIZES["q"], seed=5)

    assert (verdict.doubled, verdict.missed, verdict.old, verdict.gaps) == ([], [], [], [])
    assert verdict.reminders >= 10_000
    assert sum(verdict.faults.values()) == 20


def test_a_scheduler_that_was_frozen_while_reminders_were_due_tells_none_again(yard: Yard) -> None:
    yard.plan("zombie", 300, date(2026, 6, 1))
    with yard.ground.schedulers(yard.url, 2, **yard.settings) as fleet:
        yard.rest()
        send(fleet, "scheduler-0", signal.SIGSTOP)
        yard.clock.set(START + timedelta(days=70))
        # Whatever the frozen one has in hand is given up with its session, at the latest.
        yard.wait_until("select count(*) = 300 from reminder where state = 'fired'", seconds=90)
        send(fleet, "scheduler-0", signal.SIGCONT)
        yard.clock.set(START + timedelta(days=125))
        yard.rest()
        fleet.kill("scheduler-1")  # so that the one that was frozen has to work
        yard.clock.set(START + timedelta(days=145))
        yard.rest()

    told = Counter((e["milestone"]["id"], step) for e in yard.events() for step in (e["step"], *e["merged_steps"]))
    assert set(told.values()) == {1}
    steps = {"before-90d", "before-30d"}
    assert {step for _, step in told} >= steps
    assert len(told) == 300 * len({step for _, step in told})


def test_after_a_downtime_all_that_was_missed_goes_out_merged_and_late_within_a_minute(yard: Yard) -> None:
    """What had passed before it was heard of is recorded, and never sent."""
    yard.plan("missed", 2000, date(2026, 2, 1))
    yard.plan("ahead", 500, date(2027, 6, 1))
    yard.clock.set(START + timedelta(days=60))
    with yard.ground.schedulers(yard.url, 2, **yard.settings):
        yard.wait_until(
            "select not exists (select from reminder where state = 'pending' and due_at <= $1)", yard.clock.now()
        )
        yard.rest()

    events = yard.events()
    assert len(events) == len({e["milestone"]["id"] for e in events}) == 2000
    assert {e["step"] for e in events} == {"after-7d"}
    assert {tuple(e["merged_steps"]) for e in events} == {
        ("before-30d", "before-7d", "before-1d", "on-the-day", "after-1d")
    }
    assert all(e["late"] for e in events)
    assert yard.ask("select count(*) from reminder where state = 'passed'") == 2000
    assert yard.ask("select count(*) from reminder where state = 'merged'") == 5 * 2000
