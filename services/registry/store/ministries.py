"""Ministries: bodies of parties that read topics and report."""

from collections.abc import Collection
from datetime import datetime

from contracts.vocabulary import MinistryCode
from services.plumbing.database import Connection
from services.registry.catalogue.contents import Ministry
from services.registry.store.rows import Row, as_json


async def add_ministry(connection: Connection, ministry: Ministry, client: str, now: datetime) -> bool:
    """Write a ministry; False where its code is taken."""
    status = await connection.execute(
        """
        insert into ministry (code, party, name, contact, created_at, created_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $5) on conflict do nothing
        """,
        ministry.code,
        ministry.party,
        as_json(ministry.name),
        ministry.contact,
        now,
        client,
    )
    return status == "INSERT 0 1"


async def put_ministry(connection: Connection, ministry: Ministry, now: datetime) -> bool:
    """Write what a ministry is called and how it is reached; False where there is none by its code and party."""
    status = await connection.execute(
        "update ministry set name = $3, contact = $4, changed_at = $5 where code = $1 and party = $2",
        ministry.code,
        ministry.party,
        as_json(ministry.name),
        ministry.contact,
        now,
    )
    return status == "UPDATE 1"


async def find_ministries(connection: Connection, codes: Collection[str] | None = None) -> dict[MinistryCode, Ministry]:
    """Ministries by their codes, in the order of these; all of them where no codes are given."""
    rows = await connection.fetch(
        "select code, party, name, contact from ministry where $1::text[] is null or code = any($1) order by code",
        None if codes is None else list(codes),
    )
    return {row["code"]: ministry_from(row) for row in rows}


def ministry_from(row: Row) -> Ministry:
    """A ministry of its row."""
    return Ministry.as_kept({name: row[name] for name in Ministry.model_fields})
