"""Commitments, as readers see them: in pages, and one with all that is known of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.commitments import CommitmentBrief
from contracts.events import Quote, StatementRef
from contracts.vocabulary import PartyCode, Status, Strength, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.paragraphs import passage
from services.registry.rules.status_history import PRESENT, AsOf
from services.registry.store.commitments import BRIEF, CHANGED_AT, DIFFERING_STATUSES, brief_from, quote_from
from services.registry.store.rows import Row, word_from
from services.registry.store.statements import policy_from
from services.registry.views.assessments import AssessmentEntry, assessments_of
from services.registry.views.milestones import (
    MilestoneEntry,
    MilestoneRecord,
    fields_of,
    milestones_of,
    schedules_of,
)
from services.registry.views.standings import Standing, commitments_at, standings
from services.registry.views.status_updates import StatusUpdateEntry, status_updates_of
from services.registry.wordings import read


class PartyStatusEntry(ResponseModel):
    """How one party stands."""

    party: PartyCode
    status: Status


class CommitmentEntry(CommitmentBrief):
    """A commitment in a list."""

    summary: Text
    strength: Strength
    status: Status
    """As a whole."""
    party_statuses: tuple[PartyStatusEntry, ...]
    version: int
    milestones: tuple[MilestoneEntry, ...]
    assessments: tuple[AssessmentEntry, ...]
    """The present view of each independent assessor; no status is reckoned from it."""
    changed_at: datetime | None
    """When another status or date was recorded last; null where it is as it was entered."""


class CommitmentList(ResponseModel):
    """One page of commitments, in the order of the statements and of their words."""

    items: tuple[CommitmentEntry, ...]
    next_cursor: str | None
    """Where the next page begins; none on the last one."""


class QuotePassage(ResponseModel):
    """The paragraph around the quote, and where the quote stands in it (characters, end exclusive)."""

    text: str
    start: int
    end: int


class CommitmentRecord(CommitmentBrief):
    """All that is known of a commitment."""

    statement: StatementRef
    quote: Quote
    passage: QuotePassage
    verb: str
    summary: Text
    strength: Strength
    lead_ministries: tuple[str, ...]
    status: Status
    """As a whole."""
    party_statuses: tuple[PartyStatusEntry, ...]
    version: int
    """For a status update's `expected_version`."""
    milestones: tuple[MilestoneRecord, ...]
    status_updates: tuple[StatusUpdateEntry, ...]
    """In the order in which the register took them in."""
    assessments: tuple[AssessmentEntry, ...]
    """What independent assessors say, the oldest first; no status is reckoned from it."""


# The order is that of the statements and of the words in them; the id only settles ties.
_ORDER = "st.made_on, c.statement_id, c.quote_start, c.id"
_HOW_IT_STANDS = f"c.summary, c.strength, c.status, c.version, {DIFFERING_STATUSES} as differing"
_WORDS = """
    concat_ws(e'\\n', c.quote,
              (select string_agg(t.words, e'\\n') from jsonb_each_text(c.title) as t(language, words)),
              (select string_agg(s.words, e'\\n') from jsonb_each_text(c.summary) as s(language, words)))
"""
"""In whatever languages they are there."""

_UNSEEN = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060\ufeff]"
"""Combining marks, and what nobody sees."""
_APOSTROPHES = "repeat(chr(39), 2)"
"""The typewriter's for the two typographic ones."""
_DASHES = "‐‒–—―−⁃⸺⸻"
"""Hyphens, dashes and minus signs that NFKD leaves; it makes one of these, or the keyboard's, of U+2011 and of wide and
small ones. Somebody's editor writes another than was typed, and nobody sees which it is."""


def _folded(sql: str) -> str:
    """Text as it is searched: compatibly equal letters (Unicode NFKD) are the same, with or without accents, in either
    case, with either apostrophe, any hyphen or dash, and whatever space."""
    letters = f"replace(replace(replace(lower(normalize({sql}, nfkd)), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss')"
    signs = f"translate({letters}, '’ʼ{_DASHES}', {_APOSTROPHES} || repeat('-', {len(_DASHES)}))"
    seen = f"regexp_replace({signs}, '{_UNSEEN}', '', 'g')"
    return f"regexp_replace({seen}, '\\s+', ' ', 'g')"


@dataclass(frozen=True)
class CommitmentFilter:
    """Which commitments; with a party, the status is that party's own."""

    party: PartyCode | None = None
    theme: str | None = None
    section: str | None = None
    status: Status | None = None
    due_from: date | None = None
    due_to: date | None = None
    words: str | None = None
    moment: AsOf = PRESENT
    """Of which day the statuses are, and as they were known on which."""
    ids: Collection[str] | None = None
    """One of these, where there is a choice of them."""
    changed_since: datetime | None = None
    """Another status or date was recorded since then."""


