"""A rehearsal over the scheduler's tables foretells what really is told, by today's ladders and by others."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx2 as httpx
import pytest

from contracts.envelope import Envelope
from contracts.events import LadderChosen, LadderHolidays, LadderRung, MilestoneDue, MilestoneScheduled
from contracts.vocabulary import Precision, Reading, Status
from deploy.embedded.errors import EmbeddedError
from services.cli.rehearse.command import RehearsalOptions, run_rehearsal
from services.cli.rehearse.source import RehearsalSource, from_database
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.registry.catalogue.loading import load
from services.scheduler.intake import Planner
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders import replanning
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import ReceivedCommitmentEvent, ReceivedLadderChoice
from services.scheduler.reminders.rules.agenda import CommitmentEvent, PlanningRules, replanned
from services.scheduler.reminders.rules.simulation import SimulatedReminder, simulate
from services.scheduler.reminders.tick import Tick
from tests.conftest import FreshDatabase
from tests.contracts.golden_records import SOME_CAUSE
from tests.scheduler.running import reader_of, reminder_of
from tests.scheduler.scenes import changed, created, milestone, scheduled, utc
from tests.scheduler.serving import app_of
from tests.stand_ins.known_keys import known_keys

MADE = utc(2021, 11, 18, 18)
LAST_TICK, NOW, END = utc(2022, 1, 25), utc(2022, 3, 1, 16), utc(2023, 9, 1)
"""The schedulers were away for five weeks when the other ladders are applied."""
READER = UUID(int=7)
OTHERS = """
jitter: 15m
review_months: 4
ladders:
  - name: summits
    when: {kinds: [event]}
    at: "08:30"
    business_days: CA-QC
    rungs: [before-3m, before-30d, before-10bd, {step: before-3bd, business_days: bound}, on-the-day, after-1bd]
    every: 3w
  - name: everything-else
    rungs: [before-6m, before-1m, before-7d, on-the-day, after-1d, after-2w]
    every: 1m
