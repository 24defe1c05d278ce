"""Whatever happens in whatever order, nobody is notified twice and no milestone is forgotten."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from contracts.events import MilestoneEscalated
from contracts.vocabulary import Status
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.rules.agenda import CommitmentEvent
from tests.conftest import FreshDatabase
from tests.scheduler.escalation.running import LATEST, THEN, Scheduler, furnished, with_evidence
from tests.scheduler.scenes import changed, created, milestone, scheduled, text, utc

SHORT = EscalationBook(
    levels=tuple(
        EscalationLevel(level=f"level-{i}", title=text(f"Level {i}"), wait=wait) for i, wait in ((1, 1), (2, 2))
    ),
    repeat_days=3,
    evidence_within_days=2,
)


class Escalating(RuleBasedStateMachine):
    """Whatever is heard, said and slept through in whatever order: nobody is forgotten, and nobody told twice."""

    runner: asyncio.Runner
    scheduler: Scheduler
    ordinal = 0

    @initialize()
    def begin(self) -> None:
        type(self).ordinal += 1
        self.id = f"commitment-{self.ordinal}"
        self.milestone = milestone(LATEST, id_=f"{self.id}-one")
        self.version = self.seq = 1
        self.status = Status.IN_PROGRESS
        self.word: datetime | None = None
        self.now = THEN
        self.scheduler.clock.set(THEN)
        self.hears(created(self.id), scheduled(self.milestone, 1, self.id), changed(self.status, 1, id_=self.id))

    def hears(self, *events: CommitmentEvent) -> None:
        self.runner.run(self.scheduler.hears(*events))

    def told(self) -> list[MilestoneEscalated]:
        return [e for e in self.runner.run(self.scheduler.told()) if e.commitment.id == self.id]

    @rule(hours=st.sampled_from([1, 9, 24, 15 * 24, 60 * 24]))
    def time_passes(self, hours: int) -> None:
        self.now = max(self.now, utc(2021, 12, 30)) + timedelta(hours=hours)
        self.scheduler.clock.set(self.now)

    @rule(two=st.booleans())
    def ticks(self, two: bool) -> None:
        before = len(self.told())
        escalators = [self.scheduler.escalator, *([self.scheduler.another()] if two else [])]

        async def tick() -> None:
            await asyncio.gather(*(one.once() for one in escalators))

        self.runner.run(tick())
        new = self.told()[before:]
        assert len(new) <= 1
        if new and self.word:
            assert new[0].acknowledged and new[0].acknowledged.at == self.word, "silent until it is re-armed"
            self.word = None
        state, next_at = self.runner.run(self.scheduler.state(self.milestone.id))
        latest = self.milestone.span.latest
        past = latest is not None and self.now >= utc(latest.year, latest.month, latest.day, 6) + timedelta(days=1)
        if past and self.status is not Status.MET:
            assert state == ("owned" if self.word else "climbing")
            assert next_at is not None and self.now < next_at <= self.now + timedelta(days=4)
        elif self.status is Status.MET:
            assert (state, next_at) == ("settled", None)

    @rule()
    def somebody_acknowledges(self) -> None:
        answer = self.runner.run(self.scheduler.acknowledges(milestone_id=self.milestone.id))
        assert answer.status_code in (201, 409)
        if answer.status_code == 201:
            self.word = datetime.fromisoformat(answer.json()["acknowledged"]["at"])

    @rule(status=st.sampled_from([Status.IN_PROGRESS, Status.AT_RISK, Status.MET]))
    def status_is_reported(self, status: Status) -> None:
        self.seq += 1
        state, _ = self.runner.run(self.scheduler.state(self.milestone.id))
        self.hears(with_evidence(self.seq, status).model_copy(update={"commitment": created(self.id).commitment}))
        self.status = status
        after, _ = self.runner.run(self.scheduler.state(self.milestone.id))
        if status is Status.MET:
            self.word = None
        elif (state, after) == ("climbing", "owned"):
            log = self.runner.run(
                self.scheduler.rows("select acknowledged from escalation where milestone_id = $1", self.milestone.id)
            )
            self.word = datetime.fromisoformat(log[0]["acknowledged"]["at"])

    @rule(days=st.sampled_from([-3, 0, 5, None]))
    def the_date_moves(self, days: int | None) -> None:
        self.version += 1
        latest = None if days is None else self.now.date() + timedelta(days=days)
        self.milestone = milestone(latest, id_=self.milestone.id)
        self.hears(scheduled(self.milestone, self.version, self.id, change="moved"))
        if days is None or days >= 0:
            self.word = None

    @invariant()
    def no_message_has_the_name_of_another(self) -> None:
        if hasattr(self, "id"):
            told = self.told()
            assert [e.seq for e in told] == list(range(1, len(told) + 1))
            names = [(e.round, e.rank, e.repeat) for e in told]
            assert names == sorted(set(names))


def test_whatever_happens_in_whatever_order(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        scheduler = runner.run(_at_random(fresh_database, tmp_path))
        Escalating.runner, Escalating.scheduler = runner, scheduler
        try:
            run_state_machine_as_test(
                Escalating,
                settings=settings(
                    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            runner.run(_end(scheduler))


async def _at_random(fresh_database: FreshDatabase, folder: Path) -> Scheduler:
    return await furnished(await fresh_database({"scheduler": VERSIONS}), folder, SHORT)


async def _end(scheduler: Scheduler) -> None:
    await scheduler.http.aclose()
    await scheduler.database.close()
