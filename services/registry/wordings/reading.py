"""Reads a time expression: words, the day on which they were said, and a policy in; days, or none, out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from contracts.commitments import Offset
from contracts.vocabulary import LanguageTag, Precision, Reading
from services.registry.rules.edtf_dates import span_of
from services.registry.wordings.clauses import in_their_clauses
from services.registry.wordings.combining import combined
from services.registry.wordings.days import Days, ReadingContext, alternative
from services.registry.wordings.english import ENGLISH
from services.registry.wordings.french import FRENCH
from services.registry.wordings.grammar import expressions
from services.registry.wordings.lexicon import Lexicon
from services.registry.wordings.phrases import (
    Century,
    Core,
    Decade,
    Event,
    Expression,
    LongHalf,
    Month,
    Numeric,
    Part,
    Range,
    Tie,
    Year,
)
from services.registry.wordings.policy import DEFAULT, ReadingPolicy
from services.registry.wordings.spanish import SPANISH
from services.registry.wordings.tense import tense_of
from services.registry.wordings.terms import TERMS, unread_term
from services.registry.wordings.ties import tied
from services.registry.wordings.tokens import Kind, Token, plain, tokens_of
from services.registry.wordings.unresolved import UNREAD
from services.registry.wordings.wording import Alternative, AnchorReference, Modality, Wording

LEXICONS: Mapping[LanguageTag, Lexicon] = {
    "en": ENGLISH,
    "es": SPANISH,
    "fr": FRENCH,
}

_GIVES_NOTHING = 4  # the rank of words that give neither days, event nor rhythm
_NEAR = 8  # tokens between an event and its days
_LONGEST_REVIEW = 120  # months, as the contract has it
_DEADLINES = TERMS | {Tie.LESS}
_TELLING = frozenset({Tie.BY, Tie.IN, Tie.ON, Tie.DURING, Tie.OVER, Tie.BARE, Tie.BEFORE, Tie.AFTER})
"""Ties by which a verb in the past tense makes an event one that took place."""
_NO_OTHER_WORDS = frozenset({Kind.BREAK, Kind.COMMA, Kind.GLUE, Kind.THE})
_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_COP = re.compile(r"\bCOP ?-?([0-9]{1,2})\b")
_READINGS = {
    Modality.BY: Reading.BY,
    Modality.IN: Reading.ON,
    Modality.ON: Reading.ON,
    Modality.DURING: Reading.DURING,
    Modality.OVER: Reading.DURING,
    Modality.FROM: Reading.FROM,
    Modality.RECURRING: Reading.RECURRING,
    Modality.NONE: Reading.UNDATED,
}
_UNITS = {
    "weekend": ("weeks", 1), "fortnight": ("weeks", 2), "quarter": ("months", 3), "half": ("months", 6),
    "decade": ("years", 10), "century": ("years", 100),
}  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """An expression with its days."""

    expression: Expression
    days: Days


def read(wording: str, language: LanguageTag, made_on: date, policy: ReadingPolicy = DEFAULT) -> Wording:
    """Read a time expression as it stands in a statement of that day.

    Never raises: words that give no date, or one outside the calendar, give none; those of a language that has no
    lexicon are left unsettled. Of several expressions the first with days to come counts, then a term that is past, an
    event, a rhythm; the other days are alternatives.
    """
    lexicon = lexicon_for(language)
    if lexicon is None:
        return _wording(wording, None, UNREAD, Modality.NONE, policy)
    text = plain(wording)
    tokens = tokens_of(text, lexicon.trie)
    said = in_their_clauses(combined(expressions(text, tokens), tokens), tokens)
    found = [_days(one, _context(one, tokens, made_on, policy, lexicon)) for one in said]
    found = [one for k, one in enumerate(found) if not _is_of_the_past(one, found[k + 1 : k + 2], tokens)]
    chosen = min(found, key=_rank, default=None)
    if (chosen is None or _rank(chosen) == _GIVES_NOTHING) and (term := unread_term(tokens, said)) is not None:
        chosen = _days(term, _context(term, tokens, made_on, policy, lexicon))
    if chosen is None:
        return _without_date(wording, policy)
    expression, days = chosen.expression, chosen.days
    words = text[tokens[expression.start].start : tokens[expression.end - 1].end]
    days = days.beside(*_others(found, chosen))
    modality = _modality(expression, days)
    rhythm = next((one.expression.months for one in found if one.expression.tie is Tie.EVERY), None)
    return _wording(wording, words, days, modality, policy, expression, rhythm)


def lexicon_for(language: LanguageTag) -> Lexicon | None:
    """The words for time of a language; of Mexico's Spanish those of Spanish, as long as it has none of its own."""
    return LEXICONS.get(language) or LEXICONS.get(language.partition("-")[0])


