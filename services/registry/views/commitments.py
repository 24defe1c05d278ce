"""Commitments, as readers see them: in pages, and one with all that is known of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from contracts.events import Quote, StatementRef
from contracts.vocabulary import CommitmentBrief, Country, Language, Status, Strength, Text
from services.plumbing.database import Connection
from services.plumbing.http.forms import ResponseModel
from services.registry.rules.paragraphs import passage
from services.registry.store.commitments import BRIEF, DIFFERING_STATUSES, brief_from, country_statuses_from, quote_from
from services.registry.store.rows import Row
from services.registry.store.statements import policy_from
from services.registry.views.milestones import (
    MilestoneEntry,
    MilestoneRecord,
    fields_of,
    milestones_of,
    schedules_of,
)
from services.registry.views.status_updates import StatusUpdateEntry, status_updates_of
from services.registry.wordings import read


class CountryStatusEntry(ResponseModel):
    """How one country stands."""

    country: Country
    status: Status


class CommitmentEntry(CommitmentBrief):
    """A commitment in a list."""

    summary: Text
    strength: Strength
    status: Status
    """As a whole."""
    country_statuses: tuple[CountryStatusEntry, ...]
    version: int
    milestones: tuple[MilestoneEntry, ...]


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
    country_statuses: tuple[CountryStatusEntry, ...]
    version: int
    """For a status update's `expected_version`."""
    milestones: tuple[MilestoneRecord, ...]
    status_updates: tuple[StatusUpdateEntry, ...]
    """The oldest first."""


# The order is that of the statements and of the words in them; the id only settles ties.
_ORDER = "st.made_on, c.statement_id, c.quote_start, c.id"
_HOW_IT_STANDS = f"c.summary, c.strength, c.status, c.version, {DIFFERING_STATUSES} as differing"
_WORDS = (
    "concat_ws(e'\\n', c.quote, "
    + ", ".join(f"c.{what} ->> '{language}'" for what in ("title", "summary") for language in Language)
    + ")"
)

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
    """Which commitments; with a country, the status is that country's own."""

    country: Country | None = None
    theme: str | None = None
    section: str | None = None
    status: Status | None = None
    due_from: date | None = None
    due_to: date | None = None
    words: str | None = None


async def commitment_entries(
    connection: Connection, wanted: CommitmentFilter, limit: int, after: str | None
) -> list[CommitmentEntry] | None:
    """Commitments that follow on one, or the first ones; None where there is no such commitment to follow on."""
    if after and not await connection.fetchval("select true from commitment where id = $1", after):
        return None
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
          and ($7::text is null or strpos({_folded(_WORDS)}, nullif({_folded("$7::text")}, '')) > 0)
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
        limit,
    )
    milestones = await milestones_of(connection, [row["id"] for row in rows])
    return [_entry(row, milestones.get(row["id"], [])) for row in rows]


async def commitment_record(connection: Connection, commitment_id: str) -> CommitmentRecord | None:
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
    milestones = (await milestones_of(connection, [commitment_id])).get(commitment_id, [])
    schedules = await schedules_of(connection, [milestone.id for milestone in milestones])
    policy = policy_from(row["reading_policy"])
    return CommitmentRecord(
        **fields_of(brief_from(row)),
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
        summary=Text.model_validate(row["summary"]),
        strength=Strength(row["strength"]),
        lead_ministries=tuple(row["lead_ministries"]),
        status=Status(row["status"]),
        country_statuses=_country_statuses(row),
        version=row["version"],
        milestones=tuple(
            MilestoneRecord(
                **fields_of(one),
                schedules=tuple(schedules[one.id]),
                read_as=read(one.wording, one.wording_language, row["made_on"], policy),
            )
            for one in milestones
        ),
        status_updates=await status_updates_of(connection, commitment_id),
    )


def _entry(row: Row, milestones: Collection[MilestoneEntry]) -> CommitmentEntry:
    return CommitmentEntry(
        **fields_of(brief_from(row)),
        summary=Text.model_validate(row["summary"]),
        strength=Strength(row["strength"]),
        status=Status(row["status"]),
        country_statuses=_country_statuses(row),
        version=row["version"],
        milestones=tuple(milestones),
    )


def _country_statuses(row: Row) -> tuple[CountryStatusEntry, ...]:
    return tuple(
        CountryStatusEntry(country=country, status=status) for country, status in country_statuses_from(row).items()
    )
