"""What the HTTP interface shows, read from the rows in one snapshot for each answer."""

import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from contracts.events import Evidence, Reporter, StatementRef
from contracts.vocabulary import CommitmentBrief, Country, Language, Milestone, Source, Status, Strength, Text
from services.plumbing.database import Connection, Database
from services.registry.http import forms as interface
from services.registry.http.paging import BadCursor, read_cursor, write_cursor
from services.registry.rules.paragraphs import passage
from services.registry.store import (
    BRIEF,
    DIFFERING,
    SCHEDULED_MILESTONE,
    Row,
    brief_from,
    milestone_from,
    policy_from,
    quote_from,
    source_from,
    span_from,
    standing_from,
)
from services.registry.wordings import read

# The order is that of the statements and of the words in them; the id only settles ties.
_ORDER = "st.made_on, c.statement_id, c.quote_start, c.id"
_HOW_IT_STANDS = f"c.summary, c.strength, c.status, c.version, {DIFFERING} as differing"

_WORDS = (
    "concat_ws(e'\\n', c.quote, "
    + ", ".join(f"c.{what} ->> '{language}'" for what in ("title", "summary") for language in Language)
    + ")"
)


@dataclass(frozen=True)
class Filter:
    """Which commitments; with a country, the status is that country's own."""

    country: Country | None = None
    theme: str | None = None
    section: str | None = None
    status: Status | None = None
    due_from: date | None = None
    due_to: date | None = None
    words: str | None = None


@contextlib.asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection on which all reads see the same moment."""
    async with database.connection() as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def commitment_list(
    connection: Connection, wanted: Filter, limit: int, cursor: str | None
) -> interface.CommitmentList:
    """One page; raises `BadCursor` for a cursor that names nothing here."""
    after = read_cursor(cursor) if cursor is not None else None
    if after and not await connection.fetchval("select true from commitment where id = $1", after):
        raise BadCursor("Use the `next_cursor` of an answer as it is, or none")
    rows = await connection.fetch(
        f"""
        select {BRIEF}, {_HOW_IT_STANDS}
        from commitment c join statement st on st.id = c.statement_id
        where ($1::text is null or $1 = any(c.countries))
          and ($2::text is null or $2 = any(c.themes))
          and ($3::text is null or c.section = $3)
          and ($4::text is null or $4 = coalesce(
                (select s.status from commitment_country_status s where s.commitment_id = c.id and s.country = $1),
                c.status))
          and (($5::date is null and $6::date is null) or exists (
                select from milestone m
                join milestone_schedule d on d.milestone_id = m.id and d.version = m.schedule_version
                where m.commitment_id = c.id and ($1::text is null or $1 = any(m.countries))
                  and d.latest >= coalesce($5, '-infinity') and d.latest <= coalesce($6, 'infinity')))
          and ($7::text is null or strpos(lower({_WORDS}), lower($7)) > 0)
          and ($8::text is null or ({_ORDER}) > (
                select {_ORDER} from commitment c join statement st on st.id = c.statement_id where c.id = $8))
        order by {_ORDER} limit $9
        """,
        wanted.country,
        wanted.theme,
        wanted.section,
        wanted.status,
        wanted.due_from,
        wanted.due_to,
        wanted.words,
        after,
        limit + 1,
    )
    page = rows[:limit]
    milestones = await _milestones_of(connection, [row["id"] for row in page])
    items = tuple(_entry(row, milestones.get(row["id"], [])) for row in page)
    return interface.CommitmentList(items=items, next_cursor=write_cursor(items[-1].id) if len(rows) > limit else None)


async def commitment_record(connection: Connection, commitment_id: str) -> interface.CommitmentRecord | None:
    """All that is known of a commitment."""
    row = await connection.fetchrow(
        f"""
        select {BRIEF}, {_HOW_IT_STANDS}, c.quote, c.quote_start, c.quote_end, c.verb, c.lead_ministries,
               st.title as statement_title, st.made_on, st.url, st.sha256, st.text, st.paragraphs, st.reading_policy
        from commitment c join statement st on st.id = c.statement_id where c.id = $1
        """,
        commitment_id,
    )
    if row is None:
        return None
    quote = quote_from(row)
    words, start, end = passage(row["text"], row["paragraphs"], quote.start, quote.end)
    milestones = (await _milestones_of(connection, [commitment_id])).get(commitment_id, [])
    schedules = await _schedules_of(connection, [milestone.id for milestone in milestones])
    policy = policy_from(row["reading_policy"])
    return interface.CommitmentRecord(
        **_fields(brief_from(row)),
        statement=StatementRef(
            id=row["statement_id"],
            title=Text.model_validate(row["statement_title"]),
            made_on=row["made_on"],
            url=row["url"],
            sha256=row["sha256"],
        ),
        quote=quote,
        passage=interface.Passage(text=words, start=start, end=end),
        verb=row["verb"],
        summary=Text.model_validate(row["summary"]),
        strength=Strength(row["strength"]),
        lead_ministries=tuple(row["lead_ministries"]),
        status=Status(row["status"]),
        country_statuses=_country_statuses(row),
        version=row["version"],
        milestones=tuple(
            interface.MilestoneRecord(
                **_fields(one),
                schedules=tuple(schedules[one.id]),
                read_as=read(one.wording, one.wording_language, row["made_on"], policy),
            )
            for one in milestones
        ),
        status_updates=await _status_updates_of(connection, commitment_id),
    )


async def status_update(connection: Connection, event_id: UUID) -> interface.StatusUpdate:
    """One entry of a history."""
    row = await connection.fetchrow("select * from status_update where event_id = $1", event_id)
    if row is None:
        raise LookupError(event_id)
    return _status_update(row)


async def milestone_entry(connection: Connection, milestone_id: str) -> interface.MilestoneEntry | None:
    """A milestone as it is scheduled now."""
    row = await connection.fetchrow(f"{SCHEDULED_MILESTONE} where m.id = $1", milestone_id)
    return None if row is None else _milestone(row)


async def schedule_version(connection: Connection, milestone_id: str) -> int | None:
    """Which of a milestone's schedules holds."""
    version: int | None = await connection.fetchval(
        "select schedule_version from milestone where id = $1", milestone_id
    )
    return version


