"""The present of commitments, read in one statement each time, so of one moment; and which of them have to be told.

Triggers mark a commitment (`state_due`) in the transaction that changes what its state shows, whoever makes the change.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from contracts.commitment_state import IncludedEvents, PartyStatus, PresentCommitment
from contracts.topics import (
    COMMITMENT_ASSESSED,
    COMMITMENT_CREATED,
    COMMITMENT_STATE,
    MILESTONE_SCHEDULED,
    STATUS_CHANGED,
)
from services.plumbing.database import Connection, Database
from services.plumbing.waiting import OldestWaiting
from services.registry.store.commitments import BRIEF, CHANGED_AT, DIFFERING_STATUSES, brief_from, party_statuses_from
from services.registry.store.milestones import SCHEDULED_MILESTONE
from services.registry.store.rows import Row

INCLUDED = (COMMITMENT_CREATED.name, MILESTONE_SCHEDULED.name, STATUS_CHANGED.name, COMMITMENT_ASSESSED.name)
"""The topics of events whose effects a state shows."""

_MILESTONES = SCHEDULED_MILESTONE.replace("s.source,", "s.source, s.change, s.known_on, s.recorded_at,", 1)
_PRESENT = f"""
    select {BRIEF}, c.summary, c.strength, c.status, c.version, c.lead_ministries, c.verb,
           c.quote, c.quote_start, c.quote_end, {DIFFERING_STATUSES} as differing,
           {CHANGED_AT} as changed_at,
           st.title as statement_title, st.made_on, st.url, st.sha256,
           substring(st.text from p.opening + 1 for p.closing - p.opening) as passage, p.opening,
           (select coalesce(jsonb_agg(to_jsonb(m) order by m.latest nulls last, m.id), '[]')
            from ({_MILESTONES} where m.commitment_id = c.id) as m) as milestones,
           (select coalesce(jsonb_agg(to_jsonb(a) order by a.id), '[]') from anchor a
            where a.id in (select m.anchor_id from milestone m where m.commitment_id = c.id)) as anchors,
           (select coalesce(jsonb_agg(to_jsonb(v) order by v.recorded_at, v.number), '[]') from (
                select distinct on (client, party) *, client as assessor from assessment where commitment_id = c.id
                order by client, party, recorded_at desc, number desc) as v) as assessments,
           (select coalesce(jsonb_object_agg(s.topic, s.last), '{{}}') from outbox_seq s
            where s.key = c.id and s.topic = any($1::text[])) as reached
    from commitment c join statement st on st.id = c.statement_id cross join lateral (
        select coalesce((select max(s) from unnest(st.paragraphs) as s where s <= c.quote_start), 0) as opening,
               coalesce((select min(s) from unnest(st.paragraphs) as s where s >= c.quote_end) - 1, length(st.text))
                   as closing
    ) as p
"""
_OLDEST_DUE = """
with oldest as (select id, marked_at from state_due order by id limit 1)
select (select id from oldest) as oldest,
       (select extract(epoch from clock_timestamp() - marked_at) from oldest) as seconds, null as n
