"""One lane: what a process has in hand for one destination, and which of it may start now. Pure."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from services.notifier.delivery.deliveries import Delivery

_FORGETS = 1.05
"""By so much the quickest answer counts for slower with each that follows."""


@dataclass(slots=True, eq=False)
class Lane:
    """One destination: what waits for it, what is on its way, and how it has been doing."""

    key: str
    limit: int
    allowance: int
    waiting: deque[Delivery] = field(default_factory=deque)
    followers: dict[UUID, int] = field(default_factory=dict)
    """Of what waits, how many of each thread."""
    threads: dict[UUID, Delivery] = field(default_factory=dict)
    """By thread what is on its way, or has ended without its end having been recorded."""
    in_flight: int = 0
    queued: bool = False
    subscriptions: set[UUID] = field(default_factory=set)
    unanswered: int = 0
    resting_until: float = 0.0
    destination: bytes | None = None
    """None for mail, which leads to many."""
    free_at: float = 0.0
    """When the next that has a slot may start at the earliest."""
    started: dict[UUID, float] = field(default_factory=dict)
    """Of those on their way that have a slot, by their ids."""
    quickest: float = 0.0
    """Seconds from start to answer, of the quickest lately; 0 before the first."""
    rounds: dict[bytes, int] = field(default_factory=dict)
    """By destination: what was given a slot in an earlier round does not start any more."""

    def next(self, now: float) -> Delivery | None:
        """The first that may start now."""
        if self.in_flight >= self.limit:
            return None
        for place, delivery in enumerate(self.waiting):
            if delivery.thread not in self.threads and self._in_time(delivery, now):
                del self.waiting[place]
                self._no_longer_waits(delivery)
                return delivery
        return None

    def wait(self, delivery: Delivery) -> None:
        """Put it behind all that waits."""
        self.waiting.append(delivery)
        self.followers[delivery.thread] = self.followers.get(delivery.thread, 0) + 1

    def leave(self, deliveries: Collection[Delivery]) -> None:
        """These wait no longer."""
        gone = set(deliveries)
        self.waiting = deque(d for d in self.waiting if d not in gone)
        for delivery in gone:
            self._no_longer_waits(delivery)

    def waiting_of(self, thread: UUID) -> list[Delivery]:
        """What waits of a thread, in its order."""
        return [d for d in self.waiting if d.thread == thread] if thread in self.followers else []

    def _no_longer_waits(self, delivery: Delivery) -> None:
        left = self.followers.pop(delivery.thread) - 1
        if left:
            self.followers[delivery.thread] = left

    def next_slot(self) -> float | None:
        """When the first that waits for its time may start."""
        slots = [d.slot.at for d in self.waiting if d.slot and not self.has_passed(d)]
        return max(min(slots), self.free_at) if slots and self.in_flight < self.limit else None

    def _in_time(self, delivery: Delivery, now: float) -> bool:
        slot = delivery.slot
        return slot is None or (max(slot.at, self.free_at) <= now and not self.has_passed(delivery))

    def has_passed(self, delivery: Delivery) -> bool:
        """Whether the destination has told us to wait since this was given its slot."""
        slot = delivery.slot
        return slot is not None and slot.round < self.rounds.get(delivery.destination, 0)

    def start(self, delivery: Delivery, now: float) -> None:
        """A delivery with a slot starts: the next one keeps its distance."""
        if delivery.slot is not None and self.destination is not None:
            self.free_at = now + delivery.slot.gap
            self.started[delivery.id] = now

    def end(self, delivery: Delivery, now: float) -> None:
        """It was answered: it arrived just before, and perhaps long after its start. What counts is when it arrived."""
        started = self.started.pop(delivery.id, None)
        if started is None or delivery.slot is None:
            return
        took = now - started
        self.free_at = max(self.free_at, now - self.quickest + delivery.slot.gap)
        self.quickest = min(took, self.quickest * _FORGETS) if self.quickest else took

    def begin_round(self, destination: bytes, number: int) -> None:
        """The destination is in this round, or in a later one."""
        self.rounds[destination] = max(number, self.rounds.get(destination, 0))

    @property
    def holds(self) -> int:
        return len(self.waiting) + self.in_flight