def _without_date(wording: str, policy: ReadingPolicy) -> Wording:
    return _wording(wording, None, Days(None, ("no-date",)), Modality.NONE, policy)


def _wording(
    wording: str,
    words: str | None,
    days: Days,
    modality: Modality,
    policy: ReadingPolicy,
    expression: Expression | None = None,
    rhythm: int | None = None,
) -> Wording:
    span = span_of(days.edtf)
    reading = _READINGS[modality]
    settled = days.edtf is not None or not days.alternatives or modality is Modality.RECURRING
    return Wording(
        wording=wording,
        expression=words,
        edtf=span.edtf,
        earliest=span.earliest,
        latest=span.latest,
        precision=span.precision,
        modality=modality,
        reading=reading if settled else Reading.UNDATED,
        review_months=_review(reading, rhythm),
        anchor=_anchor(expression) if expression else None,
        rules=days.rules or ("as-written",),
        settled=settled,
        alternatives=days.alternatives,
        policy=policy,
    )


def _review(reading: Reading, rhythm: int | None) -> int | None:
    if not rhythm or reading not in {Reading.RECURRING, Reading.FROM}:
        return None
    return min(abs(rhythm), _LONGEST_REVIEW)


def _rank(one: _Found) -> int:
    """What counts before what: days to come, a term that is past, events, rhythms, and words that give nothing."""
    rhythm = one.expression.tie is Tie.EVERY
    if one.days.edtf is not None:
        return 0
    if one.days.alternatives and not rhythm:
        return 1 if {"past", "unresolved"} & set(one.days.rules) else 0
    if one.expression.event is not None:
        return 2
    return 3 if rhythm else _GIVES_NOTHING


def _others(found: list[_Found], chosen: _Found) -> list[Alternative]:
    why = "the words hold another time expression"
    return [
        alternative("another-expression", one.days.edtf, why)
        for one in found
        if one is not chosen and one.days.edtf is not None
    ]


def _context(
    one: Expression, tokens: Sequence[Token], made_on: date, policy: ReadingPolicy, lexicon: Lexicon
) -> ReadingContext:
    return ReadingContext(
        made_on,
        policy,
        lexicon.day_first,
        is_deadline=one.tie in _DEADLINES,
        tense=tense_of(tokens, one.start, one.end, lexicon.tense),
        is_alone=_is_alone(one, tokens),
    )


def _is_alone(one: Expression, tokens: Sequence[Token]) -> bool:
    """Whether no words stand beside an expression; looks at the tokens without a copy, as a text has many of them."""
    before, behind = range(one.start), range(one.end, len(tokens))
    return all(tokens[k].kind in _NO_OTHER_WORDS for places in (before, behind) for k in places)


