"""Claim, render, send: the way of a delivery through one process, until its result is reported.

A bounded pool sends, one lane for each destination, so that a slow one holds up nobody else. There is never a wait
for a whole batch, neither of claims nor of sends.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.notifier.channels.outcomes import AttemptOutcome, FailureReason, Refused
from services.notifier.delivery.attempt_spans import attempt_span, tell_outcome
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import (
    NO_CAPACITY,
    Attempt,
    Capacity,
    Deferral,
    Delivery,
    DeliveryResult,
    after_attempt,
    to_send,
)
from services.notifier.delivery.event_cache import EventCache
from services.notifier.delivery.lanes import Lanes
from services.notifier.delivery.leases import Leases
from services.notifier.delivery.messages import Together
from services.notifier.delivery.metrics import IN_FLIGHT, RENDERING_FAULTS
from services.notifier.delivery.openings import Openings
from services.notifier.delivery.paced_claims import PacedClaims
from services.notifier.delivery.pacer import Pacer
from services.notifier.delivery.platform_limits import PlatformLimits
from services.notifier.delivery.recorder import ResultRecorder
from services.notifier.delivery.senders import CanNotRender, Sender
from services.notifier.delivery.turns import READY
from services.notifier.events.published_event import AS_NEWS, PublishedEvent, Telling
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.failpoints import failpoint
from services.plumbing.logs import log
from services.plumbing.retry import Backoff
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets
from services.plumbing.transient_errors import is_transient


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
    """What has not started by then goes back unsent: an unsubscription counts from the next claim on."""
    flush_seconds: float = Field(default=0.04, ge=0)
    """Results are gathered so long before they are recorded, or until there are `flush_results`."""
    flush_results: int = Field(default=250, ge=1)
    idle_seconds: float = Field(default=5.0, gt=0, le=10)
    """The longest sleep while nothing calls: a lost wake-up costs no more."""
    sweep_seconds: float = Field(default=5.0, gt=0)


_SHORT_SLEEP = 0.5
"""Seconds, where what is due can't be claimed yet: until its slot is near, until sending may begin."""

_HANDED_OUT = 2 / 3
"""The share of `hold_seconds` for which slots are given out at once: none may come due when its delivery goes back."""


_PATIENCE, _WAITS, _FEW = 0.5, 4, 64
"""Whoever writes new deliveries waits for room so many times so many seconds at most, and no longer where in one of
these times fewer were answered than this part of what may be in hand."""


