"""The days of a phrase as the words tie to it: by it, before it, until it, from it on."""

from datetime import date, timedelta

from contracts.vocabulary import Precision, Span
from services.registry.rules.edtf_dates import span_of
from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.edtf_values import first_named, is_season, last_named
from services.registry.wordings.phrases import (
    ComingYear,
    Core,
    Duration,
    Part,
    RelativePoint,
    Season,
    Tie,
    Weekday,
    Year,
)
from services.registry.wordings.resolution import days_of
from services.registry.wordings.tense import Tense
from services.registry.wordings.terms import TERMS, is_unresolvable
from services.registry.wordings.wording import Alternative

_SEASON_ENDING = {5: 21, 8: 22, 11: 23}
"""The season whose last month it is; a winter goes on into the next year, which EDTF's doesn't."""


_OUTLIVES_A_YEAR = frozenset({Precision.DECADE})


def tied(tie: Tie, core: Core, context: ReadingContext) -> Days:
    """The days of a phrase as the words tie to it, where they can be a deadline.

    A last day before the statement's own is none: words that set a term to it are left unsettled, as they say
    something else than they seem to, and any other words tell of the past. So do days that have begun, where the
    verb is in the past tense, and what a thing is called after.
    """
    if context.tense is Tense.CALLED_OFF:
        return Days(None, ("past",))
    if context.is_told and is_unresolvable(core):
        return Days(None, ("past",))  # "was signed before Easter"
    days = _tied(tie, core, context)
    if days.edtf is None and context.is_told and tie not in TERMS and _has_begun(days, context):
        return Days(None, (*days.rules, "past"))  # "at the end of the fiscal year, projects had been funded"
    if days.edtf is None:
        return Days(None, (*days.rules, "names-a-thing")) if tie is Tie.OF else days
    span = span_of(days.edtf)
    is_over = span.latest is not None and span.latest < context.made_on
    tells = context.is_told or tie is Tie.OF
    is_any_year = isinstance(core, Weekday) or isinstance(getattr(core, "year", None), ComingYear)
    if tie is Tie.OF and is_any_year and context.tense is not Tense.AHEAD:
        return Days(None, (*days.rules, "names-a-thing"))  # "the law of 20 May": of which year, nobody says
    has_begun = span.earliest is not None and span.earliest <= context.made_on
    if tie in TERMS - {Tie.UNTIL, Tie.FROM_NOW} and is_over and not tells:
        why = "the words set a term that was over before they were said"
        return Days(None, (*days.rules, "past"), days.alternatives).beside(
            alternative("as-written", days.edtf, why),
            Alternative("no-deadline", None, None, None, "what lies behind the statement sets no deadline"),
        )
    lasted = isinstance(core, Duration | RelativePoint)  # "in two years, twelve events were held"
    tells = tells and not (
        isinstance(core, Duration) and core.is_ahead
    )  # "announced its closure in the next five years"
    tells = tells and tie not in TERMS and span.precision not in _OUTLIVES_A_YEAR
    is_own = tie in {Tie.BARE, Tie.ON} and context.tense is not Tense.AHEAD and not context.is_alone
    is_own = is_own and (
        span.earliest == span.latest == context.made_on or (tie is Tie.BARE and _is_its_month(span, context))
    )
    if is_over or is_own or (tells and (has_begun or lasted)):
        return Days(None, (*days.rules, "past"))
    return days


def _has_begun(days: Days, context: ReadingContext) -> bool:
    """Whether whatever unsettled words may mean has begun."""
    return bool(days.alternatives) and all((one.earliest or date.max) <= context.made_on for one in days.alternatives)


def _is_its_month(span: Span, context: ReadingContext) -> bool:
    """Whether a span is the month in which the statement was made, as a document is dated: "state of July 2018"."""
    is_month = span.precision is Precision.MONTH and span.earliest is not None and span.latest is not None
    return is_month and (span.earliest or date.max) <= context.made_on <= (span.latest or date.min)


def _tied(tie: Tie, core: Core, context: ReadingContext) -> Days:
    days = days_of(core, context)
    if days.edtf is None:
        return days
    match tie:
        case Tie.BY:
            return _by(days, core, context)
        case Tie.BEFORE:
            return _before(days, core, context)
        case Tie.UNTIL:
            return Days(_from_statement(days.edtf, context.made_on), ("from-statement", *days.rules), days.alternatives)
        case Tie.FROM_NOW:
            until = last_named(days.edtf)
            if (span_of(until).latest or date.max) >= context.made_on:
                until = f"{context.made_on.isoformat()}/{until}"
            return Days(until, ("from-statement", *days.rules), days.alternatives)
        case Tie.FROM | Tie.SINCE | Tie.AFTER if (span_of(days.edtf).latest or date.max) < context.made_on:
            return Days(None, ("past",))
        case Tie.FROM | Tie.SINCE:
            return Days(f"{first_named(days.edtf)}/..", days.rules, days.alternatives)
        case Tie.AFTER:
            last = span_of(days.edtf).latest or date.max
            start = _as_fine(last_named(days.edtf), last + timedelta(days=1))
            return Days(f"{start}/..", (*days.rules, "exclusive"))
        case Tie.DURING | Tie.OVER if isinstance(core, Year) and not isinstance(core.year, int) and core.year.count:
            return days.by("calendar-year")
    return days


def _by(days: Days, core: Core, context: ReadingContext) -> Days:
    """A deadline is the last day of its span, unless the policy has it the first; said plainly, it is no choice."""
    span = span_of(days.edtf)
    plainly = isinstance(core, Part) and core.part == "end"
    if plainly or span.precision is Precision.DAY or span.earliest is None or span.earliest == date.min:
        return days
    begins = f"{span.earliest - timedelta(days=1)}/{span.earliest}"
    if context.policy.deadline == "start-of-span":
        why = "“by” a span of time may mean by its end"
        other = alternative("end-of-span", days.edtf, why)
        return Days(begins, (*days.rules, "start-of-span"), days.alternatives).beside(other)
    why = "“by” a span of time may mean before it begins"
    return days.by("end-of-span").beside(alternative("start-of-span", begins, why))


def _before(days: Days, core: Core, context: ReadingContext) -> Days:
    """The time before a span, as finely as the span is named; before the end of one is by it."""
    if isinstance(core, Part) and core.part == "end":
        return days
    span = span_of(days.edtf)
    if span.earliest is None:
        return days
    last = span.earliest - timedelta(days=1)
    found = Days(_as_fine(days.edtf or "", last), (*days.rules, "exclusive"), days.alternatives)
    if span.precision is Precision.DAY:
        return found.beside(alternative("inclusive", days.edtf, "“before” a day may include it"))
    if isinstance(core, Season):
        why = "seasons are read by months; by the sun, this one begins three weeks later"
        return found.beside(alternative("by-the-sun", f"{span.earliest.year:04}-{span.earliest.month:02}", why))
    return found


def _as_fine(edtf: str, day: date) -> str:
    """The day, month, season, year or decade that holds a day, as finely as another value is written."""
    first = edtf.partition("/")[0]
    if is_season(first):
        return f"{day.year:04}-{_SEASON_ENDING[day.month]}" if day.month in _SEASON_ENDING else day.isoformat()[:7]
    return f"{day.isoformat()[:3]}X" if first.endswith("X") else day.isoformat()[: len(first)]


def _from_statement(edtf: str, made_on: date) -> str:
    """From the statement's day to the end of a value, as finely as that is written; the value if that is past."""
    last = last_named(edtf)
    start = _as_fine(last, made_on)
    return f"{start}/{last}" if start < last else edtf
