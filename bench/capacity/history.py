"""Years of deliveries in a minute: what was really delivered, multiplied in the tables; and what one row takes."""

from collections.abc import Sequence

import asyncpg

TABLES = ("event", "delivery", "delivery_attempt")


async def multiply(connection: asyncpg.Connection, deliveries: int) -> int:
    """Copy the events, deliveries and attempts that there are until there are so many deliveries; how many there are.

    Each copy is of an event of its own and stands in a thread of its own, settled like the first.
    """
    there = int(await connection.fetchval("select count(*) from delivery"))
    times = max(0, -(-deliveries // there) - 1)
    if times:
        await connection.execute(
            "create temp table new_event as select id as old, gen_random_uuid() as new, n"
            f" from event, generate_series(1, {times}) n"
        )
        await connection.execute(
            "create temp table new_delivery as select d.id as old, uuidv7() as new, e.new as event_id, e.n"
            " from delivery d join new_event e on e.old = d.event_id"
        )
        await _copy(connection, "event", "new_event c on c.old = t.id", id="c.new")
        await _copy(
            connection,
            "delivery",
            "new_delivery c on c.old = t.id",
            id="c.new",
            event_id="c.event_id",
            thread="md5(t.thread::text || c.n)::uuid",
            commitment_id="t.commitment_id || '-' || c.n",
        )
        await _copy(connection, "delivery_attempt", "new_delivery c on c.old = t.delivery_id", delivery_id="c.new")
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    return int(await connection.fetchval("select count(*) from delivery"))


async def _copy(connection: asyncpg.Connection, table: str, mapped: str, **other: str) -> None:
    columns: Sequence[str] = [
        row["name"]
        for row in await connection.fetch(
            "select column_name as name from information_schema.columns where table_schema = current_schema()"
            " and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position",
            table,
        )
    ]
    values = ", ".join(other.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    await connection.execute(
        f"insert into {table} ({names}) overriding system value select {values} from {table} t join {mapped}",
        timeout=900,
    )


async def filled_tables(connection: asyncpg.Connection) -> list[str]:
    """The tables of the schema in which there are a thousand rows or more."""
    names = [
        row["name"]
        for row in await connection.fetch(
            "select table_name::text as name from information_schema.tables"
            " where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1"
        )
    ]
    return [name for name in names if int(await connection.fetchval(f"select count(*) from {name}")) >= 1000]


async def bytes_each(connection: asyncpg.Connection, tables: Sequence[str]) -> dict[str, float]:
    """What a row of each takes on disk, with its share of the indexes and of what is stored out of line."""
    found = {}
    for table in tables:
        rows = int(await connection.fetchval(f"select count(*) from {table}"))
        size = int(await connection.fetchval("select pg_total_relation_size($1::text::regclass)", table))
        found[table] = size / rows if rows else float("nan")
    return found