class Dispatch:
    """Sends what is due. Any number of processes may do so beside each other."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[str, Sender],
        clock: Clock,
        settings: DispatchSettings,
        *,
        mails: int = 4,
        limits: PlatformLimits | None = None,
        chance: Callable[[], float] = random.random,
        may_send: Callable[[], bool] = lambda: True,
        openings: Openings | None = None,
        secrets: Secrets = IN_THE_CLEAR,
    ) -> None:
        self._database = database
        self.leases = Leases(settings.lease_seconds)
        """Those of this process, which its fan-out shares."""
        self._claims = DeliveryClaims(
            database, lease_seconds=settings.lease_seconds, leases=self.leases, secrets=secrets
        )
        self._pacer = Pacer(
            PacedClaims(
                database,
                lease_seconds=settings.lease_seconds,
                window=settings.hold_seconds * _HANDED_OUT,
                clock_is_set=clock.settable,
                leases=self.leases,
                secrets=secrets,
            ),
            limits or PlatformLimits(),
        )
        self._events = EventCache(database)
        self._recorder = ResultRecorder(
            database,
            self._events,
            clock,
            most=settings.flush_results,
            seconds=settings.flush_seconds,
            recorded=self._recorded,
        )
        self._senders = senders
        self._clock = clock
        self._settings = settings
        self._chance = chance
        self._may_send = may_send
        self._openings = openings or Openings()
        self._lanes = Lanes(settings.pool, settings.hold, settings.per_destination, mails)
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_capacity = asyncio.Event()
        self._awake = asyncio.Event()
        self._due: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._ended = 0
        self.alive = time.monotonic()
        """When the claim loop last went round, monotonic."""

    # ---- what others call

    def wake(self) -> None:
        """Look at once for what is due."""
        self._awake.set()

    def capacity(self) -> Capacity:
        """What this process is ready to take in hand; nothing once it stops."""
        capacity = self._lanes.capacity(time.monotonic())
        return capacity if self._may_send() and not self._stopping else NO_CAPACITY

    async def room(self) -> Capacity:
        """The same, after a wait where its hands are full of what goes out quickly; nothing where they stay full."""
        for _ in range(_WAITS):
            if not self._lanes.in_flight or self._has_room():
                return self.capacity()
            ended = self._ended
            await self._capacity_or_pause(_PATIENCE)
            if not self._has_room() and self._ended - ended < self._settings.hold // _FEW:
                break
        return self.capacity() if self._has_room() else NO_CAPACITY

    def remember(self, events: Iterable[PublishedEvent]) -> None:
        """Keep events that were just read, so that they need not be read again."""
        self._events.keep(events)

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Take claimed deliveries in hand; those that must not be sent end here."""
        now = self._clock.now()
        sent, ends = to_send(deliveries, now, partial(self._deferral, now))
        for delivery in sent:
            if self._pacer.may_start(delivery):
                self._lanes.add(delivery)
            else:
                self._recorder.report(DeliveryResult(delivery, "pending", now))
                self.wake()
        for end in ends:
            self._recorder.report(end)
        self._start()

    def _deferral(self, now: datetime, delivery: Delivery) -> Deferral | None:
        return self._openings.of_delivery(delivery, self._events.kept(delivery.event_id), now)

    async def run(self, stopping: asyncio.Event) -> None:
        """Claim and send until told to stop; then finish what is on its way and give the rest back."""
        listener = asyncio.create_task(self._database.listen(READY, self._awake.set))
        beside = [asyncio.create_task(self._sweep()), asyncio.create_task(self._watch_clock())]
        recorder = asyncio.create_task(self._recorder.run())
        try:
            await self._claim(stopping, recorder)
            self._stopping = True
            self._take_back(everything=True)
            while self._tasks:
                await asyncio.wait(self._tasks)
            await self._recorder.flush()
        finally:
            for task in (listener, recorder, *beside):
                task.cancel()
            await asyncio.gather(listener, recorder, *beside, return_exceptions=True)

    # ---- claim

    async def _claim(self, stopping: asyncio.Event, recorder: "asyncio.Task[None]") -> None:
        stop = asyncio.create_task(stopping.wait())
        backoff = Backoff(longest=5.0)
        try:
            while not stopping.is_set():
                if recorder.done():
                    recorder.result()  # a fault that does not pass ends the process
                self.alive = time.monotonic()
                self._awake.clear()
                try:
                    more = await self._claim_once()
                    backoff.reset()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("claiming waits", action="claim_waits", error=str(error), seconds=backoff.pause)
                    await backoff.wait(stopping)
                    continue
                if not more:
                    await self._idle(stop)
        finally:
            stop.cancel()

    async def _claim_once(self) -> bool:
        """One claim; whether there may be more to claim at once."""
        if not self._may_send():
            self._take_back(everything=True)
            return False
        self._take_back()
        capacity = self._lanes.capacity(time.monotonic())
        if capacity.total < max(self._settings.hold // 4, 1):
            await self._capacity_or_pause(0.1)
            return True
        now = self._clock.now()
        await self._pacer.introduce(now)
        deliveries = await self._claims.claim(now, capacity)
        try:
            if self._pacer.is_due(time.monotonic(), idle=not deliveries):
                deliveries += await self._pacer.claim(now, capacity.total - len(deliveries), self._lanes)
            if deliveries:
                failpoint("notifier-after-claim")
            await self._events.get_all(member.event_id for delivery in deliveries for member in delivery.members)
        except Exception:
            self._give_back(deliveries)  # or they would wait for their leases to run out
            raise
        self.take(deliveries)
        if deliveries:
            return True
        self._due = await self._claims.next_due(now)
        return False

    def _idle_seconds(self) -> float:
        """Until the next delivery falls due, or one that is due may be claimed; the longest sleep else."""
        seconds = [self._settings.idle_seconds]
        if self._lanes.in_hand:
            seconds.append(0.1)
        if self._clock.settable or self._pacer.waits or not self._may_send():
            seconds.append(_SHORT_SLEEP)
        elif self._due is not None:
            seconds.append((self._due - self._clock.now()).total_seconds())
        if (opens := self._lanes.next_opening(monotonic := time.monotonic())) is not None:
            seconds.append(opens - monotonic)
        return max(min(seconds), 0.001)

    async def _idle(self, stop: "asyncio.Task[bool]") -> None:
        """Sleep until called, or until there may be something to claim."""
        seconds = self._idle_seconds()
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

    def _has_room(self) -> bool:
        return self._lanes.in_hand * 2 <= self._settings.hold

    async def _capacity_or_pause(self, seconds: float) -> None:
        self._has_capacity.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._has_capacity.wait()
        except TimeoutError:
            pass

    def _take_back(self, *, everything: bool = False) -> None:
        """Give back what can't start soon, unsent and without an attempt."""
        monotonic = time.monotonic()
        oldest = float("inf") if everything else monotonic - self._settings.hold_seconds
        self._give_back(self._lanes.take_back(monotonic, oldest))

    def _give_back(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            self._recorder.report(DeliveryResult(delivery, "pending", self._clock.now()))

    def _recorded(self, results: Iterable[tuple[DeliveryResult, bool]]) -> None:
        """The next of their threads may start now."""
        for result, is_ours in results:
            if result.is_settled:
                self._give_back(self._lanes.recorded(result.delivery, is_ours=is_ours))
            else:
                self.wake()  # it may be due again before what this sleeps for
        if not self._stopping:
            self._start()

    # ---- send

    def _start(self) -> None:
        for delivery in self._lanes.starts(time.monotonic()):
            task = asyncio.create_task(self._attempt(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._set_timer()
        IN_FLIGHT.set(self._lanes.in_flight)

    def _set_timer(self) -> None:
        """Come back when the next slot begins."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (at := self._lanes.next_slot()) is not None:
            self._timer = asyncio.get_running_loop().call_later(max(at - time.monotonic(), 0.001), self._start)

    async def _attempt(self, delivery: Delivery) -> None:
        started_at, started = self._clock.now(), time.monotonic()
        outcome: AttemptOutcome | None = None
        is_settled = False
        try:
            if started - delivery.claimed > self._settings.hold_seconds:
                # Claimed too long ago: it goes back, to be claimed anew.
                self._recorder.report(DeliveryResult(delivery, "pending", started_at))
                return
            try:
                outcome = await self._send(delivery)
            except Exception as error:
                if not is_transient(error):
                    raise
                self._give_back([delivery])  # its event can't be read: nothing was sent
                return
            failpoint("notifier-after-send")
            ended = time.monotonic()
            attempt = Attempt(started_at, self._clock.now(), (ended - started) * 1000, outcome)
            result = after_attempt(delivery, attempt, self._chance())
            is_settled = result.is_settled
            self._recorder.report(result, is_urgent=is_settled and self._lanes.holds_more_of(delivery))
        finally:
            self._give_back(self._lanes.done(delivery, outcome, time.monotonic(), is_settled=is_settled))
            self._ended += 1
            if self._has_room():
                self._has_capacity.set()
            self._start()

    async def _send(self, delivery: Delivery) -> AttemptOutcome:
        event, telling = await self._told(delivery)
        together = await self._told_together(delivery) if delivery.others else ()
        with attempt_span(delivery, event, together):
            outcome = await self._sent(delivery, event, telling, together)
            tell_outcome(outcome)
            return outcome

    async def _sent(
        self, delivery: Delivery, event: PublishedEvent, telling: Telling, together: Together
    ) -> AttemptOutcome:
        if not delivery.recipient.address:
            # Sealed with a key that this process doesn't have, which may be mended: it is tried again.
            log.error("an address can't be opened", action="secret_unreadable", delivery_id=str(delivery.id))
            return Refused(FailureReason.FAULT, retryable=True)
        channel = delivery.recipient.channel
        try:
            # A row of a newer version may name a channel that is not known here.
            return await self._senders[channel].send(delivery, event, telling, together)
        except CanNotRender as error:
            # It would break again for as long as it is tried. The text of the cause may hold an address.
            log.error(
                "no message can be made",
                action="can_not_render",
                delivery_id=str(delivery.id),
                channel=channel,
                error=str(error),
            )
            RENDERING_FAULTS.labels(channel).inc()
            return Refused(FailureReason.RENDERING)
        except Exception as error:
            # Sending broke on our side, which may pass. The text of the error may hold an address: its kind must do.
            log.error(
                "an attempt broke",
                action="attempt_broke",
                delivery_id=str(delivery.id),
                channel=channel,
                error=type(error).__name__,
            )
            return Refused(FailureReason.FAULT, retryable=True)

    async def _told(self, delivery: Delivery) -> tuple[PublishedEvent, Telling]:
        """The event of a delivery, and how it is told."""
        event = await self._events.get(delivery.event_id)
        if not (delivery.is_overtaken or delivery.before):
            return event, AS_NEWS
        earlier = await self._events.get_all(delivery.before)
        return event, Telling(delivery.is_overtaken, tuple(earlier[id_] for id_ in delivery.before))

    async def _told_together(self, delivery: Delivery) -> tuple[tuple[PublishedEvent, Telling], ...]:
        """All that its message tells, in order and each event once, whoever of those at the address asked for it."""
        await self._events.get_all(member.event_id for member in delivery.members)
        once = {member.event_id: member for member in reversed(delivery.members)}
        return tuple([await self._told(member) for member in delivery.members if once[member.event_id] is member])

    async def _sweep(self) -> None:
        """Put back what others claimed and never recorded."""
        while True:
            try:
                found = await self._claims.sweep(self._clock.now())
                if found:
                    log.warning("lost leases were put back", action="leases_swept", count=found)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("the sweep waits", action="sweep_waits", error=str(error))
            await asyncio.sleep(self._settings.sweep_seconds * (0.8 + 0.4 * self._chance()))
