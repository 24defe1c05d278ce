"""What a reading of time words gives: days or none, how they bind, and what else they could have meant."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from contracts.commitments import Offset
from contracts.vocabulary import Precision, Reading, Span
from services.registry.wordings.policy import ReadingPolicy


class Modality(StrEnum):
    """How the words tie the work to the days, as they say it; `Reading` is what follows of it."""

    BY = "by"
    IN = "in"
    ON = "on"
    DURING = "during"
    OVER = "over"
    FROM = "from"
    RECURRING = "recurring"
    NONE = "none"


@dataclass(frozen=True)
class Alternative:
    """Other days that the words could mean, the rule that would give them, and why that is not foolish."""

    rule: str
    edtf: str | None
    earliest: date | None
    latest: date | None
    why: str


@dataclass(frozen=True)
class AnchorReference:
    """An event that the words hang on, when it is not a date.

    `next-summit` is the next one of the statement's own series, `that-summit` the one spoken of, `named` any other
    event, by its name as it is written. Without an offset the milestone lies at the event itself.
    """

    kind: Literal["next-summit", "that-summit", "named"]
    name: str | None
    offset: Offset | None


@dataclass(frozen=True)
class Wording:
    """A time expression as it was read.

    `expression` is what was read of the words; `rules` are those that decided, in their order, `as-written` where
    there was nothing to decide. Unsettled words give no date: they mean two things between which no rule of
    `policy` chooses, and the alternatives say which; or they set a term whose day no rule gives (`unresolved`), and
    the alternatives say why.
    """

    wording: str
    expression: str | None
    edtf: str | None
    earliest: date | None
    latest: date | None
    precision: Precision
    modality: Modality
    reading: Reading
    review_months: int | None
    anchor: AnchorReference | None
    rules: tuple[str, ...]
    settled: bool
    alternatives: tuple[Alternative, ...]
    policy: ReadingPolicy

    @property
    def span(self) -> Span:
        """The days, as the contracts have them."""
        return Span(edtf=self.edtf, earliest=self.earliest, latest=self.latest, precision=self.precision)
