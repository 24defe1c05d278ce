"""Commitments, milestones and who is bound, as events tell of them."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.vocabulary import (
    WHOLE,
    Contract,
    LanguageTag,
    Line,
    PartyCode,
    Reading,
    Slug,
    Span,
    Text,
    WallTime,
)

_ZONE = r"^[A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+){0,2}$"


class Organisation(Contract):
    """A party that is no country: what no list of countries says of it."""

    code: Annotated[str, StringConstraints(pattern=r"^org-[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    name: Text
    zone: Annotated[str, StringConstraints(pattern=_ZONE, max_length=64)]
    """IANA zone of its seat, in which its days end."""


class CommitmentBrief(Contract):
    """What every event says of its commitment, so that a reader can act on the event alone."""

    id: Slug
    statement_id: Slug
    language: LanguageTag
    """Of the statement's own words: its texts are there in this language, whatever others there are."""
    title: Text
    section: Slug
    section_title: Text
    parties: Annotated[tuple[PartyCode, ...], Field(min_length=1)]
    organisations: tuple[Organisation, ...] = ()
    """What is to be known of each party that is no country."""
    themes: Annotated[tuple[Slug, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _says_whom_and_in_the_original(self) -> Self:
        if not all(self.language in text.languages for text in (self.title, self.section_title)):
            raise ValueError(f"the words are not there in the statement's own language, {self.language}")
        if [one.code for one in self.organisations] != [code for code in self.parties if code.startswith("org-")]:
            raise ValueError("`organisations` tells of each party that is no country, in the order of `parties`")
        return self


class Offset(Contract):
    """How far from its anchor a milestone lies: "90 days after the summit", "before the next summit" (0 days)."""

    direction: Literal["before", "after"]
    count: Annotated[int, Field(ge=0, le=3660), WHOLE]
    unit: Literal["days", "weeks", "months", "years"]


class Milestone(Contract):
    """A point by which, or at which, something is to happen for a commitment."""

    id: Slug
    wording: Line
    """The exact words of the time expression."""
    title: Text
    """What is to have happened by then, in a few words."""
    span: Span
    reading: Reading
    parties: Annotated[tuple[PartyCode, ...], Field(min_length=1)]
    zone: Annotated[str, StringConstraints(pattern=_ZONE, max_length=64)]
    """IANA zone in whose calendar the days are counted: for a joint milestone the last capital to end the day."""
    anchor_id: Slug | None = None
    """The event that it hangs on, such as `nals-2022`, when its date is that event's."""
    offset: Offset | None = None
    """How far from that event; none where it is the event itself."""
    local_time: WallTime | None = None
    """When it begins on the wall clocks of `zone`, where that is known of an event."""
    review_months: Annotated[int, Field(ge=1, le=120)] | None = None
    """Months between two reviews of a milestone without a last day, where the words or an editor give them."""
    wording_language: LanguageTag = "en"
    """The language of `wording`."""
    held: bool = False
    """Whether it is an event that has taken place: nothing more is to come of it."""

    @property
    def is_event(self) -> bool:
        """Whether it happens in its span, such as a summit or a meeting of a dialogue.

        Once its day has passed it is asked whether it has taken place; only a deadline is overdue.
        """
        return self.reading is Reading.ON and self.span.earliest is not None and self.span.latest is not None