"""


async def is_any_due(connection: Connection) -> bool:
    """Whether any state may have to be told again: what is asked while nothing changes."""
    return bool(await connection.fetchval("select exists (select from state_due)"))


async def take_due(connection: Connection, limit: int) -> list[str]:
    """Take commitments whose state has to be told again, so many at most, and unmark them.

    One whose last state isn't published yet waits: so while Kafka is away there is one for each, however much changes.
    """
    rows = await connection.fetch(
        """
        with due as (
            select d.commitment_id from state_due d where not exists (
                select from outbox o where o.topic = $1 and o.key = d.commitment_id and o.published_at is null)
            group by d.commitment_id order by min(d.id) limit $2
        ), taken as (delete from state_due d using due where d.commitment_id = due.commitment_id)
        select commitment_id from due
        """,
        COMMITMENT_STATE.name,
        limit,
    )
    return [row["commitment_id"] for row in rows]


async def mark_due(connection: Connection, commitment_ids: Collection[str]) -> None:
    """Have states told whatever was told last: what the topic has is not what was written here."""
    await connection.execute("delete from commitment_state where commitment_id = any($1::text[])", list(commitment_ids))
    await connection.execute(
        "insert into state_due (commitment_id) select unnest($1::text[])", sorted(set(commitment_ids))
    )


async def present_commitments(connection: Connection, commitment_ids: Collection[str]) -> list[PresentCommitment]:
    """How these commitments stand, all at one moment; the unknown are left out."""
    rows = await connection.fetch(
        f"{_PRESENT} where c.id = any($2::text[]) order by c.id", list(INCLUDED), list(commitment_ids)
    )
    found = []
    for row in rows:
        found.append(_present(row))
        await asyncio.sleep(0)  # each takes a moment, in which nobody else would be answered
    return found


async def all_present_commitments(connection: Connection) -> AsyncIterator[PresentCommitment]:
    """How every commitment stands, in a transaction of one snapshot, by their ids."""
    async for row in connection.cursor(f"{_PRESENT} order by c.id", list(INCLUDED), prefetch=100):
        yield _present(row)


async def told_hashes(connection: Connection, commitment_ids: Collection[str]) -> dict[str, bytes]:
    """The SHA-256 of what was told last of these commitments."""
    rows = await connection.fetch(
        "select commitment_id, sha256 from commitment_state where commitment_id = any($1::text[])", list(commitment_ids)
    )
    return {row["commitment_id"]: row["sha256"] for row in rows}


async def put_told(connection: Connection, hashes: Sequence[tuple[str, bytes]]) -> None:
    """Note what is told now, and let go of what was told before: only the last state of a key is ever read again.

    Of those that are published the last one stays, by which the outbox is compared with the topic.
    """
    ids, digests = [id_ for id_, _ in hashes], [digest for _, digest in hashes]
    await connection.execute(
        "insert into commitment_state (commitment_id, sha256) select * from unnest($1::text[], $2::bytea[])"
        " on conflict (commitment_id) do update set sha256 = excluded.sha256",
        ids,
        digests,
    )
    await connection.execute(
        """
        delete from outbox o where o.topic = $1 and o.key = any($2::text[]) and o.at_offset is not null
        and o.id < (select max(p.id) from outbox p where p.topic = $1 and p.key = o.key and p.at_offset is not null)
        """,
        COMMITMENT_STATE.name,
        ids,
    )


def states_due(database: Database) -> OldestWaiting:
    """How long the oldest change waits for its state to be written."""
    return OldestWaiting(database, "states", _OLDEST_DUE)


def _present(row: Row) -> PresentCommitment:
    bound = party_statuses_from(row)
    reached: dict[str, int] = row["reached"]
    return PresentCommitment.as_kept(
        {
            "commitment": brief_from(row),
            "statement": {
                "id": row["statement_id"],
                "title": row["statement_title"],
                "made_on": row["made_on"],
                "url": row["url"],
                "sha256": row["sha256"],
            },
            "quote": {"text": row["quote"], "start": row["quote_start"], "end": row["quote_end"]},
            "passage": {
                "text": row["passage"],
                "start": row["quote_start"] - row["opening"],
                "end": row["quote_end"] - row["opening"],
            },
            "party_statuses": tuple(PartyStatus(party=party, status=status) for party, status in bound.items()),
            "milestones": [_milestone(one) for one in row["milestones"]],
            "anchors": [one | {"span": one} for one in row["anchors"]],
            "assessments": row["assessments"],
            "includes": tuple(IncludedEvents(topic=name, through=reached.get(name, 0)) for name in INCLUDED),
            **{
                name: row[name]
                for name in ("summary", "strength", "status", "version", "lead_ministries", "verb", "changed_at")
            },
        }
    )


def _milestone(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"milestone": found | {"span": found}}
