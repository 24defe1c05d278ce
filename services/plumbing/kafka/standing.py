"""The partitions of a group that stand still: since when, why, and how long each waits until it is tried again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition

from services.plumbing.retry import Backoff

LONGEST_STAND = 10.0
"""Seconds for which a partition, or a batch in hand, may stand still before its process counts as not ready."""


@dataclass
class _Stand:
    since: float
    backoff: Backoff
    offset: int
    reason: str


class StandingPartitions:
    """What one process knows of its partitions that stand still; each has a pause of its own.

    All moments are those of the clock that can't be set, in seconds.
    """

    def __init__(self, longest_pause: float) -> None:
        """Pauses grow up to so many seconds."""
        self._longest_pause = longest_pause
        self._stands: dict[TopicPartition, _Stand] = {}
        self._in_hand: tuple[float, tuple[TopicPartition, ...]] | None = None

    def take_in_hand(self, partitions: Iterable[TopicPartition], now: float) -> None:
        """A batch with records of these partitions is being worked on."""
        self._in_hand = (now, tuple(partitions))

    def put_down(self) -> None:
        """The batch in hand has ended, well or not."""
        self._in_hand = None

    def stand(self, partition: TopicPartition, offset: int, reason: str, now: float) -> float:
        """A partition goes no further than `offset`; how many seconds to wait until it is tried again."""
        known = self._stands.get(partition)
        if known is None or known.offset != offset:
            known = self._stands[partition] = _Stand(now, Backoff(self._longest_pause), offset, reason)
        known.reason = reason
        pause = known.backoff.pause
        known.backoff.grow()
        return pause

    def move(self, partition: TopicPartition) -> None:
        """A partition's records were taken."""
        self._stands.pop(partition, None)

    def forget_all_but(self, assigned: Collection[TopicPartition]) -> None:
        """Partitions that another member has now are its business."""
        for partition in self._stands.keys() - set(assigned):
            del self._stands[partition]

    def offset(self, partition: TopicPartition) -> int | None:
        """The first record that a standing partition waits with; None for one that moves."""
        found = self._stands.get(partition)
        return found.offset if found else None

    def seconds(self, now: float) -> dict[TopicPartition, float]:
        """For how long each partition has stood still; those that move are not in it."""
        found = {partition: now - stand.since for partition, stand in self._stands.items()}
        if self._in_hand:
            since, partitions = self._in_hand
            for partition in partitions:
                found[partition] = max(found.get(partition, 0.0), now - since)
        return found

    def troubles(self, now: float) -> list[str]:
        """What has stood still for `LONGEST_STAND` or longer, with the reason."""
        troubles = []
        for partition, seconds in sorted(self.seconds(now).items()):
            if seconds >= LONGEST_STAND:
                stand = self._stands.get(partition)
                reason = stand.reason if stand else "its records are still being worked on"
                troubles.append(
                    f"partition {partition.partition} of {partition.topic} stands still for {seconds:.0f} s: {reason}"
                )
        return troubles
