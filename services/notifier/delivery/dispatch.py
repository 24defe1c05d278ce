"""Claim, render, send, settle: the way of a delivery through one process.

A bounded pool sends, one lane for each destination, so that a slow one holds up nobody else; results are recorded
many at a time. There is never a wait for a whole batch, neither of claims nor of sends.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.events import MilestoneDue
from contracts.topics import MILESTONE_DUE
from services.notifier.delivery.deliveries import Attempt, Delivery, Result, Room, after_attempt, verdict
from services.notifier.delivery.lanes import Lanes
from services.notifier.delivery.metrics import ATTEMPTS, DELIVERIES, DUE_TO_SENT, IN_FLIGHT, LATENCY
from services.notifier.delivery.senders import Sender
from services.notifier.delivery.settled_events import tell_settled
from services.notifier.delivery.store import READY, DeliveryStore, Heard
from services.notifier.rendering.render import EventView
from services.notifier.transport.outcomes import Outcome, Reason, Refused
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.tracing import traced
from services.plumbing.transient_errors import is_transient

_EVENTS_KEPT = 4096


class DispatchSettings(BaseSettings):
    """How much a process sends at once, and how it records."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    pool: int = Field(default=128, ge=1, le=1024)
    """Attempts on their way at once."""
    hold: int = Field(default=1024, ge=8)
    """Deliveries in hand at once, those on their way included."""
    per_destination: int = Field(default=4, ge=1, le=64)
    """Attempts on their way to one URL at once."""
    lease_seconds: float = Field(default=60.0, gt=0)
    """How long a process that died or froze keeps its deliveries from the others; must exceed the longest attempt."""
    hold_seconds: float = Field(default=3.0, gt=0, le=5)
    """What has not started by then goes back unsent: an unsubscription is heard at the next claim."""
    flush_seconds: float = Field(default=0.04, ge=0)
    """Results are gathered so long before they are recorded, or until there are `flush_results`."""
    flush_results: int = Field(default=250, ge=1)
    idle_seconds: float = Field(default=0.5, gt=0)
    """The longest sleep while nothing calls: a lost wake-up costs no more."""
    sweep_seconds: float = Field(default=5.0, gt=0)


