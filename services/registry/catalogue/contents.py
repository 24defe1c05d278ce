"""What a catalogue holds: a statement's words, the commitments, milestones and anchors in it, and its chronicle."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.commitments import CommitmentBrief, Milestone, Organisation
from contracts.events import Quote, StatementRef
from contracts.vocabulary import (
    Contract,
    LanguageTag,
    Line,
    MinistryCode,
    PartyCode,
    Slug,
    Source,
    Span,
    Status,
    Strength,
    Text,
    WallTime,
)
from services.plumbing.sentences import Sentence
from services.plumbing.zones import is_zone

Parties = Annotated[tuple[PartyCode, ...], Field(min_length=1)]


class CatalogueError(ValueError):
    """The data and the text don't agree."""


class Statement(StatementRef):
    """A source document, with the words that were read."""

    language: LanguageTag = "en"
    """In which its time expressions are written."""
    parties: Parties
    """Who made it; a commitment binds all of them unless it says otherwise."""
    organisations: tuple[Organisation, ...] = ()
    """What is to be known of each of them that is no country."""
    text: Annotated[str, Field(min_length=1)]
    """The whitespace-collapsed text, in which positions count."""

    @model_validator(mode="after")
    def _tells_of_each_organisation(self) -> Self:
        if [one.code for one in self.organisations] != [code for code in self.parties if code.startswith("org-")]:
            raise ValueError("`organisations` tells of each party that is no country, in the order of `parties`")
        if unknown := [one.zone for one in self.organisations if not is_zone(one.zone)]:
            raise ValueError(f"no zones of the IANA time zone database: {unknown}")
        return self

    def organisations_among(self, parties: Iterable[PartyCode]) -> tuple[Organisation, ...]:
        """What is known of those of these parties that are no countries, in their order."""
        known = {one.code: one for one in self.organisations}
        return tuple(known[code] for code in parties if code in known)


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
    parties: Parties
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
    """Where it takes place."""
    local_time: WallTime | None = None

    @model_validator(mode="after")
    def _takes_place_in_a_zone(self) -> Self:
        if not is_zone(self.zone):
            raise ValueError(f"no zone of the IANA time zone database: {self.zone}")
        return self


class StatusReport(Contract):
    """What a later fact says of one party of a commitment."""

    party: PartyCode
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


class Ministry(Contract):
    """A body of a party that reads topics and reports."""

    code: MinistryCode
    party: PartyCode
    name: Text
    contact: Line | None = None
    """A mail address or a page, for people."""


class Catalogue(Contract):
    """All that was read in one statement, and what became known of it."""

    statement: Statement
    sections: tuple[Section, ...]
    themes: tuple[Theme, ...]
    commitments: tuple[Commitment, ...]
    anchors: tuple[Anchor, ...]
    chronicle: tuple[ChronicleEntry, ...]
    ministries: tuple[Ministry, ...] = ()
    """Those that are known to report on it."""

    def brief(self, commitment: Commitment) -> CommitmentBrief:
        """What every event says of this commitment."""
        section = next(section for section in self.sections if section.id == commitment.section)
        return CommitmentBrief(
            id=commitment.id,
            statement_id=self.statement.id,
            title=commitment.title,
            section=section.id,
            language=self.statement.language,
            section_title=section.title,
            parties=commitment.parties,
            organisations=self.statement.organisations_among(commitment.parties),
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
            for party in commitment.parties:
                check_known(party, self.statement.parties)
            for milestone in commitment.milestones:
                check_known(milestone.anchor_id, anchors)
                for party in milestone.parties:
                    check_known(party, commitment.parties)
        for entry in self.chronicle:
            check_known(entry.anchor_id, anchors)
            check_known(entry.commitment_id, commitments)
        return self

    @model_validator(mode="after")
    def _words_are_in_the_original(self) -> Self:
        language = self.statement.language
        lacking = [name for name, text in self._texts() if language not in text.languages]
        if lacking:
            raise ValueError(f"not in the statement's own language ({language}): {lacking}")
        return self

    def _texts(self) -> Iterator[tuple[str, Text]]:
        """Each text with the id of what it is of."""
        yield self.statement.id, self.statement.title
        for organisation in self.statement.organisations:
            yield organisation.code, organisation.name
        milestones = [milestone for commitment in self.commitments for milestone in commitment.milestones]
        for things in (self.sections, self.themes, self.anchors, self.commitments, milestones):
            yield from ((thing.id, thing.title) for thing in things)
        yield from ((commitment.id, commitment.summary) for commitment in self.commitments)
        yield from ((entry.fact, entry.text) for entry in self.chronicle)


def check_wording(milestone_id: str, wording: str, quote: str) -> None:
    """Raise `CatalogueError` where a milestone's words are not its commitment's: they may date another undertaking."""
    if wording not in quote:
        raise CatalogueError(
            Sentence(
                "the wording of %(milestone)s does not stand in its commitment's quote: %(wording)s",
                milestone=milestone_id,
                wording=repr(wording),
            )
        )


def check_known(name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        raise CatalogueError(f"unknown: {name!r}")
