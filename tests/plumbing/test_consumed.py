"""How far a database has read: it goes back where it is older than its group, and never forward."""

import pytest

from services.plumbing.database import Database
from services.plumbing.recovery.consumed import ConsumedPositions, Taken

pytestmark = pytest.mark.slow

A, B, C = ("t", 0), ("t", 1), ("t", 2)


async def test_an_older_database_is_read_from_where_it_is(database: Database) -> None:
    before = ConsumedPositions(database, "group")
    assert await before.save({A: Taken(0, 5), B: Taken(0, 7)}) == {}

    after = ConsumedPositions(database, "group")

    # A is as far, B and C are behind their group, and what a group never committed it reads from the beginning.
    assert await after.places_behind({A: 5, B: 9, C: 4}) == {B: 7, C: 0}
    assert await after.places_behind({A: None, B: 3, C: None}) == {}


async def test_what_was_read_ahead_of_the_database_is_read_again_and_not_counted(database: Database) -> None:
    positions = ConsumedPositions(database, "group")
    assert await positions.save({A: Taken(10, 12)}) == {A: 0}
    assert await positions.save({A: Taken(3, 12)}) == {}  # what came before, the topic has forgotten
    assert await positions.save({A: Taken(12, 13)}) == {}

    async with database.connection() as connection:
        await connection.execute("update consumed_position set next_offset = 5")  # an old backup, under our feet

    assert await positions.save({A: Taken(13, 14), B: Taken(0, 1)}) == {A: 5}
    assert await positions.save({A: Taken(5, 14)}) == {}
    async with database.connection() as connection:
        rows = await connection.fetch("select topic, partition, next_offset from consumed_position order by 2")
    assert [tuple(row) for row in rows] == [(*A, 14), (*B, 1)]


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(database: Database) -> None:
    assert await ConsumedPositions(database, "group").save({A: Taken(0, 1000)}) == {}
    positions = ConsumedPositions(database, "group")
    assert await positions.places_behind({A: None}) == {}

    assert await positions.save({A: Taken(0, 3)}) == {}

    assert await ConsumedPositions(database, "group").places_behind({A: 5}) == {A: 3}
