"""Reads the topics, all of them from their beginning, and holds them against the outboxes of those who write them."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from contracts.envelope import UnreadableRecord, event_id_in
from contracts.topics import OWN, Topic
from services.cli.conservation import InvariantCheck
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.outbox import TopicPartition
from services.plumbing.recovery.comparison import PartitionBounds
from services.plumbing.recovery.taking_over import TopicRecord, seq_of

if TYPE_CHECKING:
    import asyncpg

Progress = Callable[[int, int], None]
"""Is told how many records of how many have been read."""

_KNOWN = "select event_id, value, at_offset from {schema}.outbox where event_id = any($1::uuid[])"
_PRUNED = """
select part, through from {schema}.pruned where name = 'outbox' and kind = $1 and part = any($2::text[])
"""
_LYING = """
select at_partition, count(*) as n from {schema}.outbox o
join unnest($2::integer[], $3::bigint[], $4::bigint[]) as b(partition, first, until) on b.partition = o.at_partition
where topic = $1 and published_at is not null and at_offset >= b.first and at_offset < b.until group by at_partition
"""
_UNPLACED = """
select count(*) from {schema}.outbox
where topic = $1 and published_at is not null and at_partition is not null and at_offset is null
"""
_NEWEST = """
select distinct on (key) key, event_id, value from {schema}.outbox where topic = $1 and published_at is not null
order by key, id desc
"""


@dataclass
class SeqLine:
    """The numbers of one key on one topic, in the order in which they were read.

    Eight bytes of an event's id for each number: enough to tell a repeat from another event with its number.
    """

    first: int
    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    missing: int = 0
    used_twice: int = 0

    def read(self, seq: int, event_id: UUID) -> None:
        """The next record's number."""
        mark, place = event_id.int & 0xFFFF_FFFF_FFFF_FFFF, seq - self.first
        if 0 <= place < len(self.ids):
            if self.ids[place] in (0, mark):
                self.missing -= self.ids[place] == 0
                self.ids[place] = mark
            else:
                self.used_twice += 1
            return
        gap = place - len(self.ids)
        if gap < 0:
            return  # a repeat of what the topic has forgotten
        self.missing += gap
        self.ids.extend([0] * gap)
        self.ids.append(mark)


class Newest(NamedTuple):
    """The record with the highest number of a key."""

    seq: int
    event_id: UUID
    digest: bytes


@dataclass
class TopicFindings:
    """What was found on the topics, in numbers."""

    read: int = 0
    unknown: int = 0
    different: int = 0
    forgotten: int = 0
    """Records that the database knew and has pruned since, a little before the topic lets go of them."""
    unreadable: int = 0
    """No events at all, so somebody else's: readers put them aside, and they are no fault of ours."""
    absent: int = 0
    lines: dict[tuple[str, str], SeqLine] = field(default_factory=dict)
    newest: dict[str, dict[str, Newest]] = field(default_factory=dict)
    """Of each compacted topic, by key."""

    def checks(self) -> list[InvariantCheck]:
        """What must hold."""
        missing = sum(line.missing for line in self.lines.values())
        twice = sum(line.used_twice for line in self.lines.values())
        return [
            InvariantCheck(
                "on the topics is what the database says, and nothing else",
                not (self.unknown or self.different or self.absent),
                f"{self.read} records read: {self.absent} absent, {self.different} different, {self.unknown} unknown"
                + (f"; {self.forgotten} pruned" if self.forgotten else "")
                + (f"; {self.unreadable} are no events" if self.unreadable else ""),
            ),
            InvariantCheck(
                "on the topics seq has no gap, and no number is used twice",
                not (missing or twice),
                f"{missing} missing, {twice} used twice",
            ),
        ]


