"""Sums tell whether two sets of rows are the same, however much of either was pruned."""

from collections.abc import Set
from uuid import UUID

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing.retention.sums import RowSum, checksum, difference
from tests.conftest import FreshDatabase

IDS = st.sets(st.uuids(version=4), max_size=12)


def sum_of(ids: Set[UUID]) -> RowSum:
    return RowSum(len(ids), sum(int.from_bytes(id_.bytes[8:], signed=True) for id_ in ids))


def compared(said: Set[UUID], heard: Set[UUID], said_gone: Set[UUID], heard_gone: Set[UUID]) -> tuple[int, int]:
    """As `verify` asks: of the rows that are left those without their like, and the sums of what was pruned."""
    left, right = said - said_gone, heard - heard_gone
    return difference(sum_of(left - right), sum_of(right - left), sum_of(said_gone), sum_of(heard_gone))


@given(IDS, st.data())
def test_equal_sets_are_equal_whatever_was_pruned_of_each(ids: set[UUID], data: st.DataObject):
    part = st.sets(st.sampled_from(sorted(ids))) if ids else st.just(set[UUID]())
    assert compared(ids, ids, data.draw(part), data.draw(part)) == (0, 0)


@given(IDS, IDS, st.data())
def test_a_difference_is_told_whatever_was_pruned(said: set[UUID], heard: set[UUID], data: st.DataObject):
    parts = [st.sets(st.sampled_from(sorted(ids))) if ids else st.just(set[UUID]()) for ids in (said, heard)]
    said_gone, heard_gone = data.draw(parts[0]), data.draw(parts[1])
    found = compared(said, heard, said_gone, heard_gone)
    assert (sum(found) == 0) == (said == heard)
    if not said_gone and not heard_gone:
        assert found == (len(said - heard), len(heard - said))


async def test_the_database_sums_as_python_does(fresh_database: FreshDatabase):
    ids = {UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128) for n in range(1, 50)}
    connection = await asyncpg.connect(await fresh_database({}))
    row = await connection.fetchrow(f"select count(*), {checksum('id')} from unnest($1::uuid[]) as i(id)", list(ids))
    none = await connection.fetchval(f"select {checksum('id')} from unnest($1::uuid[]) as i(id)", [])
    await connection.close()
    assert RowSum(row[0], int(row[1])) == sum_of(ids)
    assert none == 0
