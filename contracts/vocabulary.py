"""The words that every contract shares: parties, statuses, dates as written, text in whatever languages there are."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from contracts.open_lists import TOLERANT, OpenList
from contracts.refusals import Unfit

# No C0/C1 controls and no lone surrogates: PostgreSQL refuses U+0000, mail headers refuse line breaks.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=96)]
"""A stable identifier in lower case, words joined by single hyphens; at most 96 characters."""

Line = Annotated[str, StringConstraints(pattern=_PRINTABLE, min_length=1, max_length=300)]
"""One line of prose, 1 to 300 characters, no control characters."""

Paragraph = Annotated[str, StringConstraints(pattern=_PRINTABLE, min_length=1, max_length=4000)]
"""One paragraph of prose, 1 to 4,000 characters, no control characters (so no line breaks)."""

Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x20\x7f]+$", max_length=2000)]
"""An absolute http(s) address as written; at most 2,000 characters."""

LARGEST = 2**31 - 1
"""JSON knows no largest integer, PostgreSQL's `integer` does: what no row could hold is refused at the door."""


def _whole(value: Any) -> Any:
    # 1.0 is the integer 1 in JSON and JSON Schema (2020-12, 4.2.3), and some programs write it so.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For an integer as JSON has it: 1.0 is one, "1" is none. It stands last, so that the schema keeps its bounds."""

Count = Annotated[int, Field(ge=0, le=LARGEST), WHOLE]
"""How many; none is possible."""

Ordinal = Annotated[int, Field(ge=1, le=LARGEST), WHOLE]
"""Which one, counted from 1."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


# Pydantic, strict too, reads the string "1637193600" as a count of seconds; so text is read here. Only JSON
# has dates as text: in Python a string is passed on, and strictness refuses it.
def _day_from_json(value: Any, info: ValidationInfo) -> Any:
    if info.mode != "json" or not isinstance(value, str):
        return value
    if not _DAY.fullmatch(value):
        raise _misspelt_day()
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _misspelt_day() from None


def _instant_from_json(value: Any, info: ValidationInfo) -> Any:
    if info.mode != "json" or not isinstance(value, str):
        return value
    if not _INSTANT.fullmatch(value):
        raise _misspelt_instant()
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise _misspelt_instant() from None


# No plain ValueError, which would say a rule that no schema can: `format` says these.
def _misspelt_day() -> PydanticCustomError:
    return PydanticCustomError("day", "a day of the calendar is written YYYY-MM-DD")


def _misspelt_instant() -> PydanticCustomError:
    return PydanticCustomError("instant", "an instant is written as in RFC 3339, with seconds and an offset")


def _exists_in_utc(value: datetime) -> datetime:
    # 0001-01-01T00:00+14:00 is a datetime until somebody stores it.
    try:
        value.astimezone(UTC)
    except OverflowError as error:
        raise Unfit("the instant is out of range in UTC") from error
    return value


Day = Annotated[date, BeforeValidator(_day_from_json)]
"""A calendar day, `2021-11-18` and nothing else."""

Instant = Annotated[AwareDatetime, BeforeValidator(_instant_from_json), AfterValidator(_exists_in_utc)]
"""A point in time with its offset, as RFC 3339 writes it."""


class Contract(BaseModel):
    """A record of a contract: closed, strict and immutable.

    Whoever writes one is refused what it doesn't know, so that a slip is seen at once; nothing is converted from one
    type to another ("1" is no integer, a naive time is no instant). What another process wrote is read by `as_read`.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        # We always write every field, so the schema of what we write promises every field.
        json_schema_serialization_defaults_required=True,
    )

    @classmethod
    def as_read(cls, written: str | bytes) -> Self:
        """The record of JSON that we wrote, now or in another release: on a topic, or kept in a row.

        Fields of a later release are left out, and what it added to an open list is kept as it is. Raises
        `ValidationError` for anything else that isn't the record.
        """
        return cls.model_validate_json(written, extra="ignore", context=TOLERANT)

    @classmethod
    def as_kept(cls, kept: object) -> Self:
        """The same of a row's values, where the database has read the JSON already."""
        return cls.model_validate(kept, strict=False, extra="ignore", context=TOLERANT)


CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""A country by its ISO 3166-1 alpha-2 code."""

PartyCode = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|org-[a-z0-9]+(-[a-z0-9]+)*)$", max_length=64)]
"""Who is bound: a country, or an organisation by a code that no country can have: `org-european-union`."""

MinistryCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
"""A body of a party that reads topics and reports: `mx-sre`. Its topics are named after it."""

LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")]
"""A language as BCP 47 writes it, with at most a script and a region: `es`, `fr-CA`, `zh-Hant`, `es-419`."""


class Strength(OpenList):
    """How firmly the words bind, from the verb of the undertaking."""

    COMMIT = "commit"
    INTEND = "intend"
    REAFFIRM = "reaffirm"
    SUPPORT = "support"
    INVITE = "invite"


class Status(OpenList):
    """How a commitment is going."""

    ANNOUNCED = "announced"
    IN_PROGRESS = "in-progress"
    AT_RISK = "at-risk"
    MET = "met"
    PARTLY_MET = "partly-met"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class Assessment(OpenList):
    """How an independent assessor sees it: a scale of its own, which is no status and is never reckoned into one."""

    ACHIEVED = "achieved"
    ON_TRACK = "on-track"
    STALLED = "stalled"
    OFF_TRACK = "off-track"
    NOT_ACHIEVED = "not-achieved"
    UNCLEAR = "unclear"


class Precision(OpenList):
    """How finely the words date a milestone."""

    DAY = "day"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    DECADE = "decade"
    UNDATED = "undated"


class Reading(OpenList):
    """How the wording is read as a span of days."""

    ON = "on"  # something happens then: "on 9 December 2021"
    BY = "by"  # it is to be done when the span ends: "by 2030" ends on 2030-12-31
    DURING = "during"  # it is to be done in the course of the span: "this decade"
    FROM = "from"  # it begins with the span and has no end: "in 2022 and beyond"
    RECURRING = "recurring"  # it comes again and again, and no date is given: "every two years"
    UNDATED = "undated"  # the words give no date: "over the medium term"


class ShownText(NamedTuple):
    """Words as they are shown, and the language they are in, which may not be the reader's."""

    text: str
    language: str


class Text(RootModel[Annotated[dict[LanguageTag, Paragraph], Field(min_length=1, max_length=64)]]):
    """The same words in the languages that there are, by their tags; the language of the original is one of them."""

    model_config = ConfigDict(strict=True, frozen=True)

    def __hash__(self) -> int:
        return hash(frozenset(self.root.items()))

    @classmethod
    def as_kept(cls, kept: object) -> Self:
        """The text of a row's value."""
        return cls.model_validate(kept)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it is there in."""
        return frozenset(self.root)

    def in_language(self, language: str, original: str = "en") -> ShownText:
        """The words in one language, or as near to it as they are there.

        The chain: the language itself, the same without script and region, the same with others, the original,
        English, and then whatever comes first by its tag.
        """
        primary = language.partition("-")[0]
        near = sorted(tag for tag in self.root if tag.partition("-")[0] == primary)
        found = next(tag for tag in (language, primary, *near, original, "en", *sorted(self.root)) if tag in self.root)
        return ShownText(self.root[found], found)


PLANNABLE_YEARS = range(1950, 2150)
"""The years in which a milestone or its anchor may lie: what is a century away is a typing error.

The register refuses others. Events from before this rule may have them, so readers take them as they are."""


class Span(Contract):
    """A stretch of calendar days, as an EDTF value says it.

    Source: ISO 8601-2:2019, Extended Date/Time Format levels 0 and 1; `202X` is the decade, `2022/..` has no end.
    """

    edtf: Annotated[str, StringConstraints(pattern=_PRINTABLE, min_length=1, max_length=64)] | None
    earliest: Day | None
    latest: Day | None
    precision: Precision

    @model_validator(mode="after")
    def _dated_or_not(self) -> Self:
        # A precision of a later release says nothing of it.
        dated = self.precision is not Precision.UNDATED if self.precision.is_known else self.edtf is not None
        if dated != (self.edtf is not None) or dated != (self.earliest is not None):
            raise ValueError("a dated span has an EDTF value and an earliest day; an undated one has none")
        if (self.latest is not None) != (dated and not self.is_open):
            raise ValueError("a dated span has a latest day, unless it is open; an undated one has none")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise ValueError("the earliest day is after the latest")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it begins and has no end."""
        return self.edtf is not None and self.edtf.endswith("/..")

    @property
    def is_plannable(self) -> bool:
        """Whether each of its days lies in `PLANNABLE_YEARS`; without a date it does."""
        return all(day.year in PLANNABLE_YEARS for day in (self.earliest, self.latest) if day is not None)


class Source(Contract):
    """Where a fact comes from; a date from elsewhere always has one."""

    text: Line
    url: Link | None = None


WallTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""What a wall clock shows, `09:00`; in which zone, what holds it says."""

Channel = Literal["email", "slack", "teams", "webhook"]
Outcome = Literal["delivered", "failed", "expired", "suppressed", "cancelled"]