"""


class Fact(NamedTuple):
    """An event as it was told, or as it was foretold."""

    at: datetime
    milestone_id: str
    version: int
    step: str
    audience: UUID | None
    due_at: datetime
    phase: str
    days: int
    merged: tuple[str, ...]

    @property
    def name(self) -> tuple[str, int, str, UUID | None]:
        """What a reminder is known by."""
        return self.milestone_id, self.version, self.step, self.audience


@dataclass
class CopiedScheduler:
    """One copy of the scheduler's tables, with the real intake and the real tick on a clock that is set."""

    url: str
    database: Database
    clock: SharedClock
    planner: Planner
    tick: Tick

    async def hears(self, events: Iterable[CommitmentEvent | LadderChosen], at: datetime) -> None:
        """Take events in, and plan by the ladders that were chosen."""
        await self.planner.apply([_received(event, at) for event in events])
        while await replanning.Replanner(self.database, RulesCache()).once():
            pass

    async def applies(self, book: str) -> None:
        """Put another book in place of the one that holds, as an editor does."""
        keys = known_keys({"desk": ["editor"]})
        app = app_of(self.database, self.clock, keys=keys)
        headers = {**keys.header("desk"), "Content-Type": "application/yaml"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://scheduler", headers=headers) as http:
            answer = await http.put("/ladders", content=book)
        assert answer.status_code == 200, answer.text

    async def lives(self, start: datetime, end: datetime) -> None:
        """Tick at the start, and then whenever something is due."""
        now = start
        while now < end:
            self.clock.set(now)
            await self.tick.once()
            async with self.database.connection() as connection:
                due = await connection.fetchval(
                    "select min(due_at) from reminder join milestone_plan using (milestone_id, schedule_version)"
                    " where state = 'pending'"
                )
            assert due is None or due > now
            now = due or end

    async def told(self, since: datetime) -> list[Fact]:
        """What the outbox has, as it was written."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("select topic, key, headers, value from outbox order by id")
        found = []
        for row in rows:
            envelope, event = reminder_of(row)
            if envelope.time >= since:
                found.append(_fact_of_event(envelope.time, event))
        return found

    async def everything(self) -> list[Any]:
        """All rows that the scheduler keeps."""
        tables = ("reminder", "milestone_plan", "commitment_state", "planning_rules", "replanning", "outbox", "tick")
        async with self.database.connection() as connection:
            return [await connection.fetch(f"select * from {table} order by 1") for table in tables]


def _received(event: CommitmentEvent | LadderChosen, at: datetime) -> ReceivedCommitmentEvent | ReceivedLadderChoice:
    if isinstance(event, LadderChosen):
        return ReceivedLadderChoice(Envelope(new_id(), at, str(event.subscription_id), None), event)
    return ReceivedCommitmentEvent(Envelope(new_id(), at, event.commitment.id, None), event)


def _fact_of_event(at: datetime, event: MilestoneDue) -> Fact:
    return Fact(
        at,
        event.milestone.id,
        event.schedule_version,
        event.step,
        reader_of(event),
        event.due_at,
        event.phase,
        event.days,
        event.merged_steps,
    )


def _facts(told: Sequence[SimulatedReminder]) -> list[Fact]:
    return [
        Fact(
            one.at,
            one.milestone_id,
            one.schedule_version,
            one.step.name,
            one.audience,
            one.due_at,
            one.phase,
            one.days,
            tuple(step.name for step in one.merged),
        )
        for one in told
    ]


@pytest.fixture
async def scheduler(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Callable[[], Any]]:
    """Makes copies of one past: the statement, some more dates, a reader's own ladder, a move, a met commitment."""
    async with AsyncExitStack() as closing:

        async def make() -> CopiedScheduler:
            return await closing.enter_async_context(
                _scheduler(await fresh_database({"scheduler": VERSIONS}), tmp_path)
            )

        yield make


@asynccontextmanager
async def _scheduler(url: str, folder: Path) -> AsyncIterator[CopiedScheduler]:
    database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "scheduler")
    await database.open()
    clock = SharedClock(folder / new_id().hex)
    clock.set(MADE)
    rules_cache = RulesCache()
    scheduler = CopiedScheduler(
        url, database, clock, Planner(database, clock, rules_cache), Tick(database, clock, rules_cache)
    )
    try:
        await scheduler.tick.once()
        await _past(scheduler)
        yield scheduler
    finally:
        await database.close()


async def _past(scheduler: CopiedScheduler) -> None:
    catalogue = load()
    statement = [
        MilestoneScheduled(
            seq=seq,
            cause=SOME_CAUSE,
            commitment=catalogue.brief(commitment),
            milestone=what,
            schedule_version=1,
            change="first",
            previous=None,
            source=None,
        )
        for commitment in catalogue.commitments
        for seq, what in enumerate(commitment.milestones, 1)
    ]
    both = ("CA", "MX")
    more = {
        "in-march": milestone(date(2022, 3, 5), id_="in-march"),  # two of its steps are missed up to NOW
        "in-june": milestone(date(2022, 6, 24), id_="in-june", parties=both),
        "summit": milestone(date(2022, 12, 15), id_="summit", reading=Reading.ON, local_time="10:00"),
        "some-day": milestone(None, id_="some-day", review_months=5),
        "met": milestone(date(2022, 12, 15), id_="met"),
        "in-2022": milestone(
            date(2022, 12, 31), id_="in-2022", earliest=date(2022, 1, 1), precision=Precision.YEAR, reading=Reading.ON
        ),
    }
    choice = LadderChosen(
        seq=1,
        subscription_id=READER,
        active=True,
        rungs=(LadderRung(step="before-2w", at="08:00"), LadderRung(step="before-2bd", at="17:30")),
        zone="America/Vancouver",
        holidays=LadderHolidays(country="CA", subdivision="BC"),
        parties=(),
        themes=(),
        sections=(),
        commitments=("in-june", "summit"),
    )
    await scheduler.hears([*statement, choice], MADE)
    await scheduler.hears(
        [event for name, what in more.items() for event in (created(name), scheduled(what, id_=name))], MADE
    )
    await scheduler.lives(MADE, utc(2022, 1, 15))
    scheduler.clock.set(utc(2022, 1, 15))
    moved = milestone(date(2023, 1, 10), id_="summit", reading=Reading.ON, local_time="10:00")
    await scheduler.hears([scheduled(moved, 2, "summit", "moved"), changed(Status.MET, id_="met")], utc(2022, 1, 15))
    await scheduler.lives(utc(2022, 1, 15), LAST_TICK)