async def statement_list(connection: Connection) -> interface.StatementList:
    """All statements."""
    rows = await connection.fetch(f"{_STATEMENT} order by made_on, id")
    return interface.StatementList(
        items=tuple(interface.StatementEntry.model_validate(dict(row), strict=False) for row in rows)
    )


async def statement_record(connection: Connection, statement_id: str) -> interface.StatementRecord | None:
    """A statement with its words."""
    row = await connection.fetchrow(f"{_STATEMENT} where id = $1", statement_id)
    if row is None:
        return None
    copies = await connection.fetch(
        "select url, sha256, received_at from statement_copy where statement_id = $1 order by received_at, url, sha256",
        statement_id,
    )
    return interface.StatementRecord.model_validate(
        {**dict(row), "copies": [dict(copy) for copy in copies]}, strict=False
    )


async def anchor_list(connection: Connection) -> interface.AnchorList:
    """All anchors."""
    rows = await connection.fetch(f"{_ANCHOR} order by id")
    return interface.AnchorList(items=tuple(interface.AnchorEntry(**_anchor(row)) for row in rows))


async def anchor_entry(connection: Connection, anchor_id: str) -> interface.AnchorEntry | None:
    """An anchor as it is now."""
    row = await connection.fetchrow(f"{_ANCHOR} where id = $1", anchor_id)
    return None if row is None else interface.AnchorEntry(**_anchor(row))


async def anchor_record(connection: Connection, anchor_id: str) -> interface.AnchorRecord | None:
    """An anchor with all that became known of it."""
    row = await connection.fetchrow(f"{_ANCHOR} where id = $1", anchor_id)
    if row is None:
        return None
    news = await connection.fetch("select * from anchor_news where anchor_id = $1 order by id", anchor_id)
    return interface.AnchorRecord(
        **_anchor(row),
        news=tuple(
            interface.AnchorNews(
                span=span_from(one),
                local_time=one["local_time"],
                change=one["change"],
                source=Source.model_validate(one["source"]),
                known_on=one["known_on"],
                recorded_at=one["recorded_at"],
                recorded_by=one["recorded_by"],
            )
            for one in news
        ),
    )


