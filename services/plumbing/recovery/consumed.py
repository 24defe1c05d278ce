"""How far the effects in this database reach in each topic that is read.

Kafka keeps the offsets of a group, and keeps them when the database is put back to an older state: then they are ahead,
and what lies between would never be read again. So the database keeps positions of its own, each written after the
effects that it stands for, and reading goes on from the smaller of both; inboxes recognise what is read twice.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from services.plumbing.database import Connection, Database
from services.plumbing.outbox import TopicPartition

# Not waited for: a position that a crash takes back only has records read once more.
_READ = """
select w.topic, w.partition, p.next_offset, set_config('synchronous_commit', 'off', true)
from unnest($2::text[], $3::integer[]) as w(topic, partition)
left join consumed_position p on p.consumer = $1 and p.topic = w.topic and p.partition = w.partition
order by w.topic, w.partition
"""
_WRITE = """
insert into consumed_position (consumer, topic, partition, next_offset)
select $1, t, p, o from unnest($2::text[], $3::integer[], $4::bigint[]) as n(t, p, o) order by t, p
on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset
"""


class Taken(NamedTuple):
    """Records of one partition whose effects are in the database: the first one's offset, and that of the next."""

    first: int
    next: int


class ConsumedPositions:
    """The positions of one group, as this process knows them."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._database = database
        self._consumer = consumer
        self._known: dict[TopicPartition, int | None] = {}

    async def places_behind(self, committed: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        """Where to go back to in partitions whose committed offset is ahead of this database; 0 for the beginning.

        A partition that the group has never committed is read from its beginning as it is.
        """
        async with self._database.transaction() as connection:
            positions = await self._read(connection, committed)
        self._known = positions
        return {
            place: position or 0
            for place, position in positions.items()
            if (offset := committed[place]) is not None and (position or 0) < offset
        }

    async def save(self, taken: Mapping[TopicPartition, Taken]) -> dict[TopicPartition, int]:
        """Write how far the effects reach now; the partitions that have to go back instead, and where to.

        Those are the ones of which the database knows less than when it was looked at last: it is another one now.
        """
        behind: dict[TopicPartition, int] = {}
        async with self._database.transaction() as connection:
            positions = await self._read(connection, taken)
            for place, position in positions.items():
                looked_at = place in self._known
                expected = self._known.get(place) if looked_at else taken[place].first
                if (position or 0) < (expected or 0):
                    behind[place] = position or 0
                self._known[place] = position
            reached = {place: one.next for place, one in taken.items() if place not in behind}
            if reached:
                await connection.execute(
                    _WRITE,
                    self._consumer,
                    [topic for topic, _ in reached],
                    [partition for _, partition in reached],
                    list(reached.values()),
                )
        self._known |= reached
        return behind

    async def _read(
        self, connection: Connection, places: Collection[TopicPartition]
    ) -> dict[TopicPartition, int | None]:
        ordered = sorted(places)
        rows = await connection.fetch(_READ, self._consumer, [t for t, _ in ordered], [p for _, p in ordered])
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
