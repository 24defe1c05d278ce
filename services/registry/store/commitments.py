"""Commitments, and how each party that they bind stands."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.commitments import CommitmentBrief
from contracts.events import Quote
from contracts.vocabulary import PartyCode, Status
from services.plumbing.database import Connection
from services.plumbing.sentences import Sentence
from services.registry.catalogue.contents import Commitment
from services.registry.rules.errors import AlreadyExists
from services.registry.rules.status import PartyStatuses, overall
from services.registry.store.rows import Row, as_json, word_from

# What an event says of its commitment; the section's title is the statement's.
BRIEF = """
    c.id, c.statement_id, c.title, c.section, c.parties, c.themes,
    (select s -> 'title' from jsonb_array_elements(st.sections) as s where s ->> 'id' = c.section) as section_title,
    st.language,
    (select coalesce(jsonb_agg(o order by array_position(c.parties, o ->> 'code')), '[]')
     from jsonb_array_elements(st.organisations) as o where o ->> 'code' = any(c.parties)) as organisations
"""
CHANGED_AT = """
    greatest((select max(u.recorded_at) from status_update u where u.commitment_id = c.id),
             (select max(d.recorded_at) from milestone m join milestone_schedule d on d.milestone_id = m.id
              where m.commitment_id = c.id and d.version > 1))
"""
"""When another status or date of a commitment (`c`) was recorded last; null where it is as it was entered."""
DIFFERING_STATUSES = """
    (select coalesce(jsonb_object_agg(s.party, s.status), '{}')
     from commitment_party_status s where s.commitment_id = c.id)
"""


@dataclass(frozen=True)
class LockedCommitment:
    """A commitment whose row is locked until the transaction ends."""

    brief: CommitmentBrief
    statement_parties: tuple[PartyCode, ...]
    """Who made the statement, bound by this commitment or not."""
    party_statuses: PartyStatuses
    version: int


def brief_from(row: Row) -> CommitmentBrief:
    """What events carry of a commitment, from a row with the columns `BRIEF`."""
    return CommitmentBrief.as_kept({name: row[name] for name in CommitmentBrief.model_fields})


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
                                     parties, themes, strength, lead_ministries, status, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (id) do update set
            quote = excluded.quote, quote_start = excluded.quote_start, quote_end = excluded.quote_end,
            verb = excluded.verb, title = excluded.title, summary = excluded.summary, section = excluded.section,
            parties = excluded.parties, themes = excluded.themes, strength = excluded.strength,
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
        list(commitment.parties),
        list(commitment.themes),
        commitment.strength,
        list(commitment.lead_ministries),
        Status.ANNOUNCED,
        now,
    )
    if new is None:
        raise AlreadyExists(Sentence("There is a commitment %(id)s already, of another statement", id=commitment.id))
    return bool(new)


async def lock_commitments(connection: Connection, ids: Collection[str]) -> dict[str, LockedCommitment]:
    """Lock commitments, always in the same order, and read what an update needs; the unknown are left out."""
    # The lock first and alone: what is read beside it in one statement may be older than the lock.
    await connection.execute(
        "select from commitment where id = any($1::text[]) order by id for no key update", list(ids)
    )
    rows = await connection.fetch(
        f"""
        select {BRIEF}, c.status, c.version, st.parties as statement_parties,
               {DIFFERING_STATUSES} as differing
        from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])
        """,
        list(ids),
    )
    return {
        row["id"]: LockedCommitment(
            brief_from(row), tuple(row["statement_parties"]), party_statuses_from(row), row["version"]
        )
        for row in rows
    }


def party_statuses_from(row: Row) -> dict[PartyCode, Status]:
    """How each bound party stands, of a row with `parties`, `status` and the `differing` ones."""
    differing = {party: word_from(Status, status) for party, status in row["differing"].items()}
    return {party: differing.get(party, word_from(Status, row["status"])) for party in row["parties"]}


async def put_standings(connection: Connection, commitments: Collection[LockedCommitment]) -> None:
    """Write how locked commitments stand now: their parties, the whole by these, and the version."""
    ids = [one.brief.id for one in commitments]
    await connection.execute(
        "with gone as (delete from commitment_party_status where commitment_id = any($1::text[]))"
        " update commitment c set status = n.status, version = n.version"
        " from unnest($1::text[], $2::text[], $3::integer[]) as n(id, status, version) where c.id = n.id",
        ids,
        [overall(one.party_statuses.values()) for one in commitments],
        [one.version for one in commitments],
    )
    differing = [
        (one.brief.id, party, status)
        for one in commitments
        if len(set(one.party_statuses.values())) > 1
        for party, status in one.party_statuses.items()
    ]
    if differing:
        await connection.execute(
            "insert into commitment_party_status (commitment_id, party, status)"
            " select * from unnest($1::text[], $2::text[], $3::text[])",
            [commitment_id for commitment_id, _, _ in differing],
            [party for _, party, _ in differing],
            [status for _, _, status in differing],
        )


async def commitment_briefs(connection: Connection, commitment_ids: Collection[str]) -> dict[str, CommitmentBrief]:
    """What events carry of these commitments."""
    rows = await connection.fetch(
        f"select {BRIEF} from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])",
        list(commitment_ids),
    )
    return {row["id"]: brief_from(row) for row in rows}