_STATEMENT = """
    select id, title, made_on, url, sha256, countries, sections, themes, text, language, reading_policy,
           (select count(*) from commitment c where c.statement_id = statement.id) as commitments
    from statement
"""
_ANCHOR = """
    select id, title, zone, edtf, earliest, latest, precision, local_time, source, known_on, outcome, successor_id,
           array(select m.id from milestone m where m.anchor_id = anchor.id order by m.id) as milestones
    from anchor
"""


def _anchor(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "zone": row["zone"],
        "span": span_from(row),
        "local_time": row["local_time"],
        "source": row["source"],
        "known_on": row["known_on"],
        "outcome": row["outcome"],
        "successor_id": row["successor_id"],
        "milestones": tuple(row["milestones"]),
    }


def _entry(row: Row, milestones: Collection[interface.MilestoneEntry]) -> interface.CommitmentEntry:
    return interface.CommitmentEntry(
        **_fields(brief_from(row)),
        summary=Text.model_validate(row["summary"]),
        strength=Strength(row["strength"]),
        status=Status(row["status"]),
        country_statuses=_country_statuses(row),
        version=row["version"],
        milestones=tuple(milestones),
    )


def _fields(model: CommitmentBrief | Milestone | interface.MilestoneEntry) -> dict[str, Any]:
    """A model's fields as they are, to be part of a larger one."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def _country_statuses(row: Row) -> tuple[interface.CountryStatus, ...]:
    return tuple(
        interface.CountryStatus(country=country, status=status) for country, status in standing_from(row).items()
    )


async def _milestones_of(
    connection: Connection, commitment_ids: Collection[str]
) -> dict[str, list[interface.MilestoneEntry]]:
    """Milestones by commitment, the next one first and the undated last."""
    rows = await connection.fetch(
        f"{SCHEDULED_MILESTONE} where m.commitment_id = any($1::text[]) order by s.latest nulls last, m.id",
        list(commitment_ids),
    )
    found: dict[str, list[interface.MilestoneEntry]] = {}
    for row in rows:
        found.setdefault(row["commitment_id"], []).append(_milestone(row))
    return found


def _milestone(row: Row) -> interface.MilestoneEntry:
    return interface.MilestoneEntry(
        **_fields(milestone_from(row)), commitment_id=row["commitment_id"], schedule_version=row["schedule_version"]
    )


async def _schedules_of(connection: Connection, milestone_ids: Collection[str]) -> dict[str, list[interface.Schedule]]:
    rows = await connection.fetch(
        "select * from milestone_schedule where milestone_id = any($1::text[]) order by version", list(milestone_ids)
    )
    found: dict[str, list[interface.Schedule]] = {milestone_id: [] for milestone_id in milestone_ids}
    for row in rows:
        found[row["milestone_id"]].append(
            interface.Schedule(
                version=row["version"],
                span=span_from(row),
                change=row["change"],
                source=source_from(row["source"]),
                known_on=row["known_on"],
                recorded_at=row["recorded_at"],
            )
        )
    return found


async def _status_updates_of(connection: Connection, commitment_id: str) -> tuple[interface.StatusUpdate, ...]:
    rows = await connection.fetch(
        "select * from status_update where commitment_id = $1 order by version", commitment_id
    )
    return tuple(_status_update(row) for row in rows)


def _status_update(row: Row) -> interface.StatusUpdate:
    return interface.StatusUpdate(
        event_id=row["event_id"],
        version=row["version"],
        country=row["country"],
        previous=row["from_status"],
        status=row["to_status"],
        overall=row["overall"],
        note=row["note"],
        evidence=None if row["evidence"] is None else Evidence.model_validate(row["evidence"]),
        reported_by=Reporter(client=row["client"], ministry=row["ministry"]),
        reported_at=row["reported_at"],
        recorded_at=row["recorded_at"],
    )
