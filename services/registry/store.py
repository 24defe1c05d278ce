"""The register's rows, read under a lock and written; every function works in its caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from contracts.events import Evidence, Quote, Reporter, StatementRef
from contracts.vocabulary import CommitmentBrief, Country, Language, Milestone, Offset, Source, Span, Status, Text
from services.plumbing.database import Connection
from services.registry.catalogue import Commitment, Section, Statement, Theme
from services.registry.rules.errors import AlreadyThere
from services.registry.rules.schedule_change import Change
from services.registry.rules.status import Standing
from services.registry.wordings import ReadingPolicy

Row = asyncpg.Record

# What an event says of its commitment; the section's title is the statement's.
BRIEF = """
    c.id, c.statement_id, c.title, c.section, c.countries, c.themes,
    (select s -> 'title' from jsonb_array_elements(st.sections) as s where s ->> 'id' = c.section) as section_title
"""
DIFFERING = """
    (select coalesce(jsonb_object_agg(s.country, s.status), '{}')
     from commitment_country_status s where s.commitment_id = c.id)
"""
SPAN = "edtf, earliest, latest, precision"
SCHEDULED_MILESTONE = """
    select m.id, m.commitment_id, m.wording, m.title, m.reading, m.countries, m.zone, m.anchor_id,
           m."offset", m.local_time, m.review_months, m.wording_language, m.schedule_version,
           s.edtf, s.earliest, s.latest, s.precision, s.source,
           (a.outcome = 'held' and m.reading = 'on' and m."offset" is null) is true as held
    from milestone m join milestone_schedule s on s.milestone_id = m.id and s.version = m.schedule_version
    left join anchor a on a.id = m.anchor_id
"""


@dataclass(frozen=True)
class HeldCommitment:
    """A commitment whose row is locked until the transaction ends."""

    brief: CommitmentBrief
    standing: Standing
    version: int


@dataclass(frozen=True)
class HeldMilestone:
    """A milestone whose row is locked, as it is scheduled now; without a source the statement says so."""

    commitment_id: str
    milestone: Milestone
    schedule_version: int
    source: Source | None


@dataclass(frozen=True)
class HeldAnchor:
    """An anchor whose row is locked, with its present date and what came of it."""

    id: str
    zone: str
    span: Span
    local_time: str | None
    source: Source
    known_on: date
    outcome: Literal["held", "cancelled"] | None
    successor_id: str | None


@dataclass(frozen=True)
class KnownStatement:
    """A statement, as far as its commitments need it."""

    ref: StatementRef
    countries: tuple[Country, ...]
    text: str
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    language: Language
    policy: ReadingPolicy


@dataclass(frozen=True)
class RecordedUpdate:
    """A status update to be written into the history."""

    event_id: UUID
    commitment_id: str
    version: int
    country: Country | None
    previous: Status
    status: Status
    overall: Status
    note: str | None
    evidence: Evidence | None
    reporter: Reporter
    report_id: UUID | None
    reported_at: datetime
    recorded_at: datetime


def span_from(row: Row) -> Span:
    """The span of a row's four columns."""
    return Span.model_validate({name: row[name] for name in Span.model_fields}, strict=False)


def brief_from(row: Row) -> CommitmentBrief:
    """What events say of a commitment, of a row with the columns `BRIEF`."""
    return CommitmentBrief.model_validate({name: row[name] for name in CommitmentBrief.model_fields}, strict=False)


def milestone_from(row: Row) -> Milestone:
    """A milestone of a row of `SCHEDULED_MILESTONE`."""
    facts = {name: row[name] for name in Milestone.model_fields if name != "span"}
    return Milestone.model_validate({**facts, "span": span_from(row)}, strict=False)


def source_from(found: Any) -> Source | None:
    """A source of its column."""
    return None if found is None else Source.model_validate(found)


def as_json(model: Text | Source | Evidence | Offset | None) -> dict[str, Any] | None:
    """What a jsonb column holds of a model."""
    return None if model is None else model.model_dump(mode="json")


# Statements


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


