"""What a time expression says before it is known when it was said: the tree that the grammar makes of words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

UnitName = Literal["day", "week", "weekend", "fortnight", "month", "quarter", "half", "year", "decade", "century"]


@dataclass(frozen=True)
class Ahead:
    """So many years, or other units, after the one in which the statement was made."""

    count: int


@dataclass(frozen=True)
class ComingYear:
    """No year is said: "in June" (the nearest that the tense allows), or "next summer"."""

    is_next: bool


@dataclass(frozen=True)
class Bygone:
    """The one that is over: "last June"."""


Which = int | Ahead | ComingYear | Bygone
"""Which year a day, month, season, quarter or half lies in."""


@dataclass(frozen=True)
class Day:
    """A day of a month."""

    year: Which
    month: int
    day: int


@dataclass(frozen=True)
class Numeric:
    """Day and month in an order that the words don't say."""

    first: int
    second: int
    year: int


@dataclass(frozen=True)
class Month:
    """A month."""

    year: Which
    month: int


@dataclass(frozen=True)
class Season:
    """A season, as EDTF numbers it: 21 is spring, 24 winter."""

    year: Which
    season: int
    is_turn: bool = False
    """Whether both years are written: "winter 2022-2023"."""


@dataclass(frozen=True)
class Quarter:
    """Three months, numbered 1 to 4."""

    year: Which
    number: int


@dataclass(frozen=True)
class Half:
    """Six months, numbered 1 or 2."""

    year: Which
    number: int


@dataclass(frozen=True)
class LongHalf:
    """Half of a decade or a century."""

    of: "Decade | Century"
    number: int


@dataclass(frozen=True)
class Year:
    """A calendar year."""

    year: int | Ahead


@dataclass(frozen=True)
class Decade:
    """Ten years, by their first; or so many decades ahead."""

    first: int | Ahead


@dataclass(frozen=True)
class Century:
    """Only ever a part of one: "by mid-century"."""


@dataclass(frozen=True)
class Fiscal:
    """`last` is written where the year has two names: "2024-25"."""

    first: int | Ahead
    last: int | None


@dataclass(frozen=True)
class Current:
    """The day, week, month or quarter that is so many ahead."""

    unit: UnitName
    ahead: int


@dataclass(frozen=True)
class Part:
    """A part of something longer: early, mid, late, or the end."""

    part: Literal["early", "mid", "late", "end"]
    of: "Core"


@dataclass(frozen=True)
class Share:
    """So many units of something longer, counted from its first day or back from its last: "the first three months of
    2025", "the second week of June", "the last quarter of the year"."""

    of: "Core"
    unit: UnitName
    count: int
    before: int
    """How many such units lie between them and the end from which they are counted."""
    is_last: bool


@dataclass(frozen=True)
class Range:
    """From the first day of one to the last day of another."""

    first: "Core"
    last: "Core"


@dataclass(frozen=True)
class Week:
    """The seven days from this one: "the week of 6 June"."""

    day: Day


@dataclass(frozen=True)
class Weekday:
    """A day by its name (0 is Monday), by its number in a month that is not said, or by both: "viernes 14"."""

    name: int | None
    of_month: int | None
    is_next: bool


@dataclass(frozen=True)
class Duration:
    """From the statement's day, so long: "within 18 months", "over the next two years"."""

    count: int
    unit: UnitName
    is_ahead: bool = False
    """Whether the words say that it lies ahead: "next", "coming"."""


@dataclass(frozen=True)
class RelativePoint:
    """So long after the statement's day: "in two years"; as precise as its unit."""

    count: int
    unit: UnitName


@dataclass(frozen=True)
class Shifted:
    """So long before or after a day that is said: "90 days after 15 June 2023"."""

    day: Day
    count: int
    unit: UnitName
    direction: Literal["before", "after"]


@dataclass(frozen=True)
class SameTime:
    """The day of a time to come that the statement's own day is of its: "this time next year"."""

    of: "Core"


@dataclass(frozen=True)
class NoSuchDay:
    """A day that no calendar has, with its month where one is said: "31 June", "29 February 2023", "45/13/2022"."""

    month: Month | None
    day: int


@dataclass(frozen=True)
class UnreadTime:
    """What looks like a time to come, and no rule gives its days: "Easter", "the halfway mark of the term"."""


Core = (
    Day | Numeric | Month | Season | Quarter | Half | LongHalf | Year | Decade | Century | Fiscal | Current | Part
    | Share | Range | Week | Weekday | Duration | RelativePoint | Shifted
    | SameTime | NoSuchDay | UnreadTime
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """An event that has no date of its own here."""

    kind: Literal["next-summit", "that-summit", "named"]
    name: str | None


@dataclass(frozen=True)
class Distance:
    """How far from an event."""

    count: int
    unit: UnitName
    direction: Literal["before", "after"]


class Tie(StrEnum):
    """How the words tie the work to the days."""

    BY = "by"
    BEFORE = "before"
    WITHIN = "within"
    LESS = "less"  # "in less than a decade": a term, or how long it took
    UNTIL = "until"
    FROM_NOW = "from-now"  # "between now and 2030": it says where it begins
    IN = "in"
    ON = "on"
    DURING = "during"
    OVER = "over"
    FROM = "from"
    SINCE = "since"  # "desde": from a day to come, or ever since one that is past
    AFTER = "after"
    EVERY = "every"
    VAGUE = "vague"
    OF = "of"  # what a thing is called after: "the letter of 8 October"
    BARE = "bare"


@dataclass(frozen=True)
class Expression:
    """One time expression, from token `start` to token `end` (exclusive)."""

    tie: Tie
    start: int
    end: int
    core: Core | None = None
    event: Event | None = None
    distance: Distance | None = None
    months: int | None = None
    """Of what comes again: how many months lie between; negative where the word has two meanings, 0 where none."""
