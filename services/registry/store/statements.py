"""Statements: their words, sections and themes, how their time words are read, and copies of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.commitments import Organisation
from contracts.events import StatementRef
from contracts.vocabulary import LanguageTag, PartyCode, Text
from services.plumbing.database import Connection
from services.registry.catalogue.contents import Section, Statement, Theme
from services.registry.store.rows import as_json
from services.registry.wordings import ReadingPolicy


@dataclass(frozen=True)
class StatementFacts:
    """A statement, as far as its commitments need it."""

    ref: StatementRef
    parties: tuple[PartyCode, ...]
    organisations: tuple[Organisation, ...]
    text: str
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    language: LanguageTag
    policy: ReadingPolicy

    @property
    def organisation_codes(self) -> frozenset[PartyCode]:
        """The parties that are no countries."""
        return frozenset(one.code for one in self.organisations)


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
        insert into statement (id, title, made_on, url, sha256, parties, published, text, paragraphs,
                               sections, themes, imported_at, language, organisations)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (id) do update set
            title = excluded.title, made_on = excluded.made_on, url = excluded.url, sha256 = excluded.sha256,
            parties = excluded.parties, published = excluded.published, text = excluded.text,
            paragraphs = excluded.paragraphs, sections = excluded.sections, themes = excluded.themes,
            organisations = excluded.organisations
        """,
        statement.id,
        as_json(statement.title),
        statement.made_on,
        statement.url,
        statement.sha256,
        list(statement.parties),
        published,
        statement.text,
        list(paragraphs),
        [section.model_dump(mode="json") for section in sections],
        [theme.model_dump(mode="json") for theme in themes],
        now,
        statement.language,
        [as_json(one) for one in statement.organisations],
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
        parties=tuple(row["parties"]),
        organisations=tuple(Organisation.as_kept(one) for one in row["organisations"]),
        text=row["text"],
        sections=tuple(Section.as_kept(section) for section in row["sections"]),
        themes=tuple(Theme.as_kept(theme) for theme in row["themes"]),
        language=row["language"],
        policy=policy_from(row["reading_policy"]),
    )


def policy_from(found: Any) -> ReadingPolicy:
    """A reading policy of its column."""
    return ReadingPolicy.model_validate(found, strict=False, extra="ignore")


async def texts_without(connection: Connection, statement_id: str, language: LanguageTag) -> str | None:
    """Something of a locked statement whose words are not there in a language; None where all are."""
    lacking: str | None = await connection.fetchval(
        """
        with of as (select * from statement where id = $1)
        select 'the statement' from of where not title ? $2
        union all
        select 'the section ' || (s ->> 'id') from of, jsonb_array_elements(of.sections) s where not s -> 'title' ? $2
        union all
        select 'the theme ' || (t ->> 'id') from of, jsonb_array_elements(of.themes) t where not t -> 'title' ? $2
        union all
        select c.id from commitment c where c.statement_id = $1 and not (c.title ? $2 and c.summary ? $2)
        union all
        select m.id from milestone m join commitment c on c.id = m.commitment_id
        where c.statement_id = $1 and not m.title ? $2
        limit 1
        """,
        statement_id,
        language,
    )
    return lacking


async def put_reading_policy(
    connection: Connection, statement_id: str, language: LanguageTag, policy: ReadingPolicy
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
