"""The catalogue: a statement's text, and what a careful reader finds in it, as data.

A folder holds the text as it was published, byte for byte, and four YAML files of what was read in it:
`statement.yaml`, `commitments.yaml`, `anchors.yaml` and `chronicle.yaml`. `load` reads such a folder, finds
every quote in the text and computes what can be computed (positions, days, zones), so none of it can drift
from the words. Another statement is another folder.

Positions count characters of the whitespace-collapsed text: the whole file, its front matter and the `**`
around its headings included, with every run of Unicode whitespace (line wraps and no-break spaces too)
made one space. Nothing else is touched: typographic apostrophes and the text's own slips stay. So anyone
can check a position with one line, `" ".join(text.split())[start:end]`.

How firmly the words bind is read from the verb of the undertaking, kept beside each quote:

- commit: commit, pledge (in the past too: "have pledged to", "We committed to", "have joined the … Pledge"),
  "will", "are taking concrete steps to"
- intend: intend, plan, seek, look to, look forward to, are determined to, considering, a shared goal, "with the
  goal of", "need to work together to", and a "will" that only searches ("will explore", "will also study",
  "will look at ways to")
- reaffirm: reaffirm, affirm our commitment, reiterate, remain committed, stand firm, are united in
- support: support
- invite: invite, encourage

The chronicle brings what became known from elsewhere, in the order of its table. A row known by the day of the
statement tells what an anchor's first span already holds; later rows move an anchor or report a status.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from contracts.events import Quote, StatementRef
from contracts.vocabulary import (
    CommitmentBrief,
    Contract,
    Country,
    Language,
    Line,
    Milestone,
    Offset,
    Reading,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
    WallTime,
)
from services.registry.rules.anchor_offset import hung, local_time_of, zone_of
from services.registry.rules.edtf_dates import last_capital_zone, span_of

HERE = Path(__file__).parent

Countries = Annotated[tuple[Country, ...], Field(min_length=1)]


class CatalogueError(ValueError):
    """The data and the text don't agree."""


class QuoteNotFound(CatalogueError):
    """The quoted words don't stand in the text."""


class QuoteAmbiguous(CatalogueError):
    """The quoted words stand in the text more than once, so they have no one position."""


class TextChanged(CatalogueError):
    """The text isn't the one that was read: its SHA-256 differs from the recorded one."""


class Statement(StatementRef):
    """A source document, with the words that were read."""

    language: Language = Language.EN
    """In which its time expressions are written."""
    countries: Countries
    """Who made it; a commitment binds all of them unless it says otherwise."""
    text: Annotated[str, Field(min_length=1)]
    """The whitespace-collapsed text, in which positions count."""


class Section(Contract):
    """A part of the statement; the words before the first heading have none."""

    id: Slug
    heading: Line | None
    title: Text


class Theme(Contract):
    """A subject that people follow; the list is closed."""

    id: Slug
    title: Text


class Commitment(Contract):
    """One undertaking, with the exact words that made it."""

    id: Slug
    quote: Quote
    verb: Line
    """The words that carry the undertaking, from the quote's own sentence."""
    strength: Strength
    section: Slug
    countries: Countries
    themes: Annotated[tuple[Slug, ...], Field(min_length=1)]
    title: Text
    summary: Text
    lead_ministries: tuple[Line, ...] = ()
    """Empty where the statement names none: nobody is put in charge by us."""
    milestones: tuple[Milestone, ...] = ()


class Anchor(Contract):
    """An event whose date is known only roughly at first, and moves."""

    id: Slug
    title: Text
    span: Span
    """As it was known when the statement was made."""
    source: Source
    zone: str
    local_time: WallTime | None = None


class StatusReport(Contract):
    """What a later fact says of a commitment, as a whole or for one country."""

    country: Country | None = None
    status: Status
    note: Line


class AnchorOutcome(Contract):
    """What came of an event, and on which day that became known by the row's source."""

    outcome: Literal["held", "cancelled"]
    known_on: date


class News(Contract):
    """A sourced fact from elsewhere, about an anchor, a commitment or both."""

    known_on: date
    fact: Line
    """The words of the chronicle."""
    text: Text
    """What of it was known on that day, to be read alone."""
    source: Source
    anchor_id: Slug | None = None
    span: Span | None = None
    """The anchor's date from then on; none when the news gives it no other."""
    outcome: AnchorOutcome | None = None
    """What came of the anchor; on a later day, where the row's source says it later."""
    commitment_id: Slug | None = None
    reports: tuple[StatusReport, ...] = ()

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.anchor_id is None and self.commitment_id is None:
            raise ValueError("news is about an anchor or a commitment")
        if (self.span or self.outcome) and self.anchor_id is None:
            raise ValueError("only an anchor's date can move, and only an anchor has an outcome")
        if self.outcome and self.outcome.known_on < self.known_on:
            raise ValueError("an outcome is known when the news are, or later")
        if self.reports and self.commitment_id is None:
            raise ValueError("a status is a commitment's")
        return self


