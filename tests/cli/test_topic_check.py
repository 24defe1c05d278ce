"""What `verify` finds on topics: gaps, numbers that are used twice, records of others, and what is not there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from services.cli.databases import schema_versions
from services.cli.topic_check import SeqLine, check_topics
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.recovery.comparison import PartitionBounds
from services.plumbing.recovery.taking_over import TopicRecord
from tests.conftest import FreshDatabase


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 3)), max_size=30))
def test_a_line_of_numbers_knows_its_gaps_and_what_was_used_twice(read: list[tuple[int, int]]) -> None:
    line, first_of = SeqLine(1), {}
    twice = 0
    for seq, which in read:
        line.read(seq, UUID(int=which))
        twice += first_of.setdefault(seq, which) != which

    assert line.used_twice == twice
    assert line.missing == len(set(range(1, max(first_of, default=0) + 1)) - set(first_of))


class OneTopic:
    """A topic of one partition with these records, as the reader of topics gives them."""

    def __init__(self, records: Sequence[TopicRecord]) -> None:
        self.records = list(records)

    @asynccontextmanager
    async def open(self, topics: object) -> AsyncIterator["OneTopic"]:
        yield self

    async def bounds(self) -> dict[Any, PartitionBounds]:
        return {("milestone-due", 0): PartitionBounds(0, len(self.records))}

    async def read(self, starts: object, ends: object) -> AsyncIterator[list[TopicRecord]]:
        if self.records:
            yield self.records


def record(offset: int, seq: int, id_: UUID | None = None, value: bytes | None = None) -> tuple[UUID, TopicRecord]:
    id_ = id_ or uuid4()
    value = value or to_json({"seq": seq, "id": str(id_)})
    return id_, TopicRecord("milestone-due", 0, offset, b"a", [("ce_id", str(id_).encode())], value, 0)


async def found_on(
    monkeypatch: pytest.MonkeyPatch, url: str, topic: Sequence[TopicRecord], written: Sequence[tuple[UUID, TopicRecord]]
) -> list[tuple[bool, str]]:
    """What the check says of a topic, when the outbox holds what was written."""
    monkeypatch.setattr(TopicReader, "open", OneTopic(topic).open)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("delete from scheduler.outbox")
        await connection.executemany(
            "insert into scheduler.outbox"
            " (event_id, topic, key, headers, value, created_at, published_at, at_partition, at_offset)"
            " values ($1, 'milestone-due', 'a', '{}', $2, now(), now(), 0, $3)",
            [(id_, one.value, one.offset) for id_, one in written],
        )
        return [(check.ok, check.found) for check in await check_topics(connection, None)]  # type: ignore[arg-type]
    finally:
        await connection.close()


async def test_each_fault_of_a_topic_is_found_and_named(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await fresh_database(schema_versions())
    good = [record(n, n + 1) for n in range(4)]
    topic = [one for _, one in good]

    assert await found_on(monkeypatch, url, topic, good) == [
        (True, "4 records read: 0 absent, 0 different, 0 unknown"),
        (True, "0 missing, 0 used twice"),
    ]
    repeat = record(4, 4, good[3][0])[1]
    assert (await found_on(monkeypatch, url, [*topic, repeat], good))[1] == (True, "0 missing, 0 used twice")
    gap = [record(n, seq) for n, seq in enumerate((1, 2, 4))]
    assert (await found_on(monkeypatch, url, [one for _, one in gap], gap))[1] == (False, "1 missing, 0 used twice")
    twice = [*good, record(4, 4)]
    assert (await found_on(monkeypatch, url, [one for _, one in twice], twice))[1] == (
        False,
        "0 missing, 1 used twice",
    )
    assert (await found_on(monkeypatch, url, topic, good[:3]))[0] == (
        False,
        "4 records read: 0 absent, 0 different, 1 unknown",
    )
    assert (await found_on(monkeypatch, url, topic[:3], [*good[:3], record(2, 4)]))[0] == (
        False,
        "3 records read: 1 absent, 0 different, 0 unknown",
    )
    other = [*topic[:3], record(3, 4, good[3][0], b'{"seq":4}')[1]]
    assert (await found_on(monkeypatch, url, other, good))[0] == (
        False,
        "4 records read: 0 absent, 1 different, 0 unknown",
    )
    junk = TopicRecord("milestone-due", 0, 4, b"a", [("ce_id", b"nonsense")], b"{", 0)
    assert (await found_on(monkeypatch, url, [*topic, junk], good))[0] == (
        True,
        "5 records read: 0 absent, 0 different, 0 unknown; 1 are no events",
    )