class Dispatch:
    """Sends what is due. Any number of processes may do so beside each other."""

    def __init__(
        self,
        database: Database,
        store: DeliveryStore,
        senders: Mapping[str, Sender],
        clock: Clock,
        settings: DispatchSettings,
        *,
        mails: int = 4,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._store = store
        self._senders = senders
        self._clock = clock
        self._settings = settings
        self._chance = chance
        self._lanes = Lanes(settings.pool, settings.hold, settings.per_destination, mails)
        self._events: OrderedDict[UUID, EventView] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._recording = asyncio.Lock()
        self._has_results = asyncio.Event()
        self._has_room = asyncio.Event()
        self._awake = asyncio.Event()
        self._due: datetime | None = None
        self._stopping = False
        self.alive = time.monotonic()
        """When the claim loop last went round, monotonic."""

    # ---- what others call

    def wake(self) -> None:
        """Look at once for what is due."""
        self._awake.set()

    def room(self) -> Room:
        """What this process is ready to take in hand; nothing once it stops."""
        room = self._lanes.room(time.monotonic())
        return Room(0, 0, 0, {}) if self._stopping else room

    def remember(self, events: Iterable[Heard]) -> None:
        """Keep events that were just read, so that they need not be read again."""
        for heard in events:
            view = EventView(heard.id, heard.topic, heard.time, heard.value, heard.correlation_id, heard.traceparent)
            view.__dict__["data"] = heard.data  # where the cached property looks first
            self._keep(view)

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Take claimed deliveries in hand; those that must not be sent end here."""
        now = self._clock.now()
        for delivery in deliveries:
            end = verdict(delivery, now)
            if end is None:
                self._lanes.add(delivery)
            else:
                self._report(Result(delivery, end[0], now, reason=end[1]))
        self._start()

    async def run(self, stopping: asyncio.Event) -> None:
        """Claim and send until told to stop; then finish what is on its way and give the rest back."""
        listener = asyncio.create_task(self._database.listen(READY, self._awake.set))
        beside = [asyncio.create_task(self._sweep()), asyncio.create_task(self._watch_clock())]
        recorder = asyncio.create_task(self._record())
        try:
            await self._claim(stopping, recorder)
            self._stopping = True
            self._take_back(everything=True)
            while self._tasks:
                await asyncio.wait(self._tasks)
            await self._flush_all()
        finally:
            for task in (listener, recorder, *beside):
                task.cancel()
            await asyncio.gather(listener, recorder, *beside, return_exceptions=True)

    # ---- claim

    async def _claim(self, stopping: asyncio.Event, recorder: "asyncio.Task[None]") -> None:
        stop = asyncio.create_task(stopping.wait())
        pause = 0.1
        try:
            while not stopping.is_set():
                if recorder.done():
                    recorder.result()  # a fault that does not pass ends the process
                self.alive = time.monotonic()
                self._awake.clear()
                self._has_room.clear()
                try:
                    more = await self._claim_once()
                    pause = 0.1
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("claiming waits", action="claim_waits", error=str(error), seconds=pause)
                    await asyncio.wait([stop], timeout=pause)
                    pause = min(pause * 2, 5.0)
                    continue
                if not more:
                    await self._idle(stop)
        finally:
            stop.cancel()

    async def _claim_once(self) -> bool:
        """One claim; whether there may be more to claim at once."""
        self._take_back()
        room = self._lanes.room(time.monotonic())
        if room.total < max(self._settings.hold // 4, 1):
            await self._room_or_tick()
            return True
        now = self._clock.now()
        deliveries = await self._store.claim(now, room)
        if deliveries:
            failpoint("notifier-after-claim")
        await self._views(delivery.event_id for delivery in deliveries)
        self.take(deliveries)
        if deliveries:
            return True
        self._due = await self._store.next_due(now)
        return False

    async def _idle(self, stop: "asyncio.Task[bool]") -> None:
        """Sleep until called, until the next delivery falls due, or for the longest sleep."""
        seconds = self._settings.idle_seconds
        if self._due is not None and not self._clock.settable:
            seconds = min(seconds, max((self._due - self._clock.now()).total_seconds(), 0.001))
        if self._lanes.in_hand:
            seconds = min(seconds, 0.1)
        waking = asyncio.create_task(self._awake.wait())
        await asyncio.wait([waking, stop], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()

    async def _watch_clock(self) -> None:
        """A settable clock jumps without a sound; looking at it costs nothing, asking the database would."""
        while self._clock.settable:
            await asyncio.sleep(0.02)
            if self._due is not None and self._due <= self._clock.now():
                self._due = None
                self._awake.set()

    async def _room_or_tick(self) -> None:
        try:
            async with asyncio.timeout(0.1):
                await self._has_room.wait()
        except TimeoutError:
            pass

    async def _views(self, ids: Iterable[UUID]) -> dict[UUID, EventView]:
        """Events by their ids, from memory or the table; the caller holds them, so none is pushed out meanwhile."""
        wanted = set(ids)
        views = {id_: self._events[id_] for id_ in wanted if id_ in self._events}
        if missing := wanted - set(views):
            for event in await self._store.events(missing):
                view = EventView(
                    event.id, event.topic, event.time, event.value, event.correlation_id, event.traceparent
                )
                views[view.id] = view
                self._keep(view)
        return views

    def _keep(self, view: EventView) -> None:
        self._events[view.id] = view
        while len(self._events) > _EVENTS_KEPT:
            self._events.popitem(last=False)

    def _take_back(self, *, everything: bool = False) -> None:
        """Give back what can't start soon, unsent and without an attempt."""
        monotonic = time.monotonic()
        oldest = float("inf") if everything else monotonic - self._settings.hold_seconds
        for delivery in self._lanes.take_back(monotonic, oldest):
            self._report(Result(delivery, "pending", self._clock.now()))

    # ---- send

    def _start(self) -> None:
        for delivery in self._lanes.starts(time.monotonic()):
            task = asyncio.create_task(self._attempt(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        IN_FLIGHT.set(self._lanes.in_flight)

    async def _attempt(self, delivery: Delivery) -> None:
        started_at, started = self._clock.now(), time.monotonic()
        outcome: Outcome | None = None
        try:
            if started - delivery.claimed > self._settings.hold_seconds:
                self._report(Result(delivery, "pending", started_at))  # claimed too long ago: ask again
                return
            outcome = await self._send(delivery)
            failpoint("notifier-after-send")
            ended = time.monotonic()
            attempt = Attempt(started_at, self._clock.now(), (ended - started) * 1000, outcome)
            self._report(after_attempt(delivery, attempt, self._chance()))
        finally:
            self._lanes.done(delivery, outcome, time.monotonic())
            if self._lanes.in_hand * 2 <= self._settings.hold:
                self._has_room.set()
            self._start()

    async def _send(self, delivery: Delivery) -> Outcome:
        event = self._events.get(delivery.event_id)
        if event is None:  # pushed out of memory while it waited
            event = (await self._views([delivery.event_id]))[delivery.event_id]
        sender = self._senders[delivery.subscription.channel]
        try:
            if event.traceparent is None:
                return await sender.send(delivery, event)
            with traced("deliver", event.traceparent, channel=delivery.subscription.channel):
                return await sender.send(delivery, event)
        except Exception as error:
            # Rendering or sending broke on our side. The text of the error may hold an address: its kind must do.
            log.error(
                "an attempt broke",
                action="attempt_broke",
                delivery_id=str(delivery.id),
                channel=delivery.subscription.channel,
                error=type(error).__name__,
            )
            return Refused(Reason.FAULT, retryable=True)

    # ---- settle

    def _report(self, result: Result) -> None:
        self._results.append(result)
        self._has_results.set()

    async def _record(self) -> None:
        """Record results as they come, many in one transaction."""
        while True:
            await self._has_results.wait()
            if len(self._results) < self._settings.flush_results:
                await asyncio.sleep(self._settings.flush_seconds)
            await self._flush_all()

    async def _flush_all(self) -> None:
        """Record all results; while the database is away they wait, and so do claims, since there is no room."""
        async with self._recording:  # or the last flush, at the stop, would run into the one under way
            await self._flush_in_turn()

    async def _flush_in_turn(self) -> None:
        pause = 0.1
        while self._results:
            batch = self._results[: self._settings.flush_results * 2]
            try:
                await self._flush(batch)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("results wait", action="results_wait", error=str(error), seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.1
            del self._results[: len(batch)]
        self._has_results.clear()

    async def _flush(self, batch: Sequence[Result]) -> None:
        now = self._clock.now()
        settled = [result for result in batch if result.is_settled]
        views = await self._views(result.delivery.event_id for result in settled)
        async with self._database.transaction() as connection:
            attempts = await self._store.record(connection, batch)
            await tell_settled(self._database, connection, settled, attempts, views, now)
            failpoint("notifier-before-commit")
        self._count([result for result in batch if result.delivery.id in attempts], views)

    def _count(self, recorded: Sequence[Result], views: Mapping[UUID, EventView]) -> None:
        attempts, ends = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for result in recorded:
            channel = result.delivery.subscription.channel
            if result.attempt is not None:
                attempts[channel, type(result.attempt.outcome).__name__.lower()] += 1
            if result.is_settled:
                ends[channel, result.state] += 1
            if result.state == "delivered" and (event := views.get(result.delivery.event_id)):
                LATENCY.observe(max((result.at - event.time).total_seconds(), 0.0))
                _observe_reminder(event, result.at)
        for labels, count in attempts.items():
            ATTEMPTS.labels(*labels).inc(count)
        for labels, count in ends.items():
            DELIVERIES.labels(*labels).inc(count)

    async def _sweep(self) -> None:
        """Put back what others claimed and never recorded."""
        while True:
            try:
                found = await self._store.sweep(self._clock.now())
                if found:
                    log.warning("lost leases were put back", action="leases_swept", count=found)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("the sweep waits", action="sweep_waits", error=str(error))
            await asyncio.sleep(self._settings.sweep_seconds * (0.8 + 0.4 * self._chance()))


def _observe_reminder(event: EventView, sent_at: datetime) -> None:
    if event.kind != MILESTONE_DUE.name:
        return
    with contextlib.suppress(ValueError):  # a row of an older contract is sent all the same
        if isinstance(event.data, MilestoneDue):
            DUE_TO_SENT.observe(max((sent_at - event.data.due_at).total_seconds(), 0.0))
