"""What is entered: commitments with their milestones, and copies of a statement; read as strictly as events are."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.commitments import Offset
from contracts.entered import EnteredDocument, EnteredLine, EnteredLink, EnteredParagraph, EnteredText
from contracts.vocabulary import PartyCode, Reading, Slug, Strength, WallTime
from services.plumbing.http.forms import StrictRequestModel, refuse_repeats
from services.plumbing.sentences import Sentence

_MONTH = "(?:0[1-9]|1[0-2])"
_DAY = "(?:0[1-9]|[12][0-9]|3[01]|XX)"
_STRETCH = f"(?:[0-9]{{3}}X|[0-9]{{4}}(?:-(?:{_MONTH}(?:-{_DAY})?|2[1-4]|XX(?:-XX)?))?)"
Edtf = Annotated[str, StringConstraints(pattern=f"^{_STRETCH}(?:/(?:{_STRETCH}|\\.\\.))?$")]
"""A date as ISO 8601-2 (EDTF, levels 0 and 1) writes it: `2023-01-10`, `2022-12`, `2022-22`, `2022`, `202X`,
`2022-06-06/2022-06-10`, `2022-06/..`. A day that no calendar has, an end before its beginning, or a day outside of
`PLANNABLE_YEARS` is against a rule."""
Parties = Annotated[tuple[PartyCode, ...], Field(min_length=1), AfterValidator(refuse_repeats)]


class NewMilestone(StrictRequestModel):
    """A milestone of a new commitment; its date comes from its anchor, from `edtf`, or from its words.

    Without `reading` the words are read, in the statement's language and by its reading policy.
    """

    id: Slug
    wording: EnteredLine
    """The exact words of the time expression; they have to stand in the statement."""
    title: EnteredText
    reading: Reading | None = None
    """None where the words are to say it."""
    edtf: Edtf | None = None
    """In the years 1950 to 2149; None where the words say it or give no date, or where an anchor does."""
    parties: Parties | None = None
    """Whom it binds; the commitment's parties unless said otherwise."""
    anchor_id: Slug | None = None
    offset: Offset | None = None
    """How far before or after its anchor; none where it is on it."""
    local_time: WallTime | None = None
    """When an event without an anchor begins, on the wall clocks of its zone."""

    @model_validator(mode="after")
    def _one_date_at_most(self) -> Self:
        if self.anchor_id and (self.edtf or self.local_time):
            raise ValueError(Sentence("a milestone has its date from `edtf` or from its anchor, not from both"))
        if self.offset and not self.anchor_id:
            raise ValueError(Sentence("an offset is from an anchor"))
        if self.local_time and not self.edtf:
            raise ValueError(Sentence("a time of day needs a day"))
        if self.edtf and self.reading is None:
            raise ValueError(Sentence("give `reading` with `edtf`, or leave both to the words"))
        undated = self.reading in {Reading.UNDATED, Reading.RECURRING}
        if not self.anchor_id and self.reading is not None and (self.edtf is None) != undated:
            raise ValueError(Sentence("the reading is `undated` or `recurring` exactly where there is no date"))
        return self


class NewCommitment(StrictRequestModel):
    """A commitment to be entered, with the exact words that make it."""

    id: Slug
    statement_id: Slug
    quote: EnteredParagraph
    """Verbatim, found once in the statement's whitespace-collapsed text."""
    verb: EnteredLine
    """The words that carry the undertaking."""
    title: EnteredText
    summary: EnteredText
    section: Slug
    themes: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20), AfterValidator(refuse_repeats)]
    strength: Strength
    parties: Parties | None = None
    """Whom it binds; the statement's parties unless said otherwise."""
    lead_ministries: Annotated[tuple[EnteredLine, ...], Field(max_length=20)] = ()
    milestones: Annotated[tuple[NewMilestone, ...], Field(max_length=20)] = ()


class StatementCopy(StrictRequestModel):
    """The statement as another page has it; how it is laid out doesn't matter, the words do."""

    text: EnteredDocument
    url: EnteredLink
