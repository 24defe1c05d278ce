"""Statements: their words, sections and themes, how their time words are read, and copies of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.events import StatementRef
from contracts.vocabulary import Country, Language, Text
from services.plumbing.database import Connection
from services.registry.catalogue.contents import Section, Statement, Theme
from services.registry.store.rows import as_json
from services.registry.wordings import ReadingPolicy


@dataclass(frozen=True)
class StatementFacts:
    """A statement, as far as its commitments need it."""

    ref: StatementRef
    countries: tuple[Country, ...]
    text: str
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    language: Language
    policy: ReadingPolicy


async def lock_imports(connection: Connection) -> None:
    """Let one import in at a time, until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(current_schema() || ' import', 0))")


async def put_statement(
    connection: Connection,
    statement: Statement,
    published: str,
    paragraphs: Sequence[int],
    sections: Iterable[Section],
    themes: Iterable[Theme],
    now: datetime,
) -> None:
    """Write a statement, or bring it up to date; how its words are to be read stays as it was set."""
    await connection.execute(
        """
        insert into statement (id, title, made_on, url, sha256, countries, published, text, paragraphs,
                               sections, themes, imported_at, language)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (id) do update set
            title = excluded.title, made_on = excluded.made_on, url = excluded.url, sha256 = excluded.sha256,
            countries = excluded.countries, published = excluded.published, text = excluded.text,
            paragraphs = excluded.paragraphs, sections = excluded.sections, themes = excluded.themes
        """,
        statement.id,
        as_json(statement.title),
        statement.made_on,
        statement.url,
        statement.sha256,
        list(statement.countries),
        published,
        statement.text,
        list(paragraphs),
        [section.model_dump(mode="json") for section in sections],
        [theme.model_dump(mode="json") for theme in themes],
        now,
        statement.language,
    )


async def find_statement(
    connection: Connection, statement_id: str, *, to_change: bool = False
) -> StatementFacts | None:
    """A statement, kept from being changed by others until the transaction ends."""
    lock = "for no key update" if to_change else "for share"
    row = await connection.fetchrow(f"select * from statement where id = $1 {lock}", statement_id)
    if row is None:
        return None
    return StatementFacts(
        ref=StatementRef(
            id=row["id"],
            title=Text.model_validate(row["title"]),
            made_on=row["made_on"],
            url=row["url"],
            sha256=row["sha256"],
        ),
        countries=tuple(Country(country) for country in row["countries"]),
        text=row["text"],
        sections=tuple(Section.model_validate(section) for section in row["sections"]),
        themes=tuple(Theme.model_validate(theme) for theme in row["themes"]),
        language=Language(row["language"]),
        policy=policy_from(row["reading_policy"]),
    )


def policy_from(found: Any) -> ReadingPolicy:
    """A reading policy of its column."""
    return ReadingPolicy.model_validate(found, strict=False)


async def put_reading_policy(
    connection: Connection, statement_id: str, language: Language, policy: ReadingPolicy
) -> None:
    """Write how a locked statement's words are to be read."""
    await connection.execute(
        "update statement set language = $2, reading_policy = $3 where id = $1",
        statement_id,
        language,
        policy.model_dump(mode="json"),
    )


async def add_copy(
    connection: Connection, statement_id: str, url: str, sha256: str, client: str, now: datetime
) -> None:
    """Note where else a statement's words were found; the same copy again is no other."""
    await connection.execute(
        "insert into statement_copy (statement_id, url, sha256, received_at, received_by) values ($1, $2, $3, $4, $5)"
        " on conflict do nothing",
        statement_id,
        url,
        sha256,
        now,
        client,
    )
