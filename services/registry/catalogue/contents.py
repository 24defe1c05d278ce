"""What a catalogue holds: a statement's words, the commitments, milestones and anchors in it, and its chronicle."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.events import Quote, StatementRef
from contracts.vocabulary import (
    CommitmentBrief,
    Contract,
    Country,
    Language,
    Line,
    Milestone,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
    WallTime,
)

Countries = Annotated[tuple[Country, ...], Field(min_length=1)]


class CatalogueError(ValueError):
    """The data and the text don't agree."""


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

    @model_validator(mode="after")
    def _milestones_are_worded_in_the_quote(self) -> Self:
        for milestone in self.milestones:
            check_wording(milestone.id, milestone.wording, self.quote.text)
        return self


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


class ChronicleEntry(Contract):
    """A sourced fact from elsewhere, about an anchor, a commitment or both."""

    known_on: date
    fact: Line
    """The words of the chronicle."""
    text: Text
    """What of it was known on that day, to be read alone."""
    source: Source
    anchor_id: Slug | None = None
    span: Span | None = None
    """The anchor's date from then on; none where the entry gives it no other."""
    outcome: AnchorOutcome | None = None
    """What came of the anchor; on a later day, where the row's source says it later."""
    commitment_id: Slug | None = None
    reports: tuple[StatusReport, ...] = ()

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.anchor_id is None and self.commitment_id is None:
            raise ValueError("an entry is about an anchor or a commitment")
        if (self.span or self.outcome) and self.anchor_id is None:
            raise ValueError("only an anchor's date can move, and only an anchor has an outcome")
        if self.outcome and self.outcome.known_on < self.known_on:
            raise ValueError("an outcome is known with its entry, or later")
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
    chronicle: tuple[ChronicleEntry, ...]

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
            check_known(commitment.section, {section.id for section in self.sections})
            for theme in commitment.themes:
                check_known(theme, {theme.id for theme in self.themes})
            for milestone in commitment.milestones:
                check_known(milestone.anchor_id, anchors)
        for entry in self.chronicle:
            check_known(entry.anchor_id, anchors)
            check_known(entry.commitment_id, commitments)
        return self


def check_wording(milestone_id: str, wording: str, quote: str) -> None:
    """Raise `CatalogueError` where a milestone's words are not its commitment's: they may date another undertaking."""
    if wording not in quote:
        raise CatalogueError(f"the wording of {milestone_id} does not stand in its commitment's quote: {wording!r}")


def check_known(name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        raise CatalogueError(f"unknown: {name!r}")
