"""What happens in one simulation: who asks for what, what is reported, and what goes wrong meanwhile."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope, to_record
from contracts.events import MilestoneDue, MilestoneScheduled, StatusChanged
from contracts.filters import Filters
from contracts.vocabulary import Status
from services.notifier.delivery.fan_out import IncomingEvent
from services.notifier.delivery.intake import read
from tests.contracts.golden_records import example
from tests.notifier.scenes import subscribe
from tests.simulation.database import SimulatedDatabase
from tests.simulation.kafka import SESSION_TIMEOUT, SimulatedKafka
from tests.simulation.processes import Process, Topics
from tests.simulation.receivers import Receiver, Receivers
from tests.simulation.world import World

_, CHANGED = example("status-changed.v1.drug-dialogue-met").read()
_, SCHEDULED = example("milestone-scheduled.v1.coal-finance").read()
_, DUE = example("milestone-due.v1.coal-finance-in-7-days").read()
assert isinstance(CHANGED, StatusChanged)
assert isinstance(SCHEDULED, MilestoneScheduled)
assert isinstance(DUE, MilestoneDue)

_STATUSES = [Status.ANNOUNCED, Status.IN_PROGRESS, Status.AT_RISK, Status.MET, Status.MISSED, Status.PARTLY_MET]
_CHANNELS = ["webhook", "webhook", "webhook", "slack", "teams", "email"]


@dataclass
class Subscription:
    """One as the story knows it."""

    id: UUID
    address: str
    channel: str
    filters: Filters
    active: list[tuple[float, float]] = field(default_factory=list)
    """From when to when it was certainly active, in seconds; it may have been somewhat longer."""
    inactive: list[tuple[float, float]] = field(default_factory=list)
    """The same for certainly not active."""
    ended_at: float | None = None

    def wants(self, event: IncomingEvent) -> bool:
        """Whether its filters ask for the event."""
        names, ids = self.filters.events, self.filters.commitments
        return (not names or event.event.topic in names) and (not ids or event.traits.commitment in ids)


class Story:
    """One seed's story, played over the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random: Random = world.random
        self.kafka = SimulatedKafka(partitions=self.random.choice([1, 2]))
        self.receivers = Receivers(world)
        self.topics = Topics(world)
        self.subscriptions: list[Subscription] = []
        self.published_at: dict[UUID, float] = {}
        self._desk = SimulatedDatabase(world, "desk", "notifier")
        self._seqs: dict[tuple[str, str], int] = {}
        self._status: dict[str, Status] = {}
        self._versions: dict[str, int] = {}
        self._commitments = [f"c{n}" for n in range(self.random.randint(1, 4))]
        self._wanted = self.random.randint(1, 3)
        self._started = 0

    # ---- the play

    async def play(self) -> None:
        """Everything, until all is quiet."""
        await self._people_subscribe(self.random.randint(2, 6))
        for _ in range(self._wanted):
            self._start_process()
        keeper = self._keeper = asyncio.create_task(self._keep_running())
        disorder = [asyncio.create_task(task) for task in self._disorder()]
        await self._months_go_by()
        for task in disorder:
            await task
        await asyncio.sleep(self.random.choice([0.0, 4.0, 14.0]))
        self.world.calm = True
        self.world.database_is_back.set()
        self.world.trace("calm")
        self.receivers.recover()
        await self._until_quiet()
        keeper.cancel()
        for process in self.world.processes:
            process.stop()
        await asyncio.sleep(15)

    async def _months_go_by(self) -> None:
        count = self.random.randint(6, 20)
        rush = self.random.random() < 0.5
        for _ in range(count):
            await asyncio.sleep(self.random.uniform(0, 0.05) if rush else self.random.expovariate(0.6))
            kind = self.random.random()
            if kind < 0.62:
                self._status_changes()
            elif kind < 0.74:
                self._date_moves()
            elif kind < 0.86:
                self._reminder()
            elif kind < 0.93 and not self.world.database_is_away:
                await self._somebody_changes_a_subscription()
            elif kind < 0.96 and not self.world.database_is_away:
                await self._people_subscribe(1)
            else:
                await asyncio.sleep(self.random.choice([1.0, 4.0, 14.0]))

    async def _until_quiet(self) -> None:
        """Time passes until nothing waits any more; leaps over the hours in which nothing happens."""
        world, row = self.world, None
        for _ in range(200):
            await asyncio.sleep(4.0)
            if self._keeper.done():
                self._keeper.result()
            if not self.kafka.is_read:
                continue
            [row] = world.ground.look(
                "select count(*) filter (where state = 'pending') as pending,"
                " count(*) filter (where state = 'sending') as sending,"
                " min(next_at) filter (where state = 'pending' and not behind"
                " and (group_id is null or leads)) as due,"  # a group's others go when the leading one does
                " (select count(*) from outbox where published_at is null) as untold from delivery"
            )
            if row["sending"] or row["untold"]:
                continue
            if not row["pending"]:
                return
            if row["due"] is None:
                continue
            ahead = (row["due"] - world.now()).total_seconds()
            if ahead > 10.0:
                world.trace("leap", ahead)
                world.loop.leap(ahead - 1.0)
        raise AssertionError(f"it never became quiet: {row and dict(row)}, {self.kafka.is_read=}")

    # ---- the processes

    def _start_process(self) -> None:
        self._started += 1
        process = Process(self.world, f"notifier-{self._started}", self.kafka, self.receivers, self.topics)
        self.world.trace("starts", process)

    def _alive(self) -> list[Process]:
        return [process for process in self.world.processes if not process.is_dead and not process.ended]

    async def _keep_running(self) -> None:
        """Start again what has died, and share partitions out by who gives signs of life."""
        while True:
            await asyncio.sleep(self.random.uniform(0.5, 1.5) if not self.world.calm else 3.0)
            for process in self.world.processes:
                if process.fault:
                    raise AssertionError(f"{process} ended by {process.fault!r}") from process.fault
            while len(self._alive()) < self._wanted:
                self._start_process()
            now = self.world.loop.time()
            self.kafka.assign(p for p in self._alive() if now - p.last_sign < SESSION_TIMEOUT)

    def _disorder(self) -> list[Any]:
        menu = self.world.menu
        return [
            *(self._outage() for _ in range(menu.outages)),
            *(self._restart() for _ in range(menu.restarts)),
            *(self._clock_jump() for _ in range(menu.clock_jumps)),
        ]

    async def _outage(self) -> None:
        await asyncio.sleep(self.random.uniform(0, 20))
        self.world.database_is_back.clear()
        self.world.trace("database away")
        self.world.tried.append("outage")
        for process in self._alive():
            process.database.cut_all()
            seconds = self.world.seconds
            process.disturbed.append((seconds, seconds + 50.0))
        await asyncio.sleep(self.random.choice([1.0, 6.0, 14.0]))
        self.world.database_is_back.set()
        self.world.trace("database back")

    async def _restart(self) -> None:
        """An orderly stop; its successor starts when it has ended."""
        await asyncio.sleep(self.random.uniform(0, 20))
        if alive := self._alive():
            self.world.tried.append("restart")
            self.world.trace("is told to stop", alive[0])
            alive[0].stop()

    async def _clock_jump(self) -> None:
        await asyncio.sleep(self.random.uniform(0, 20))
        by = self.random.choice([-3600.0, -30.0, 30.0, 7200.0])
        self.world.tried.append("clock")
        self.world.trace("clock jumps", by)
        self.world.wall_offset += timedelta(seconds=by)

    # ---- people

    async def _people_subscribe(self, count: int) -> None:
        for _ in range(count):
            number = len(self.subscriptions)
            shared = self.subscriptions and self.random.random() < 0.4
            if shared:
                twin = self.random.choice(self.subscriptions)
                address, channel = twin.address, twin.channel
            else:
                channel = self.random.choice(_CHANNELS)
                address = f"r{number}@desk.example" if channel == "email" else f"https://r{number}.example.org/hook"
                self.receivers.add(Receiver.drawn(address, self.random))
            commitments = frozenset(c for c in self._commitments if self.random.random() < 0.7)
            filters = Filters(commitments=commitments if self.random.random() < 0.5 else frozenset())
            language = self.random.choice(["en", "en", "fr", "es"])
            id_ = await subscribe(self._desk, address, channel=channel, filters=filters, language=language)
            one = Subscription(id_, address, channel, filters)
            one.active.append((self.world.seconds, float("inf")))
            self.subscriptions.append(one)
            self.world.trace("subscribes", id_, channel, address)

    async def _somebody_changes_a_subscription(self) -> None:
        one = self.random.choice(self.subscriptions)
        if one.ended_at is not None:
            return
        paused = bool(one.inactive) and one.inactive[-1][1] == float("inf")
        before = self.world.seconds
        async with self._desk.connection() as connection:
            if paused:
                await connection.execute(
                    "update subscription set state = 'active' where id = $1 and state = 'paused'", one.id
                )
                one.inactive[-1] = (one.inactive[-1][0], before)
                one.active.append((self.world.seconds, float("inf")))
                self.world.trace("resumes", one.id)
                return
            ends = self.random.random() < 0.6
            await connection.execute(
                "update subscription set state = $2, ended_at = $3, reason = 'unsubscribed' where id = $1"
                " and state <> 'disabled'",
                one.id,
                "ended" if ends else "paused",
                self.world.now() if ends else None,
            )
        one.active[-1] = (one.active[-1][0], before)
        one.inactive.append((self.world.seconds, float("inf")))
        if ends:
            one.ended_at = self.world.seconds
        self.world.trace("ends" if ends else "pauses", one.id)

    # ---- what is told

    def _status_changes(self) -> None:
        id_ = self.random.choice(self._commitments)
        before = self._status.get(id_, Status.ANNOUNCED)
        after = self.random.choice([s for s in _STATUSES if s is not before])
        self._status[id_] = after
        data = CHANGED.model_copy(update={"previous": before, "status": after, "overall": after})
        self._publish("status-changed", id_, data)

    def _date_moves(self) -> None:
        id_ = self.random.choice(self._commitments)
        version = self._versions[id_] = self._versions.get(id_, 0) + 1
        days = self.random.randint(10, 400)
        milestone = SCHEDULED.milestone.model_copy(
            update={
                "earliest": self.world.now().date() + timedelta(days=days),
                "latest": self.world.now().date() + timedelta(days=days),
            }
        )
        data = SCHEDULED.model_copy(
            update={
                "milestone": milestone,
                "schedule_version": version,
                "change": "first" if version == 1 else "moved",
                "previous": SCHEDULED.previous,
            }
        )
        self._publish("milestone-scheduled", id_, data)

    def _reminder(self) -> None:
        id_ = self.random.choice(self._commitments)
        not_after = self.world.now() + timedelta(seconds=self.random.choice([20.0, 900.0, 86_400.0]))
        data = DUE.model_copy(update={"due_at": self.world.now(), "not_after": not_after})
        self._publish("milestone-due", id_, data)

    def _publish(self, topic: str, commitment: str, data: Any) -> None:
        seq = self._seqs[topic, commitment] = self._seqs.get((topic, commitment), 0) + 1
        brief = data.commitment.model_copy(update={"id": commitment})
        full = data.model_copy(update={"commitment": brief, "seq": seq})
        record = to_record(full, Envelope(self.world.new_id(), self.world.now(), commitment))
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        incoming = read(
            SimpleNamespace(topic=record.topic, key=record.key.encode(), headers=headers, value=record.value)
        )
        self.kafka.publish(incoming)
        self.published_at[incoming.event.id] = self.world.seconds
        self.world.trace("published", topic, commitment, seq, incoming.event.id)