def _foretold(
    source: RehearsalSource, book: LadderBook
) -> tuple[tuple[SimulatedReminder, ...], tuple[SimulatedReminder, ...]]:
    others = PlanningRules(book, source.rules.subscription_ladders)
    anew = [replanned(agenda, NOW, others) for agenda in source.agendas]
    return simulate(source.agendas, source.rules, NOW, END), simulate(anew, others, NOW, END)


@pytest.mark.slow
async def test_what_is_foretold_is_what_is_told_by_todays_ladders_and_by_others(
    scheduler: Callable[[], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A year and a half, twice: event for event, to the microsecond, and so the difference too."""
    as_it_is, changed_one = await scheduler(), await scheduler()
    file = tmp_path / "others.yaml"
    file.write_text(OTHERS)
    source = await asyncio.to_thread(from_database, changed_one.url)
    foretold_before, foretold_after = _foretold(source, read_ladder_book(OTHERS))
    rows = await changed_one.everything()
    capsys.readouterr()
    wishes = RehearsalOptions(date(2022, 3, 10), END.date(), file, as_json=True, now=NOW, database_url=changed_one.url)
    await asyncio.to_thread(run_rehearsal, wishes)
    document = json.loads(capsys.readouterr().out)
    rows_after = await changed_one.everything()

    changed_one.clock.set(NOW)
    await changed_one.applies(OTHERS)
    await as_it_is.lives(NOW, END)
    await changed_one.lives(NOW, END)
    before, after = await as_it_is.told(NOW), await changed_one.told(NOW)

    assert before == _facts(foretold_before)
    assert after == _facts(foretold_after)
    assert rows == rows_after, "a rehearsal has written something"
    # So much has happened that it could have gone wrong.
    assert min(len(before), len(after)) > 80
    assert {fact.audience for fact in after} == {None, READER}
    assert {fact.phase for fact in after} == {"ahead", "today", "overdue", "asked", "review"}
    assert any(fact.merged for fact in before if fact.at == NOW), "nothing was missed"
    assert document["summary"]["unchanged"] > 0

    old, new = ({fact.name: fact.due_at for fact in told if fact.at >= utc(2022, 3, 10)} for told in (before, after))
    assert _listed(document["added"]) == {(name, due_at) for name, due_at in new.items() if name not in old}
    assert _listed(document["removed"]) == {(name, due_at) for name, due_at in old.items() if name not in new}
    assert _listed(document["moved"]) == {
        (name, due_at) for name, due_at in new.items() if old.get(name, due_at) != due_at
    }
    assert all(document[what] for what in ("added", "removed", "moved"))


def _listed(found: list[dict[str, Any]]) -> set[tuple[Any, datetime]]:
    return {
        (
            (one["milestone_id"], one["schedule_version"], one["step"], one["audience"] and UUID(one["audience"])),
            datetime.fromisoformat(one["due_at"]),
        )
        for one in found
    }


async def test_a_database_without_the_schema_is_an_error_in_two_lines(fresh_database: FreshDatabase) -> None:
    url = await fresh_database({})

    with pytest.raises(EmbeddedError, match="no scheduler's schema of this version"):
        await asyncio.to_thread(from_database, url)


async def test_a_database_that_is_not_there_is_an_error_in_two_lines() -> None:
    with pytest.raises(EmbeddedError, match="the database did not answer"):
        await asyncio.to_thread(from_database, "postgresql://nobody@127.0.0.1:9/nothing")


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:nine/nothing", "mysql://nobody@127.0.0.1/nothing"])
async def test_an_address_that_is_none_is_an_error_in_two_lines(url: str) -> None:
    with pytest.raises(EmbeddedError, match="the address of the database can't be read"):
        await asyncio.to_thread(from_database, url)
