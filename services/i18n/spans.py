"""The name of a span of days, which is the same wherever it is shown, and the phrase for a date built on it.

A span is called as coarsely as its words are. Where one unit (a month, a season, a year, a decade) holds both of its
ends, it is that unit's name; else both ends are named, decades by their first and last years. A precision or a reading
of a later release says nothing here: then the days themselves are named, and nothing is said of what they mean.
"""

import re
from datetime import date

from contracts.vocabulary import Precision, Reading, Span
from services.i18n.catalogue import N_
from services.i18n.words import DayForm, Words

_SEASON = re.compile(r"(\d{4})-(2[1-4])", re.ASCII)
"""How EDTF writes a season that has a name here."""

_SEASONS = {
    "21": (N_("spring %(year)s"), N_("in spring %(year)s")),
    "22": (N_("summer %(year)s"), N_("in summer %(year)s")),
    "23": (N_("autumn %(year)s"), N_("in autumn %(year)s")),
    "24": (N_("winter %(year)s"), N_("in winter %(year)s")),
}

_SEASON_ENDS = {
    "21": N_("by the end of spring %(year)s"),
    "22": N_("by the end of summer %(year)s"),
    "23": N_("by the end of autumn %(year)s"),
    "24": N_("by the end of winter %(year)s"),
}


def span_name(span: Span, words: Words, form: DayForm = "long", *, inside: bool = False) -> str:
    """`summer 2022`, `June – August 2022`, `the 2020s`, `from 2022 on`, `no date given`; days in the given form.

    `inside` says that it is in that time, where it has a name of its own: `in summer 2022`.
    """
    first, last = span.earliest, span.latest
    if first is None:
        return words.gettext("no date given")
    if last is None:
        return _from(span, first, words)
    if _is_in_days(span):
        return words.day(last, form) if first == last else words.days(first, last, form)
    match span.precision:
        case Precision.MONTH if (first.year, first.month) == (last.year, last.month):
            month = words.month(last)
            return words.gettext("in %(month)s", month=month) if inside else month
        case Precision.SEASON:
            return _season_name(span.edtf or "", first, last, words, inside=inside)
        case Precision.YEAR if first.year == last.year:
            year = str(first.year)
            return words.gettext("in %(year)s", year=year) if inside else year
        case Precision.DECADE if first.year // 10 == last.year // 10:
            decade = str(first.year // 10 * 10)
            return (
                words.gettext("in the %(year)ss", year=decade)
                if inside
                else words.gettext("the %(year)ss", year=decade)
            )
        case Precision.YEAR | Precision.DECADE:
            return f"{first.year}–{last.year}"
    return words.months(first, last)


def date_phrase(span: Span, reading: Reading, wording: str, words: Words, form: DayForm = "long") -> str:
    """When it is to happen: coarse words stay coarse, and are followed by the last day that they allow.

    `by 2030, that is by December 31, 2030`; `from 2022 on`; `no date given (“over the medium term”)`. A single day
    stands in the given form.
    """
    if span.earliest is None and reading is Reading.RECURRING:
        return words.gettext("recurring, no date given (%(wording)s)", wording=words.quoted(wording))
    if span.earliest is None:
        return words.gettext("no date given (%(wording)s)", wording=words.quoted(wording))
    if span.latest is None or _is_in_days(span) or not reading.is_known:
        return date_in_short(span, reading, words, form)
    if reading is Reading.BY and not _is_in_one_unit(span, span.earliest, span.latest):
        return date_in_short(span, reading, words, form)  # its last day already
    told = date_in_short(span, reading, words) if reading is Reading.BY else span_name(span, words, form, inside=True)
    return words.gettext("%(span)s, that is by %(day)s", span=told, day=words.day(span.latest))


def date_in_short(span: Span, reading: Reading, words: Words, form: DayForm = "long") -> str:
    """The same for a headline, without the last day of coarse words: `by 2030`, `by the end of summer 2022`, `2022`.

    "By summer" and "by the 2020s" would mean their beginning, so there the end is named; and of what is to be done by
    the end of several units, only the last day is.
    """
    if reading is not Reading.BY or span.earliest is None or span.latest is None:
        return span_name(span, words, form)
    if _is_in_days(span):
        return words.gettext("by %(day)s", day=words.day(span.latest, form))
    if not _is_in_one_unit(span, span.earliest, span.latest):
        return words.gettext("by %(day)s", day=words.day(span.latest))  # its beginning says nothing of when
    match span.precision:
        case Precision.SEASON:
            year, number = (span.edtf or "").split("-")
            return words.gettext(_SEASON_ENDS[number], year=year)
        case Precision.DECADE:
            decade = str(span.earliest.year // 10 * 10)
            return words.gettext("by the end of the %(year)ss", year=decade)
    return words.gettext("by %(span)s", span=span_name(span, words))


def to_be_reviewed(span: Span, reading: Reading, words: Words) -> str:
    """That something without a last day is to be looked at again, and why it has none."""
    if span.is_open:
        return words.gettext("no end date; to be reviewed")
    if reading is Reading.RECURRING:
        return words.gettext("recurring; to be reviewed")
    return words.gettext("no date given; to be reviewed")


def _is_in_days(span: Span) -> bool:
    return span.precision is Precision.DAY or not span.precision.is_known


def _season_name(edtf: str, first: date, last: date, words: Words, *, inside: bool) -> str:
    """A season by its name; from one to another by both; what EDTF calls a season otherwise, by its months."""
    begin, _, end = edtf.partition("/")
    if season := _SEASON.fullmatch(edtf):
        year, number = season.groups()
        return words.gettext(_SEASONS[number][1 if inside else 0], year=year)
    if _SEASON.fullmatch(begin) or _SEASON.fullmatch(end):
        return words.interval(_end_name(begin, first, words), _end_name(end, last, words))
    return words.months(first, last)


def _end_name(edtf: str, day: date, words: Words) -> str:
    season = _SEASON.fullmatch(edtf)
    return words.gettext(_SEASONS[season[2]][0], year=season[1]) if season else words.month(day)


def _is_in_one_unit(span: Span, first: date, last: date) -> bool:
    match span.precision:
        case Precision.MONTH:
            return (first.year, first.month) == (last.year, last.month)
        case Precision.SEASON:
            return _SEASON.fullmatch(span.edtf or "") is not None
        case Precision.YEAR:
            return first.year == last.year
        case Precision.DECADE:
            return first.year // 10 == last.year // 10
    return False


def _from(span: Span, first: date, words: Words) -> str:
    """An open span by its beginning: `from June 2022 on`."""
    if _is_in_days(span):
        return words.gettext("from %(day)s on", day=words.day(first))
    match span.precision:
        case Precision.YEAR:
            return words.gettext("from %(year)s on", year=str(first.year))
        case Precision.SEASON:
            begin = _end_name((span.edtf or "").partition("/")[0], first, words)
        case Precision.DECADE:
            begin = words.gettext("the %(year)ss", year=str(first.year // 10 * 10))
        case _:
            begin = words.month(first)
    return words.gettext("from %(span)s on", span=begin)