def _days(expression: Expression, context: ReadingContext) -> _Found:
    match expression:
        case Expression(core=core) if core is not None:
            try:
                return _Found(expression, tied(expression.tie, core, context))
            except (ValueError, OverflowError):
                return _Found(expression, Days(None, ("outside-the-calendar",)))
        case Expression(tie=Tie.EVERY, months=-6):
            why = "“biannually” may mean twice a year or every two years"
            twice = Alternative("every-two-years", None, None, None, why)
            return _Found(expression, Days(None, ("twice-a-year",), (twice,)))
        case Expression(tie=Tie.EVERY):
            return _Found(expression, Days(None, ("rhythm",)))
        case Expression(event=event) if event is not None and _is_past(expression, event, context):
            return _Found(replace(expression, tie=Tie.VAGUE, event=None), Days(None, ("past",)))
        case Expression(event=event) if event is not None:
            return _Found(expression, Days(None, ("anchor",)))
    return _Found(expression, Days(None, ("no-date",)))


def _is_of_the_past(one: _Found, following: Sequence[_Found], tokens: Sequence[Token]) -> bool:
    """Whether an event took place on the past days behind it: "following the adoption of our Concept in 1991"."""
    for other in following:
        between = range(one.expression.end, other.expression.start)
        is_near = len(between) <= _NEAR and all(tokens[k].kind not in {Kind.BREAK, Kind.COMMA} for k in between)
        return one.expression.event is not None and is_near and "past" in other.days.rules
    return False


def _year_of(name: str) -> int | None:
    """The year that an event's name says; the climate conferences are counted from 1995, one a year but for 2020."""
    if year := _YEAR.search(name):
        return int(year.group())
    if cop := _COP.search(name):
        number = int(cop.group(1))
        return 1994 + number + (number >= 26)
    return None


def _is_past(expression: Expression, event: Event, context: ReadingContext) -> bool:
    """Whether an event is one that took place: by the verb, or by the year in its name."""
    if (_year_of(event.name or "") or context.made_on.year) < context.made_on.year:
        return True
    tells = context.is_told and expression.distance is None and event.kind != "next-summit"
    return tells and expression.tie in _TELLING


def _modality(expression: Expression, days: Days) -> Modality:
    if expression.core is not None and days.edtf is None and not days.alternatives:
        return Modality.NONE  # no such day, none in the calendar, or one long past
    match expression.tie:
        case Tie.BY | Tie.BEFORE | Tie.WITHIN | Tie.LESS:
            return Modality.BY
        case Tie.UNTIL | Tie.FROM_NOW | Tie.DURING:
            return Modality.DURING
        case Tie.OVER:
            return Modality.OVER
        case Tie.FROM | Tie.SINCE | Tie.AFTER:
            return Modality.FROM
        case Tie.EVERY:
            return Modality.RECURRING
        case Tie.VAGUE:
            return Modality.NONE
        case Tie.ON:
            return Modality.ON
    if expression.event is not None:
        return Modality.ON
    return _of_core(expression.core, days)


def _of_core(core: Core | None, days: Days) -> Modality:
    """What "in", or nothing at all, says of these days."""
    match core:
        case Decade() | Century() | LongHalf() | Part(of=Decade()) | Range(last=Year() | Decade() | Month()):
            return Modality.DURING
        case Numeric():
            return Modality.ON
        case _ if days.edtf and span_of(days.edtf).precision is Precision.DAY:
            return Modality.ON
    return Modality.IN


def _anchor(expression: Expression) -> AnchorReference | None:
    event, distance = expression.event, expression.distance
    if event is None:
        return None
    offset = None
    if distance is not None:
        unit, times = _UNITS.get(distance.unit, (f"{distance.unit}s", 1))
        count = distance.count * times
        if count <= 3660:
            offset = Offset.model_validate({"direction": distance.direction, "count": count, "unit": unit})
    elif expression.tie in {Tie.BEFORE, Tie.AFTER}:
        direction = "before" if expression.tie is Tie.BEFORE else "after"
        offset = Offset.model_validate({"direction": direction, "count": 0, "unit": "days"})
    return AnchorReference(event.kind, event.name, offset)
