"""Ministries, as readers see them."""

from datetime import datetime

from contracts.topics import ingest_topic
from contracts.vocabulary import MinistryCode, PartyCode, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.store.rows import Row


class MinistryRecord(ResponseModel):
    """A body of a party that reads topics and reports."""

    code: MinistryCode
    party: PartyCode
    name: Text
    contact: str | None
    """A mail address or a page, for people."""
    reports_on: str
    """The topic on which it reports, once the operator has made it."""
    created_at: datetime
    changed_at: datetime


class MinistryList(ResponseModel):
    """All ministries."""

    items: tuple[MinistryRecord, ...]


async def ministry_list(connection: Connection) -> MinistryList:
    """All ministries, by their codes."""
    rows = await connection.fetch("select * from ministry order by code")
    return MinistryList(items=tuple(map(_record, rows)))


async def ministry_record(connection: Connection, code: str) -> MinistryRecord | None:
    """One ministry."""
    row = await connection.fetchrow("select * from ministry where code = $1", code)
    return None if row is None else _record(row)


def _record(row: Row) -> MinistryRecord:
    return MinistryRecord(
        code=row["code"],
        party=row["party"],
        name=Text.as_kept(row["name"]),
        contact=row["contact"],
        reports_on=ingest_topic(row["code"]).name,
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