async def check_topics(
    connection: "asyncpg.Connection",
    kafka: KafkaSettings,
    progress: Progress = lambda done, of: None,
    written: Sequence[Topic] = OWN,
) -> list[InvariantCheck]:
    """Read all topics that our services write; raises what `is_transient` where Kafka can't be reached.

    Nothing is kept of a record but a few bytes, and the database is asked for some hundred at a time.
    """
    found = TopicFindings()
    schemas = {topic.name: topic.writers[0] for topic in written}
    compacted = {topic.name for topic in written if topic.is_compacted}
    async with TopicReader(kafka).open(schemas) as topics:
        bounds = await topics.bounds()
        ends = {place: one.end for place, one in bounds.items()}
        total = sum(one.end - one.first for one in bounds.values())
        lying: Counter[TopicPartition] = Counter()
        async for batch in topics.read({place: one.first for place, one in bounds.items()}, ends):
            topic, partition = batch[0].topic, batch[0].partition
            begins = bounds[topic, partition].first == 0
            if topic in compacted:
                _remember_newest(batch, found)
            else:
                lying[topic, partition] += await _check_batch(connection, schemas[topic], batch, found, begins=begins)
            progress(found.read, total)
    for topic, schema in schemas.items():
        if topic in compacted:
            await _check_newest(connection, schema, topic, found)
        else:
            found.absent += await _absent(connection, schema, topic, bounds, lying)
    return found.checks()


def _remember_newest(batch: Sequence[TopicRecord], found: TopicFindings) -> None:
    """Of a compacted topic the newest record of each key counts: what it has overtaken may be gone here and there."""
    for record in batch:
        found.read += 1
        try:
            id_, value = event_id_in(record.headers), record.value or b"null"
            newest = Newest(seq_of(value), id_, sha256(value).digest())
        except ValueError:
            found.unreadable += 1
            continue
        key = (record.key or b"").decode(errors="replace")
        of_topic = found.newest.setdefault(record.topic, {})
        of_topic[key] = max(newest, of_topic.get(key, newest), key=lambda one: one.seq)


async def _check_newest(connection: "asyncpg.Connection", schema: str, topic: str, found: TopicFindings) -> None:
    """Hold the newest record of each key against what was published last."""
    read = dict(found.newest.get(topic, {}))
    for row in await connection.fetch(_NEWEST.format(schema=schema), topic):
        newest = read.pop(row["key"], None)
        if newest is None or newest.event_id != row["event_id"]:
            found.absent += 1
        else:
            found.different += newest.digest != sha256(row["value"]).digest()
    found.unknown += len(read)


async def _check_batch(
    connection: "asyncpg.Connection", schema: str, batch: Sequence[TopicRecord], found: TopicFindings, *, begins: bool
) -> int:
    """Hold some records of one partition against the outbox; how many lie where it says."""
    ids: list[UUID | None] = []
    for record in batch:
        try:
            ids.append(event_id_in(record.headers))
        except UnreadableRecord:
            ids.append(None)
    rows = await connection.fetch(_KNOWN.format(schema=schema), [id_ for id_ in ids if id_])
    known = {row["event_id"]: (row["value"], row["at_offset"]) for row in rows}
    through: dict[str, int] = {}
    if len(known) < len(batch):
        keys = list({(record.key or b"").decode(errors="replace") for record in batch})
        rows = await connection.fetch(_PRUNED.format(schema=schema), batch[0].topic, keys)
        through = {row["part"]: row["through"] for row in rows}
    lying = 0
    for record, id_ in zip(batch, ids, strict=True):
        found.read += 1
        if id_ is None or record.value is None or record.key is None:
            found.unreadable += 1
            continue
        value, at_offset = known.get(id_, (None, None))
        found.different += value is not None and value != record.value
        lying += at_offset == record.offset
        try:
            seq = seq_of(record.value)
        except ValueError:
            found.unreadable += 1
            continue
        is_pruned = value is None and seq <= through.get(record.key.decode(errors="replace"), 0)
        found.forgotten += is_pruned
        found.unknown += value is None and not is_pruned
        key = record.topic, record.key.decode(errors="replace")
        found.lines.setdefault(key, SeqLine(1 if begins else seq)).read(seq, id_)
    return lying


async def _absent(
    connection: "asyncpg.Connection",
    schema: str,
    topic: str,
    bounds: Mapping[TopicPartition, PartitionBounds],
    lying: Mapping[TopicPartition, int],
) -> int:
    """How many published events of a topic are not there, though it is younger than what it forgets."""
    of_topic = {partition: one for (name, partition), one in bounds.items() if name == topic}
    rows = await connection.fetch(
        _LYING.format(schema=schema),
        topic,
        list(of_topic),
        [one.first for one in of_topic.values()],
        [one.end for one in of_topic.values()],
    )
    absent: int = sum(row["n"] - lying.get((topic, row["at_partition"]), 0) for row in rows)
    return absent + int(await connection.fetchval(_UNPLACED.format(schema=schema), topic))