async def known_statement(
    connection: Connection, statement_id: str, *, to_change: bool = False
) -> KnownStatement | None:
    """A statement, kept from being changed by others until the transaction ends."""
    lock = "for no key update" if to_change else "for share"
    row = await connection.fetchrow(f"select * from statement where id = $1 {lock}", statement_id)
    if row is None:
        return None
    return KnownStatement(
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
    """Say how a locked statement's words are to be read."""
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


# Commitments


async def put_commitment(connection: Connection, statement_id: str, commitment: Commitment, now: datetime) -> bool:
    """Write a commitment, or bring its facts up to date; whether it is new.

    Its status, version and history are not facts of the statement, and stay. Raises `AlreadyThere` where the id
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
        raise AlreadyThere(f"There is a commitment {commitment.id} already, of another statement")
    return bool(new)


async def hold_commitments(connection: Connection, ids: Collection[str]) -> dict[str, HeldCommitment]:
    """Lock commitments, always in the same order, and read what an update needs; the unknown are left out."""
    # The lock first and alone: what is read beside it in one statement may be older than the lock.
    await connection.execute(
        "select from commitment where id = any($1::text[]) order by id for no key update", list(ids)
    )
    rows = await connection.fetch(
        f"""
        select {BRIEF}, c.status, c.version,
               {DIFFERING} as differing
        from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])
        """,
        list(ids),
    )
    return {row["id"]: HeldCommitment(brief_from(row), standing_from(row), row["version"]) for row in rows}


def standing_from(row: Row) -> dict[Country, Status]:
    """How each bound country stands, of a row with `countries`, `status` and the `differing` ones."""
    differing = {Country(country): Status(status) for country, status in row["differing"].items()}
    bound = [Country(country) for country in row["countries"]]
    return {country: differing.get(country, Status(row["status"])) for country in bound}


async def put_standing(
    connection: Connection, commitment_id: str, standing: Standing, overall: Status, version: int
) -> None:
    """Write how a locked commitment stands now."""
    await connection.execute(
        "update commitment set status = $2, version = $3 where id = $1", commitment_id, overall, version
    )
    await connection.execute("delete from commitment_country_status where commitment_id = $1", commitment_id)
    if len(set(standing.values())) > 1:
        await connection.execute(
            "insert into commitment_country_status (commitment_id, country, status)"
            " select $1, c, s from unnest($2::text[], $3::text[]) as n(c, s)",
            commitment_id,
            list(standing),
            list(standing.values()),
        )


async def add_status_update(connection: Connection, update: RecordedUpdate) -> None:
    """Add an entry to a commitment's history."""
    await connection.execute(
        """
        insert into status_update (event_id, commitment_id, version, country, from_status, to_status, overall, note,
                                   evidence, client, ministry, report_id, reported_at, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        update.event_id,
        update.commitment_id,
        update.version,
        update.country,
        update.previous,
        update.status,
        update.overall,
        update.note,
        as_json(update.evidence),
        update.reporter.client,
        update.reporter.ministry,
        update.report_id,
        update.reported_at,
        update.recorded_at,
    )


async def recorded_report(connection: Connection, ministry: str, report_id: UUID) -> tuple[object, ...] | None:
    """What the history says under a ministry's report: commitment, country, status, note and evidence."""
    row = await connection.fetchrow(
        "select commitment_id, country, to_status, note, evidence from status_update"
        " where ministry = $1 and report_id = $2",
        ministry,
        report_id,
    )
    if row is None:
        return None
    evidence = None if row["evidence"] is None else Evidence.model_validate(row["evidence"])
    return row["commitment_id"], row["country"], row["to_status"], row["note"], evidence


# Milestones and their dates


async def put_milestone(connection: Connection, commitment_id: str, milestone: Milestone) -> bool:
    """Write a milestone, or bring its facts up to date; whether it is new, and so needs its first schedule.

    Its date and time are not touched. Raises `AlreadyThere` where the id belongs to another commitment.
    """
    new = await connection.fetchval(
        """
        insert into milestone as m (id, commitment_id, wording, title, reading, countries, zone, anchor_id,
                                    "offset", review_months, wording_language, schedule_version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)
        on conflict (id) do update set
            wording = excluded.wording, title = excluded.title, reading = excluded.reading,
            countries = excluded.countries, zone = excluded.zone, anchor_id = excluded.anchor_id,
            "offset" = excluded."offset", review_months = excluded.review_months,
            wording_language = excluded.wording_language
        where m.commitment_id = excluded.commitment_id
        returning xmax = 0
        """,
        milestone.id,
        commitment_id,
        milestone.wording,
        as_json(milestone.title),
        milestone.reading,
        list(milestone.countries),
        milestone.zone,
        milestone.anchor_id,
        as_json(milestone.offset),
        milestone.review_months,
        milestone.wording_language,
    )
    if new is None:
        raise AlreadyThere(f"There is a milestone {milestone.id} already, of another commitment")
    return bool(new)


async def add_schedule(
    connection: Connection,
    milestone_id: str,
    version: int,
    span: Span,
    change: Change,
    source: Source | None,
    known_on: date | None,
    event_id: UUID,
    now: datetime,
    local_time: str | None,
) -> None:
    """Give a milestone another date and time; the old dates stay in its history."""
    await connection.execute(
        f"""
        insert into milestone_schedule (milestone_id, version, {SPAN}, change, source, known_on, recorded_at, event_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        milestone_id,
        version,
        span.edtf,
        span.earliest,
        span.latest,
        span.precision,
        change,
        as_json(source),
        known_on,
        now,
        event_id,
    )
    await connection.execute(
        "update milestone set (schedule_version, local_time) = ($2, $3) where id = $1",
        milestone_id,
        version,
        local_time,
    )


async def hold_milestones(connection: Connection, ids: Collection[str]) -> list[HeldMilestone]:
    """Lock scheduled milestones, always in the same order; the unknown are left out."""
    await connection.execute(
        "select from milestone where id = any($1::text[]) order by id for no key update", list(ids)
    )
    rows = await connection.fetch(f"{SCHEDULED_MILESTONE} where m.id = any($1::text[]) order by m.id", list(ids))
    return [
        HeldMilestone(r["commitment_id"], milestone_from(r), r["schedule_version"], source_from(r["source"]))
        for r in rows
    ]


async def followers_of(connection: Connection, anchor_id: str) -> list[str]:
    """Ids of the milestones that hang on an anchor."""
    return [r["id"] for r in await connection.fetch("select id from milestone where anchor_id = $1", anchor_id)]


async def without_anchor(connection: Connection, statement_id: str) -> list[str]:
    """Ids of a statement's milestones that hang on no anchor."""
    rows = await connection.fetch(
        "select m.id from milestone m join commitment c on c.id = m.commitment_id"
        " where c.statement_id = $1 and m.anchor_id is null",
        statement_id,
    )
    return [row["id"] for row in rows]


async def briefs(connection: Connection, commitment_ids: Collection[str]) -> dict[str, CommitmentBrief]:
    """What events say of these commitments."""
    rows = await connection.fetch(
        f"select {BRIEF} from commitment c join statement st on st.id = c.statement_id where c.id = any($1::text[])",
        list(commitment_ids),
    )
    return {row["id"]: brief_from(row) for row in rows}


# Anchors


async def add_anchor(connection: Connection, anchor: HeldAnchor, title: Text) -> bool:
    """Write a new anchor, or a known one's title; whether it is new. A known one keeps the date that it has now."""
    new = await connection.fetchval(
        f"""
        insert into anchor (id, title, zone, {SPAN}, local_time, source, known_on)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (id) do update set title = excluded.title
        returning xmax = 0
        """,
        anchor.id,
        as_json(title),
        anchor.zone,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        as_json(anchor.source),
        anchor.known_on,
    )
    return bool(new)


async def hold_anchors(connection: Connection, ids: Collection[str]) -> dict[str, HeldAnchor]:
    """Lock anchors, always in the same order; the unknown are left out."""
    rows = await connection.fetch(
        f"select id, zone, {SPAN}, local_time, source, known_on, outcome, successor_id"
        " from anchor where id = any($1::text[]) order by id for no key update",
        list(ids),
    )
    return {
        r["id"]: HeldAnchor(
            id=r["id"],
            zone=r["zone"],
            span=span_from(r),
            local_time=r["local_time"],
            source=Source.model_validate(r["source"]),
            known_on=r["known_on"],
            outcome=r["outcome"],
            successor_id=r["successor_id"],
        )
        for r in rows
    }


async def put_anchor(connection: Connection, anchor: HeldAnchor) -> None:
    """Write how a locked anchor stands now: its date, and what came of it."""
    await connection.execute(
        f"update anchor set ({SPAN}, local_time, source, known_on, outcome, successor_id)"
        " = ($2, $3, $4, $5, $6, $7, $8, $9, $10) where id = $1",
        anchor.id,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        as_json(anchor.source),
        anchor.known_on,
        anchor.outcome,
        anchor.successor_id,
    )


async def add_anchor_news(connection: Connection, anchor: HeldAnchor, change: str, client: str, now: datetime) -> None:
    """Add to what became known of an anchor, as it stands from then on."""
    await connection.execute(
        f"insert into anchor_news (anchor_id, {SPAN}, local_time, change, source, known_on, recorded_at, recorded_by)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        anchor.id,
        anchor.span.edtf,
        anchor.span.earliest,
        anchor.span.latest,
        anchor.span.precision,
        anchor.local_time,
        change,
        as_json(anchor.source),
        anchor.known_on,
        now,
        client,
    )


async def rehang(connection: Connection, milestone: Milestone) -> None:
    """Hang a locked milestone on another anchor, in whose calendar it may be counted."""
    await connection.execute(
        "update milestone set (anchor_id, zone) = ($2, $3) where id = $1",
        milestone.id,
        milestone.anchor_id,
        milestone.zone,
    )


def quote_from(row: Row) -> Quote:
    """The quote of a commitment's row."""
    return Quote(text=row["quote"], start=row["quote_start"], end=row["quote_end"])
