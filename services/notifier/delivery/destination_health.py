"""How the destinations do that deliveries go to: which of them fail, how much of what, and since when. Pure.

There may be a hundred thousand. So the metrics name only the worst of those that fail, by the first digits of their
destination (a keyed hash: no address can be read from it), and add up all others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

WINDOW = 900.0
"""Seconds: so long an attempt counts."""
MOST_NAMED = 20
"""Destinations with a label of their own at any time."""
MOST_KNOWN = 10_000
"""Destinations that are kept apart; what goes to more of them is only added up."""
OTHERS = "others"
DIGITS = 12
"""Of a destination, in hexadecimal, that name it: so many that two of one instance hardly share them."""
LONGEST_MEMORY = 172_800.0
"""Seconds without an attempt after which one that failed last is forgotten: the retry table has no longer pause."""
_STEP = 60.0


@dataclass(slots=True)
class _Tally:
    """The attempts at one destination, minute by minute."""

    channel: str
    steps: dict[int, list[int]] = field(default_factory=dict)
    """By the number of the minute: attempts, and those of them that failed."""
    failing_since: float | None = None
    """Since when no attempt has worked; None while the last one did."""
    tried_at: float = 0.0

    def record(self, now: float, *, failed: bool) -> None:
        self.tried_at = now
        step = self.steps.setdefault(int(now // _STEP), [0, 0])
        step[0] += 1
        step[1] += failed
        if not failed:
            self.failing_since = None
        elif self.failing_since is None:
            self.failing_since = now

    def forget(self, now: float) -> None:
        oldest = int((now - WINDOW) // _STEP)
        self.steps = {number: step for number, step in self.steps.items() if number > oldest}
        if now - self.tried_at > LONGEST_MEMORY:
            self.failing_since = None

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None or self.counts[1] > 0

    @property
    def counts(self) -> tuple[int, int]:
        return sum(step[0] for step in self.steps.values()), sum(step[1] for step in self.steps.values())


@dataclass(frozen=True)
class DestinationFigures:
    """What is shown of one destination, or of all that have no name, over the last `WINDOW` seconds."""

    destination: str
    channel: str
    attempts: int
    failed: int
    failing_seconds: float
    """Since the first of the failures that no success has followed; 0 for others."""

    @property
    def failing_share(self) -> float:
        """Between 0 and 1; who has not worked since the last attempts, which are longer ago, fails altogether."""
        return self.failed / self.attempts if self.attempts else float(self.failing_seconds > 0)


class DestinationHealth:
    """What this process has seen of each destination; `now` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Tally] = {}
        self._rest: dict[str, _Tally] = {}
        self._forgot_at = float("-inf")

    def record(self, destination: bytes, channel: str, now: float, *, failed: bool) -> None:
        """An attempt has ended; what a receiver put off is neither."""
        self._forget(now)
        tally = self._known.get(destination)
        if tally is None and len(self._known) < MOST_KNOWN:
            tally = self._known[destination] = _Tally(channel)
        if tally is None:
            tally = self._rest.setdefault(channel, _Tally(channel))
        tally.record(now, failed=failed)

    def figures(self, now: float) -> list[DestinationFigures]:
        """The worst destinations that fail, each by itself, then all others of each channel together."""
        self._forget(now, at_once=True)
        each = [(destination, _figures(destination, one, now)) for destination, one in self._known.items()]
        failing = [one for one in each if self._known[one[0]].is_failing]
        failing.sort(key=lambda one: (one[1].failing_share, one[1].failing_seconds, one[1].failed), reverse=True)
        named = dict(failing[:MOST_NAMED])
        rest = [tally for destination, tally in self._known.items() if destination not in named]
        return [*named.values(), *_added_up([*rest, *self._rest.values()])]

    def _forget(self, now: float, *, at_once: bool = False) -> None:
        """Drop what is too old; looked at each minute, since it looks at all."""
        if now - self._forgot_at < _STEP and not at_once:
            return
        self._forgot_at = now
        for tally in (*self._known.values(), *self._rest.values()):
            tally.forget(now)
        # Who fails is tried only once a day in the end, and fails all the while.
        self._known = {name: one for name, one in self._known.items() if one.steps or one.is_failing}
        self._rest = {name: one for name, one in self._rest.items() if one.steps}


def _figures(destination: bytes, tally: _Tally, now: float) -> DestinationFigures:
    failing_seconds = 0.0 if tally.failing_since is None else now - tally.failing_since
    return DestinationFigures(destination.hex()[:DIGITS], tally.channel, *tally.counts, failing_seconds)


def _added_up(tallies: Iterable[_Tally]) -> Iterator[DestinationFigures]:
    sums: dict[str, list[int]] = {}
    for tally in tallies:
        both = sums.setdefault(tally.channel, [0, 0])
        both[0] += tally.counts[0]
        both[1] += tally.counts[1]
    for channel, (attempts, failed) in sorted(sums.items()):
        yield DestinationFigures(OTHERS, channel, attempts, failed, 0.0)