async def commitment_entries(
    connection: Connection, wanted: CommitmentFilter, limit: int, after: str | None
) -> list[CommitmentEntry] | None:
    """Commitments that follow on one, or the first ones; None where there is no such commitment to follow on."""
    if after and not await connection.fetchval("select true from commitment where id = $1", after):
        return None
    moment = wanted.moment
    then: list[str] | None = None
    if wanted.status and not moment.is_now:
        then = await commitments_at(connection, wanted.status, wanted.party, moment)
    rows = await connection.fetch(
        f"""
        select {BRIEF}, {_HOW_IT_STANDS}, {CHANGED_AT} as changed_at
        from commitment c join statement st on st.id = c.statement_id
        where ($1::text is null or $1 = any(c.parties))
          and ($2::text is null or $2 = any(c.themes))
          and ($3::text is null or c.section = $3)
          and ($10::text[] is null or c.id = any($10))
          and ($11::timestamptz is null or c.created_at <= $11)
          and ($12::text[] is null or c.id = any($12))
          and ($13::timestamptz is null or {CHANGED_AT} >= $13)
          and ($4::text is null or $10::text[] is not null or $4 = coalesce(
                (select s.status from commitment_party_status s where s.commitment_id = c.id and s.party = $1),
                c.status))
          and (($5::date is null and $6::date is null) or exists (
                select from milestone m
                join milestone_schedule d on d.milestone_id = m.id and d.version = m.schedule_version
                where m.commitment_id = c.id and ($1::text is null or $1 = any(m.parties))
                  and d.latest >= coalesce($5, '-infinity') and d.latest <= coalesce($6, 'infinity')))
          and ($7::text is null or strpos({_folded(_WORDS)}, nullif({_folded("$7::text")}, '')) > 0)
          and ($8::text is null or ({_ORDER}) > (
                select {_ORDER} from commitment c join statement st on st.id = c.statement_id where c.id = $8))
        order by {_ORDER} limit $9
        """,
        wanted.party,
        wanted.theme,
        wanted.section,
        wanted.status,
        wanted.due_from,
        wanted.due_to,
        wanted.words,
        after,
        limit,
        then,
        moment.known_at,
        wanted.ids,
        wanted.changed_since,
    )
    ids = [row["id"] for row in rows]
    milestones = await milestones_of(connection, ids)
    stood = await standings(connection, rows, moment)
    views = await assessments_of(connection, ids, moment)
    return [
        CommitmentEntry(
            **_how_it_stands(row, stood[row["id"]]),
            milestones=tuple(milestones.get(row["id"], [])),
            assessments=tuple(one for one in views.get(row["id"], ()) if one.is_newest),
            changed_at=row["changed_at"],
        )
        for row in rows
    ]


async def commitment_record(
    connection: Connection, commitment_id: str, moment: AsOf = PRESENT
) -> CommitmentRecord | None:
    """All that is known of a commitment, its statuses as of a moment; None where it was not known by then."""
    row = await connection.fetchrow(
        f"""
        select {BRIEF}, {_HOW_IT_STANDS}, c.quote, c.quote_start, c.quote_end, c.verb, c.lead_ministries, c.created_at,
               st.title as statement_title, st.made_on, st.url, st.sha256, st.text, st.paragraphs, st.reading_policy
        from commitment c join statement st on st.id = c.statement_id where c.id = $1
        """,
        commitment_id,
    )
    if row is None or (moment.known_at is not None and row["created_at"] > moment.known_at):
        return None
    quote = quote_from(row)
    words, start, end = passage(row["text"], row["paragraphs"], quote.start, quote.end)
    milestones = (await milestones_of(connection, [commitment_id])).get(commitment_id, [])
    schedules = await schedules_of(connection, [milestone.id for milestone in milestones])
    policy = policy_from(row["reading_policy"])
    return CommitmentRecord(
        **_how_it_stands(row, (await standings(connection, [row], moment))[commitment_id]),
        statement=StatementRef(
            id=row["statement_id"],
            title=Text.model_validate(row["statement_title"]),
            made_on=row["made_on"],
            url=row["url"],
            sha256=row["sha256"],
        ),
        quote=quote,
        passage=QuotePassage(text=words, start=start, end=end),
        verb=row["verb"],
        lead_ministries=tuple(row["lead_ministries"]),
        milestones=tuple(
            MilestoneRecord(
                **fields_of(one),
                schedules=tuple(schedules[one.id]),
                read_as=read(one.wording, one.wording_language, row["made_on"], policy),
            )
            for one in milestones
        ),
        status_updates=await status_updates_of(connection, commitment_id, moment),
        assessments=(await assessments_of(connection, [commitment_id], moment)).get(commitment_id, ()),
    )


def _how_it_stands(row: Row, standing: Standing) -> dict[str, Any]:
    """What lists and records say alike, of a row with `BRIEF` and `_HOW_IT_STANDS`."""
    return fields_of(brief_from(row)) | {
        "summary": Text.model_validate(row["summary"]),
        "strength": word_from(Strength, row["strength"]),
        "status": standing.status,
        "party_statuses": tuple(
            PartyStatusEntry(party=party, status=status) for party, status in standing.party_statuses.items()
        ),
        "version": row["version"],
    }
