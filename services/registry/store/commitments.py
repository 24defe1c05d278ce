"""Commitments, and how each country that they bind stands."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.events import Quote
from contracts.vocabulary import CommitmentBrief, Country, Status
from services.plumbing.database import Connection
from services.registry.catalogue.contents import Commitment
from services.registry.rules.errors import AlreadyExists
from services.registry.rules.status import CountryStatuses
from services.registry.store.rows import Row, as_json

# What an event says of its commitment; the section's title is the statement's.
BRIEF = """
    c.id, c.statement_id, c.title, c.section, c.countries, c.themes,
    (select s -> 'title' from jsonb_array_elements(st.sections) as s where s ->> 'id' = c.section) as section_title
"""
DIFFERING_STATUSES = """
    (select coalesce(jsonb_object_agg(s.country, s.status), '{}')
     from commitment_country_status s where s.commitment_id = c.id)
"""


@dataclass(frozen=True)
class LockedCommitment:
    """A commitment whose row is locked until the transaction ends."""

    brief: CommitmentBrief
    country_statuses: CountryStatuses
    version: int


def brief_from(row: Row) -> CommitmentBrief:
    """What events carry of a commitment, from a row with the columns `BRIEF`."""
    return CommitmentBrief.model_validate({name: row[name] for name in CommitmentBrief.model_fields}, strict=False)


def quote_from(row: Row) -> Quote:
    """The quote of a commitment's row."""
    return Quote(text=row["quote"], start=row["quote_start"], end=row["quote_end"])


async def put_commitment(connection: Connection, statement_id: str, commitment: Commitment, now: datetime) -> bool:
    """Write a commitment, or bring its facts up to date; whether it is new.

    Its status, version and history are not facts of the statement, and stay. Raises `AlreadyExists` where the id
    belongs to another statement.
    """
    new = await connection.fetchval(
        """
        insert into commitment as c (id, statement_id, quote, quote_start, quote_end, verb, title, summary, section,
                                     countries, themes, strength, lead_ministries, status, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (id) do update set
            quote = excluded.quote, quote_start = excluded.quote_start, quote_end = excluded.quote_end,
            verb = excluded.verb, title = excluded.title, summary = excluded.summary, section = excluded.section,
            countries = excluded.countries, themes = excluded.themes, strength = excluded.strength,
            lead_ministries = excluded.lead_ministries
        where c.statement_id = excluded.statement_id
        returning xmax = 0
        """,
        commitment.id,
        statement_id,
        commitment.quote.text,
        commitment.quote.start,
        commitment.quote.end,
        commitment.verb,
        as_json(commitment.title),
        as_json(commitment.summary),
        commitment.section,
        list(commitment.countries),
        list(commitment.themes),
        commitment.strength,
        list(commitment.lead_ministries),
        Status.ANNOUNCED,
        now,
    )
    if new is None:
        raise AlreadyExists(f"There is a commitment {commitment.id} already, of another statement")
    return bool(new)


async def lock_commitments(connection: Connection, ids: Collection[str]) -> dict[str, LockedCommitment]:
    """Lock commitments, always in the same order, and read what an update needs; the unknown are left out."""
    # The lock first and alone: what is read beside it in one statement may be older than the lock.
    await connection.execute(
        "select from commitment where id = any($1::text[]) order by id for no key update", list(ids)
    )
    rows = await connection.fetch(
        f"""
        select {BRIEF}, c.status, c.version,
               {DIFFERING_STATUSES} as differing
        from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])
        """,
        list(ids),
    )
    return {row["id"]: LockedCommitment(brief_from(row), country_statuses_from(row), row["version"]) for row in rows}


def country_statuses_from(row: Row) -> dict[Country, Status]:
    """How each bound country stands, of a row with `countries`, `status` and the `differing` ones."""
    differing = {Country(country): Status(status) for country, status in row["differing"].items()}
    bound = [Country(country) for country in row["countries"]]
    return {country: differing.get(country, Status(row["status"])) for country in bound}


async def put_country_statuses(
    connection: Connection, commitment_id: str, country_statuses: CountryStatuses, overall: Status, version: int
) -> None:
    """Write how a locked commitment stands now."""
    await connection.execute(
        "update commitment set status = $2, version = $3 where id = $1", commitment_id, overall, version
    )
    await connection.execute("delete from commitment_country_status where commitment_id = $1", commitment_id)
    if len(set(country_statuses.values())) > 1:
        await connection.execute(
            "insert into commitment_country_status (commitment_id, country, status)"
            " select $1, c, s from unnest($2::text[], $3::text[]) as n(c, s)",
            commitment_id,
            list(country_statuses),
            list(country_statuses.values()),
        )


async def commitment_briefs(connection: Connection, commitment_ids: Collection[str]) -> dict[str, CommitmentBrief]:
    """What events carry of these commitments."""
    rows = await connection.fetch(
        f"select {BRIEF} from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])",
        list(commitment_ids),
    )
    return {row["id"]: brief_from(row) for row in rows}
