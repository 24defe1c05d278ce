"""A notifier's doings, one step at a time, on a real database and a clock that a test sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifier.channels.outcomes import Delivered, FailureReason, Refused
from services.notifier.delivery.claims import DeliveryClaims
from services.notifier.delivery.deliveries import Attempt, Delivery, DeliveryResult, after_attempt, to_send
from services.notifier.delivery.event_cache import EventCache
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.openings import Openings
from services.notifier.delivery.recorder import ResultRecorder
from services.notifier.delivery.trial import Trial
from services.notifier.silences.silence import Silence
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.scenes import MUCH_CAPACITY, subscribe


@dataclass
class Desk:
    """A notifier's doings, one step at a time: it claims, tells and records, and its clock goes where it is set."""

    database: Database
    clock: SharedClock
    silences: list[Silence] = field(default_factory=list)
    trial: Trial | None = None
    """As it was read last."""
    refuses: bool = False
    told: list[tuple[datetime, tuple[Delivery, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.openings = Openings(lambda: self.silences, lambda: self.trial)
        self.claims = DeliveryClaims(self.database, lease_seconds=60)
        self.events = EventCache(self.database)
        self.recorder = ResultRecorder(self.database, self.events, self.clock, most=1000, seconds=0)
        self.fan_out = FanOut(self.database, lease_seconds=60, openings=self.openings)

    async def hear(self, *events: Any, at: datetime, settles: bool = True) -> None:
        """Write down events, and tell what may be told."""
        self.clock.set(at)
        fanned_out = await self.fan_out.apply(events, at, MUCH_CAPACITY)
        self.events.keep(one.event for one in events)
        await self.tell(fanned_out.claimed)
        if settles:
            await self.settle()

    async def settle(self) -> None:
        """Tell what is due by now."""
        while claimed := await self.claims.claim(self.clock.now(), MUCH_CAPACITY):
            await self.events.get_all(member.event_id for one in claimed for member in one.members)
            await self.tell(claimed)

    async def until(self, end: datetime) -> None:
        """Let time go by, from one thing that is due to the next."""
        while (due := await self.claims.next_due(self.clock.now())) is not None and due <= end:
            self.clock.set(due)
            await self.settle()
        self.clock.set(end)
        await self.settle()

    async def tell(self, claimed: Sequence[Delivery]) -> None:
        """Send what may be sent, and record what became of all."""
        now = self.clock.now()
        sent, results = to_send(
            claimed, now, lambda one: self.openings.of_delivery(one, self.events.kept(one.event_id), now)
        )
        for result in results:
            self.recorder.report(result)
        for delivery in sent:
            outcome = Refused(FailureReason.TIMEOUT, retryable=True) if self.refuses else Delivered(200)
            if not self.refuses:
                self.told.append((now, tuple(delivery.members)))
            result: DeliveryResult = after_attempt(delivery, Attempt(now, now, 1.0, outcome), 0.0)
            self.recorder.report(result)
        await self.recorder.flush()

    def news(self) -> list[tuple[datetime, list[UUID]]]:
        """What was told, and when."""
        return [(when, [member.event_id for member in members]) for when, members in self.told]

    async def rows(self) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch("select * from delivery order by position"))


async def mail(database: Database, address: str = "ana@sre.example", **more: Any) -> UUID:
    return await subscribe(database, address, channel="email", **more)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in Mexico City, so many days after the Monday; it is six hours behind all year."""
    return datetime(2026, 3, 2, 6, tzinfo=UTC) + timedelta(days=day, hours=hour, minutes=minute)
