"""The receivers of the simulation: what each answers, by the seed, and what each has got.

They stand where the HTTP client and the mail server stand, so what is posted is what is really posted, and the answers
are read by the channels themselves.
"""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.notifier.channels.outcomes import AttemptOutcome, FailureReason, Refused, Unknown
from services.notifier.delivery.deliveries import Delivery
from services.notifier.events.published_event import PublishedEvent
from services.notifier.transport.transfers import PostFailed, Response
from tests.simulation.loop import OWNER

if TYPE_CHECKING:
    from tests.simulation.world import World

DEADLINE = 1.5
"""Seconds that an attempt may take, from connecting to the answer's last byte."""


@dataclass(frozen=True)
class Receipt:
    """A request that reached a receiver as a whole: its reader has it, whatever the answer is, unless it says no."""

    number: int
    at: float
    now: datetime
    process: str
    delivery_id: UUID
    subscription_id: UUID
    commitment_id: str
    event_id: UUID
    body: bytes
    marked: bool | None
    """Whether it was told as what newer news has overtaken; None where nothing says so."""
    answer: str
    """`took` for an answer of 2xx that arrived; `unheard` for one that did not; `no` for everything else."""


@dataclass
class Receiver:
    """One destination: how it behaves."""

    address: str
    rate: float | None = None
    """Messages a second that it takes; None for as many as come."""
    asks_to_wait: bool = True
    """Whether it says how long."""
    trouble: float = 0.0
    """The share of attempts that fail in a way that passes."""
    defers_first: bool = False
    refuses: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)
    """Seconds between which nobody is there."""
    gone_at: float | None = None
    slow: float = 0.0
    well: bool = False
    """It has recovered from everything but being gone."""
    _tokens: float = 1.0
    _filled: float = 0.0
    _seen: set[UUID] = field(default_factory=set)
    throttled: int = 0
    took: int = 0

    @classmethod
    def drawn(cls, address: str, random: Random) -> "Receiver":
        """One with a character."""
        one = cls(address)
        match random.choice(["well", "well", "throttled", "trouble", "trouble", "defers", "down", "slow", "refuses"]):
            case "throttled":
                one.rate, one.asks_to_wait = random.choice([0.2, 1.0, 1.0, 5.0]), random.random() < 0.8
            case "trouble":
                one.trouble = random.choice([0.1, 0.4, 0.8])
            case "defers":
                one.defers_first = True
            case "down":
                start = random.uniform(0, 30)
                one.down = (start, start + random.choice([3.0, 20.0, 200.0]))
            case "slow":
                one.slow = random.choice([0.3, 1.4])
            case "refuses":
                one.refuses = 0.3
        if random.random() < 0.04:
            one.gone_at = random.uniform(0, 60)
        return one

    def reply(self, now: float, delivery_id: UUID, random: Random) -> "int | PostFailed | tuple[int, float]":
        """A status, a status with the seconds to wait, or the way in which nothing comes back."""
        if self.gone_at is not None and now >= self.gone_at:
            return 410
        if self.rate is not None and not self._has_room(now):
            self.throttled += 1
            wait = max((1.0 - self._tokens) / self.rate, 0.001)
            return (429, float(int(wait) + 1)) if self.asks_to_wait else 429
        if self.well:
            return 204
        if self.down[0] <= now < self.down[1]:
            return PostFailed(FailureReason.CONNECTION, sent=False)
        if self.defers_first and delivery_id not in self._seen:
            self._seen.add(delivery_id)
            return random.choice([503, 429, (503, 30.0)])
        if random.random() < self.refuses:
            return 400
        if random.random() < self.trouble:
            return random.choice(
                [
                    500,
                    503,
                    (503, 20.0),
                    PostFailed(FailureReason.TIMEOUT, sent=True),
                    PostFailed(FailureReason.RESET, sent=True),
                    PostFailed(FailureReason.CONNECTION, sent=False),
                ]
            )
        return random.choice([200, 200, 202, 204])

    def _has_room(self, now: float) -> bool:
        assert self.rate is not None
        self._tokens = min(1.0 + self.rate * 0.0, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens >= 1.0 - 1e-9:
            self._tokens -= 1.0
            return True
        return False


ATTEMPT: ContextVar[tuple[Delivery, bool | None]] = ContextVar("attempt")
"""What is being sent, for those who write down what arrives."""


class Receivers:
    """All destinations, and what has reached them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.by_address: dict[str, Receiver] = {}
        self.receipts: list[Receipt] = []
        self.starts: list[tuple[float, datetime, UUID, UUID]] = []

    def add(self, receiver: Receiver) -> None:
        """One more destination."""
        self.by_address[receiver.address] = receiver

    def recover(self) -> None:
        """From now on all are well, but those that are gone."""
        for receiver in self.by_address.values():
            receiver.well = True

    async def request(self, address: str, body: bytes) -> "int | tuple[int, float]":
        """One request and its answer; raises `PostFailed`. Frozen past its deadline it ends as curl would end it."""
        world, random = self._world, self._world.random
        delivery, marked = ATTEMPT.get()
        receiver = self.by_address[address]
        started = world.monotonic()
        for member in delivery.members:
            self.starts.append((world.seconds, world.now(), member.id, member.recipient.id))
        await asyncio.sleep(random.uniform(0.001, 0.05))
        if world.monotonic() - started > DEADLINE:
            raise PostFailed(FailureReason.TIMEOUT, sent=False)
        reply = receiver.reply(world.seconds, delivery.id, random)
        if isinstance(reply, PostFailed) and not reply.sent:
            world.trace("not reached", address, delivery.id)
            await asyncio.sleep(random.choice([0.01, 1.0]))
            raise reply
        status = reply if isinstance(reply, int) else None if isinstance(reply, PostFailed) else reply[0]
        took = status is not None and 200 <= status < 300
        unheard = isinstance(reply, PostFailed)
        first = len(self.receipts)
        if took:
            receiver.took += 1
        if took or unheard:
            # One message, and what each of those heard whom it tells something.
            self.receipts += [
                Receipt(
                    first + place,
                    world.seconds,
                    world.now(),
                    str(OWNER.get()),
                    member.id,
                    member.recipient.id,
                    member.commitment_id,
                    member.event_id,
                    body,
                    marked if not delivery.others else None,
                    "unheard",
                )
                for place, member in enumerate(delivery.members)
            ]
        last = len(self.receipts)
        world.trace("received", address, delivery.id, status)
        slow = 0.0 if receiver.well else receiver.slow
        await asyncio.sleep(slow * random.random() + random.uniform(0.001, 0.05))
        if unheard:
            if reply.reason is FailureReason.TIMEOUT:  # type: ignore[union-attr]
                await asyncio.sleep(max(started + DEADLINE - world.monotonic(), 0.0))
            raise reply  # type: ignore[misc]
        if world.monotonic() - started > DEADLINE:
            raise PostFailed(FailureReason.TIMEOUT, sent=True)
        if took:
            for number in range(first, last):
                self.receipts[number] = Receipt(**{**_fields(self.receipts[number]), "answer": "took"})
        return reply  # type: ignore[return-value]


def _fields(receipt: Receipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in receipt.__dataclass_fields__}


class SimulatedHttp:
    """Stands where the HTTP client stands."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers

    async def post(self, url: str, headers: Sequence[str], body: bytes, deadline: float | None = None) -> Response:
        """Post once; raises `PostFailed`."""
        answer = await self._receivers.request(url, body)
        status, wait = answer if isinstance(answer, tuple) else (answer, None)
        return Response(status, {} if wait is None else {"retry-after": str(int(wait))}, b"")


class Watched:
    """A sender, and beside it the note of what it is at."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def send(self, delivery: Delivery, event: PublishedEvent, *rest: Any, **named: Any) -> AttemptOutcome:
        """Send once."""
        token = ATTEMPT.set((delivery, rest[0].is_overtaken if rest else None))
        try:
            return await self._inner.send(delivery, event, *rest, **named)
        finally:
            ATTEMPT.reset(token)


class SimulatedMail:
    """Stands where the mail sender stands; the channel reads its replies. No mail is laid out: that takes too long."""

    def __init__(self, receivers: Receivers, channel: Any) -> None:
        self._receivers = receivers
        self._channel = channel

    async def send(self, delivery: Delivery, event: PublishedEvent, *rest: Any, **named: Any) -> AttemptOutcome:
        """Mail once."""
        try:
            answer = await self._receivers.request(delivery.recipient.address, b"")
        except PostFailed as failure:
            if failure.sent:
                return Unknown(failure.reason)
            return Refused(failure.reason, retryable=True)
        status = answer if isinstance(answer, int) else answer[0]
        match status:
            case 200 | 202 | 204:
                return self._channel.read_reply(250)
            case 410:
                return self._channel.read_reply(550, recipient=True)
            case 400:
                return self._channel.read_reply(554)
            case _:
                return self._channel.read_reply(451)
