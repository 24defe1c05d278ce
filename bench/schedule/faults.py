"""P5 with two schedulers that are killed and frozen: each reminder once, none missed, nothing old after a move.

What is judged is the topic alone: each step of each schedule that has come due is told there by one event, as its step
or among those that it merges. What was to come due is what had been planned before the first fault, and at the moves.
"""

import asyncio
import contextlib
import json
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random

import asyncpg
import httpx2

from bench.schedule.ground import Ground, connect, run
from bench.schedule.loading import Row, rows
from contracts.envelope import Envelope
from contracts.events import MilestoneScheduled
from services.cli.fleet import Fleet
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.ids import new_id
from services.registry.actions.events import UNSAID
from services.scheduler.intake import Planner
from services.scheduler.reminders.records import ReceivedCommitmentEvent

START = datetime(2026, 1, 1, 18, tzinfo=UTC)
FIRST_DAY = date(2026, 4, 10)
"""Of a milestone; far enough ahead that all its steps are still to come."""
STEPS = 7
"""What is planned of each; the eighth, thirty days after, is planned when the seventh is told."""


@dataclass(frozen=True)
class Size:
    """How much is played."""

    reminders: int
    days: int
    """Over so many days the milestones are spread."""
    faults: int
    moves: int

    @property
    def milestones(self) -> int:
        """How many milestones have that many reminders."""
        return -(-self.reminders // (STEPS + 1))


SIZES = {"q": Size(10_500, 12, 20, 40), "F": Size(205_000, 90, 200, 400)}


@dataclass
class Verdict:
    """What the topic says; the lists are empty where the promise holds."""

    reminders: int
    events: int
    faults: Mapping[str, int]
    moves: int
    repeats: int
    """Records that stand on the topic twice, with the same event id: a relay died between the broker and its mark."""
    seconds: float
    doubled: Sequence[str] = ()
    missed: Sequence[str] = ()
    old: Sequence[str] = ()
    """Steps of an older schedule that were told though they came due after the move's answer."""
    gaps: Sequence[str] = ()
    """Commitments whose `seq` has a gap or a repeat."""

    @property
    def holds(self) -> bool:
        """Whether nothing was doubled, missed, told of an old schedule or lost in between."""
        return not (self.doubled or self.missed or self.old or self.gaps)


Told = tuple[str, int, str]
"""A milestone, its schedule's version, and a step."""


@dataclass
class Move:
    """A milestone that is moved: held, and heard of some steps later."""

    row: Row
    held_at: datetime
    heard_at_step: int


@dataclass
class Play:
    """One run of it."""

    ground: Ground
    size: Size
    seed: int
    url: str
    fleet: Fleet
    clock: SharedClock
    key: str
    random: Random = field(init=False)
    planned: dict[Told, datetime] = field(default_factory=dict)
    told_up_to: datetime = START
    held: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """For each milestone that was moved: when it was held, and up to when all had been told by then."""
    frozen: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    async def run(self) -> Verdict:
        """Play it from the first instant to the last."""
        began = time.monotonic()
        start = await self.ground.ends()
        database = Database(DatabaseSettings.model_validate({"DATABASE_URL": self.url}), "scheduler")
        await database.open()
        connection = await connect(self.url)
        planner = Planner(database, self.clock)
        everything = list(self._milestones())
        for place in range(0, len(everything), 200):
            await planner.apply([scheduled(row, 1, START) for row in everything[place : place + 200]])
        await self._note_planned(connection, [row.milestone.id for row in everything], 1)
        instants = sorted(set(self.planned.values()))
        moves: list[Move] = []
        still = self.random.sample(everything, self.size.moves)
        faults_at = Counter(self.random.choices(range(len(instants)), k=self.size.faults))
        moves_at = Counter(self.random.choices(range(len(instants) * 2 // 3), k=self.size.moves))
        for number, instant in enumerate(instants):
            self.clock.set(instant)
            await asyncio.sleep(0.03 if self.frozen or number % 4 else 0)
            for _ in range(faults_at[number]):
                await asyncio.sleep(self.random.random() * 0.04)
                self._fault(number)
            self._thaw(number)
            for _ in range(moves_at[number]):
                row = still.pop()
                if await self._hold(row):
                    moves.append(Move(row, instant, number + self.random.randrange(4)))
            for move in [move for move in moves if move.heard_at_step <= number]:
                moves.remove(move)
                await planner.apply([_moved(move)])
                await self._note_planned(connection, [move.row.milestone.id], 2)
            if not self.frozen and self.random.random() < 0.8:
                await self._rest(connection, instant)
        for move in moves:
            await planner.apply([_moved(move)])
            await self._note_planned(connection, [move.row.milestone.id], 2)
        self._thaw(None)
        last = max(self.planned.values()) + timedelta(minutes=1)
        self.clock.set(last)
        await self._rest(connection, last)
        verdict = await self._judge(connection, start, last)
        verdict.seconds = time.monotonic() - began
        await connection.close()
        await database.close()
        return verdict

    def _milestones(self) -> Sequence[Row]:
        each = -(-self.size.milestones // self.size.days)
        found: list[Row] = []
        for number in range(self.size.days):
            day = FIRST_DAY + timedelta(days=number)
            found += islice(rows(f"p5-{self.seed}-{number}", day), each)
        return found[: self.size.milestones]

    async def _note_planned(self, connection: asyncpg.Connection, ids: list[str], version: int) -> None:
        for row in await connection.fetch(
            "select milestone_id, schedule_version, step, due_at from reminder"
            " where milestone_id = any($1::text[]) and schedule_version = $2 and state <> 'passed'",
            ids,
            version,
        ):
            self.planned[row["milestone_id"], row["schedule_version"], row["step"]] = row["due_at"]

    def _fault(self, number: int) -> None:
        """Kill one that runs, or freeze it through the next instants; the other one goes on."""
        running = [name for name in self.fleet.members if name not in self.frozen]
        name = self.random.choice(running or list(self.fleet.members))
        child = self.fleet.members[name].child
        if name not in self.frozen and len(running) > 1 and self.random.random() < 0.5 and child:
            child.identity.signal(signal.SIGSTOP)
            self.frozen[name] = number + self.random.randint(1, 3)
            self.faults["frozen"] += 1
        else:
            self.fleet.kill(name)
            self.frozen.pop(name, None)
            self.faults["killed"] += 1
        self.fleet.revive()

    def _thaw(self, number: int | None) -> None:
        for name, until in list(self.frozen.items()):
            child = self.fleet.members[name].child
            if child and (number is None or number >= until):
                child.identity.signal(signal.SIGCONT)
                del self.frozen[name]

    async def _hold(self, row: Row) -> bool:
        """Hold a milestone as the registry does; where nobody answers it is not moved."""
        order = {"milestones": [{"milestone_id": row.milestone.id, "schedule_version": 2}]}
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx2.AsyncClient(timeout=3, trust_env=False, headers=headers) as http:
            for name, member in self.fleet.members.items():
                if name in self.frozen:
                    continue
                with contextlib.suppress(httpx2.TransportError):
                    if (await http.post(f"{member.url}/holds", json=order)).status_code == 204:
                        self.held[row.milestone.id] = self.clock.now(), self.told_up_to
                        return True
        return False

    async def _rest(self, connection: asyncpg.Connection, now: datetime) -> None:
        """Wait until all that is due has been told and published, but for what is on hold."""
        end = time.monotonic() + 120
        while await connection.fetchval(
            """
            select exists (
                select from reminder r join milestone_plan p using (milestone_id, schedule_version)
                where r.state = 'pending' and r.due_at <= $1 and not exists (
                    select from hold h where h.milestone_id = p.milestone_id and h.schedule_version > p.schedule_version
                )
            ) or exists (select from outbox where published_at is null)
            """,
            now,
        ):
            if time.monotonic() > end:
                raise SystemExit(f"not at rest after two minutes (seed {self.seed}, {now})")
            self.fleet.revive()
            await asyncio.sleep(0.01)
        self.told_up_to = now

    async def _judge(self, connection: asyncpg.Connection, start: Mapping[object, int], last: datetime) -> Verdict:
        records = await self.ground.behind(start)  # type: ignore[arg-type]
        by_id = {dict(record.headers)["ce_id"]: json.loads(record.value or b"") for record in records}
        told: Counter[Told] = Counter()
        seqs: dict[str, list[int]] = {}
        for event in by_id.values():
            milestone, version = event["milestone"]["id"], event["schedule_version"]
            told.update((milestone, version, step) for step in (event["step"], *event["merged_steps"]))
            seqs.setdefault(event["commitment"]["id"], []).append(event["seq"])
        due = dict(self.planned)
        for row in await connection.fetch(
            "select milestone_id, schedule_version, step, due_at from reminder where state <> 'passed'"
        ):  # the rungs that were planned behind the last ones
            due.setdefault((row["milestone_id"], row["schedule_version"], row["step"]), row["due_at"])
        # Of a schedule that was replaced all that had been waited for before; the rest may have been withdrawn.
        ends = {(id_, 1): told_up_to for id_, (_, told_up_to) in self.held.items()}
        expected = {one for one, at in due.items() if at <= ends.get(one[:2], last)}
        return Verdict(
            reminders=len(expected | told.keys()),
            events=len(by_id),
            faults=dict(self.faults),
            moves=len(self.held),
            repeats=len(records) - len(by_id),
            seconds=0.0,
            doubled=[str(one) for one, times in told.items() if times > 1],
            missed=[str(one) for one in sorted(expected - told.keys())],
            old=[
                str(one)
                for one in told
                if one[1] == 1 and one[0] in self.held and due.get(one, last) > self.held[one[0]][0]
            ],
            gaps=[id_ for id_, found in seqs.items() if sorted(found) != list(range(1, len(found) + 1))],
        )


def scheduled(row: Row, version: int, at: datetime) -> ReceivedCommitmentEvent:
    """The event by which the scheduler hears of a schedule."""
    event = MilestoneScheduled(
        seq=version,
        cause=UNSAID,
        commitment=row.commitment,
        milestone=row.milestone,
        schedule_version=version,
        change="first" if version == 1 else "moved",
        previous=None,
        source=None,
    )
    return ReceivedCommitmentEvent(Envelope(new_id(), at, row.commitment.id), event)


def _moved(move: Move) -> ReceivedCommitmentEvent:
    """The same milestone, forty days later; heard of late, but of the time of the hold."""
    milestone = move.row.milestone
    day = (milestone.span.latest or FIRST_DAY) + timedelta(days=40)
    span = milestone.span.model_copy(update={"edtf": day.isoformat(), "earliest": day, "latest": day})
    row = Row(milestone.model_copy(update={"span": span}), move.row.commitment)
    return scheduled(row, 2, move.held_at)


def p5(ground: Ground, size: Size, seed: int) -> Verdict:
    """Play P5 once on a new database; the same seed has the same faults at the same instants."""
    url = run(ground.database())
    folder = ground.folder / f"p5-{seed}"
    folder.mkdir(parents=True)
    clock = SharedClock(folder / "clock")
    clock.set(START)
    key = run(ground.tells_of_key("registry", ("holder",)))
    settings = {
        "PLEDGEWIRE_CLOCK_FILE": str(folder / "clock"),
        "OUTBOX_LEASE_SECONDS": "1",
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
    }
    with ground.schedulers(url, 2, **settings) as fleet:
        return run(Play(ground, size, seed, url, fleet, clock, key).run())
