"""Deliveries in hand, in one lane for each destination: fair between lanes, bounded within each, a thread in order.

What is in hand of one thread was claimed together, as its first that have not ended (`turns`). Here the next of it
starts when the end of the one before has been recorded, and goes back when that one has not ended. Were it to start
sooner, a process that dies in between would leave both to be sent again: the older one after the newer.

A dead or slow destination fills its own lane only, and a lane that does not keep up is given less to hold. Pure: time
comes as an argument, in monotonic seconds, since a receiver's health has nothing to do with business time.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.notifier.channels import MAILED
from services.notifier.channels.outcomes import AttemptOutcome, Deferred, FailureReason, Refused, Unknown
from services.notifier.delivery.deliveries import Capacity, Delivery
from services.notifier.delivery.lane import Lane

_MAIL = "mail"
_UNANSWERED = frozenset(
    {FailureReason.TIMEOUT, FailureReason.CONNECTION, FailureReason.RESET, FailureReason.NAME, FailureReason.TLS}
)
_MOST_UNANSWERED = 3
"""So many unanswered attempts in a row, and the lane rests."""
_LONGEST_REST = 60.0


@dataclass
class Lanes:
    """All lanes of a process. `pool` bounds what is on its way at once, `hold` what is in hand."""

    pool: int
    hold: int
    each: int
    """In flight to one destination."""
    mails: int
    in_flight: int = 0
    in_hand: int = 0
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _ready: deque[Lane] = field(default_factory=deque)
    _timed: dict[Lane, None] = field(default_factory=dict)
    """Those that hold something with a slot, in the order in which they came."""

    @property
    def share(self) -> int:
        """How many of one destination may be in hand while it keeps up."""
        return max(self.hold // 8, self.each)

    def add(self, delivery: Delivery) -> None:
        """Take a claimed delivery in hand."""
        lane = self._lane(delivery)
        lane.wait(delivery)
        lane.subscriptions.add(delivery.recipient.id)
        self.in_hand += 1
        if delivery.slot is not None:
            lane.begin_round(delivery.destination, delivery.slot.round)
            self._timed[lane] = None
        self._queue(lane)

    def starts(self, now: float) -> Iterator[Delivery]:
        """Those that may start now, one from each lane in turn."""
        for lane in self._timed:
            self._queue(lane)
        while self._ready and self.in_flight < self.pool:
            lane = self._ready.popleft()
            lane.queued = False
            if lane.resting_until > now:
                continue
            delivery = lane.next(now)
            if delivery is None:
                continue
            lane.start(delivery, now)
            lane.threads[delivery.thread] = delivery
            lane.in_flight += 1
            self.in_flight += 1
            self._queue(lane)
            yield delivery

    def next_slot(self) -> float | None:
        """When the next that waits for its time may start, or None where nothing does."""
        if not self._timed:
            return None
        self._timed = {lane: None for lane in self._timed if any(d.slot for d in lane.waiting)}
        return min((at for lane in self._timed if (at := lane.next_slot()) is not None), default=None)

    def begin_rounds(self, rounds: Mapping[bytes, int]) -> None:
        """Destinations have said to wait, to whomever it was: what has a slot from before that does not start."""
        for lane in self._timed:
            for destination in lane.rounds.keys() & rounds.keys():
                lane.begin_round(destination, rounds[destination])

    def paced(self) -> set[bytes]:
        """Destinations for which something waits that has a slot."""
        return {delivery.destination for lane in self._timed for delivery in lane.waiting if delivery.slot}

    def room_at_a_pace(self) -> int:
        """How many more may wait for their time: half of what is in hand at most, and the rest is for all others."""
        return max(self.hold // 2 - sum(1 for lane in self._timed for d in lane.waiting if d.slot), 0)

    def closed(self, now: float) -> set[bytes]:
        """Destinations of which nothing more is to be taken in hand now."""
        return {
            lane.destination
            for lane in self._lanes.values()
            if lane.destination is not None and (lane.resting_until > now or lane.holds >= self.share)
        }

    def next_opening(self, now: float) -> float | None:
        """When the first lane has rested that rests now, or None where none does."""
        return min((lane.resting_until for lane in self._lanes.values() if lane.resting_until > now), default=None)

    def takes_mail(self, now: float) -> bool:
        """Whether mail may be taken in hand."""
        mail = self._lanes.get(_MAIL)
        return mail is None or self._left(mail, now) > 0

    def done(
        self, delivery: Delivery, outcome: AttemptOutcome | None, now: float, *, is_settled: bool
    ) -> list[Delivery]:
        """An attempt has ended, or came to nothing (None); the lane learns from it.

        Gives those that go back unsent, because what has to arrive before them has not settled.
        """
        lane = self._lane(delivery)
        if not is_settled:
            lane.threads.pop(delivery.thread, None)
        lane.end(delivery, now)
        lane.in_flight -= 1
        self.in_flight -= 1
        self.in_hand -= 1
        match outcome:
            case Deferred(everybody=False) if lane.destination is None:
                lane.unanswered = 0  # it was said about one mailbox
            case Deferred() if delivery.slot is not None:
                lane.unanswered = 0
                lane.begin_round(delivery.destination, delivery.slot.round + 1)
            case Deferred(seconds=asked):
                self._rest(lane, now, min(max(asked or 1.0, 1.0), _LONGEST_REST))
            case Refused(reason=reason) | Unknown(reason=reason) if reason in _UNANSWERED:
                lane.unanswered += 1
                if lane.unanswered >= _MOST_UNANSWERED:
                    self._rest(lane, now, min(2.0 ** (lane.unanswered - _MOST_UNANSWERED), _LONGEST_REST))
            case None:
                pass
            case _:
                lane.unanswered = 0
                if not lane.holds:  # it kept up, so it may hold twice as many the next time
                    lane.allowance = min(lane.allowance * 2, self.share)
        back = [] if is_settled else self._out_of(lane, lane.waiting_of(delivery.thread))
        self._queue(lane)
        self._forget(lane, now)
        return back

    def recorded(self, delivery: Delivery, *, is_ours: bool) -> list[Delivery]:
        """The end of a delivery has been recorded, so the next of its thread may start.

        Where its lease was lost somebody else has the thread, and what is in hand of it goes back: it is given.
        """
        lane = self._lanes.get(_key(delivery))
        if lane is None or lane.threads.get(delivery.thread) is not delivery:
            return []
        del lane.threads[delivery.thread]
        back = [] if is_ours else self._out_of(lane, lane.waiting_of(delivery.thread))
        self._queue(lane)
        return back

    def holds_more_of(self, delivery: Delivery) -> bool:
        """Whether something waits for a delivery's end to be recorded."""
        lane = self._lanes.get(_key(delivery))
        return lane is not None and delivery.thread in lane.followers

    def take_back(self, now: float, oldest: float) -> list[Delivery]:
        """Those that go back unsent: of resting lanes all, otherwise what was claimed before `oldest`."""
        back: list[Delivery] = []
        for lane in self._lanes.values():
            if not lane.waiting:
                continue
            stale = [d for d in lane.waiting if lane.resting_until > now or d.claimed < oldest or lane.has_passed(d)]
            if stale:
                lane.allowance = max(lane.allowance // 2, 1)
                back += self._out_of(lane, stale)
        return back

    def capacity(self, now: float) -> Capacity:
        """What may be claimed now."""
        limited: dict[UUID, int] = {}
        mail = self._lanes.get(_MAIL)
        for lane in self._lanes.values():
            if lane is mail:
                continue
            left = 0 if lane.resting_until > now else lane.allowance - lane.holds
            if left < self.share:
                limited.update(dict.fromkeys(lane.subscriptions, max(left, 0)))
        return Capacity(
            total=max(self.hold - self.in_hand, 0),
            each=self.share,
            mail=self.share if mail is None else self._left(mail, now),
            limited=limited,
        )

    def _out_of(self, lane: Lane, deliveries: list[Delivery]) -> list[Delivery]:
        """Take these out of what waits; the same again."""
        if deliveries:
            lane.leave(deliveries)
            self.in_hand -= len(deliveries)
        return deliveries

    def _left(self, lane: Lane, now: float) -> int:
        return 0 if lane.resting_until > now else max(lane.allowance - lane.holds, 0)

    def _lane(self, delivery: Delivery) -> Lane:
        key = _key(delivery)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self.mails if key == _MAIL else self.each, self.share)
            lane.destination = None if key == _MAIL else delivery.destination
        return lane

    def _queue(self, lane: Lane) -> None:
        if not lane.queued and lane.waiting and lane.in_flight < lane.limit:
            lane.queued = True
            self._ready.append(lane)

    def _rest(self, lane: Lane, now: float, seconds: float) -> None:
        lane.resting_until = max(lane.resting_until, now + seconds)
        lane.allowance = 1

    def _forget(self, lane: Lane, now: float) -> None:
        """A lane that holds nothing and has nothing against it need not be remembered."""
        healthy = lane.unanswered == 0 and lane.resting_until <= now and lane.allowance >= self.share
        if healthy and not lane.holds:
            del self._lanes[lane.key]


def _key(delivery: Delivery) -> str:
    return _MAIL if delivery.recipient.channel in MAILED else delivery.recipient.address
