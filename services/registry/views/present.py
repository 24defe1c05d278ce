"""The present of all commitments, and from where on a reader who has it misses nothing."""

from collections.abc import AsyncIterator

from contracts.topics import COMMITMENT_STATE
from contracts.vocabulary import Count, Slug
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.store.commitment_states import INCLUDED, all_present_commitments


class TopicOffset(ResponseModel):
    """From which offset on to read a partition."""

    topic: Slug
    partition: Count
    offset: int


class SnapshotHead(ResponseModel):
    """The first line of a snapshot."""

    commitments: int
    """How many lines follow."""
    position: tuple[TopicOffset, ...]
    """Where to read on. A partition that isn't named is read from its beginning."""


async def snapshot_lines(connection: Connection) -> AsyncIterator[bytes]:
    """A line that says where to read on, and one for each commitment, in a transaction of one snapshot.

    What lies below the position was published from rows that this snapshot holds. What came later, in the rows or on
    the topics, lies at the position or behind: so what follows may repeat what the lines say, and lacks nothing.
    """
    count = await connection.fetchval("select count(*) from commitment")
    rows = await connection.fetch(
        "select topic, partition, next_offset from topic_position where topic = any($1::text[])"
        " order by topic, partition",
        [*INCLUDED, COMMITMENT_STATE.name],
    )
    position = tuple(TopicOffset(topic=r["topic"], partition=r["partition"], offset=r["next_offset"]) for r in rows)
    yield SnapshotHead(commitments=count, position=position).model_dump_json().encode() + b"\n"
    async for present in all_present_commitments(connection):
        yield present.model_dump_json().encode() + b"\n"
