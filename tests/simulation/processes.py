"""Notifier processes as objects over the real production code; they die, freeze and are started again."""

import asyncio
import contextvars
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import PostedChannel
from services.notifier.delivery.dispatch import Dispatch, DispatchSettings
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.intake import EventIntake
from services.notifier.delivery.messages import MessageRenderer
from services.notifier.delivery.senders import PostSender
from services.notifier.rendering.page_links import PageLinks
from services.plumbing.outbox import Outgoing
from services.plumbing.relay import Acknowledged, OutboxSettings, Relay
from services.plumbing.sending_gate import SendingGate
from services.plumbing.transient_errors import is_transient
from tests.notifier.delivery.dispatching import links
from tests.simulation.database import SimulatedDatabase
from tests.simulation.loop import OWNER
from tests.simulation.receivers import Receivers, SimulatedHttp, SimulatedMail, Watched

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.kafka import SimulatedKafka
    from tests.simulation.world import World

LEASE_SECONDS = 12.0
SETTINGS = DispatchSettings(
    lease_seconds=LEASE_SECONDS,
    sweep_seconds=10.0,
    hold_seconds=2.0,
    hold=32,
    pool=8,
    per_destination=2,
    idle_seconds=10.0,
)


class ProcessClock:
    """The clock of one process's machine: a little wrong."""

    settable = False

    def __init__(self, world: "World") -> None:
        from datetime import timedelta

        self._world = world
        self._wrong = timedelta(seconds=world.random.uniform(-0.4, 0.4))

    def now(self) -> "datetime":
        """Business time as this process sees it."""
        return self._world.now() + self._wrong


class Topics:
    """Takes what relays publish; sometimes the acknowledgement is lost."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.records: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged | BaseException]:
        """Take records in order, into one partition of each topic."""
        await asyncio.sleep(self._world.random.uniform(0.001, 0.02))
        acknowledged: list[Acknowledged | BaseException] = []
        for record in records:
            acknowledged.append(Acknowledged(0, sum(other.topic == record.topic for other in self.records)))
            self.records.append(record)
        if not self._world.calm and self._world.chance(self._world.menu.cut):
            await asyncio.sleep(1.0)
            return [ConnectionError("no acknowledgement") for _ in records]
        return acknowledged


class Process:
    """One notifier, from its start to its end."""

    def __init__(
        self, world: "World", name: str, kafka: "SimulatedKafka", receivers: Receivers, topics: Topics
    ) -> None:
        self._world = world
        self.name = name
        self._kafka = kafka
        self._frozen_until = 0.0
        self.is_dead = False
        self.fault: BaseException | None = None
        self.ended = False
        self.last_sign = world.loop.time()
        self.disturbed: list[tuple[float, float]] = []
        """From when to when it was frozen, or its way to the database was cut."""
        self._leaving = asyncio.Event()
        self._stopping = asyncio.Event()
        self.database = SimulatedDatabase(world, name, "notifier")
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        self._parts = (receivers, topics)
        world.processes.append(self)
        self.task = world.loop.create_task(self._main(), context=context)

    def __str__(self) -> str:
        return self.name

    @property
    def runs(self) -> bool:
        """Whether it is neither dead nor frozen."""
        return not self.is_dead and self._world.loop.time() >= self._frozen_until

    def stop(self) -> None:
        """SIGTERM: first nothing new is read, then what is under way is finished."""
        self._leaving.set()

    def dies(self) -> None:
        """SIGKILL: its connections are closed by the system."""
        self.is_dead = True
        self.disturbed.append((self._world.seconds, float("inf")))
        self.database.cut_all()

    def freezes(self, seconds: float) -> None:
        """SIGSTOP for a time."""
        self._frozen_until = self._world.loop.time() + seconds
        self.disturbed.append((self._world.seconds, self._world.seconds + seconds))
        # Something has to be there for the loop to leap to.
        token = OWNER.set(None)
        try:
            self._world.loop.call_later(seconds, lambda: None)
        finally:
            OWNER.reset(token)

    def revive(self) -> None:
        """When all is over: let its tasks run once more, so that they can be cancelled."""
        self.is_dead, self._frozen_until = False, 0.0

    async def _main(self) -> None:
        try:
            work = self._work()
            try:
                done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_EXCEPTION)
            except asyncio.CancelledError:
                for task in work:
                    task.cancel()
                raise
            for task in done:
                task.result()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.fault = error
            self._world.trace("broke", self.name, repr(error))
            raise
        finally:
            self.ended = True
        self._world.trace("ended", self.name)

    def _work(self) -> list["asyncio.Task[None]"]:
        """As the service's wiring builds it."""
        receivers, topics = self._parts
        world, clock = self._world, ProcessClock(self._world)
        http: Any = SimulatedHttp(receivers)
        renderer = MessageRenderer(PageLinks("https://pledgewire.example", str), links())
        senders = {
            name: Watched(
                PostSender(channel, http, renderer, clock, wall=world.wall)
                if isinstance(channel, PostedChannel)
                else SimulatedMail(receivers, channel)
            )
            for name, channel in CHANNELS.items()
        }
        gate = SendingGate()
        dispatch = Dispatch(
            self.database, senders, clock, SETTINGS, may_send=lambda: gate.is_open, chance=world.random.random
        )
        intake = EventIntake(FanOut(self.database, lease_seconds=LEASE_SECONDS), dispatch, clock)
        relay = Relay(self.database, topics, OutboxSettings(poll_seconds=20.0, lease_seconds=10.0), gate=gate)
        return [
            asyncio.create_task(dispatch.run(self._stopping)),
            asyncio.create_task(relay.run(self._stopping)),
            asyncio.create_task(self._read(intake)),
        ]

    async def _read(self, intake: EventIntake) -> None:
        """As the framework reads: a batch, its effect, then its offsets; after a fault that passes it comes again."""
        world, pause = self._world, 0.1
        while not self._leaving.is_set():
            self.last_sign = world.loop.time()
            batch = self._kafka.poll(self, world.random.choice([1, 3, 10]))
            if not batch:
                await asyncio.sleep(0.3 if not world.calm else 2.0)
                continue
            try:
                await intake.apply([event for *_, event in batch])
            except Exception as error:
                if not is_transient(error):
                    raise
                self._kafka.back(self)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 3.0)
                continue
            pause = 0.1
            for _, _, event in batch:
                self._kafka.read_at.setdefault(event.event.id, world.seconds)
            self._kafka.commit(self, batch)
        self._stopping.set()
