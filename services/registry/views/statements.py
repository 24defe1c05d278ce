"""Statements, as readers see them."""

from datetime import date, datetime

from contracts.vocabulary import Country, Language, Slug, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.catalogue.contents import Section, Theme
from services.registry.wordings import ReadingPolicy


class StatementEntry(ResponseModel):
    """A source document."""

    id: Slug
    title: Text
    made_on: date
    url: str | None
    sha256: str
    countries: tuple[Country, ...]
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    commitments: int
    """How many commitments of it are in the register."""
    language: Language
    """The language of its words."""
    reading_policy: ReadingPolicy
    """How its time words are read."""


class FoundCopy(ResponseModel):
    """Where else the same words were found."""

    url: str
    sha256: str
    received_at: datetime


class StatementRecord(StatementEntry):
    """A source document with its words."""

    text: str
    """Whitespace-collapsed; the positions of quotes count its characters."""
    copies: tuple[FoundCopy, ...]
    """Where else the same words were found, in the order in which they came."""


class StatementList(ResponseModel):
    """All statements, in the order in which they were made."""

    items: tuple[StatementEntry, ...]


_STATEMENT = """
    select id, title, made_on, url, sha256, countries, sections, themes, text, language, reading_policy,
           (select count(*) from commitment c where c.statement_id = statement.id) as commitments
    from statement
"""


async def statement_list(connection: Connection) -> StatementList:
    """All statements."""
    rows = await connection.fetch(f"{_STATEMENT} order by made_on, id")
    return StatementList(items=tuple(StatementEntry.model_validate(dict(row), strict=False) for row in rows))


async def statement_record(connection: Connection, statement_id: str) -> StatementRecord | None:
    """A statement with its words."""
    row = await connection.fetchrow(f"{_STATEMENT} where id = $1", statement_id)
    if row is None:
        return None
    copies = await connection.fetch(
        "select url, sha256, received_at from statement_copy where statement_id = $1 order by received_at, url, sha256",
        statement_id,
    )
    return StatementRecord.model_validate({**dict(row), "copies": [dict(copy) for copy in copies]}, strict=False)
