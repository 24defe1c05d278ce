"""Statements, as readers see them."""

from datetime import date, datetime
from typing import Any

from contracts.commitments import Organisation
from contracts.vocabulary import LanguageTag, PartyCode, Slug, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.catalogue.contents import Section, Theme
from services.registry.store.rows import Row
from services.registry.store.statements import policy_from
from services.registry.wordings import ReadingPolicy


class StatementEntry(ResponseModel):
    """A source document."""

    id: Slug
    title: Text
    made_on: date
    url: str | None
    sha256: str
    parties: tuple[PartyCode, ...]
    organisations: tuple[Organisation, ...]
    """What is to be known of each party that is no country."""
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    commitments: int
    """How many commitments of it are in the register."""
    language: LanguageTag
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
    select id, title, made_on, url, sha256, parties, organisations, sections, themes, text, language, reading_policy,
           (select count(*) from commitment c where c.statement_id = statement.id) as commitments
    from statement
"""


async def statement_list(connection: Connection) -> StatementList:
    """All statements."""
    rows = await connection.fetch(f"{_STATEMENT} order by made_on, id")
    return StatementList(items=tuple(StatementEntry(**_statement(row)) for row in rows))


async def statement_record(connection: Connection, statement_id: str) -> StatementRecord | None:
    """A statement with its words."""
    row = await connection.fetchrow(f"{_STATEMENT} where id = $1", statement_id)
    if row is None:
        return None
    copies = await connection.fetch(
        "select url, sha256, received_at from statement_copy where statement_id = $1 order by received_at, url, sha256",
        statement_id,
    )
    return StatementRecord(
        **_statement(row), text=row["text"], copies=tuple(FoundCopy.model_validate(dict(copy)) for copy in copies)
    )


def _statement(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "made_on": row["made_on"],
        "url": row["url"],
        "sha256": row["sha256"],
        "parties": row["parties"],
        "organisations": tuple(Organisation.as_kept(one) for one in row["organisations"]),
        "sections": tuple(Section.as_kept(one) for one in row["sections"]),
        "themes": tuple(Theme.as_kept(one) for one in row["themes"]),
        "commitments": row["commitments"],
        "language": row["language"],
        "reading_policy": policy_from(row["reading_policy"]),
    }