class Catalogue(Contract):
    """All that was read in one statement, and what became known of it."""

    statement: Statement
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    commitments: tuple[Commitment, ...]
    anchors: tuple[Anchor, ...]
    news: tuple[News, ...]

    def brief(self, commitment: Commitment) -> CommitmentBrief:
        """What every event says of this commitment."""
        section = next(section for section in self.sections if section.id == commitment.section)
        return CommitmentBrief(
            id=commitment.id,
            statement_id=self.statement.id,
            title=commitment.title,
            section=section.id,
            section_title=section.title,
            countries=commitment.countries,
            themes=commitment.themes,
        )

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        milestones = [milestone for commitment in self.commitments for milestone in commitment.milestones]
        for things in (self.sections, self.themes, self.anchors, self.commitments, milestones):
            ids = [thing.id for thing in things]
            if repeated := {one for one in ids if ids.count(one) > 1}:
                raise ValueError(f"not unique: {sorted(repeated)}")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        anchors = {anchor.id for anchor in self.anchors}
        commitments = {commitment.id for commitment in self.commitments}
        for commitment in self.commitments:
            _known(commitment.section, {section.id for section in self.sections})
            for theme in commitment.themes:
                _known(theme, {theme.id for theme in self.themes})
            for milestone in commitment.milestones:
                _known(milestone.anchor_id, anchors)
        for news in self.news:
            _known(news.anchor_id, anchors)
            _known(news.commitment_id, commitments)
        return self


def collapse_whitespace(text: str) -> str:
    """The text with every run of Unicode whitespace, no-break spaces and line wraps too, made one space."""
    return " ".join(text.split())


def locate(quote: str, text: str) -> tuple[int, int]:
    """Where the quote stands in the whitespace-collapsed text: its start, and its end exclusive."""
    start = text.find(quote) if quote else -1
    if start < 0:
        raise QuoteNotFound(f"not in the text: {quote!r}")
    if text.find(quote, start + 1) >= 0:
        raise QuoteAmbiguous(f"more than once in the text: {quote!r}")
    return start, start + len(quote)


def load(folder: Path = HERE) -> Catalogue:
    """Read a folder of text and data; whatever doesn't fit together is refused."""
    head = _read(folder / "statement.yaml")
    statement = _statement(head["statement"], folder)
    anchors = {row["id"]: _anchor(row, statement) for row in _read(folder / "anchors.yaml")}
    found = {
        "statement": statement,
        "sections": head["sections"],
        "themes": head["themes"],
        "commitments": [_commitment(row, statement, anchors) for row in _read(folder / "commitments.yaml")],
        "anchors": list(anchors.values()),
        "news": [_dated(row) for row in _read(folder / "chronicle.yaml")],
    }
    # Not strict here: YAML has lists where the models have tuples, and words where they have enumerations.
    return Catalogue.model_validate(found, strict=False)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _statement(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    published = (folder / row["text"]).read_bytes()
    digest = hashlib.sha256(published).hexdigest()
    if digest != row["sha256"]:
        raise TextChanged(f"{row['text']} has SHA-256 {digest}, the catalogue was read from {row['sha256']}")
    return {**row, "text": collapse_whitespace(published.decode("utf-8"))}


def _anchor(row: Mapping[str, Any], statement: Mapping[str, Any]) -> dict[str, Any]:
    return {**_dated(row), "zone": _zone(statement["countries"])}


def _commitment(row: Mapping[str, Any], statement: Mapping[str, Any], anchors: Mapping[str, Any]) -> dict[str, Any]:
    start, end = locate(row["quote"], statement["text"])
    whole = {"countries": statement["countries"], **row}
    language = statement.get("language", Language.EN)
    milestones = [
        _milestone({"countries": whole["countries"], "wording_language": language, **milestone}, anchors)
        for milestone in row.get("milestones", ())
    ]
    return {**whole, "quote": {"text": row["quote"], "start": start, "end": end}, "milestones": milestones}


def _milestone(row: Mapping[str, Any], anchors: Mapping[str, Any]) -> dict[str, Any]:
    """A milestone that hangs on an anchor has its date from there; any other has its own, or none."""
    placed = {**row, "zone": _zone(row["countries"])}
    if "anchor_id" not in row:
        return _dated(placed)
    _known(row["anchor_id"], anchors)
    anchor = anchors[row["anchor_id"]]
    reading = Reading(row["reading"])
    offset = Offset.model_validate(row["offset"]) if "offset" in row else None
    return {
        **placed,
        "span": hung(anchor["span"], offset),
        "zone": zone_of(reading, anchor["zone"], placed["zone"]),
        "local_time": local_time_of(reading, offset, anchor.get("local_time")),
    }


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the days of its EDTF value in place of the value; `edtf: null` says that there is no date."""
    if "edtf" not in row:
        return dict(row)
    rest = {key: value for key, value in row.items() if key != "edtf"}
    return {**rest, "span": span_of(row["edtf"])}


def _zone(countries: Iterable[str]) -> str:
    return last_capital_zone(Country(country) for country in countries)


def _known(name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        raise CatalogueError(f"unknown: {name!r}")
