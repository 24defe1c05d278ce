"""A Kafka of the simulation: partitions, one group, and the hand-over when a member dies or is not heard of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from services.notifier.delivery.fan_out import IncomingEvent

if TYPE_CHECKING:
    from tests.simulation.processes import Process

SESSION_TIMEOUT = 10.0
"""Seconds without a sign, and a member's partitions are another's."""


@dataclass
class Partition:
    """Some events of a topic, in order; `committed` is where the group goes on after a hand-over."""

    events: list[IncomingEvent] = field(default_factory=list)
    committed: int = 0
    reader: "Process | None" = None
    position: int = 0


class SimulatedKafka:
    """Keeps events and hands them out, at least once."""

    def __init__(self, partitions: int) -> None:
        self._count = partitions
        self._partitions: dict[tuple[str, int], Partition] = {}
        self.published: list[IncomingEvent] = []
        self.read_at: dict[UUID, float] = {}
        """When a member was first done with an event, in seconds."""

    def publish(self, event: IncomingEvent) -> None:
        """Add an event; all of one topic about one commitment are in one partition."""
        place = sum(event.traits.commitment.encode()) % self._count
        self._partitions.setdefault((event.event.topic, place), Partition()).events.append(event)
        self.published.append(event)

    def assign(self, members: Iterable["Process"]) -> None:
        """Share the partitions out anew; who takes one over goes on behind what was committed."""
        here = sorted(members, key=str)
        for number, (_, partition) in enumerate(sorted(self._partitions.items())):
            reader = here[number % len(here)] if here else None
            if reader is not partition.reader:
                partition.reader, partition.position = reader, partition.committed

    def poll(self, member: "Process", most: int) -> list[tuple[Partition, int, IncomingEvent]]:
        """The next events of a member's partitions, with their places."""
        batch: list[tuple[Partition, int, IncomingEvent]] = []
        for _, partition in sorted(self._partitions.items()):
            if partition.reader is member:
                end = max(partition.position, min(len(partition.events), partition.position + most))
                batch += [(partition, place, partition.events[place]) for place in range(partition.position, end)]
                partition.position = end
        return batch

    def commit(self, member: "Process", batch: Iterable[tuple[Partition, int, IncomingEvent]]) -> None:
        """A batch is done; a partition that is another's by now does not move."""
        for partition, place, _ in batch:
            if partition.reader is member:
                partition.committed = max(partition.committed, place + 1)

    def back(self, member: "Process") -> None:
        """A batch has failed and comes again."""
        for partition in self._partitions.values():
            if partition.reader is member:
                partition.position = partition.committed

    @property
    def is_read(self) -> bool:
        """Whether the group has read everything."""
        return all(partition.committed == len(partition.events) for partition in self._partitions.values())
